"""A case: what Reeve keeps, one per (site, policy, subject), and everything needed to decide what comes next.

Pydantic stores and reads these dataclasses as JSON (`reeve.domain.stored`); instants are aware UTC.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from typing import Literal as OneOf

FORGOTTEN = "unscheduled"
"""Outcome of a duty's occurrence that the rules no longer called for before it came."""

ClockStatus = OneOf["idle", "running", "paused", "stopped"]


@dataclass(frozen=True, slots=True)
class CaseKey:
    """Identifies a case for ever."""

    site: str
    policy: str
    subject: str

    def __str__(self) -> str:
        return f"{self.site}/{self.policy}/{self.subject}"


@dataclass(frozen=True, slots=True)
class Due:
    """When a clock runs out. `day` is set where that is 24:00 of a local date, so that months add to the date."""

    at: datetime
    day: date | None = None
    provisional: bool = False
    """Reckoned beyond the last year the calendar knows."""
    named: bool = False
    """A moment that a fact or another clock names: pauses never move it."""


@dataclass(frozen=True, slots=True)
class Scored:
    """Points that were given, and by which line."""

    points: int
    to: str | None
    fact: str | None
    file: str
    line: int


@dataclass(slots=True)
class ClockState:
    """One clock of one case. `run` counts its starts; 0 is never started."""

    run: int = 0
    status: ClockStatus = "idle"
    case_run: int = 0
    """The case's run in which it last started: without `restart` it starts once per run of the case."""
    started_at: datetime | None = None
    due: Due | None = None
    changed_at: datetime | None = None
    """When it started, resumed or got another due: nothing of it happens before this moment."""
    breached_at: datetime | None = None
    """The logical moment of the breach; a breached clock is never given a new limit."""
    stopped_at: datetime | None = None
    met: bool | None = None
    pauses: list[tuple[datetime, datetime | None]] = field(default_factory=list)
    """From–to; the last `to` is None while the clock is paused."""
    fired: list[str] = field(default_factory=list)
    """Steps hung on this clock that had their moment in this run."""
    early_stop_at: datetime | None = None
    """A stop seen while the clock was not running: it counts if a start older than it comes late."""
    scored: list[Scored] = field(default_factory=list)
    """What its breach in this run scored, to be taken back if the breach turns out wrong."""

    def copy(self) -> ClockState:
        return ClockState(
            self.run,
            self.status,
            self.case_run,
            self.started_at,
            self.due,
            self.changed_at,
            self.breached_at,
            self.stopped_at,
            self.met,
            list(self.pauses),
            list(self.fired),
            self.early_stop_at,
            list(self.scored),
        )

    @property
    def live(self) -> bool:
        """Started and not stopped: running or paused, breached or not."""
        return self.status in ("running", "paused")


@dataclass(slots=True)
class Ladder:
    """A step that is under way: which round of which level comes next, and when."""

    level: int
    base: Due
    """The moment of this level's first round; round k comes k intervals after it."""
    rounds: int
    """Rounds of this level already told."""
    next_at: datetime | None
    """The next round, or the next level's first; None: nothing further by time."""
    clock: str | None = None
    """The clock it hangs on: when that stops, this ends."""
    clock_run: int = 0


@dataclass(slots=True)
class StepState:
    """How often a step has fired in the case's run, and its ladder while it repeats."""

    fired: int = 0
    """Rounds so far, all levels: the round number in effect keys."""
    ladder: Ladder | None = None
    passed: list[str] = field(default_factory=list)
    """Moments named by facts that had their turn in this run."""
    raised: int = 0
    """Rungs of the site's ladder that people asked for above the step's own, in this run."""
    delayed: int = 0
    """Minutes that people asked for in this run."""
    rung: int = 0
    """The last rung that acted in this run; it is known after the ladder has ended, too."""

    def copy(self) -> StepState:
        ladder = replace(self.ladder) if self.ladder else None
        return StepState(self.fired, ladder, list(self.passed), self.raised, self.delayed, self.rung)


@dataclass(slots=True)
class Account:
    """What is owed on a bill, exactly: billed − reductions − payments (FEE)."""

    billed: Decimal | None = None
    billed_at: datetime | None = None
    reduced: Decimal = Decimal(0)
    paid: Decimal = Decimal(0)

    @property
    def owed(self) -> Decimal | None:
        return None if self.billed is None else self.billed - self.reduced - self.paid


@dataclass(slots=True)
class Case:
    """The whole state of a case. Changed only by the decision core, on a copy."""

    key: CaseKey
    family: str
    digest: str
    """Version of the policy file it runs on."""
    opened_at: datetime
    kept: bool = False
    """A person put it on this policy file: `on_change` moves it no more."""
    version: int = 0
    """Counts saved decisions: the store refuses to save over another version."""
    open: bool = True
    scheduled: bool = False
    """A duty's next occurrence: not open yet, it opens at `next_due`."""
    run: int = 1
    """1 at first, one more with every reopening."""
    grade: str | None = None
    grade_was: str | None = None
    """The grade before the latest change."""
    held: dict[str, Any] | None = None
    """After a person's regrading: the grading facts as they were; while they stay so the grade stands."""
    facts: dict[str, Any] = field(default_factory=dict)
    """Field → JSON value as posted, merged in order of event time."""
    fact_times: dict[str, datetime] = field(default_factory=dict)
    """Field → time of the event that gave (or removed) it."""
    account: Account | None = None
    clocks: dict[str, ClockState] = field(default_factory=dict)
    steps: dict[str, StepState] = field(default_factory=dict)
    decided_until: datetime | None = None
    """The latest logical moment decided: what is older is late news."""
    applied: list[str] = field(default_factory=list)
    """Keys of the events applied."""
    root: str = ""
    """Subject whose events it receives: the parent's root for a child, else its own subject."""
    parent: str | None = None
    """Id of the case that opened this one."""
    count_keys: list[str] = field(default_factory=list)
    """Keys of the counts its facts take part in: a crossing of one of them wakes it."""
    effects: int = 0
    """Effects so far: numbers their keys."""
    acknowledged_at: datetime | None = None
    answered: dict[str, datetime] = field(default_factory=dict)
    """Step → when a person last took the case by answering one of its messages."""
    closed_at: datetime | None = None
    outcome: str | None = None
    next_due: datetime | None = None
    """The earliest moment at which something happens by itself; None: nothing will."""

    @property
    def never_opened(self) -> bool:
        """A duty's next occurrence, or one that was taken back before it came."""
        return self.scheduled or self.outcome == FORGOTTEN

    def copy(self) -> Case:
        """A copy that can be changed without touching this one."""
        twin = object.__new__(Case)
        for name in Case.__slots__:
            setattr(twin, name, getattr(self, name))
        twin.held = dict(self.held) if self.held is not None else None
        twin.facts = dict(self.facts)
        twin.fact_times = dict(self.fact_times)
        twin.account = replace(self.account) if self.account else None
        twin.clocks = {name: clock.copy() for name, clock in self.clocks.items()}
        twin.steps = {name: step.copy() for name, step in self.steps.items()}
        twin.answered = dict(self.answered)
        twin.applied = list(self.applied)
        twin.count_keys = list(self.count_keys)
        return twin
