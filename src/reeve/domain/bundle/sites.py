"""What a site is: its zone, calendar and hours, how its people are told, and who stands above it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, time
from typing import Literal as OneOf

from reeve.domain.bundle.texts import Texts
from reeve.domain.flood.settings import Flood


@dataclass(frozen=True, slots=True)
class Span:
    """Opening hours of a day: minutes since local midnight, end exclusive."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Calendar:
    """Working days of a country: what differs from Monday to Friday, and until when that is known (GAP-6)."""

    name: str
    holidays: frozenset[date]
    """Monday to Friday that are off (Saturdays and Sundays may stand here too; they change nothing)."""
    workdays: frozenset[date]
    """Make-up Saturdays and Sundays that are worked."""
    known_until: date | None
    """Last day the calendar speaks for; after it Monday to Friday counts and a due is provisional."""


@dataclass(frozen=True, slots=True)
class Quiet:
    """Hours in which nothing is sent but for the grades excepted; local times, may span midnight."""

    start: time
    end: time
    except_grades: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SiteSettings:
    """A site's settings; a site that no file names has the defaults under its own id."""

    site: str
    zone: str
    locale: str
    calendar: Calendar
    opening: Mapping[str, tuple[Span, ...]]
    """`default`, or a weekday name (`mon` … `sun`) that overrides it."""
    channels: Mapping[str, tuple[str, ...]]
    """Grade → channels, `default` for the rest."""
    ladder: Mapping[str, str]
    """Role → the role told when nobody of it can be reached."""
    quiet: Quiet | None = None
    owner_messages: OneOf["any time", "opening hours"] = "any time"
    flood: Flood = field(default_factory=Flood)
    """How much its people are told at once."""
    subjects: OneOf["plain", "digest"] = "plain"
    parent: str | None = None
    """The organisation above the site, whose recipients serve where the site has none."""
    title: Texts = field(default_factory=dict)
    vocabulary: Mapping[str, str] = field(default_factory=dict)
