"""A bundle: every rule file of one version, compiled, immutable. The rule language's meaning as plain data.

`reeve.rulelang` makes bundles from YAML; the core only reads them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, time
from decimal import Decimal
from functools import cached_property
from typing import Any, Protocol
from typing import Literal as OneOf

from reeve.domain.durations import Duration, Elapsed
from reeve.domain.expressions import (
    NOWHERE,
    ClockRef,
    Compare,
    Condition,
    Fact,
    Limit,
    Literal,
    OnClockOffset,
    OnEvent,
    OnFact,
    OnShare,
    OnUndated,
    Position,
    Trigger,
    conditions_of,
    event_fields_read,
    facts_read,
    names_read,
)
from reeve.domain.flood.settings import Flood
from reeve.domain.schedules import Duty

TimedAlternative = OnShare | OnUndated | OnClockOffset | OnFact

TYPED_ENDINGS = ("_cny", "_at", "_on")
"""Ends of a fact's name that give its text another kind: money, a moment, a date."""

COMPUTED = frozenset({"grade", "grade_was", "site", "owed_cny", "open_for", "today"})
"""Names that Reeve computes: events must not use them. Counts of the bundle are reserved as well."""

Scope = Mapping[str, Any]
"""What conditions see: fact name → value, `event` → type, `event.<field>` → value. Absent names are missing."""

Texts = Mapping[str, str]
"""Language code → text."""


class Matcher(Protocol):
    """Says which conditions hold. Closures by default; durable-rules as the second, same answers."""

    def holds(self, condition: Condition, scope: Scope) -> bool:
        """Whether one condition holds. Never raises on data: what can't be compared is false."""
        ...

    def first(self, group: tuple[Condition | None, ...], scope: Scope) -> int | None:
        """Index of the first condition that holds; None in the group always holds; None if nothing does."""
        ...


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


