"""Two bundles held against each other, as they are written.

So it also tells about a bundle that this release can't compile any more. Comments, layout and the order of keys are
no difference; the order of grades and steps is one.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from reeve.rulelang import yamltree as tree
from reeve.rulelang.differences import Difference, Kind, What
from reeve.rulelang.layout import lay_out, normal_bytes
from reeve.rulelang.problems import BadRule
from reeve.rulelang.yamlfile import kept_yaml

Files = Mapping[str, bytes]
"""Path within the bundle → content."""

_SHOWN = 160
"""Characters of a value that are shown; of a longer text it is only said that it changed."""
_AROUND = 12
"""Letters shown on either side of where two long texts differ."""
_NAMES = ("grade", "name", "duty", "test", "on")
"""Keys by which the items of a list are told apart."""
_GROUPS: dict[str, What] = {"clocks": "clock", "grades": "grade", "steps": "step", "counts": "count"}
_FOLDERS: dict[str, What] = {"sites": "site", "calendars": "calendar", "tests": "test"}
_SINGLE: dict[str, What] = {"site.yaml": "site", "duties.yaml": "duty", "score.yaml": "score"}
_CLAUSE = re.compile(r"\s+(?:or|and)\s+")


def differences(was: Files, now: Files) -> tuple[Difference, ...]:
    """Everything that is other in `now`, file by file; empty if both are the same but for line ends."""
    before, after = lay_out(was), lay_out(now)
    messages = {*before.messages, *after.messages}
    found: list[Difference] = []
    for path in sorted({*before.read, *after.read} - messages):
        found += _of_file(path, was.get(path), now.get(path))
    return (*found, *_of_messages(before.messages, was, after.messages, now))


def changed_files(was: Files, now: Files) -> tuple[str, ...]:
    """Paths that were added, changed or removed, each with `+`, `~` or `-` before it; line ends are no change."""
    return tuple(
        f"{'+' if path not in was else '-' if path not in now else '~'} {path}"
        for path in sorted({*was, *now})
        if not _same(was.get(path), now.get(path))
    )


def text_differences(was: Files, now: Files, names: tuple[str, str]) -> Iterator[str]:
    """A unified diff of all files, line by line; `names` stand before the paths."""
    for path in sorted({*was, *now}):
        if _same(was.get(path), now.get(path)):
            continue
        old, new = (
            normal_bytes(files.get(path, b"")).decode(errors="replace").splitlines() for files in (was, now)
        )
        source = f"{names[0]}/{path}" if path in was else "/dev/null"
        target = f"{names[1]}/{path}" if path in now else "/dev/null"
        yield from difflib.unified_diff(old, new, source, target, lineterm="")


def _same(was: bytes | None, now: bytes | None) -> bool:
    return was is not None and now is not None and normal_bytes(was) == normal_bytes(now)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where in a bundle something stands, while the trees are walked side by side."""

    file: str
    what: What
    of: str = ""
    path: tuple[str, ...] = ()

    def below(self, key: str) -> _Place:
        return replace(self, path=(*self.path, key))

    @property
    def is_limit(self) -> bool:
        return (
            self.what == "policy" and len(self.path) == 3 and self.path[0] == "clocks" and self.path[2] == "limit"
        )

    def difference(self, kind: Kind, line: int, was: str = "", now: str = "") -> Difference:
        what, name, key = self._parts()
        if kind == "changed":
            was, now = _middles(*_clauses(was, now))
            if max(len(was), len(now)) > _SHOWN:
                kind, was, now = "text", "", ""
        return Difference(self.file, line, what, self.of, name, key, kind, _short(was), _short(now))

    def _parts(self) -> tuple[What, str, str]:
        path = self.path
        if self.what == "policy":
            if len(path) < 2 or path[0] not in _GROUPS:
                return "policy", "", " ".join(path)
            rest = path[3:] if path[0] == "clocks" and path[2:3] == ("limit",) else path[2:]
            return _GROUPS[path[0]], path[1], " ".join(rest)
        if self.what in ("duty", "score", "test", "message"):
            return self.what, path[0] if path else "", " ".join(path[1:])
        return self.what, "", ".".join(path)


# --- files ----------------------------------------------------------------------------------------------------


def _of_file(path: str, was: bytes | None, now: bytes | None) -> list[Difference]:
    if _same(was, now):
        return []
    place = _place_of(path)
    try:
        old, new = (None if data is None else _root(path, data) for data in (was, now))
    except BadRule:
        return [place.difference("unreadable", 0)]
    if place.what == "policy" and (old is None or new is None):
        # A whole policy: its title says more than all of it in one line.
        title = _title(new or old) or path
        return [
            place.difference("removed", 1, was=title) if new is None else place.difference("added", 1, now=title)
        ]
    return list(_compared(place, old, new)) or [place.difference("layout", 0)]


def _place_of(path: str) -> _Place:
    pure = PurePosixPath(path)
    if len(pure.parts) > 1:
        what = _FOLDERS.get(pure.parts[0], "test")
        return _Place(path, what, "" if what == "test" else pure.stem)
    return _Place(path, _SINGLE[path]) if path in _SINGLE else _Place(path, "policy", pure.stem)


def _root(path: str, data: bytes) -> tree.Node:
    return kept_yaml(path, normal_bytes(data)).root


def _title(node: tree.Node | None) -> str:
    return _inline(node.values["title"]) if isinstance(node, tree.Mapping) and "title" in node.values else ""


