"""What recurs: the days and times of a duty, and what it reports. Plain data; `domain.duties` reckons with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal as OneOf

from reeve.domain.expressions import NOWHERE, Condition, Position

Period = OneOf["day", "week", "month", "quarter", "half year", "year"]


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a duty comes: on which of the site's days, and at which local minute. Source: DUTY-01…07."""

    rhythm: OneOf["day", "week", "month"]
    """Every day; every week on `weekdays`; in `months` on `day`."""
    weekdays: tuple[int, ...] = ()
    """0 is Monday."""
    months: tuple[int, ...] = ()
    """1 to 12."""
    day: int = 1
    """Of the month; the last day in shorter months."""
    minute: int = 0
    """Local wall time, minutes since midnight."""
    working: bool = False
    """Every day or week: days off are left out. In a month: the last working day not after the day."""


@dataclass(frozen=True, slots=True)
class Report:
    """A table of the cases opened in the period that ends when the duty comes. Source: COMPLAINT-14."""

    cases: tuple[str, ...]
    """Policies."""
    period: Period
    by: tuple[str, ...] = ()
    """Facts and computed names that make the rows; none: one row for all."""
    when: Condition | None = None
    """Only cases of which this holds."""
    having: Condition | None = None
    """Only rows of which this holds; it reads `count` and the row's own names."""
    sum: tuple[str, ...] = ()
    """Names whose values are added up in each row, money exactly. Source: FEE-14."""
    sample: Decimal | None = None
    """Only this share (0 to 1) of the cases, by a stable hash. Source: FOLLOWUP-06."""


@dataclass(frozen=True, slots=True)
class Duty:
    """A recurring duty: it opens a case each time, and evidence closes it."""

    name: str
    schedule: Schedule
    sites: tuple[str, ...] = ()
    """Only at these; none named: at every site."""
    by_rota: tuple[str, ...] = ()
    """Roles: where all of them have a rota that tells its hand-overs, the duty does not come. Source: DUTY-01."""
    sample: Decimal | None = None
    """It comes only on this share (0 to 1) of its days, by a stable hash."""
    report: Report | None = None
    title: Mapping[str, str] = field(default_factory=dict)
    pos: Position = NOWHERE
