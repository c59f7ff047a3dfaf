"""How long a server asks to be left alone."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

_LONGEST = timedelta(hours=1)


def asked_to_wait(headers: Mapping[str, str]) -> timedelta | None:
    """The `Retry-After` of an answer, an hour at most; None: none is given, or it is a date."""
    given = headers.get("retry-after", "").strip()
    if not (given.isascii() and given.isdigit() and len(given) < 8):
        return None
    return min(timedelta(seconds=int(given)), _LONGEST)
