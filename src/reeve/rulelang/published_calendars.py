"""Working days as published: mainland China by chinesecalendar, other countries by holidays.

A bundle's `calendars/<name>.yaml` is the authority. This is where `reeve rules calendar update` takes it from,
and what stands in, with a warning, for a calendar that a site names and no file has. Source: GAP-6.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import chinese_calendar.constants as china

from reeve.domain.bundle import Calendar

CHINA = "cn"


def published_calendar(name: str) -> Calendar | None:
    """What is published for that name without asking for a year; only China's list says by itself where it ends."""
    if name != CHINA:
        return None
    return Calendar(name, frozenset(china.holidays), frozenset(china.workdays), _end(max(china.holidays).year))


def calendar_for(name: str, years: Iterable[int]) -> Calendar | None:
    """The calendar of a country (`cn`, or an ISO code: `de`, `sg`) for those years; None if nobody publishes it.

    For China the years are those that the State Council has announced, whatever was asked for.
    """
    wanted = sorted(set(years))
    if name == CHINA:
        known = [year for year in wanted if any(day.year == year for day in china.holidays)]
        if not known:
            return None
        off = frozenset(day for day in china.holidays if day.year in known)
        on = frozenset(day for day in china.workdays if day.year in known)
        return Calendar(name, off, on, _end(max(known)))
    import holidays as countries  # slow to load, and only for this

    try:
        listed = countries.country_holidays(name.upper(), years=wanted)
    except NotImplementedError:
        return None
    return Calendar(name, frozenset(listed), frozenset(), _end(wanted[-1]))


def calendar_yaml(calendar: Calendar) -> str:
    """The calendar as a rule file."""
    source = "chinesecalendar" if calendar.name == CHINA else "holidays"
    lines = [
        "# yaml-language-server: $schema=../../schemas/rules/calendar.schema.json",
        f"# Working days of `{calendar.name}` (GAP-6): what differs from Monday to Friday.",
        f"# Written by `reeve rules calendar update` from {source}; do not edit by hand.",
        f"# {calendar.name} 的工作日：与周一至周五不同的日子。由命令写成，请勿手改。",
        f"known_until: {calendar.known_until} # beyond this Monday to Friday counts and a deadline is provisional",
        "holidays: # off / 放假" if calendar.holidays else "holidays: []",
        *_days(calendar.name, calendar.holidays),
        "workdays: # Saturdays and Sundays worked instead / 调休上班" if calendar.workdays else "workdays: []",
        *_days(calendar.name, calendar.workdays),
    ]
    return "\n".join(lines) + "\n"


def _days(name: str, days: frozenset[date]) -> Iterable[str]:
    told = None
    for day in sorted(days):
        label = (day.year, _label(day)) if name == CHINA else (day.year, "")
        note = f"  # {label[0]} {label[1]}".rstrip() if label != told else ""
        told = label
        yield f"  - {day}{note}"


def _label(day: date) -> str:
    english = china.holidays.get(day) or china.workdays.get(day) or ""
    chinese = next((each.chinese for each in china.Holiday if each.value == english), "")
    return f"{chinese} {english}"


def _end(year: int) -> date:
    return date(year, 12, 31)
