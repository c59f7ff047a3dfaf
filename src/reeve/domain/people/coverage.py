"""When nobody of a role can be reached: the same resolution as for a message, wherever it may turn out otherwise.

Who is told changes with days (terms, absences) and with shifts; whether all of them are in their quiet hours is
looked at only where all of them have some. Pure. Days and hours are the site's; every moment is aware UTC.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Any
from typing import Literal as OneOf
from zoneinfo import ZoneInfo

from reeve.domain.bundle import SiteSettings
from reeve.domain.calendar import local_day
from reeve.domain.facts import zone_of
from reeve.domain.people.channels import CHANNELS, configured_channels, named_channels, usable_channels
from reeve.domain.people.holders import holds_near
from reeve.domain.people.recipient import Area, QuietHours, Recipient
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
class _Asked:
    """A role at a site, and everybody who may be told for it."""

    role: str
    site: SiteSettings
    """Without its ladder."""
    place: str
    people: list[Recipient]
    zone: ZoneInfo

    @property
    def places(self) -> tuple[str, ...]:
        return (self.place,) if self.site.parent is None else (self.place, self.site.parent)


@dataclass(frozen=True, slots=True)
class _Told:
    """What comes of a role between two changes of days and shifts."""

    why: Why | None
    """Quiet hours aside; None: somebody is told."""
    quiet: frozenset[QuietHours]
    """The quiet hours of all who are told; empty where one of them has none, or is on shift."""


_States = Sequence[tuple[datetime, Why | None]]
"""From when on nobody is reached, and why; None: somebody is. In order, the first at the start."""


class Coverage:
    """Asks for gaps from `start` to `end`."""

    def __init__(
        self, people: Iterable[Recipient], start: datetime, end: datetime, shifts: Shifts | None = None
    ) -> None:
        self._people = People(people)
        self._start, self._end = start, end
        self._shifts = shifts
        self._pieces: dict[tuple[str, str], tuple[list[datetime], Pieces]] = {}
        self._quiet: dict[tuple[frozenset[QuietHours], str, time], bool] = {}

    def gaps(self, role: str, site: SiteSettings, place: str) -> Iterator[Gap]:
        """The gaps of a role at a site, in order of time; then those that only some areas have."""
        alone = replace(site, ladder={})
        asked = _Asked(role, alone, place, self._who_matter(role, alone, place), zone_of(site.zone))
        areas = {area for one in asked.people for term in one.terms if term.role == role for area in term.areas}
        always = self._always(asked)
        whole = [(self._start, None)] if always else self._states(asked, None)
        yield from self._joined(asked, site, None, whole)
        for area in sorted(areas):
            if always and not _shadowed(asked, area):
                continue
            # What the whole place lacks need not be said of each part.
            yield from self._joined(asked, site, area, _only_here(self._states(asked, area), whole))

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
            known = person if len(terms) == len(person.terms) else replace(person, terms=terms)
            found.setdefault((person.place, person.id) if by_itself else alike, known)
        return list(found.values())

    def _always(self, asked: _Asked) -> bool:
        """Whether somebody at the place itself has the role all the time, is never away and never asleep."""
        return not self._of(asked.place, asked.role)[1] and any(
            person.place == asked.place
            and asked.role in person.roles
            and not person.away
            and person.quiet is None
            and _channels(person, asked.site)
            for person in asked.people
        )

    def _changes(self, asked: _Asked, people: Iterable[Recipient]) -> list[datetime]:
        """Every moment at which others may hold the role, the start included, the end not."""
        spans = [(term.since, term.until) for person in people for term in person.terms]
        spans += [(absence.since, absence.until) for person in people for absence in person.away]
        days = {since for since, _ in spans if since} | {
            until + DAY for _, until in spans if until and until < date.max
        }
        first, last = local_day(self._start, asked.zone) - DAY, local_day(self._end, asked.zone) + DAY
        found = {first_instant(day, 0, asked.zone) for day in days if first <= day <= last}
        for place in asked.places:
            for step in roles_to_load([asked.role], asked.site.ladder):
                found |= set(self._of(place, step)[0])
        return [self._start, *sorted(at for at in found if self._start < at < self._end)]

    def _states(self, asked: _Asked, area: Area | None) -> _States:
        people = asked.people if area is None else self._concerned(asked, area)
        states: list[tuple[datetime, Why | None]] = []
        for begin, stop in pairwise([*self._changes(asked, people), self._end]):
            told = self._told_at(asked, area, people, begin)
            if not told.quiet:
                states.append((begin, told.why))
                continue
            edges = _edges(told.quiet, begin, stop, asked.zone)
            states += ((at, "quiet" if self._all_quiet(told.quiet, at, asked.zone) else told.why) for at in edges)
        return states

    def _concerned(self, asked: _Asked, area: Area) -> list[Recipient]:
        """Those who may be told of a case of that area: not who holds the role elsewhere only."""
        others = {one for person in asked.people for one in person.stand_ins}
        for place in asked.places:
            others |= set(self._ever_on_shift(place, asked.role, self._start) or ())
        return [
            person
            for person in asked.people
            if person.id in others or asked.role not in person.all_roles or holds_near(person, asked.role, area)
        ]

    def _told_at(self, asked: _Asked, area: Area | None, people: list[Recipient], at: datetime) -> _Told:
        targets = self._resolved(asked.role, area, people, asked.site, asked.place, at).targets
        if not targets:
            return _Told(_why(asked, area, at), frozenset())
        why: Why | None = "off_shift" if all(target.on_shift is False for target in targets) else None
        hours = [None if target.on_shift else target.recipient.quiet for target in targets]
        return _Told(why, frozenset() if None in hours else frozenset(each for each in hours if each is not None))

    def _all_quiet(self, hours: frozenset[QuietHours], at: datetime, zone: ZoneInfo) -> bool:
        """Whether it is within all of them. It is the same every day at the same hour, unless clocks change."""
        local = at.astimezone(zone)
        if not _ordinary(local.date(), zone):
            return all(each.end_after(at, zone) is not None for each in hours)
        key = (hours, zone.key, local.time())
        found = self._quiet.get(key)
        if found is None:
            found = self._quiet[key] = all(each.end_after(at, zone) is not None for each in hours)
        return found

    def _resolved(
        self, role: str, area: Area | None, people: list[Recipient], site: SiteSettings, place: str, at: datetime
    ) -> Resolution:
        facts: Mapping[str, Any] = {"building": area.building, "unit": area.unit} if area is not None else {}
        on_shift = self._on_shift if self._shifts is not None else None
        return resolve((role,), facts, people, site, place, "", (), at=at, on_shift=on_shift)

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

    def _joined(self, asked: _Asked, site: SiteSettings, area: Area | None, states: _States) -> Iterator[Gap]:
        """The times of the same state as gaps, each cut where somebody else up the ladder is told."""
        start, why = states[0]
        above: _Asked | None = None
        for at, state in [*states[1:], (self._end, None)]:
            if state == why and at != self._end:
                continue
            if why in ("quiet", "off_shift"):
                yield Gap(asked.place, asked.role, area, start, at, why, asked.role)
            elif why is not None:
                above = above or replace(asked, site=site, people=self._who_matter(asked.role, site, asked.place))
                yield from self._climbing(Gap(asked.place, asked.role, area, start, at, why, None), above)
            start, why = at, state

    def _climbing(self, gap: Gap, asked: _Asked) -> Iterator[Gap]:
        within = [at for at in self._changes(asked, asked.people) if gap.start < at < gap.end]
        start, told = gap.start, self._told(asked, gap.area, gap.start)
        for at in within:
            other = self._told(asked, gap.area, at)
            if other != told:
                yield replace(gap, start=start, end=at, told=told)
                start, told = at, other
        yield replace(gap, start=start, told=told)

    def _told(self, asked: _Asked, area: Area | None, at: datetime) -> str | None:
        found = self._resolved(asked.role, area, asked.people, asked.site, asked.place, at)
        return found.climbs[-1].next if found.climbs else asked.role


def _channels(person: Recipient, site: SiteSettings) -> tuple[str, ...]:
    return usable_channels(person, named_channels(site, None), configured_channels(site), CHANNELS)


def _why(asked: _Asked, area: Area | None, at: datetime) -> Why:
    """The most that can be said for the role: its holders have no address, are away, do not hold it now."""
    day = local_day(at, asked.zone)
    ever = [one for one in asked.people if one.place in asked.places and asked.role in one.all_roles]
    if not ever:
        return "nobody"
    holding = [
        one
        for one in ever
        if asked.role in one.roles
        or any(
            term.role == asked.role
            and term.holds_on(day)
            and (area is None or not term.areas or area in term.areas)
            for term in one.terms
        )
    ]
    if any(not any(absence.covers(day) for absence in one.away) for one in holding):
        return "no_address"
    return "away" if holding else "no_term"


@lru_cache(maxsize=4096)
def _ordinary(day: date, zone: ZoneInfo) -> bool:
    """Whether clocks are neither put forward nor back on that day, nor the day before or after."""
    begin, end = first_instant(day - DAY, 0, zone), first_instant(day + DAY, MINUTES, zone)
    return begin.astimezone(zone).utcoffset() == end.astimezone(zone).utcoffset()


def _shadowed(asked: _Asked, area: Area) -> bool:
    """Whether those in charge of the area can keep its cases from somebody who has the whole place all the time."""
    return any(
        (person.quiet is not None or person.away)
        and any(term.role == asked.role and term.areas for term in person.terms)
        and holds_near(person, asked.role, area)
        for person in asked.people
    )


def _only_here(states: _States, everywhere: _States) -> _States:
    """The states, without those that are so everywhere."""
    changes = sorted({at for at, _ in (*states, *everywhere)})
    found: list[tuple[datetime, Why | None]] = []
    here = there = 0
    for at in changes:
        here += here + 1 < len(states) and states[here + 1][0] <= at
        there += there + 1 < len(everywhere) and everywhere[there + 1][0] <= at
        found.append((at, states[here][1] if everywhere[there][1] is None else None))
    return found


def _edges(hours: Iterable[QuietHours], begin: datetime, stop: datetime, zone: ZoneInfo) -> list[datetime]:
    """The beginning, and every moment before `stop` at which some of the quiet hours begin or end."""
    minutes = frozenset(at.hour * 60 + at.minute for each in hours for at in (each.start, each.end))
    found: set[datetime] = set()
    day, last = local_day(begin, zone) - DAY, local_day(stop, zone) + DAY
    while day <= last:
        found |= _instants(day, minutes, zone)
        day += DAY
    return [begin, *sorted(at for at in found if begin < at < stop)]


@lru_cache(maxsize=16384)
def _instants(day: date, minutes: frozenset[int], zone: ZoneInfo) -> frozenset[datetime]:
    """Every instant of a local day at which a clock shows these minutes, and at which it is put forward or back."""
    found = {first_instant(day, minute, zone) for minute in minutes}
    begin, end = first_instant(day, 0, zone), first_instant(day, MINUTES, zone)
    if not _ordinary(day, zone):
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
    return frozenset(found)
