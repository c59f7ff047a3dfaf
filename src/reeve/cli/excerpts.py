"""The line of a file that a problem is about, with a mark under the word."""

from __future__ import annotations

import re

from rich.cells import cell_len

from reeve.cli.output import shown

_MOST = 100
"""Letters shown of a long line."""
_WORD = re.compile(r"[\w.]+|[<>=!&|]+|\S")


def excerpt(content: bytes, line: int, column: int) -> tuple[str, str] | None:
    """The line and the line with the mark, both with the same margin; None where the file has no such line.

    Line and column count from 1, in letters; Chinese letters take two cells of a terminal.
    """
    from reeve.rulelang.yamlfile import text_of

    text = text_of(content)
    lines = text.split("\n") if text is not None else []
    if not 1 <= line <= len(lines) or not 1 <= column <= len(lines[line - 1]) + 1:
        return None
    written = shown(lines[line - 1].replace("\t", " "))
    at = column - 1
    word = _WORD.match(written, at)
    length = len(word[0]) if word else 1
    start = max(0, at - _MOST // 2) if len(written) > _MOST else 0
    before, marked = written[start:at], written[at : at + length]
    cut = written[start : start + _MOST].rstrip()
    number = f"{line:>5} | "
    mark = "^" * max(1, cell_len(marked))
    return number + cut, " " * (len(number) + cell_len(before)) + mark