@dataclass(frozen=True)
class Policy:
    """One rule file."""

    name: str
    family: str
    digest: str
    """Version of this file alone: cases with `on_change: pin` stay with it."""
    when: Condition | None
    grades: tuple[GradeRule, ...]
    """Worst first; empty with `grade_from` None: the policy has no grades."""
    grade_order: tuple[str, ...]
    """Every grade name, worst first."""
    grade_from: str | None
    """The fact whose value is the grade (`grades: from repair_class`)."""
    clocks: Mapping[str, ClockRule]
    steps: tuple[StepRule, ...]
    close: Trigger | None
    counts: tuple[CountRule, ...] = ()
    on_change: OneOf["pin", "adopt", "recompute"] = "pin"
    on_reopen: OneOf["raise_grade", "keep_grade"] = "raise_grade"
    """Whether a case that is reopened becomes one grade worse."""
    child_only: bool = False
    """`opens: child`: opened by another policy's `open:`, never by an event."""
    title: Texts = field(default_factory=dict)
    file: str = ""
    reads: frozenset[str] = frozenset()
    """Every scope name that a condition of this policy reads (`event.x` included): scopes hold only these."""
    grading_facts: frozenset[str] = frozenset()
    """Facts that the grades depend on (a person's regrading holds until one of them changes)."""

    @cached_property
    def timed(self) -> tuple[tuple[StepRule, str, TimedAlternative], ...]:
        """Every step that waits for a moment, with a tag for that moment, in the order of the file."""
        return tuple(
            (step, f"{step.name}.{index}", alternative)
            for step in self.steps
            for index, alternative in enumerate(step.on.alternatives)
            if isinstance(alternative, TimedAlternative)
        )

    @cached_property
    def step_order(self) -> Mapping[str, int]:
        """Step → its place in the file, from 1."""
        return {step.name: place for place, step in enumerate(self.steps, 1)}

    @cached_property
    def scope_reads(self) -> ScopeReads:
        """What the conditions of a case read."""
        return self.sorted_reads(self.reads)

    @cached_property
    def opening_reads(self) -> ScopeReads:
        """What `if` reads when a case would open."""
        return self.sorted_reads(names_read(self.when) if self.when is not None else frozenset())

    @cached_property
    def opens_on(self) -> tuple[str, str] | None:
        """(`category`, `complaint`) where `if` is nothing but that one comparison of a field with a text."""
        match self.when:
            case Compare(op="==", left=Fact(name=name), right=Literal(value=str() as text)) if (
                name not in COMPUTED
                and not name.endswith(TYPED_ENDINGS)
                and all(rule.name != name for rule in self.counts)
            ):
                return name, text
        return None

    @cached_property
    def counting_reads(self) -> ScopeReads:
        """What decides whether an event is counted."""
        whens = [when for rule in self.counts for when in conditions_of(rule.of)]
        return self.sorted_reads(frozenset().union(*(names_read(when) for when in whens)))

    def sorted_reads(self, names: frozenset[str]) -> ScopeReads:
        """These scope names by where their values come from."""
        counted = {rule.name for rule in self.counts}
        fields = sorted(name for name in names if name.startswith("event."))
        plain = {name for name in names if not name.startswith("event.") and name != "event"}
        return ScopeReads(
            tuple(sorted(plain - COMPUTED - counted)),
            tuple((name, name.removeprefix("event.")) for name in fields),
            "event" in names,
            tuple(sorted(plain & COMPUTED)),
            tuple(rule for rule in self.counts if rule.name in plain),
        )

    @cached_property
    def grades_read_only_facts(self) -> bool:
        """Whether grades depend on facts and counts alone, so that other events change no grade."""
        read = [rule.when for rule in self.grades if rule.when is not None]
        return not any(event_fields_read(tree) or facts_read(tree) & COMPUTED for tree in read)

    @cached_property
    def counted_types(self) -> frozenset[str]:
        """Types of the events that a count of this policy counts."""
        alternatives = (alternative for rule in self.counts for alternative in rule.of.alternatives)
        return frozenset(alternative.type for alternative in alternatives if isinstance(alternative, OnEvent))

    @cached_property
    def counted_facts(self) -> frozenset[str]:
        """Facts that decide which counts a case takes part in."""
        return frozenset(name for rule in self.counts for name in rule.same)

    @cached_property
    def limit_facts(self) -> frozenset[str]:
        """Facts that a limit of some clock reads; `<clock>` references stand as `clock:<name>`."""
        names: set[str] = set()
        for clock in self.clocks.values():
            for limit in clock.limits.values():
                for term in limit.terms:
                    if isinstance(term.base, Fact):
                        names.add(term.base.name)
                    elif isinstance(term.base, ClockRef):
                        names.add(f"clock:{term.base.clock}")
        return frozenset(names)

    @property
    def pos(self) -> Position:
        """The file itself."""
        return Position(self.file or f"{self.name}.yaml", 1, 1)

    def worse(self, a: str, b: str | None) -> bool:
        """Whether grade `a` is worse than `b`; any grade is worse than none."""
        return b is None or self.grade_order.index(a) < self.grade_order.index(b)

    def raised(self, grade: str | None, by: int) -> str | None:
        """The grade `by` steps worse, at most the worst one."""
        if grade is None or not self.grade_order:
            return grade
        return self.grade_order[max(0, self.grade_order.index(grade) - by)]


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


MessageTemplates = Mapping[str, Mapping[str, Mapping[str, Any]]]
"""message → language → channel → template text (`sms`), or {subject, body} (`email`)."""


@dataclass(frozen=True)
class Bundle:
    """All rule files of one version. Immutable; `version` is the digest of the files."""

    version: str
    policies: Mapping[str, Policy]
    defaults: SiteSettings
    """Settings of a site that no file names; its `site` is empty."""
    sites: Mapping[str, SiteSettings]
    messages: MessageTemplates
    matcher: Matcher
    duties: Mapping[str, Duty] = field(default_factory=dict)
    """Recurring duties; together they make the policy `duty`."""
    scores: Mapping[str, Scores] = field(default_factory=dict)
    """Policy → what scores on its cases."""
    archive: Mapping[str, Policy] = field(default_factory=dict)
    """Policy digest → policy files of earlier bundles that open cases are still pinned to."""

    def policies_for(self, family: str) -> Iterator[Policy]:
        """The policies that take a family's events, in the order of their names."""
        return (p for _, p in sorted(self.policies.items()) if p.family == family)

    def site(self, site: str) -> SiteSettings:
        """The site's own settings, or the defaults."""
        return self.sites.get(site, self.defaults)
