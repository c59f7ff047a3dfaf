"""A site's SMS of a month: how much is used, where that leads, and when milder grades go another way."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from reeve.domain.calendar import add_months, at_minute, local_day

WARNINGS = (80, 100)
"""Percent of the budget at which the site's property manager hears of it, once a month each."""

_FEW_DAYS = timedelta(days=3)
"""A month's pace is taken over so long at least: the first morning says nothing about the month."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Segments used in a month, against what there is for it."""

    used: int
    budget: int
    forecast: int
    """At the month's end, if it goes on as it went until now."""

    @property
    def percent(self) -> int:
        """Used, of the budget; 100 is all of it."""
        return self.used * 100 // self.budget

    @property
    def degraded(self) -> bool:
        """Milder grades go by email or wait for the digest."""
        return self.used >= self.budget or self.forecast > self.budget


def month_of(at: datetime, zone: ZoneInfo) -> str:
    """`2026-11`, the month at the site."""
    return f"{local_day(at, zone):%Y-%m}"


def usage(used: int, budget: int, now: datetime, zone: ZoneInfo) -> Usage:
    """`used` are the segments since the local month began."""
    first = local_day(now, zone).replace(day=1)
    begin, end = _midnight(first, zone), _midnight(add_months(first, 1), zone)
    passed = max(now - begin, _FEW_DAYS)
    left = max(end - now, timedelta())
    return Usage(used, budget, used + round(used * (left / passed)))


def due_warnings(now_used: Usage) -> tuple[int, ...]:
    """The percentages that are reached."""
    return tuple(percent for percent in WARNINGS if now_used.percent >= percent)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return at_minute(day, 0, zone)
