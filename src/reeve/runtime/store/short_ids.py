"""Short names for deliveries, to be read out, copied and typed: `7m2f-0q3d`."""

from __future__ import annotations

import hashlib

_LETTERS = "0123456789abcdefghjkmnpqrstvwxyz"
"""Crockford's base 32: no letter looks like a digit."""
_MISREAD = str.maketrans({"i": "1", "l": "1", "o": "0"})
_HALF = 4
FEWEST = 3
"""Letters a person must type at least."""


def short_id(id: str) -> str:
    """The name of what has this id, always the same. Two of a million may share one: who looks must ask back."""
    digest = int.from_bytes(hashlib.sha256(id.encode()).digest()[:5], "big")
    written = "".join(_LETTERS[digest >> shift & 31] for shift in range(35, -1, -5))
    return f"{written[:_HALF]}-{written[_HALF:]}"


def as_typed(text: str) -> str | None:
    """The beginning of a name as a person typed it, in the form names are stored in; None: it can't be one."""
    plain = text.strip().lower().replace("-", "").replace(" ", "").translate(_MISREAD)
    if not FEWEST <= len(plain) <= 2 * _HALF or not set(plain) <= set(_LETTERS):
        return None
    return plain if len(plain) <= _HALF else f"{plain[:_HALF]}-{plain[_HALF:]}"
