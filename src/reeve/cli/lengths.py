"""Lengths of time as people type them: `8h`, `90m`, `2d12h`, `3w`."""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime, timedelta

_DIGITS = {"weeks": 4, "days": 5, "hours": 5, "minutes": 6, "seconds": 6}
"""So many digits that no calendar ends before a length does."""
_LENGTH = re.compile(r"\s*".join(rf"(?:(?P<{name}>\d{{1,{most}}})\s*{name[0]})?" for name, most in _DIGITS.items()))


def length_of(text: str) -> timedelta | None:
    """The length, more than nothing; larger units come first. None: it is none."""
    found = _LENGTH.fullmatch(unicodedata.normalize("NFKC", text).strip().lower())
    if found is None:
        return None
    return timedelta(**{name: int(count) for name, count in found.groupdict(default="0").items()}) or None


def ago(text: str, now: datetime) -> datetime | None:
    """The moment so long before `now`; None: the text is no length."""
    length = length_of(text)
    return None if length is None else now - length
