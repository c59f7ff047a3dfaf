"""When nobody of a role can be reached: the same resolution as for a message, at every moment that changes it.

Pure. Days and hours are the site's; every moment is aware UTC.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
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
        alone = replace(site, ladder={})
        asked = _Asked(role, alone, place, self._who_matter(role, alone, place), zone_of(site.zone))
        areas = {area for one in asked.people for term in one.terms if term.role == role for area in term.areas}
        if not areas and self._always(asked):
            return
        days = self._day_changes(asked)
        moments = self._moments(asked, days)
        whole = self._states(asked, None, moments, days)
        yield from self._joined(asked, site, None, moments, whole)
        for area in sorted(areas):
            states = self._states(asked, area, moments, days)
            # What the whole place lacks need not be said of each part.
            own = [None if everywhere else why for why, everywhere in zip(states, whole, strict=True)]
            yield from self._joined(asked, site, area, moments, own)

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

    def _day_changes(self, asked: _Asked) -> list[datetime]:
        """Midnights with which a term or an absence begins or is over, in order."""
        spans = [(each.since, each.until) for person in asked.people for each in person.terms]
        spans += [(each.since, each.until) for person in asked.people for each in person.away]
        days = {since for since, _ in spans if since} | {
            until + DAY for _, until in spans if until and until < date.max
        }
        first, last = local_day(self._start, asked.zone) - DAY, local_day(self._end, asked.zone) + DAY
        return sorted(first_instant(day, 0, asked.zone) for day in days if first <= day <= last)

    def _moments(self, asked: _Asked, days: Iterable[datetime]) -> list[datetime]:
        """Every moment at which a resolution may turn out otherwise, the start included, the end not."""
        quiet = [person.quiet for person in asked.people if person.quiet is not None]
        minutes = {at.hour * 60 + at.minute for hours in quiet for at in (hours.start, hours.end)}
        found = set(days)
        day, last = local_day(self._start, asked.zone) - DAY, local_day(self._end, asked.zone) + DAY
        while minutes and day <= last:
            found |= _instants(day, minutes, asked.zone)
            day += DAY
        for place in asked.places:
            for step in roles_to_load([asked.role], asked.site.ladder):
                found |= set(self._of(place, step)[0])
        return [self._start, *sorted(at for at in found if self._start < at < self._end)]

    def _states(
        self, asked: _Asked, area: Area | None, moments: Iterable[datetime], days: Sequence[datetime]
    ) -> list[Why | None]:
        """For each moment, why nobody is reached from then on; None: somebody is.

        Between two changes of days or shifts it is the same every day at the same hour, unless clocks change.
        """
        seen: dict[Any, Why | None] = {}
        states: list[Why | None] = []
        starts = [self._of(place, asked.role)[0] for place in asked.places]
        for at in moments:
            local = at.astimezone(asked.zone)
            shift = tuple(bisect_right(each, at) for each in starts)
            key: Any = (bisect_right(days, at), shift, local.time())
            if not _ordinary(local.date(), asked.zone):
                key = at
            if key not in seen:
                seen[key] = self._state(asked, area, at)
            states.append(seen[key])
        return states

    def _state(self, asked: _Asked, area: Area | None, at: datetime) -> Why | None:
        targets = self._resolved(asked.role, area, asked.people, asked.site, asked.place, at).targets
        if not targets:
            return _why(asked, area, at)
        if all(target.not_before is not None for target in targets):
            return "quiet"
        return "off_shift" if all(target.on_shift is False for target in targets) else None

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

    def _joined(
        self,
        asked: _Asked,
        site: SiteSettings,
        area: Area | None,
        moments: Sequence[datetime],
        states: Sequence[Why | None],
    ) -> Iterator[Gap]:
        """The times of the same state as gaps, each cut where somebody else up the ladder is told."""
        start, why = self._start, states[0] if states else None
        for at, state in [*zip(moments, states, strict=True), (self._end, None)]:
            if state == why and at != self._end:
                continue
            if why in ("quiet", "off_shift"):
                yield Gap(asked.place, asked.role, area, start, at, why, asked.role)
            elif why is not None:
                yield from self._climbing(Gap(asked.place, asked.role, area, start, at, why, None), site)
            start, why = at, state

    def _climbing(self, gap: Gap, site: SiteSettings) -> Iterator[Gap]:
        people = self._who_matter(gap.role, site, gap.place)
        asked = _Asked(gap.role, site, gap.place, people, zone_of(site.zone))
        within = [at for at in self._moments(asked, self._day_changes(asked)) if gap.start < at < gap.end]
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


def _instants(day: date, minutes: Iterable[int], zone: ZoneInfo) -> set[datetime]:
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
    return found
