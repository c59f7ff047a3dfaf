"""How many SMS a text takes: 160 characters of the GSM alphabet or 70 of any script, fewer each where several.

Networks cut a long text into parts of 153 septets or 67 UTF-16 units; an escape sequence of the GSM alphabet and a
surrogate pair are never torn in two, so a part may stay one short.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = frozenset("^{}\\[~]|€\f")
"""Two places each. Source: 3GPP TS 23.038."""

GSM, UCS2 = (160, 153), (70, 67)
"""Places of one SMS that stands alone, and of each of several."""


_GSM = _BASIC | _EXTENDED


def is_gsm(text: str) -> bool:
    """Whether the GSM alphabet has every character; one that it lacks makes the whole text UCS-2."""
    return _GSM.issuperset(text)


def places(text: str) -> int:
    """How many places the text takes in its alphabet."""
    if is_gsm(text):
        return len(text) + sum(map(text.count, _EXTENDED))
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def encoding(text: str) -> str:
    """`GSM-7` or `UCS-2`: how an SMS of it is coded."""
    return "GSM-7" if is_gsm(text) else "UCS-2"


def segments(text: str) -> int:
    """How many SMS the text takes; no character is torn in two."""
    alone, each = GSM if is_gsm(text) else UCS2
    if places(text) <= alone:
        return 1
    return sum(1 for _ in _cuts(text, each)) + 1


def parts(text: str) -> list[str]:
    """The text as the phone gets it: each SMS's share, in order."""
    alone, each = GSM if is_gsm(text) else UCS2
    if places(text) <= alone:
        return [text]
    cuts = [0, *_cuts(text, each), len(text)]
    return [text[start:end] for start, end in pairwise(cuts)]


def _cuts(text: str, each: int) -> Iterator[int]:
    """Where one part ends and the next begins."""
    gsm = is_gsm(text)
    used = 0
    for place, character in enumerate(text):
        width = 2 if (character in _EXTENDED if gsm else character > "\uffff") else 1
        if used + width > each:
            yield place
            used = 0
        used += width
