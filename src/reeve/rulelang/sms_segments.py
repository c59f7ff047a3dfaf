"""How many SMS a text takes: 160 characters of the GSM alphabet or 70 of any script, fewer each where several."""

from __future__ import annotations

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
    return len(text) + sum(character > "\uffff" for character in text)


def segments(text: str) -> int:
    """How many SMS the text takes; no character is torn in two."""
    gsm = is_gsm(text)
    alone, each = GSM if gsm else UCS2
    if places(text) <= alone:
        return 1
    count, used = 1, 0
    for character in text:
        width = 2 if (character in _EXTENDED if gsm else character > "\uffff") else 1
        if used + width > each:
            count, used = count + 1, 0
        used += width
    return count
