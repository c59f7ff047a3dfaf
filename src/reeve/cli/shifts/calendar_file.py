"""A rota as an iCalendar file. Its instants are UTC, which every calendar shows right."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime

from icalendar import Calendar, Event

from reeve.domain.facts import UTC
from reeve.domain.rotas import Rota
from reeve.domain.shifts import Period


def calendar_of(
    shifts: Iterable[tuple[Rota, Period]], now: datetime, names: Mapping[tuple[str, str], str] | None, title: str
) -> bytes:
    """The calendar. People are ids; `names` ((place, id) → name) puts names in their stead, which is personal data.

    A shift's UID is made of place, role and beginning: who has it may change, and calendars then show the change.
    """
    calendar = Calendar()
    calendar.add("prodid", "-//Reeve//shifts//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", title)
    for rota, period in shifts:
        people = [_named(rota.place, one, names) for one in sorted(period.people)]
        event = Event()
        event.add("uid", _uid(rota, period))
        event.add("dtstamp", now.astimezone(UTC).replace(microsecond=0))
        event.add("dtstart", period.start.astimezone(UTC))
        event.add("dtend", period.end.astimezone(UTC))
        shift = f" {' '.join(period.shifts)}" if period.shifts else ""
        event.add("summary", f"{rota.role}{shift}: {', '.join(people)}")
        event.add("location", rota.place)
        event.add("categories", [rota.role])
        calendar.add_component(event)
    return bytes(calendar.to_ical())


def _named(place: str, id: str, names: Mapping[tuple[str, str], str] | None) -> str:
    return (names or {}).get((place, id)) or id


def _uid(rota: Rota, period: Period) -> str:
    key = f"{rota.place}\0{rota.role}\0{period.start.astimezone(UTC).isoformat()}"
    return f"{hashlib.sha256(key.encode()).hexdigest()[:24]}@reeve"
