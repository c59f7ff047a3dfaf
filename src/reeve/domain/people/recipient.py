"""What is known of somebody who can be told: roles by dates and areas, addresses, absences, quiet hours.

Days are the site's own, first and last inclusive. Addresses and names are never logged or published.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from reeve.domain.wall_clock import DAY, first_instant

DEFAULT_URGENCY = "default"
"""Key of `channel_order` that serves every grade without its own."""


_BUILDING_WORDS = ("号楼", "栋", "幢", "座", "楼")
_UNIT_WORDS = ("单元",)


@dataclass(frozen=True, slots=True, order=True)
class Area:
    """A building of a place, or one unit of it. Written `3` or `3/2`."""

    building: str
    unit: str = ""
    """Empty: the whole building."""

    def __str__(self) -> str:
        return f"{self.building}/{self.unit}" if self.unit else self.building

    @classmethod
    def of(cls, building: object, unit: object = None) -> Area | None:
        """The area that events write so: `3`, `3栋` and `３号楼` are one building, `2` and `2单元` one unit, and
        capitals make no difference.

        None where no building is named: a unit alone is no area, as every building may have one of that name.
        """
        named = _plain(building, _BUILDING_WORDS)
        return cls(named, _plain(unit, _UNIT_WORDS)) if named else None

    @classmethod
    def parse(cls, text: str) -> Area | None:
        """The area written `<building>` or `<building>/<unit>`; None if it names no building, or more than that."""
        building, slash, unit = unicodedata.normalize("NFKC", text).partition("/")
        if "/" in unit or (slash and not unit.strip()):
            return None
        return cls.of(building, unit)


@dataclass(frozen=True, slots=True)
class Term:
    """A role held from one day to another, everywhere at the place or only in some areas of it."""

    role: str
    since: date | None = None
    """First day; None: for as long as anybody knows."""
    until: date | None = None
    """Last day, still held on it; None: until further notice."""
    areas: frozenset[Area] = frozenset()
    """Empty: the whole place."""

    def holds_on(self, day: date) -> bool:
        """Whether the role is held on that day."""
        return (self.since is None or self.since <= day) and (self.until is None or day <= self.until)


@dataclass(frozen=True, slots=True)
class Absence:
    """Days on which somebody is not told, and who is told instead."""

    since: date
    """First day away."""
    until: date | None = None
    """Last day away; None: until further notice."""
    stand_in: str = ""
    """Recipient id at the same place or at the organisation above; empty: nobody stands in."""

    def covers(self, day: date) -> bool:
        """Whether that day is one of them."""
        return self.since <= day and (self.until is None or day <= self.until)


@dataclass(frozen=True, slots=True)
class QuietHours:
    """Local hours in which somebody is told nothing but the gravest; may span midnight. End exclusive."""

    start: time
    end: time
    """Whole minutes, and not the same as `start`."""

    def end_after(self, at: datetime, zone: ZoneInfo) -> datetime | None:
        """When the quiet hours that `at` falls into end, always later than `at`; None: it falls into none.

        Of an end that clocks show twice the first counts, and one that they leave out is the moment they jump.
        """
        local = at.astimezone(zone)
        now, day = local.time(), local.date()
        overnight = self.start > self.end
        if overnight and now >= self.start:
            day += DAY
        elif now >= self.end or (not overnight and now < self.start):
            return None
        end = first_instant(day, self.end.hour * 60 + self.end.minute, zone)
        return end if end > at else None


@dataclass(frozen=True, slots=True)
class Recipient:
    """A person or system that can be told. Addresses and name: never logged or published."""

    id: str
    """Unique within its place; stands in messages on the bus, so it must hold no personal data."""
    place: str
    """Id of the site, or of the organisation above it (`parent` in site.yaml)."""
    roles: frozenset[str] = frozenset()
    """Held everywhere at the place and without dates; `terms` has the others."""
    language: str = ""
    """Language code of the texts it gets; empty: the site's locale."""
    addresses: Mapping[str, str] = field(default_factory=dict)
    """Channel → address: `sms` +4407700900001, `email` a@example.org."""
    customers: frozenset[str] = frozenset()
    """Customer ids (`data.customer`) whose owner this is."""
    name: str = ""
    terms: tuple[Term, ...] = ()
    """Roles held only between dates or only in some areas."""
    away: tuple[Absence, ...] = ()
    """Of absences that overlap, the first whose stand-in is there counts."""
    channel_order: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Urgency (a grade, or `default`) → channels, the one to use first first."""
    unverified: frozenset[str] = frozenset()
    """Channels whose address nobody has confirmed yet."""
    quiet: QuietHours | None = None

    @property
    def all_roles(self) -> frozenset[str]:
        """Every role held at some time somewhere at the place: whom to load, not whom to tell."""
        return self.roles | {term.role for term in self.terms}

    @property
    def stand_ins(self) -> frozenset[str]:
        """Recipient ids of everybody who stands in at some time."""
        return frozenset(absence.stand_in for absence in self.away if absence.stand_in)

    def order_for(self, grade: str | None) -> tuple[str, ...]:
        """The person's own order of channels for a grade; empty: none."""
        return self.channel_order.get(grade or "", self.channel_order.get(DEFAULT_URGENCY, ()))


def _plain(text: object, words: tuple[str, ...]) -> str:
    """The text without what only says that it names a building or a unit; nothing is left of no text alone."""
    plain = "" if text is None else " ".join(unicodedata.normalize("NFKC", str(text)).casefold().split())
    while (shorter := next((plain[: -len(word)].rstrip() for word in words if plain.endswith(word)), "")) != "":
        plain = shorter
    return plain
