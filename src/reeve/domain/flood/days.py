"""One payment reminder a day: which days of a person are taken, and by what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from reeve.domain.bundle import SiteSettings
from reeve.domain.calendar import at_minute, end_of, local_day, next_opening
from reeve.domain.facts import zone_of

JOINS = timedelta(seconds=30)
"""So long before a message of several goes out it takes no more: it may be on its way already."""

_KEPT = timedelta(days=3)
_NINE = 9 * 60


@dataclass(frozen=True, slots=True)
class Taken:
    """A day on which the person is reminded."""

    due: datetime
    """When."""
    by: str
    """Key of the notification that took the day."""


Days = Mapping[date, Taken]
"""Days of the site's calendar, of one person."""


def next_allowed(after: date, site: SiteSettings) -> datetime:
    """The first moment after that day at which an owner may be reminded: the site opens, or else at nine."""
    zone = zone_of(site.zone)
    start = end_of(after, zone)
    return next_opening(start, site) or at_minute(local_day(start, zone), _NINE, zone)


def reminded(days: Days, key: str, moment: datetime, now: datetime, site: SiteSettings) -> tuple[Days, datetime]:
    """The days taken after a reminder came that may go at `moment` (not before `now`), and when it goes.

    At `moment` if its day is free or taken by the same notification; with the others of a day whose message is
    still to go; else on the first later day of which that holds.
    """
    zone = zone_of(site.zone)
    kept = {day: taken for day, taken in days.items() if taken.due > now - _KEPT}
    due = moment
    while True:
        day = local_day(due, zone)
        taken = kept.get(day)
        if taken is None:
            return {**kept, day: Taken(due, key)}, due
        if taken.by == key:
            return kept, max(due, taken.due)
        if taken.due >= due and taken.due > now + JOINS:
            return kept, taken.due
        due = next_allowed(day, site)


def late(days: Days, keys: Sequence[str], now: datetime, site: SiteSettings) -> tuple[Days, datetime]:
    """The days taken, and when they go, after reminders are about to go at `now` whose own day is over.

    `keys`: their notifications, which one message says; never empty. Today if that is free or one of theirs.
    """
    today = days.get(local_day(now, zone_of(site.zone)))
    key = today.by if today is not None and today.by in keys else keys[0]
    return reminded(days, key, now, now, site)
