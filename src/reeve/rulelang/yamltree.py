"""YAML bytes to nodes that know where they stand: every value keeps the text as written and its position.

Scalars are never guessed into dates, booleans or numbers (`on:`, `yes`, `08:30` stay text). What operators'
editors do to files is mended (BOM, CRLF, GB18030); what could mean two things is refused in plain words.
"""

from __future__ import annotations

import bisect
import re
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from typing import Any

from reeve.domain.expressions import Position
from reeve.rulelang.problems import BadRule, Problem, problem
from reeve.rulelang.yamlevents import NextEvent, Unreadable, read_events

MAX_BYTES = 1024 * 1024
"""A rule file larger than this is refused unread."""
MAX_PARTS = 50_000
"""Keys and values of one file; the largest real rule files have a few thousand."""
MAX_DEPTH = 40
"""Nothing in the language nests deeper; a file that does is refused."""

_IN_LIST = re.compile(r"in\s*(\[[^\[\]\n]*\])")
"""Looks for letters first, which is ten times as quick as for the blanks before them."""
_HIDE = str.maketrans("[],", "\ue0f0\ue0f1\ue0f2")
_SHOW = str.maketrans("\ue0f0\ue0f1\ue0f2", "[],")
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
        return not self.style and self.text in ("", "~", "null", "Null", "NULL")

    def position(self, offset: int) -> Position:
        """Where a character of the text stands in the file, through quotes, escapes and folding."""
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
        here = raw[at].translate(_SHOW)
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
    match node:
        case Scalar():
            return None if node.is_null else node.text
        case Sequence(items=items):
            return [plain(item) for item in items]
        case Mapping(values=values):
            return {key: plain(value) for key, value in values.items()}


_INTEGER = re.compile(r"[-+]?[0-9]+\Z")
_FRACTION = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")


def typed(node: Node) -> Any:
    """Values as YAML 1.2's core schema has them, for event data; a number with a fraction is a Decimal."""
    match node:
        case Sequence(items=items):
            return [typed(item) for item in items]
        case Mapping(values=values):
            return {key: typed(value) for key, value in values.items()}
        case Scalar() if node.style:
            return node.text
    if node.is_null:
        return None
    if node.text in ("true", "True", "TRUE", "false", "False", "FALSE"):
        return node.text.lower() == "true"
    if len(node.text) <= 40 and _INTEGER.match(node.text):
        return int(node.text)
    if len(node.text) <= 40 and _FRACTION.match(node.text):
        return Decimal(node.text)
    return node.text


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
        raise BadRule(_syntax_problem(source, error.cause)) from error
    return Document(file, root, (*problems, *repeated))


def _without_brackets(found: re.Match[str]) -> str:
    """A list of a condition, so that YAML sees none: its brackets and commas are other signs till it is read."""
    text, start = found.string, found.start()
    at = start - 1
    while at >= 0 and text[at].isspace():
        at -= 1
    if at < 0 or at == start - 1 or text[at] in ":,[{-":
        return found[0]
    return text[start : found.start(1)] + found[1].translate(_HIDE)


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
            text = event.value.translate(_SHOW) if self._hidden else event.value
            start, end = event.start_mark.index, event.end_mark.index
            return Scalar(self._source, text, start, end, event.style or "")
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

_WIDE_COLON = re.compile(r"^\s*(?:- )?[\w.]+：")
_WIDE_BRACKET = re.compile(r"^\s*(?:- )?[\w.]+:\s*[【｛]")
_WIDE_SIGNS = {"，": ",", "：": ":", "【": "[", "】": "]", "｛": "{", "｝": "}"}
_WIDE_SIGN = re.compile("|".join(['"[^"]*"', "'[^']*'", "#.*", *_WIDE_SIGNS]))


def wide_sign(source: Source, start: int, end: int) -> Problem | None:
    """The first full-width sign of YAML between two places that is neither in quotes nor in a comment."""
    for match in _WIDE_SIGN.finditer(source.text, start, end):
        if match[0] == "：":
            return problem(source.position(match.start()), "wide_colon")
        if match[0] in _WIDE_SIGNS:
            pos = source.position(match.start())
            return problem(pos, "wide_sign", found=match[0], right=_WIDE_SIGNS[match[0]])
    return None


def _syntax_problem(source: Source, error: Any) -> Problem:
    """`error` is ruamel.yaml's, or what its scanner stumbled over."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    if mark is None:
        return problem(Position(source.file, 1, 1), "yaml_unreadable")
    index = min(mark.index, max(len(source.text) - 1, 0))
    pos = source.position(index)
    line = source.text.split("\n")[pos.line - 1]
    before = source.text.split("\n")[max(pos.line - 2, 0)]
    what = str(error.problem or "")
    if _WIDE_COLON.match(line) or _WIDE_COLON.match(before):
        wide = pos.line if _WIDE_COLON.match(line) else pos.line - 1
        return problem(Position(source.file, wide, 1), "wide_colon")
    in_flow = "flow" in str(error.context or "") and error.context_mark is not None
    if in_flow or _WIDE_BRACKET.match(line):
        start = error.context_mark.index if in_flow else source.text.rfind("\n", 0, index) + 1
        end = source.text.find("\n", index)
        if sign := wide_sign(source, start, end if end >= 0 else len(source.text)):
            return sign
    if "end of stream" in what or "<stream end>" in what:
        opened = error.context_mark
        begun = source.position(opened.index) if opened is not None else pos
        return problem(begun, "never_closed", found=source.text[opened.index :][:1] if opened is not None else "")
    if in_flow:
        opened = error.context_mark.index
        return problem(
            pos, "flow_broken", found=source.text[opened : opened + 1], line=source.position(opened).line
        )
    if "cannot start any token" in what:
        return problem(pos, "needs_quotes", found=source.text[index : index + 1])
    if "mapping values are not allowed" in what:
        return problem(pos, "stray_colon")
    if "unknown escape" in what:
        return problem(pos, "bad_escape", found=source.text[index : index + 1])
    return problem(pos, "yaml_indent", line=line.strip()[:60])
