"""Who holds a role at a place at a moment, the nearest first; and who stands in for those who are away."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from reeve.domain.people.recipient import Area, Recipient
from reeve.domain.people.roles import ASSIGNEE, OWNER

OnShift = Callable[[str, str, datetime], Collection[str] | None]
"""(place, role, moment) → the ids of those on shift; None: the role has no rota there."""

_UNIT, _BUILDING, _WHOLE, _PART, _ELSEWHERE = range(5)
"""How near a holder's area is to the case: the nearest that can be reached are told."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Somebody to be told for a role."""

    person: Recipient
    instead_of: str | None = None
    """Id of the holder who is away, if this is a stand-in."""
    on_shift: bool | None = None
    """On the rota at that moment: personal quiet hours don't count. False: not on it; None: no rota speaks."""


@dataclass(frozen=True, slots=True)
class Present:
    """The people that a resolution may ask for, at one moment. Days are the site's."""

    people: Sequence[Recipient]
    """Ordered by id."""
    places: tuple[str, ...]
    """The site, then the organisation above it."""
    facts: Mapping[str, Any]
    at: datetime
    day: date
    on_shift: OnShift | None = None

    def groups(self, role: str) -> Iterator[list[Holder]]:
        """Groups of people to try one after the other: the first of which anybody can be reached is told.

        At each place those on shift come before the role's other holders; a site may have them from the
        organisation above. Among each come those of the case's unit, of its building, of the whole place. A case
        that names no building or unit goes to those in charge of the whole and, where there is none, to all in
        charge of a part. Everybody away is replaced by the stand-in, or left out; ordered by id, each person once.
        """
        for place in self.places:
            for group, on_shift in self._held(role, place):
                present = [holder for person in group if (holder := self._present(person, on_shift))]
                # Who is there in their own right comes before the same person as somebody's stand-in.
                present.sort(key=lambda one: (one.person.id, one.instead_of is not None))
                found = {(one.person.place, one.person.id): one for one in reversed(present)}
                if found:
                    yield list(reversed(found.values()))

    def _held(self, role: str, place: str) -> Iterator[tuple[list[Recipient], bool | None]]:
        here = [person for person in self.people if person.place == place]
        fact = {OWNER: "customer", ASSIGNEE: "assignee"}.get(role)
        if fact is not None:
            if (value := self.facts.get(fact)) is not None:
                named = str(value)
                yield [one for one in here if (named in one.customers if role == OWNER else named == one.id)], None
            return
        rota = self.on_shift(place, role, self.at) if self.on_shift is not None else None
        where = Area.of(self.facts.get("building"), self.facts.get("unit"))
        near = [(person, self._nearness(person, role, where)) for person in here]
        if rota is not None:
            # The shift decides: who is on it is told though another part of the place is theirs.
            from_above = [(person, self._nearness(person, role, where)) for person in self._above(place, here)]
            on = [
                (one, _WHOLE if how is None and role not in one.all_roles else how)
                for one, how in (*near, *from_above)
            ]
            yield from ((group, True) for group in _by_nearness(on, _ELSEWHERE, rota))
        yield from ((group, None if rota is None else False) for group in _by_nearness(near, _PART))

    def _above(self, place: str, here: Sequence[Recipient]) -> list[Recipient]:
        """The people of the organisation above, who may be on a site's rota; an id of the site's means its own."""
        above = self.places[self.places.index(place) + 1 :]
        own = {person.id for person in here}
        return [person for person in self.people if person.place in above and person.id not in own]

    def _nearness(self, person: Recipient, role: str, where: Area | None) -> int | None:
        """How near the person's hold on the role is to the case; None: not held on this day."""
        best = _WHOLE if role in person.roles else None
        for term in person.terms:
            if term.role == role and term.holds_on(self.day):
                how = min((_distance(area, where) for area in term.areas), default=_WHOLE)
                best = how if best is None else min(best, how)
        return best

    def _present(self, person: Recipient, on_shift: bool | None) -> Holder | None:
        """The person, or whoever stands in at the end of a chain of stand-ins; None: nobody does."""
        if not person.away:
            return Holder(person, None, on_shift)
        found = self._there(person, set())
        if found is None:
            return None
        return Holder(found, None if found is person else person.id, on_shift)

    def _there(self, person: Recipient, asked: set[tuple[str, str]]) -> Recipient | None:
        asked.add((person.place, person.id))
        absences = [absence for absence in person.away if absence.covers(self.day)]
        if not absences:
            return person
        for absence in absences:
            for other in self._named(absence.stand_in, person.place):
                if (other.place, other.id) not in asked and (found := self._there(other, asked)) is not None:
                    return found
        return None

    def _named(self, id: str, place: str) -> Iterator[Recipient]:
        """Who has that id: at the same place first, then at the others."""
        if not id:
            return
        found = [one for one in self.people if one.id == id and one.place in self.places]
        yield from sorted(found, key=lambda one: (one.place != place, self.places.index(one.place)))


def holds_near(person: Recipient, role: str, where: Area) -> bool:
    """Whether the person ever holds the role so that a case of that area may be theirs."""
    held = [term.areas for term in person.terms if term.role == role]
    return role in person.roles or any(
        not areas or any(_distance(area, where) != _ELSEWHERE for area in areas) for areas in held
    )


def rota_ids(on_shift: OnShift | None, roles: Iterable[str], places: Iterable[str], at: datetime) -> frozenset[str]:
    """Ids of everybody on shift for some of the roles: they may not hold it otherwise, and must be loaded."""
    if on_shift is None:
        return frozenset()
    rotas = (on_shift(place, role, at) for role in sorted(roles) for place in places)
    return frozenset(one for rota in rotas if rota is not None for one in rota)


def _distance(area: Area, where: Area | None) -> int:
    if where is None:
        return _PART
    if area.building != where.building:
        return _ELSEWHERE
    if not area.unit:
        return _BUILDING
    if area.unit == where.unit:
        return _UNIT
    return _ELSEWHERE if where.unit else _PART


def _by_nearness(
    near: Sequence[tuple[Recipient, int | None]], furthest: int, only: Collection[str] | None = None
) -> Iterator[list[Recipient]]:
    for level in range(furthest + 1):
        group = [person for person, how in near if how == level and (only is None or person.id in only)]
        if group:
            yield group
