"""Which file of a folder is what, by its path; what is not read is said."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from reeve.domain.expressions import Position
from reeve.rulelang.problems import Problem, problem

SINGLE = ("site.yaml", "duties.yaml", "score.yaml", "facts.yaml")


@dataclass
class Layout:
    """The files of a bundle by what they are."""

    policies: list[str] = field(default_factory=list)
    site: str | None = None
    messages: list[str] = field(default_factory=list)
    """messages.yaml and messages/*.yaml."""
    duties: str | None = None
    score: str | None = None
    facts: str | None = None
    sites: dict[str, str] = field(default_factory=dict)
    """Site id → path."""
    calendars: dict[str, str] = field(default_factory=dict)
    """Calendar name → path."""
    tests: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    @property
    def read(self) -> Iterator[str]:
        """Every path that is part of the bundle."""
        yield from self.policies
        single = (self.site, self.duties, self.score, self.facts)
        yield from (path for path in single if path is not None)
        yield from self.messages
        yield from self.sites.values()
        yield from self.calendars.values()
        yield from self.tests


def lay_out(paths: Iterable[str]) -> Layout:
    """The paths sorted into what they are."""
    layout = Layout()
    for path in sorted(paths):
        _place(layout, path)
    if not layout.policies:
        layout.problems.append(problem(Position("", 0, 0), "nothing_there"))
    if not layout.messages:
        layout.problems.append(problem(Position("messages.yaml", 0, 0), "no_messages_file"))
    return layout


def _place(layout: Layout, path: str) -> None:
    pure = PurePosixPath(path)
    if pure.suffix not in (".yaml", ".yml"):
        return
    here = Position(path, 1, 1)
    match pure.parts:
        case _ if pure.suffix == ".yml":
            layout.problems.append(problem(here, "not_read"))
        case (name,) if name in SINGLE:
            setattr(layout, pure.stem, path)
        case ("messages.yaml",) | ("messages", _):
            layout.messages.append(path)
        case (_,):
            if _usable(layout, here, pure.stem, r"[a-z][a-z0-9_-]{0,62}"):
                layout.policies.append(path)
        case ("sites", _):
            if _usable(layout, here, pure.stem, r"[a-z0-9-]{1,63}"):
                layout.sites[pure.stem] = path
        case ("calendars", _):
            layout.calendars[pure.stem] = path
        case ("tests", name) if name.endswith(".test.yaml"):
            layout.tests.append(path)
        case _:
            layout.problems.append(problem(here, "not_read"))


def _usable(layout: Layout, here: Position, name: str, pattern: str) -> bool:
    if re.fullmatch(pattern, name):
        return True
    right = re.sub(r"[^a-z0-9_-]+", "_", name.lower()).strip("_") or "complaint"
    layout.problems.append(problem(here, "wrong_name", found=name, right=right))
    return False


def normal_bytes(data: bytes) -> bytes:
    """The file without what editors change on their own: byte order mark and line ends."""
    return data.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n")
