"""Times of day as operators write them."""

from __future__ import annotations

import re


def read_time(text: str) -> int | None:
    """Minutes since midnight of `08:30`; `24:00` is 1440."""
    match = re.fullmatch(r"\s*(\d{1,2})[:：](\d{2})\s*", text, re.ASCII)
    if not match:
        return None
    minutes = int(match[1]) * 60 + int(match[2])
    return minutes if int(match[2]) < 60 and minutes <= 1440 else None
