"""Carries what a child prints to its log file and, with the child's name in front, to the terminal."""

from __future__ import annotations

import asyncio
import codecs
import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from rich.console import Console
from rich.text import Text

_CHUNK_BYTES = 65_536
_LONGEST_LINE = 8_192
"""Characters; a longer line is cut into several, so that a child can't fill our memory."""
_LOG_BYTES = 16_000_000
"""A log larger than this is set aside as `<name>.log.1` at the next start."""
COLOURS = ("cyan", "magenta", "green", "yellow", "blue")


def show(console: Console, text: Text | str) -> None:
    """Shown as it stands, if there still is a terminal: a closed one must not keep the stack from draining.

    Rules hold brackets, which are no markup.
    """
    # rich turns a broken pipe into SystemExit after it has pointed stdout at nothing.
    with contextlib.suppress(OSError, SystemExit):
        console.print(text, soft_wrap=True, highlight=False, markup=False, emoji=False)


class LineSplitter:
    """Text in arbitrary pieces in, whole lines out; bytes that are no UTF-8 become U+FFFD."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._rest = ""

    def feed(self, chunk: bytes, *, final: bool = False) -> Iterator[str]:
        """The lines that `chunk` completes, without their ends; with `final` also the unfinished one."""
        *lines, self._rest = (self._rest + self._decoder.decode(chunk, final)).split("\n")
        while len(self._rest) > _LONGEST_LINE:
            lines.append(self._rest[:_LONGEST_LINE])
            self._rest = self._rest[_LONGEST_LINE:]
        if final and self._rest:
            lines.append(self._rest)
            self._rest = ""
        yield from (line.rstrip("\r") for line in lines)


class ChildOutput:
    """One child's lines, over all its restarts."""

    def __init__(self, name: str, log: Path, console: Console, colour: str) -> None:
        self.log = log
        self.last_line = ""
        """What it printed last; quoted when it ends unexpectedly."""
        self._console = console
        self._prefix = Text(f"{name:>10} │ ", style=colour)

    async def follow(self, stream: asyncio.StreamReader) -> None:
        """Returns when the stream has ended; everything is in the log and on the console by then."""
        await asyncio.to_thread(self._rotate)
        splitter = LineSplitter()
        with self.log.open("a", encoding="utf-8") as file:
            ended = False
            while not ended:
                chunk = await stream.read(_CHUNK_BYTES)
                ended = not chunk
                for line in splitter.feed(chunk, final=ended):
                    self._show(line, file)
                file.flush()

    def say(self, sentence: str) -> None:
        """Shows a sentence of ours between the child's lines."""
        show(self._console, self._prefix + Text(sentence, style="bold"))

    def _show(self, line: str, file: TextIO) -> None:
        self.last_line = line or self.last_line
        file.write(f"{line}\n")
        show(self._console, self._prefix + Text.from_ansi(line))

    def _rotate(self) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if self.log.exists() and self.log.stat().st_size > _LOG_BYTES:
            self.log.replace(self.log.with_name(f"{self.log.name}.1"))
