"""The templates that most messages are, names, our own filters and `if … else`, read and filled in without Jinja2.

Jinja2 takes a millisecond to read and three to compile a text; a folder has hundreds. What is more than plain is
left to it, and a test holds the two readings together.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

MOST_NESTED = 6
"""`if` and `elif` within one another; more is left to Jinja2, which has its own limit."""
MOST_FILTERS = 5
"""After one name; as with `if`."""

_TEXT = r"""'[^'\\\n]*'|"[^"\\\n]*\""""
_TAG = re.compile(
    r"\{(?:\{ *(?P<name>[A-Za-z]\w*)(?:(?P<filters>(?: *\| *[a-z]\w*)+)|"
    rf" +or +(?P<or>{_TEXT}))? *\}}\}}"
    rf"|% *(?P<el>el)?if +(?P<asked>[A-Za-z]\w*)(?: *== *(?P<is>{_TEXT}))? *%\}}"
    r"|(?P<else>% *else *%\})|(?P<end>% *endif *%\}))",
    re.ASCII,
)
"""Begins with one sign for all, so that a search for it skips what is no tag."""
_WORDS = frozenset(
    {"true", "false", "none", "True", "False", "None", "and", "or", "not", "in", "is"}
    | {"if", "else", "elif", "for", "endif", "endfor"}
)
"""What Jinja2 takes for no name."""
_NO_PLAIN_FILTERS = frozenset({"default", "d"})
"""They make a name one that may be missing."""

Filters = Mapping[str, Callable[[Any], Any]]


FILTERS: Filters = {
    "lower": lambda value: str(value).lower(),
    "trim": lambda value: str(value).strip(),
    "upper": lambda value: str(value).upper(),
}
"""Filters of Jinja2 that are as simple as ours."""


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
    """`{% if name %}…{% else %}…{% endif %}`, or `{% if name == 'text' %}`; `elif` is an `if` in the `else`."""

    name: str
    equals: str | None
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
    equals: str | None
    line: int
    chained: bool
    """An `elif`: the `endif` of the `if` before it ends it too."""
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
        if "{" in text and ("{{" in text or "{%" in text or "{#" in text or text.endswith("{")):
            raise _NotPlain
        if text:
            self._parts.append(text)

    def _tag(self, tag: re.Match[str]) -> None:
        name, filters, instead, el, asked, equals, other, _ = tag.groups()
        if name in _WORDS or asked in _WORDS:
            raise _NotPlain
        if name:
            used = self._used(filters) if filters else ()
            self._parts.append(Hole(name, used, instead[1:-1] if instead else None, self._line(tag)))
        elif asked:
            if el:
                self._else()
            self._open.append(_Open(asked, equals[1:-1] if equals else None, self._line(tag), bool(el)))
            self._above.append(self._parts)
            self._parts = []
        elif other:
            self._else()
        else:
            while self._end():
                pass

    def _line(self, tag: re.Match[str]) -> int:
        return self._source.count("\n", 0, tag.start()) + 1

    def _used(self, filters: str) -> tuple[str, ...]:
        used = tuple(name.strip(" ") for name in filters.split("|")[1:])
        if len(used) > MOST_FILTERS or not self._filters.issuperset(used) or not _NO_PLAIN_FILTERS.isdisjoint(used):
            raise _NotPlain
        return used

    def _else(self) -> None:
        if not self._open or len(self._open) > MOST_NESTED or self._open[-1].then is not None:
            raise _NotPlain
        self._open[-1].then, self._parts = self._parts, []

    def _end(self) -> bool:
        """Whether the `endif` ends one more."""
        if not self._open or len(self._open) > MOST_NESTED:
            raise _NotPlain
        inner = self._open.pop()
        last = tuple(self._parts)
        then, otherwise = (last, ()) if inner.then is None else (tuple(inner.then), last)
        self._parts = self._above.pop()
        self._parts.append(Either(inner.name, inner.equals, inner.line, then, otherwise))
        return inner.chained


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
            holds = value if part.equals is None else value == part.equals
            yield from fill_in(part.then if holds else part.otherwise, context, filters)
            continue
        if part.instead is not None:
            value = value or part.instead
        for name in part.filters:
            value = filters[name](value)
        if value is not None:
            yield str(value)
