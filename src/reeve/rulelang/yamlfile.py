"""The bytes of a file to nodes, or to the first thing that makes it unreadable.

Scalars are never guessed into dates, booleans or numbers (`on:`, `yes`, `08:30` stay text). What operators'
editors do to files is mended (BOM, CRLF, GB18030); what could mean two things is refused in plain words.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from reeve.domain.expressions import Position
from reeve.rulelang.problems import BadRule, Problem, problem
from reeve.rulelang.yamlevents import NextEvent, Unreadable, read_events
from reeve.rulelang.yamlfaults import syntax_problem
from reeve.rulelang.yamltree import HIDE, SHOW, Document, Mapping, Node, Scalar, Sequence, Source

MAX_BYTES = 1024 * 1024
"""A rule file larger than this is refused unread."""
MAX_PARTS = 50_000
"""Keys and values of one file; the largest real rule files have a few thousand."""
MAX_DEPTH = 40
"""Nothing in the language nests deeper; a file that does is refused."""

_IN_LIST = re.compile(r"in\s*(\[[^\[\]\n]*\])")
"""Looks for letters first, which is ten times as quick as for the blanks before them."""


@lru_cache(maxsize=256)
def kept_yaml(file: str, data: bytes) -> Document:
    """`read_yaml`, remembered: of a folder that is loaded again only what changed is read again."""
    return read_yaml(file, data)


def read_yaml(file: str, data: bytes) -> Document:
    """The file as nodes. Raises BadRule with the first thing that makes it unreadable."""
    whole = Position(file, 1, 1)
    if len(data) > MAX_BYTES:
        raise BadRule(problem(whole, "file_too_large", size=f"{len(data) / 1_000_000:.1f}"))
    text, problems = _decode(whole, data)
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    _refuse_unusable(file, text)
    hidden = _IN_LIST.sub(_without_brackets, text)
    source = Source(file, hidden)
    try:
        root, repeated = read_events(hidden, lambda events: _Reader(source, events).document())
    except Unreadable as error:
        raise BadRule(syntax_problem(source, error.cause)) from error
    return Document(file, root, (*problems, *repeated))


def _without_brackets(found: re.Match[str]) -> str:
    """A list of a condition, so that YAML sees none: its brackets and commas are other signs till it is read."""
    text, start = found.string, found.start()
    at = start - 1
    while at >= 0 and text[at].isspace():
        at -= 1
    if at < 0 or at == start - 1 or text[at] in ":,[{-":
        return found[0]
    return text[start : found.start(1)] + found[1].translate(HIDE)


def _decode(whole: Position, data: bytes) -> tuple[str, list[Problem]]:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            return data.decode("utf-16"), [problem(whole, "encoding_mended", encoding="UTF-16")]
        except UnicodeDecodeError as error:
            raise BadRule(problem(whole, "encoding_unknown")) from error
    try:
        return data.decode("utf-8-sig"), []
    except UnicodeDecodeError:
        pass
    try:
        return data.decode("gb18030"), [problem(whole, "encoding_mended", encoding="GB18030")]
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise BadRule(problem(Position(whole.file, line, 1), "encoding_unknown")) from error


def text_of(data: bytes) -> str | None:
    """The text of a file as its problems count lines and columns; None where it is no text."""
    try:
        text, _ = _decode(Position("", 1, 1), data)
    except BadRule:
        return None
    return text.replace("\r\n", "\n").replace("\r", "\n")


_UNUSABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff\ue0f0-\ue0f2]")
_TAB_INDENT = re.compile(r"^ *\t[ \t]*(?=[^\s#])", re.MULTILINE)


def _refuse_unusable(file: str, text: str) -> None:
    if text.replace("\n", "").isprintable():
        return  # as good as every file; the searches take far longer
    if match := _UNUSABLE.search(text):
        raise BadRule(
            problem(Source(file, text).position(match.start()), "control_character", char=f"U+{ord(match[0]):04X}")
        )
    if match := _TAB_INDENT.search(text):
        raise BadRule(problem(Source(file, text).position(match.start() + match[0].index("\t")), "tab"))


class _Reader:
    """Events to nodes, one at a time, so that depth and aliases are refused before they can grow."""

    def __init__(self, source: Source, events: NextEvent) -> None:
        self._source = source
        self._events = events
        self._hidden = "\ue0f0" in source.text
        self._repeated: list[Problem] = []
        self._parts = 0

    def document(self) -> tuple[Node, list[Problem]]:
        """The root of the only document, and the keys that stand twice."""
        root: Node | None = None
        while (event := self._events()) is not None:
            kind = type(event).__name__
            if kind == "DocumentStartEvent" and root is not None:
                raise BadRule(problem(self._at(event), "several_documents"))
            if kind in _BEGINS:
                root = self._node(event, 0)
        return root if root is not None else Scalar(self._source, "", 0, 0, ""), self._repeated

    def _at(self, event: Any) -> Position:
        return self._source.position(event.start_mark.index)

    def _node(self, event: Any, depth: int) -> Node:
        kind = type(event).__name__
        self._parts += 1
        if kind == "AliasEvent" or event.anchor or event.tag or self._parts > MAX_PARTS or depth > MAX_DEPTH:
            raise BadRule(self._refused(event, kind, depth))
        if kind == "ScalarEvent":
            text = event.value
            if self._hidden and not text.isascii():
                text = text.translate(SHOW)
            return Scalar(self._source, text, event.start_mark.index, event.end_mark.index, event.style or "")
        if kind == "SequenceStartEvent":
            return self._sequence(event.start_mark.index, depth + 1)
        return self._mapping(event.start_mark.index, depth + 1)

    def _refused(self, event: Any, kind: str, depth: int) -> Problem:
        """What a file may not have, whatever it means by it."""
        at = self._at(event)
        if kind == "AliasEvent":
            return problem(at, "alias", name=event.anchor)
        if event.anchor:
            return problem(at, "anchor", name=str(event.anchor))
        if self._parts > MAX_PARTS:
            return problem(at, "too_many_parts", most=MAX_PARTS)
        if depth > MAX_DEPTH:
            return problem(at, "too_deep")
        return problem(at, "tag", tag=str(event.tag))

    def _sequence(self, start: int, depth: int) -> Sequence:
        sequence = Sequence(self._source, start)
        while type(inner := self._events()).__name__ != "SequenceEndEvent":
            sequence.items.append(self._node(inner, depth))
        return sequence

    def _mapping(self, start: int, depth: int) -> Mapping:
        mapping = Mapping(self._source, start)
        keys, values = mapping.keys, mapping.values
        while type(inner := self._events()).__name__ != "MappingEndEvent":
            key = self._node(inner, depth)
            if type(key) is not Scalar:
                raise BadRule(problem(key.pos, "key_not_text"))
            value = self._node(self._events(), depth)
            if key.text in keys:
                first = keys[key.text].pos.line
                self._repeated.append(problem(key.pos, "repeated_key", key=key.text, line=first))
                continue
            keys[key.text] = key
            values[key.text] = value
        return mapping


_BEGINS = ("MappingStartEvent", "SequenceStartEvent", "ScalarEvent", "AliasEvent")
"""Events that begin a value."""
