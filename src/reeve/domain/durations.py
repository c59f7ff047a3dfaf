"""Lengths of time as operators write them: elapsed, working days, working hours, months.

The kinds never mix: an elapsed length is exact seconds; the others mean something only on a site's calendar.
Adding one to a moment is `reeve.domain.calendar`'s work.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Elapsed:
    """`90s 10m 48h 5d`: seconds that pass whatever the calendar says (5d = 120 h, GAP-5)."""

    seconds: int

    @property
    def timedelta(self) -> timedelta:
        return timedelta(seconds=self.seconds)


@dataclass(frozen=True, slots=True)
class WorkingDays:
    """`2 working days`: ends at 24:00 of the n-th working day after the day it started (GAP-6)."""

    days: int


@dataclass(frozen=True, slots=True)
class WorkingHours:
    """`4 working hours`: seconds that pass only inside the site's opening spans on working days."""

    seconds: int


@dataclass(frozen=True, slots=True)
class Months:
    """`2 months`: added to the date, clamped to the month's last day, ending at 24:00 of that day."""

    months: int


@dataclass(frozen=True, slots=True)
class SameDay:
    """`same day`: 24:00 at the site on the day it started (GAP-8)."""


Duration = Elapsed | WorkingDays | WorkingHours | Months | SameDay
