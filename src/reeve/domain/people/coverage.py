"""When nobody of a role can be reached: the same resolution as for a message, at every moment that changes it.

Pure. Days and hours are the site's; every moment is aware UTC.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from typing import Literal as OneOf
from zoneinfo import ZoneInfo

from reeve.domain.bundle import SiteSettings
from reeve.domain.calendar import local_day
from reeve.domain.facts import zone_of
from reeve.domain.people.channels import CHANNELS, configured_channels, named_channels, usable_channels
from reeve.domain.people.recipient import Area, Recipient
from reeve.domain.recipients import Resolution, resolve, roles_to_load
from reeve.domain.telling import People
from reeve.domain.wall_clock import DAY, MINUTES, first_instant

Why = OneOf["nobody", "no_term", "away", "no_address", "off_shift", "quiet"]
"""Nobody in the record holds the role; none on these days; all who do are away; none has an address that is used;
nobody is on shift, and those off shift are told; all who are told have quiet hours, and hear of it afterwards."""

Pieces = Sequence[tuple[datetime, Collection[str] | None]]
"""In order: from when on these are on shift. None: no rota speaks of that time."""

Shifts = Callable[[str, str], Pieces]
"""(place, role) → its pieces over the time asked for; empty: no rota."""


@dataclass(frozen=True, slots=True)
class Gap:
    """A time in which a role at a place has nobody who can be reached at once."""

    place: str
    role: str
    area: Area | None
    """Only cases of this area; None: all of the place."""
    start: datetime
    end: datetime
    """Exclusive."""
    why: Why
    told: str | None
    """The role whose holders get the message: the role itself where it waits or goes to those off shift, else the
    next one up the ladder; None: nobody at all."""


@dataclass(frozen=True, slots=True)
class _State:
    why: Why | None
    """None: covered."""
    told: str | None


class Coverage:
    """Asks for gaps from `start` to `end`."""

    def __init__(
        self, people: Iterable[Recipient], start: datetime, end: datetime, shifts: Shifts | None = None
    ) -> None:
        self._people = People(people)
        self._start, self._end = start, end
        self._shifts = shifts
        self._pieces: dict[tuple[str, str], tuple[list[datetime], Pieces]] = {}

    def gaps(self, role: str, site: SiteSettings, place: str) -> Iterator[Gap]:
        """The gaps of a role at a site, in order of time; then those that only some areas have."""
        zone = zone_of(site.zone)
        people = self._who_matter(role, site, place)
        places = (place,) if site.parent is None else (place, site.parent)
        moments = self._moments(people, role, site, places, zone)
        whole = [self._state(role, None, people, site, place, at) for at in moments]
        yield from self._joined(place, role, None, moments, whole)
        areas = {area for one in people for term in one.terms if term.role == role for area in term.areas}
        for area in sorted(areas):
            states = [
                _State(None, None) if all_of.why else self._state(role, area, people, site, place, at)
                for at, all_of in zip(moments, whole, strict=True)
            ]
            yield from self._joined(place, role, area, moments, states)

    def _who_matter(self, role: str, site: SiteSettings, place: str) -> list[Recipient]:
        """Everybody whom a resolution of the role may ask for at some time. Of people between whom nothing that
        matters here makes a difference, one stands for all."""
        roles = roles_to_load([role], site.ladder)
        people = self._people.who_matter([role], {}, site, place, self._start, self._ever_on_shift)
        named = {one for person in people for one in person.stand_ins}
        for where in (place, site.parent or place):
            named |= {one for step in roles for one in self._ever_on_shift(where, step, self._start) or ()}
        found: dict[Any, Recipient] = {}
        for person in people:
            terms = tuple(term for term in person.terms if term.role in roles)
            reached = bool(_channels(person, site))
            # Customers and names make no difference to a role.
            alike = (person.place, person.roles & roles, terms, person.quiet, reached)
            by_itself = person.away or person.id in named
            found.setdefault((person.place, person.id) if by_itself else alike, replace(person, terms=terms))
        return list(found.values())

    def _moments(
        self,
        people: Sequence[Recipient],
        role: str,
        site: SiteSettings,
        places: Sequence[str],
        zone: ZoneInfo,
    ) -> list[datetime]:
        """Every moment at which a resolution may turn out otherwise, the start included, the end not."""
        days: set[date] = set()
        minutes: set[int] = set()
        for person in people:
            spans = [(each.since, each.until) for each in person.terms]
            for since, until in [*spans, *((each.since, each.until) for each in person.away)]:
                days |= {since} if since else set()
                days |= {until + DAY} if until and until < date.max else set()
            if person.quiet is not None:
                minutes |= {at.hour * 60 + at.minute for at in (person.quiet.start, person.quiet.end)}
        first, last = local_day(self._start, zone) - DAY, local_day(self._end, zone) + DAY
        found = {first_instant(day, 0, zone) for day in days if first <= day <= last}
        for number in range((last - first).days + 1 if minutes else 0):
            found |= _instants(first + number * DAY, minutes, zone)
        if self._shifts is not None:
            steps = roles_to_load([role], site.ladder)
            found |= {at for where in places for step in steps for at, _ in self._of(where, step)[1]}
        return [self._start, *sorted(at for at in found if self._start < at < self._end)]

    def _state(
        self, role: str, area: Area | None, people: list[Recipient], site: SiteSettings, place: str, at: datetime
    ) -> _State:
        facts: Mapping[str, Any] = {"building": area.building, "unit": area.unit} if area is not None else {}
        on_shift = self._on_shift if self._shifts is not None else None
        found = resolve((role,), facts, people, site, place, "", (), at=at, on_shift=on_shift)
        if found.climbs:
            return _State(_why(role, area, people, site, place, at), found.climbs[-1].next)
        if all(target.not_before is not None for target in found.targets):
            return _State("quiet", role)
        return _State("off_shift" if self._off_shift(role, found, site, place, at) else None, role)

    def _off_shift(self, role: str, found: Resolution, site: SiteSettings, place: str, at: datetime) -> bool:
        if self._shifts is None:
            return False
        rotas = [self._on_shift(where, role, at) for where in (place, site.parent or place)]
        told = {one for target in found.targets for one in (target.recipient.id, target.instead_of)}
        return any(rota is not None for rota in rotas) and not any(told & set(rota or ()) for rota in rotas)

    def _of(self, place: str, role: str) -> tuple[list[datetime], Pieces]:
        key = (place, role)
        if key not in self._pieces:
            pieces = self._shifts(place, role) if self._shifts is not None else ()
            self._pieces[key] = ([at for at, _ in pieces], pieces)
        return self._pieces[key]

    def _on_shift(self, place: str, role: str, at: datetime) -> Collection[str] | None:
        starts, pieces = self._of(place, role)
        index = bisect_right(starts, at) - 1
        return pieces[index][1] if index >= 0 else None

    def _ever_on_shift(self, place: str, role: str, at: datetime) -> Collection[str] | None:
        """Everybody on shift at some time, whatever `at` is."""
        return {one for _, those in self._of(place, role)[1] for one in those or ()}

    def _joined(
        self, place: str, role: str, area: Area | None, moments: Sequence[datetime], states: Sequence[_State]
    ) -> Iterator[Gap]:
        open_gap: Gap | None = None
        for (start, end), state in zip(pairwise([*moments, self._end]), states, strict=True):
            if open_gap is not None and (open_gap.why, open_gap.told) != (state.why, state.told):
                yield open_gap
                open_gap = None
            if state.why is not None:
                begin = open_gap.start if open_gap is not None else start
                open_gap = Gap(place, role, area, begin, end, state.why, state.told)
        if open_gap is not None:
            yield open_gap


def _channels(person: Recipient, site: SiteSettings) -> tuple[str, ...]:
    return usable_channels(person, named_channels(site, None), configured_channels(site), CHANNELS)


def _why(
    role: str, area: Area | None, people: Sequence[Recipient], site: SiteSettings, place: str, at: datetime
) -> Why:
    """The most that can be said for the role: its holders have no address, are away, do not hold it now."""
    day = local_day(at, zone_of(site.zone))
    ever = [one for one in people if one.place in (place, site.parent) and role in one.all_roles]
    if not ever:
        return "nobody"
    holding = [
        one
        for one in ever
        if role in one.roles
        or any(
            term.role == role and term.holds_on(day) and (area is None or not term.areas or area in term.areas)
            for term in one.terms
        )
    ]
    if any(not any(absence.covers(day) for absence in one.away) for one in holding):
        return "no_address"
    return "away" if holding else "no_term"


def _instants(day: date, minutes: Iterable[int], zone: ZoneInfo) -> set[datetime]:
    """Every instant of a local day at which a clock shows these minutes, and at which it is put forward or back."""
    found = {first_instant(day, minute, zone) for minute in minutes}
    begin, end = first_instant(day, 0, zone), first_instant(day, MINUTES, zone)
    if begin.astimezone(zone).utcoffset() != end.astimezone(zone).utcoffset():
        for minute in minutes:
            local = datetime(day.year, day.month, day.day, minute // 60, minute % 60, tzinfo=zone, fold=1)
            found.add(local.astimezone(UTC))
        found |= {
            at
            for at in (
                begin + timedelta(minutes=number) for number in range(int((end - begin).total_seconds() // 60))
            )
            if (at - timedelta(minutes=1)).astimezone(zone).utcoffset() != at.astimezone(zone).utcoffset()
        }
    return found
