"""Local wall times as instants, also on the days on which clocks are put forward or back."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

DAY = timedelta(days=1)
MINUTES = 1440
"""Of an ordinary day. A day of 23 or 25 hours has the same wall times, some of them missing or twice."""


@lru_cache(maxsize=16384)
def first_instant(day: date, minute: int, zone: ZoneInfo) -> datetime:
    """The first instant, as UTC, at which that wall time has come; `minute` since midnight, days carried over.

    A wall time that is left out has come when the clocks are put forward; of one that comes twice it is the first.
    So later wall times never give earlier instants: what ends at a wall time ends where the next begins.
    """
    days, minute = divmod(minute, MINUTES)
    day += days * DAY
    local = datetime(day.year, day.month, day.day, minute // 60, minute % 60, tzinfo=zone)
    found = local.astimezone(UTC)
    if found.astimezone(zone).replace(tzinfo=None) == local.replace(tzinfo=None):
        return found
    # Left out: fold 0 gives an instant after the change, fold 1 one before it, both at whole seconds.
    before = local.replace(fold=1).astimezone(UTC)
    changed = found.astimezone(zone).utcoffset()
    low, high = 0, int((found - before).total_seconds())
    while high - low > 1:
        middle = (low + high) // 2
        if (before + timedelta(seconds=middle)).astimezone(zone).utcoffset() == changed:
            high = middle
        else:
            low = middle
    return before + timedelta(seconds=high)
