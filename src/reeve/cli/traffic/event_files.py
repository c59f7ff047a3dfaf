"""Reads files of events one at a time, whatever their size: one JSON object, an array, or one object a line."""

from __future__ import annotations

import codecs
import json
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, NoReturn

import orjson

MOST_LINE = 1024 * 1024
"""Bytes of a line that are looked at; an event may have a quarter of that."""
_CHUNK = 256 * 1024
_BOM = b"\xef\xbb\xbf"
_BLANKS = re.compile(r"[ \t\r\n]*")

Advance = Callable[[int], None]
"""Told how many more bytes were read."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A place in the file that holds no JSON object."""

    reason: str


Item = tuple[int, bytes | dict[str, Any] | Unreadable]
"""Line in the file, counted from 1, and what begins there."""


@contextmanager
def opened(file: Path) -> Iterator[tuple[IO[bytes], int | None]]:
    """The file, or standard input for `-`, and its size where it has one. Raises OSError if it can't be opened."""
    if str(file) == "-":
        yield sys.stdin.buffer, None
        return
    with file.open("rb") as stream:
        yield stream, file.stat().st_size if file.is_file() else None


def read_items(stream: IO[bytes], advance: Advance) -> Iterator[Item]:
    """Every object of the file in order. A bad line is one Unreadable; within an array it is also the last."""
    number, line = 0, b""
    while not line.strip():
        line = stream.readline(MOST_LINE)
        if not line:
            return
        number += 1
        advance(len(line))
        if number == 1:
            line = line.removeprefix(_BOM)
    start = line.lstrip()
    following = b""
    if start.startswith(b"{") and not _is_object(start):
        # A broken first line of many, or the first line of one object written over several?
        following = stream.readline(MOST_LINE)
        advance(len(following))
    if start.startswith(b"[") or (following and not following.lstrip().startswith(b"{")):
        yield from _Scanner(stream, line + following, number, advance).items()
        return
    yield from _lines(stream, [line, following] if following else [line], number, advance)


def _is_object(text: bytes) -> bool:
    try:
        return isinstance(orjson.loads(text), dict)
    except orjson.JSONDecodeError:
        return False


def _lines(stream: IO[bytes], first: list[bytes], number: int, advance: Advance) -> Iterator[Item]:
    line = first.pop(0)
    while line:
        if len(line) >= MOST_LINE and not line.endswith(b"\n"):
            while line and not line.endswith(b"\n"):
                line = stream.readline(MOST_LINE)
                advance(len(line))
            yield number, Unreadable("a line of more than 1 MiB; an event has at most 256 KiB")
        elif line.strip():
            yield number, line.strip()
        number += 1
        if first:
            line = first.pop(0)
        else:
            line = stream.readline(MOST_LINE)
            advance(len(line))


class _Malformed(Exception):
    """What stands at this place is no JSON."""


def _no_constant(name: str) -> NoReturn:
    raise _Malformed(f"{name} is no JSON number")


class _Scanner:
    """Takes the objects out of an array, or out of objects written over several lines, a chunk at a time."""

    def __init__(self, stream: IO[bytes], begun: bytes, number: int, advance: Advance) -> None:
        self._stream = stream
        self._advance = advance
        self._decode = codecs.getincrementaldecoder("utf-8")("surrogateescape").decode
        self._json = json.JSONDecoder(parse_constant=_no_constant)
        self._text = self._decode(begun)
        self._at = 0
        self._line = number
        self._ended = False

    def items(self) -> Iterator[Item]:
        in_array = False
        while (letter := self._next()) is not None:
            if letter == "[" and not in_array:
                in_array = True
                self._at += 1
            elif letter in ",]":
                self._at += 1
            else:
                line = self._line
                try:
                    found = self._value()
                except _Malformed as malformed:
                    yield self._line, Unreadable(f"no well-formed JSON from here on ({malformed})")
                    return
                yield line, found if isinstance(found, dict) else Unreadable("this is no JSON object")

    def _next(self) -> str | None:
        """The next character that is no blank; None at the end of the file."""
        while True:
            end = _BLANKS.match(self._text, self._at).end()  # type: ignore[union-attr]  # it matches nothing, too
            self._line += self._text.count("\n", self._at, end)
            self._at = end
            if end < len(self._text):
                return self._text[end]
            if not self._more():
                return None

    def _value(self) -> Any:
        while True:
            try:
                found, end = self._json.raw_decode(self._text, self._at)
            except (json.JSONDecodeError, RecursionError, ValueError) as error:
                # Either wrong, or cut off: an event is never larger than what is looked at here.
                if len(self._text) - self._at > MOST_LINE or not self._more():
                    why = error.msg if isinstance(error, json.JSONDecodeError) else "too deep, or too long a number"
                    raise _Malformed(why) from error
                continue
            self._line += self._text.count("\n", self._at, end)
            self._at = end
            return found

    def _more(self) -> bool:
        if self._ended:
            return False
        chunk = self._stream.read(_CHUNK)
        self._advance(len(chunk))
        self._ended = not chunk
        self._text = self._text[self._at :] + self._decode(chunk, final=self._ended)
        self._at = 0
        return not self._ended
