"""Full-width punctuation, operators and digits as Chinese keyboards give them, made plain before lexing.

Text in quotes is left as it is. Every character of the result knows which character it came from.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_QUOTED = r""""[^"]*"|'[^']*'|[“”][^“”"]*[“”"]|[‘’][^‘’']*[‘’']|「[^」]*」"""
_QUOTED_RE = re.compile(_QUOTED)
_PLAIN = {
    "　": " ",
    "\u00a0": " ",
    "、": ",",
    "。": ".",
    "＂": '"',
    "【": "[",
    "】": "]",
    "《": "<",
    "》": ">",
    "−": "-",
    "–": "-",
    "—": "-",
    "≥": ">=",
    "≧": ">=",
    "≤": "<=",
    "≦": "<=",
    "≠": "!=",
    "\t": " ",
    "\n": " ",
} | {chr(wide): chr(wide - 0xFEE0) for wide in range(0xFF01, 0xFF5F)}
_ANY_WIDE = re.compile("[" + re.escape("".join(_PLAIN)) + "]")


@dataclass(frozen=True, slots=True)
class Normal:
    """The text as the grammar reads it; `origin[i]` is the offset in the written text of character i."""

    text: str
    origin: tuple[int, ...] | None
    """None: nothing changed length."""

    def offset(self, index: int) -> int:
        """The offset in the written text of a character of the normal text."""
        if self.origin is None:
            return index
        return self.origin[min(index, len(self.origin) - 1)] if self.origin else 0


def normalise(written: str) -> Normal:
    """The written text with full-width signs made plain outside quotes."""
    if not _ANY_WIDE.search(written):
        return Normal(written, None)
    text: list[str] = []
    origin: list[int] = []
    index = 0
    while index < len(written):
        if quoted := _QUOTED_RE.match(written, index):
            text.append(quoted[0])
            origin.extend(range(index, quoted.end()))
            index = quoted.end()
            continue
        plain = _PLAIN.get(written[index], written[index])
        text.append(plain)
        origin.extend([index] * len(plain))
        index += 1
    origin.append(len(written))
    return Normal("".join(text), tuple(origin))
