"""Reads the operators' guide and does to a folder of rules what its blocks say, as somebody with an editor would.

A block's first line names its file and what to do; both languages of the guide say the same in their own words:
`# complaint.yaml: add`, `# complaint.yaml：新增`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

GUIDES = {"zh": "operators.zh.md", "en": "operators.en.md"}
_ACTIONS = {
    "zh": {"新增": "add", "替换": "replace", "新文件": "new", "改行": "lines"},
    "en": {"add": "add", "replace": "replace", "new file": "new", "change lines": "lines"},
}
_BEFORE = {"zh": re.compile(r"^(.+?)，放在 (\S+) 之前$"), "en": re.compile(r"^(.+?), before (\S+)$")}
_FENCED = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_ITEM_NAME = re.compile(r"^\s*- \{?(?:name|grade|duty|test): ([^,}\n#]+)|^\s*([^\s:#-][^:\n]*):")


@dataclass(frozen=True)
class Edit:
    """One block of the guide that changes a file."""

    file: str
    action: str
    before: str | None
    """The item that the first new one stands before."""
    body: str


@dataclass(frozen=True)
class Section:
    """What stands under one heading of the second level."""

    title: str
    edits: tuple[Edit, ...]
    blocks: tuple[tuple[str, str], ...]
    """The other blocks: language of the fence, text."""

    def texts(self, language: str) -> list[str]:
        return [text for fence, text in self.blocks if fence == language]


def read_guide(path: Path, lang: str) -> list[Section]:
    """The guide's sections in order. Raises ValueError for a first line that says nothing known."""
    sections = []
    for part in re.split(r"^## ", path.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        edits, blocks = [], []
        for fence, text in _FENCED.findall(part):
            if fence in ("yaml", "diff"):
                edits.append(_edit(text, lang))
            else:
                blocks.append((fence, text))
        sections.append(Section(part.partition("\n")[0].strip(), tuple(edits), tuple(blocks)))
    return sections


def _edit(text: str, lang: str) -> Edit:
    first, _, body = text.partition("\n")
    found = re.fullmatch(r"# ([\w./-]+\.yaml)(?:：|: )(.+)", first)
    if found is None:
        raise ValueError(f"a block's first line names no file: {first}")
    file, what = found[1], found[2]
    placed = _BEFORE[lang].match(what)
    if placed is not None:
        what = placed[1]
    if what not in _ACTIONS[lang]:
        raise ValueError(f"unknown to the reader: {first}")
    return Edit(file, _ACTIONS[lang][what], placed[2] if placed else None, body)


def edited(files: Mapping[str, bytes], edits: Iterable[Edit]) -> dict[str, bytes]:
    """The files after the edits. Raises ValueError where an edit does not fit: not there, there twice, not new."""
    after = dict(files)
    for edit in edits:
        if edit.action == "new":
            if edit.file in after:
                raise ValueError(f"{edit.file} is not new")
            after[edit.file] = edit.body.encode()
            continue
        if edit.file not in after:
            raise ValueError(f"there is no {edit.file}")
        text = after[edit.file].decode()
        after[edit.file] = (_changed_lines(text, edit) if edit.action == "lines" else _placed(text, edit)).encode()
    return after


def _changed_lines(text: str, edit: Edit) -> str:
    for old, new in re.findall(r"((?:^-.*\n)+)((?:^\+.*\n)+)", edit.body, re.MULTILINE):
        was, becomes = (re.sub(r"^.", "", lines, flags=re.MULTILINE) for lines in (old, new))
        if f"\n{text}".count(f"\n{was}") != 1:
            raise ValueError(f"{edit.file} does not have exactly one: {was}")
        text = f"\n{text}".replace(f"\n{was}", f"\n{becomes}")[1:]
    return text


def _placed(text: str, edit: Edit) -> str:
    for section, items in _sections(edit):
        for item in items:
            text = _put(text, section, item, edit)
    return text


def _sections(edit: Edit) -> list[tuple[str | None, list[str]]]:
    """The block as section → its items; section None: the items are the file's own."""
    flat = edit.file.startswith("messages/") or edit.body.startswith("- ")
    if flat:
        return [(None, _items(edit.body, 0))]
    found = re.findall(r"^(\w+):\n((?:^ +.*\n|^\n)+)", edit.body, re.MULTILINE)
    return [(name, _items(body, 2)) for name, body in found]


def _items(body: str, indent: int) -> list[str]:
    """The text of each item at this indentation, with what belongs to it."""
    return [item for item in re.split(rf"^(?={' ' * indent}[^\s#])", body, flags=re.MULTILINE) if item.strip()]


def _name(item: str) -> str:
    found = _ITEM_NAME.match(item)
    return (found[1] or found[2]).strip() if found is not None else item  # scores have no names


def _put(text: str, section: str | None, item: str, edit: Edit) -> str:
    start, end = _extent(text, section, edit.file)
    body, indent = text[start:end], 2 if section else 0
    there = {_name(each): each for each in _items(body, indent) if not re.match(r"\s*#", each)}
    if (edit.action == "add") == (_name(item) in there):
        raise ValueError(f"{edit.file}: {_name(item)}: {'is there' if edit.action == 'add' else 'is not there'}")
    if edit.action == "replace":
        # Comments between two items stand before the second of them and stay.
        lines = there[_name(item)].splitlines(keepends=True)
        while not lines[-1].strip() or re.match(rf" {{0,{indent}}}#", lines[-1]):
            lines.pop()
        return text[:start] + body.replace("".join(lines), item, 1) + text[end:]
    if edit.before is not None:
        at = body.index(there[edit.before])
        return text[:start] + body[:at] + item + body[at:] + text[end:]
    return text[:start] + body.rstrip("\n") + "\n" + item + ("\n" if body.endswith("\n\n") else "") + text[end:]


def _extent(text: str, section: str | None, file: str) -> tuple[int, int]:
    """Where a section's items begin and end."""
    if section is None:
        return 0, len(text)
    found = re.search(rf"^{section}:[^\n]*\n", text, re.MULTILINE)
    if found is None:
        raise ValueError(f"{file} has no {section}")
    following = re.compile(r"^\S", re.MULTILINE).search(text, found.end())
    return found.end(), following.start() if following else len(text)