def _of_messages(before: Sequence[str], was: Files, after: Sequence[str], now: Files) -> list[Difference]:
    """Templates by their names: in which of the files one stands is no difference."""
    try:
        old, new = (
            {path: _root(path, files[path]) for path in paths} for paths, files in ((before, was), (after, now))
        )
    except BadRule as bad:
        return [_Place(bad.problem.file, "message").difference("unreadable", 0)]
    one, other = _templates(old), _templates(new)
    found: list[Difference] = []
    for name in dict.fromkeys([*other, *one]):
        file, _ = other.get(name) or one[name]
        pair = [templates[name][1] if name in templates else None for templates in (one, other)]
        found += _compared(_Place(file, "message", path=(name,)), *pair)
    told = {each.file for each in found}
    untold = [path for path in after if path in was and path not in told and not _same(was[path], now[path])]
    return found + [_Place(path, "message").difference("layout", 0) for path in untold]


def _templates(roots: Mapping[str, tree.Node]) -> dict[str, tuple[str, tree.Node]]:
    return {
        name: (path, node)
        for path, root in roots.items()
        if isinstance(root, tree.Mapping)
        for name, node in root.values.items()
    }


# --- trees ----------------------------------------------------------------------------------------------------


def _compared(place: _Place, was: tree.Node | None, now: tree.Node | None) -> Iterator[Difference]:
    if was is None or now is None:
        node = now if now is not None else was
        if node is None:
            return
        if not place.path:
            # A file of many things that came or went: each of them is told.
            for key, item in (_children(node) or {}).items():
                below = place.below(key)
                yield from _compared(below, None, item) if was is None else _compared(below, item, None)
            return
        # Of a scenario its name says enough.
        text = "" if place.what == "test" else _inline(node)
        kind: Kind = "added" if was is None else "removed"
        yield place.difference(kind, node.pos.line, "" if was is None else text, "" if now is None else text)
        return
    if place.what == "test" and place.path:
        if _inline(was) != _inline(now):
            yield place.difference("edited", now.pos.line)
        return
    old, new = _children(was), _children(now)
    if place.is_limit and old is not None and new is None:
        new = dict.fromkeys(old, now)
    elif place.is_limit and new is not None and old is None:
        old = dict.fromkeys(new, was)
    if old is None or new is None:
        if _inline(was) != _inline(now):
            yield place.difference("changed", now.pos.line, _inline(was), _inline(now))
        return
    for key in dict.fromkeys([*new, *old]):
        yield from _compared(place.below(key), old.get(key), new.get(key))
    yield from _reordered(place, list(old), list(new), now.pos.line)


def _reordered(place: _Place, old: list[str], new: list[str], line: int) -> Iterator[Difference]:
    """Grades and steps count in their order; of other things it says nothing."""
    if place.what != "policy" or place.path not in (("grades",), ("steps",)):
        return
    both = set(old) & set(new)
    was, now = ([name for name in names if name in both] for names in (old, new))
    if was != now:
        whole = Difference(place.file, line, _GROUPS[place.path[0]], place.of, "", "", "order")
        yield replace(whole, was=", ".join(was), now=", ".join(now))


def _children(node: tree.Node) -> dict[str, tree.Node] | None:
    """What can be told apart by name in it; None for a value, and for a list of values."""
    if isinstance(node, tree.Mapping):
        return dict(node.values)
    if not isinstance(node, tree.Sequence) or not node.items:
        return None
    named: dict[str, tree.Node] = {}
    for number, item in enumerate(node.items, 1):
        if not isinstance(item, tree.Mapping):
            return None
        name = next((_inline(item.values[key]) for key in _NAMES if key in item.values), str(number))
        named[name if name not in named else f"{name} ({number})"] = item
    return named


def _inline(node: tree.Node) -> str:
    """The value on one line, as it could be written: `start: ticket.opened, limit: 8m`."""
    match node:
        case tree.Scalar():
            return " ".join(node.text.split())
        case tree.Sequence(items=[only]):
            return _inline(only)
        case tree.Sequence(items=items):
            return f"[{', '.join(map(_inline, items))}]"
        case tree.Mapping(values=values):
            return ", ".join(
                f"{key}: {{{_inline(item)}}}" if isinstance(item, tree.Mapping) else f"{key}: {_inline(item)}"
                for key, item in values.items()
            )


# --- values ---------------------------------------------------------------------------------------------------


def _clauses(was: str, now: str) -> tuple[str, str]:
    """Of two long conditions or lists the parts that differ, if that is less than all of them."""
    for split, join in ((_CLAUSE.split, " … "), (_items, ", ")):
        old, new = split(was), split(now)
        gone = [part for part in old if part not in new]
        come = [part for part in new if part not in old]
        if max(len(old), len(new)) > max(2, len(gone) + len(come)) and (gone or come):
            return (join.join(gone) or "–"), (join.join(come) or "–")
    return was, now


def _middles(was: str, now: str) -> tuple[str, str]:
    """Of two long texts what lies between their common beginning and end, with a few letters around it."""
    if max(len(was), len(now)) <= _SHOWN // 2:
        return was, now
    most = min(len(was), len(now))
    start = next((at for at in range(most) if was[at] != now[at]), most)
    end = next((at for at in range(most - start) if was[-1 - at] != now[-1 - at]), most - start)
    start, end = max(0, start - _AROUND), max(0, end - _AROUND)
    before, after = "…" * (start > 0), "…" * (end > 0)
    return f"{before}{was[start : len(was) - end]}{after}", f"{before}{now[start : len(now) - end]}{after}"


def _items(text: str) -> list[str]:
    return text[1:-1].split(", ") if text.startswith("[") and text.endswith("]") else [text]


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1].rstrip() + "…"
