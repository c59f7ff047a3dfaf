"""The moments of a digest."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from reeve.domain.calendar import DAY, at_minute, end_of, local_day
from reeve.domain.flood.settings import Digest

STAND_IN = Digest(at=(9 * 60, 17 * 60))
"""For what may wait at a site without a digest: text messages of a month whose budget is spent."""


def next_digest(digest: Digest, after: datetime, zone: ZoneInfo) -> datetime:
    """The digest's next moment later than `after`, aware UTC.

    A wall time that a change of clocks skips comes after it. With `every`, moments are counted from local
    midnight, so that midnight always is one.
    """
    day = local_day(after, zone)
    if digest.every is not None:
        start, end = at_minute(day, 0, zone), end_of(day, zone)
        passed = (after - start) // digest.every + 1
        return min(start + passed * digest.every, end)
    while True:
        for minute in digest.at or STAND_IN.at:
            if (moment := at_minute(day, minute, zone)) > after:
                return moment
        day += DAY
