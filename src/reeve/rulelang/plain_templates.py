"""The templates that most messages are, names, our own filters and `if … else`, read and filled in without Jinja2.

Jinja2 takes a millisecond to read and three to compile a text; a folder has hundreds. What is more than plain is
left to it, and a test holds the two readings together.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

MOST_NESTED = 3
"""`if` within one another; more is left to Jinja2, which has its own limit."""

_TAG = re.compile(
    r"\{\{ *(?P<name>[A-Za-z]\w*)(?:(?P<filters>(?: *\| *[a-z]\w*)+)|"
    r""" +or +(?P<or>'[^'\\\n]*'|"[^"\\\n]*"))? *\}\}"""
    r"|\{% *if +(?P<asked>[A-Za-z]\w*) *%\}|(?P<else>\{% *else *%\})|(?P<end>\{% *endif *%\})",
    re.ASCII,
)
_WORDS = frozenset(
    {"true", "false", "none", "True", "False", "None", "and", "or", "not", "in", "is"}
    | {"if", "else", "elif", "for", "endif", "endfor"}
)
"""What Jinja2 takes for no name."""
_NO_PLAIN_FILTERS = frozenset({"default", "d"})
"""They make a name one that may be missing."""

Filters = Mapping[str, Callable[[Any], Any]]


class Undefined(LookupError):
    """The context has no such name; its first argument is the name."""


@dataclass(frozen=True, slots=True)
class Hole:
    """`{{ name | filter }}`, or `{{ name or 'text' }}`."""

    name: str
    filters: tuple[str, ...]
    instead: str | None
    """Said where the value is nothing, empty, zero or false."""
    line: int


@dataclass(frozen=True, slots=True)
class Either:
    """`{% if name %}…{% else %}…{% endif %}`."""

    name: str
    line: int
    then: tuple[Part, ...]
    otherwise: tuple[Part, ...]


Part = str | Hole | Either


def read_plain(source: str, filters: frozenset[str]) -> tuple[Part, ...] | None:
    """The parts of a template; None where it is more than plain, or wrong."""
    if "\r" in source:
        return None
    try:
        return _Reader(source, filters).parts()
    except _NotPlain:
        return None


class _NotPlain(Exception):
    """For Jinja2 to read, or to refuse."""


@dataclass(slots=True)
class _Open:
    """An `if` whose `endif` has not come yet."""

    name: str
    line: int
    then: list[Part] | None = None
    """What stands before its `else`."""


class _Reader:
    def __init__(self, source: str, filters: frozenset[str]) -> None:
        self._source = source
        self._filters = filters
        self._parts: list[Part] = []
        """Of the innermost level."""
        self._above: list[list[Part]] = []
        self._open: list[_Open] = []

    def parts(self) -> tuple[Part, ...]:
        end = 0
        for tag in _TAG.finditer(self._source):
            self._text(self._source[end : tag.start()])
            self._tag(tag)
            end = tag.end()
        self._text(self._source[end:].removesuffix("\n"))
        if self._open:
            raise _NotPlain
        return tuple(self._parts)

    def _text(self, text: str) -> None:
        if "{{" in text or "{%" in text or "{#" in text or text.endswith("{"):
            raise _NotPlain
        if text:
            self._parts.append(text)

    def _tag(self, tag: re.Match[str]) -> None:
        name = tag["name"] or tag["asked"]
        if name in _WORDS:
            raise _NotPlain
        line = self._source.count("\n", 0, tag.start()) + 1
        if tag["name"]:
            used = tuple(re.findall(r"\w+", tag["filters"] or ""))
            if not self._filters.issuperset(used) or not _NO_PLAIN_FILTERS.isdisjoint(used):
                raise _NotPlain
            self._parts.append(Hole(name, used, tag["or"][1:-1] if tag["or"] else None, line))
        elif tag["asked"]:
            self._open.append(_Open(name, line))
            self._above.append(self._parts)
            self._parts = []
        else:
            self._else_or_end(tag)

    def _else_or_end(self, tag: re.Match[str]) -> None:
        if not self._open or len(self._open) > MOST_NESTED:
            raise _NotPlain
        inner = self._open[-1]
        if tag["else"]:
            if inner.then is not None:
                raise _NotPlain
            inner.then, self._parts = self._parts, []
            return
        last = tuple(self._parts)
        then, otherwise = (last, ()) if inner.then is None else (tuple(inner.then), last)
        self._open.pop()
        self._parts = self._above.pop()
        self._parts.append(Either(inner.name, inner.line, then, otherwise))


def filters_in(parts: tuple[Part, ...]) -> frozenset[str]:
    """Every filter that a template uses."""
    used: set[str] = set()
    for part in parts:
        if isinstance(part, Hole):
            used.update(part.filters)
        elif isinstance(part, Either):
            used |= filters_in(part.then) | filters_in(part.otherwise)
    return frozenset(used)


def names_in(parts: tuple[Part, ...]) -> Iterator[tuple[str, int]]:
    """Every name and its line, in the order of the text."""
    for part in parts:
        if isinstance(part, Hole):
            yield part.name, part.line
        elif isinstance(part, Either):
            yield part.name, part.line
            yield from names_in(part.then)
            yield from names_in(part.otherwise)


def fill_in(parts: tuple[Part, ...], context: Mapping[str, Any], filters: Filters) -> Iterator[str]:
    """The text, piece by piece. Raises Undefined."""
    for part in parts:
        if isinstance(part, str):
            yield part
            continue
        if part.name not in context:
            raise Undefined(part.name)
        value = context[part.name]
        if isinstance(part, Either):
            yield from fill_in(part.then if value else part.otherwise, context, filters)
            continue
        if part.instead is not None:
            value = value or part.instead
        for name in part.filters:
            value = filters[name](value)
        if value is not None:
            yield str(value)
