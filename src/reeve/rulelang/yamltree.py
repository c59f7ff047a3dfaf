"""A file's YAML as nodes that know where they stand: every value keeps the text as written and its position."""

from __future__ import annotations

import bisect
import re
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from typing import Any

from reeve.domain.expressions import Position
from reeve.rulelang.problems import Problem

HIDE = str.maketrans("[],", "\ue0f0\ue0f1\ue0f2")
"""Brackets and commas of a condition, as other signs while YAML is read, so that it sees no list there."""
SHOW = str.maketrans("\ue0f0\ue0f1\ue0f2", "[],")
_ESCAPE_LENGTH = {"x": 4, "u": 6, "U": 10}


class Source:
    """The text of one file, by lines."""

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self.text = text
        self._starts = [0, *(match.end() for match in re.finditer("\n", text))]

    def position(self, index: int) -> Position:
        """Line and column, from 1, of a character."""
        line = bisect.bisect_right(self._starts, index) - 1
        return Position(self.file, line + 1, index - self._starts[line] + 1)


@dataclass(slots=True, eq=False)  # not frozen: a folder has tens of thousands, and frozen ones take thrice as long
class Scalar:
    """A value as written, never changed. `style` is "" for plain, else its quote or block sign."""

    source: Source
    text: str
    start: int
    end: int
    style: str

    @property
    def pos(self) -> Position:
        return self.source.position(self.start)

    @property
    def is_null(self) -> bool:
        """Nothing written, `~` or `null`, as YAML 1.2 has it."""
        return not self.style and self.text in _NULLS

    def position(self, offset: int) -> Position:
        """Where a character of the text stands in the file, through quotes, escapes and folding."""
        if not self.style and 0 <= offset < len(self.text) and not self.text[offset].isspace():
            # Nothing but folding parts a plain text from what stands in the file.
            direct = self.start + offset
            if self.source.text[self.start : direct + 1].translate(SHOW) == self.text[: offset + 1]:
                return self.source.position(direct)
        places = _places(self)
        return self.source.position(min(places[min(offset, len(places) - 1)], self.end))


@lru_cache(maxsize=32)
def _places(scalar: Scalar) -> tuple[int, ...]:
    """Where each character of a value, and its end, stands in the file's text."""
    raw, at = scalar.source.text, scalar.start
    if scalar.style in ("|", ">"):
        at = raw.find("\n", at) + 1 or at
    elif scalar.style:
        at += 1
    places: list[int] = []
    last = at
    for char in scalar.text:
        if not char.isspace():
            last = at = _next(scalar, raw, at, char)
            at += _escape(raw, at) if scalar.style == '"' else 1
        places.append(last)
    return (*places, at)


def _next(scalar: Scalar, raw: str, at: int, char: str) -> int:
    while at < scalar.end:
        here = raw[at].translate(SHOW)
        if here == char or (scalar.style == '"' and here == "\\" and raw[at + 1 : at + 2] != "\n"):
            return at
        at += 1
    return at


def _escape(raw: str, at: int) -> int:
    if at + 1 < len(raw) and raw[at] == "\\":
        return _ESCAPE_LENGTH.get(raw[at + 1], 2)
    return 1


@dataclass(slots=True, eq=False)
class Sequence:
    """A list."""

    source: Source
    start: int
    items: list[Node] = field(default_factory=list)

    @property
    def pos(self) -> Position:
        return self.source.position(self.start)


@dataclass(slots=True, eq=False)
class Mapping:
    """Keys and values in the order written; `keys` holds each key's own node."""

    source: Source
    start: int
    values: dict[str, Node] = field(default_factory=dict)
    keys: dict[str, Scalar] = field(default_factory=dict)

    @property
    def pos(self) -> Position:
        return self.source.position(self.start)


Node = Scalar | Sequence | Mapping


@dataclass(frozen=True, slots=True)
class Document:
    """One file, read."""

    file: str
    root: Node
    problems: tuple[Problem, ...] = ()
    """Warnings about what was mended, and repeated keys."""

    def node(self, *path: str | int) -> Node:
        """The node at a path; steps that are not there are skipped, so the nearest node above answers."""
        node = self.root
        for step in path:
            if isinstance(node, Mapping) and isinstance(step, str) and step in node.values:
                node = node.values[step]
            elif isinstance(node, Sequence) and isinstance(step, int) and 0 <= step < len(node.items):
                node = node.items[step]
        return node

    def at(self, *path: str | int) -> Position:
        """Where the value at a path stands."""
        return self.node(*path).pos

    def at_key(self, *path: str | int) -> Position:
        """Where the key that ends the path stands; the value's own place for an item of a list."""
        above = self.node(*path[:-1])
        if isinstance(above, Mapping) and path[-1] in above.keys:
            return above.keys[str(path[-1])].pos
        return self.at(*path)

    def scalar(self, *path: str | int) -> Scalar:
        """The text at a path; an empty one at the nearest node where there is none."""
        node = self.node(*path)
        if isinstance(node, Scalar):
            return node
        return Scalar(node.source, "", node.start, node.start, "")


def plain(node: Node) -> Any:
    """Mappings, lists and texts without positions; `None` where nothing is written."""
    if isinstance(node, Scalar):
        return None if node.text in _NULLS and not node.style else node.text
    if isinstance(node, Mapping):
        return {key: plain(value) for key, value in node.values.items()}
    return [plain(item) for item in node.items]


_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_CONSTANTS = {
    **dict.fromkeys(_NULLS),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGER = re.compile(r"[-+]?[0-9]+\Z")
_FRACTION = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")


def typed(node: Node) -> Any:
    """Values as YAML 1.2's core schema has them, for event data; a number with a fraction is a Decimal."""
    if isinstance(node, Scalar):
        text = node.text
        if node.style:
            return text
        if text in _CONSTANTS:
            return _CONSTANTS[text]
        if len(text) > 40 or text[0] not in "-+.0123456789":
            return text
        if _INTEGER.match(text):
            return int(text)
        return Decimal(text) if _FRACTION.match(text) else text
    if isinstance(node, Mapping):
        return {key: typed(value) for key, value in node.values.items()}
    return [typed(item) for item in node.items]
