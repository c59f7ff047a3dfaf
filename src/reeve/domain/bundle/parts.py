"""What a policy is made of: its counts, grades, clocks and steps, and what scores on its cases. Plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from reeve.domain.bundle.texts import Texts
from reeve.domain.durations import Duration, Elapsed
from reeve.domain.expressions import NOWHERE, Condition, Limit, Position, Trigger


@dataclass(frozen=True, slots=True)
class CountRule:
    """A fact counted over the events of the same site. Source: COMPLAINT-01, COMPLAINT-03."""

    name: str
    of: Trigger
    same: tuple[str, ...]
    """Facts that must be equal; an event or case that lacks one never matches. Empty: the whole site."""
    distinct: str | None
    """Count different values of this field instead of events."""
    within: Elapsed
    """Looks back over (time − within, time]."""
    thresholds: tuple[Decimal, ...] = ()
    """Whole numbers at which a grade's comparison with the count turns, ascending: reaching one wakes the cases."""
    pos: Position = NOWHERE


@dataclass(frozen=True, slots=True)
class GradeRule:
    """One grade of a policy; `when` None holds always."""

    grade: str
    when: Condition | None
    title: Texts = field(default_factory=dict)
    pos: Position = NOWHERE


@dataclass(frozen=True, slots=True)
class ClockRule:
    """A time limit. `limits` maps grade → limit; the key "" serves every grade without its own."""

    name: str
    start: Trigger
    stop: Trigger
    limits: Mapping[str, Limit]
    pause_from: Trigger | None = None
    pause_to: Trigger | None = None
    restart: bool = False
    title: Texts = field(default_factory=dict)
    pos: Position = NOWHERE


@dataclass(frozen=True, slots=True)
class Repeat:
    """Say it again every so often; `times` counts every sending, the first included; None: until it ends."""

    every: Duration
    times: int | None


@dataclass(frozen=True, slots=True)
class Level:
    """One rung of a step: level 0 is the step itself, each further one a `then`.

    A `then` comes one interval after the last round of the rung below, or `after` that rung's first round
    where it has no repeat.
    """

    notify: tuple[str, ...]
    """Roles; empty: nobody is told."""
    via: tuple[str, ...]
    """Channels; empty: the site's channels for the case's grade."""
    message: str
    repeat: Repeat | None = None
    after: Duration | None = None
    raise_grade: int = 0
    """How many grades worse the case becomes. Source: GAP-7."""
    reopen: bool = False
    open_policy: str | None = None
    """Policy of a child case to open, subject `<parent>~<policy>`."""
    pos: Position = NOWHERE


@dataclass(frozen=True, slots=True)
class StepRule:
    """What a policy does on a grade, a clock, an event or a moment."""

    name: str
    on: Trigger
    levels: tuple[Level, ...]
    when: Condition | None = None
    grades: tuple[str, ...] = ()
    """Only for these grades; empty: any."""
    once_per: str | None = None
    """One sending among the cases of the site with the same value of this fact."""
    until: Trigger | None = None
    """Ends the repeats."""
    ack_ends: bool = True
    """False: `ack: ignore`, an acknowledgement does not end it (messages to owners)."""
    any_hour: bool = False
    """`quiet: ignore`: what it says is sent in quiet hours, too (a duty of the night)."""
    sample: Decimal | None = None
    """Share (0 to 1) of the cases this step is for, by a stable hash of (site, policy, subject)."""
    pos: Position = NOWHERE


@dataclass(frozen=True, slots=True)
class ScopeReads:
    """The names a policy's conditions read, by where their values come from."""

    facts: tuple[str, ...]
    event_fields: tuple[tuple[str, str], ...]
    """(`event.x`, `x`)"""
    event_type: bool
    computed: tuple[str, ...]
    counts: tuple[CountRule, ...]


@dataclass(frozen=True, slots=True)
class ScoreRule:
    """Points for what happens to a case, for a department or a person. Source: SCORE-01…05."""

    points: int
    on: Trigger
    """Events, moments of the case and of its clocks."""
    to: str
    """A role, or the fact that names who gets the points."""
    to_fact: bool
    when: Condition | None = None
    fact: str | None = None
    """The fact id the points rest on."""
    pos: Position = NOWHERE


@dataclass(frozen=True, slots=True)
class Scores:
    """What scores on the cases of one policy."""

    rules: tuple[ScoreRule, ...]
    reads: ScopeReads
    """What their conditions read."""
