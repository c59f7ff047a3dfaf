"""A policy: one rule file, compiled, and what can be said of it without any case."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal as OneOf

from reeve.domain.bundle.parts import ClockRule, CountRule, GradeRule, ScopeReads, StepRule
from reeve.domain.bundle.scope import COMPUTED, TYPED_ENDINGS
from reeve.domain.bundle.texts import Texts
from reeve.domain.expressions import (
    ClockRef,
    Compare,
    Condition,
    Fact,
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

TimedAlternative = OnShare | OnUndated | OnClockOffset | OnFact


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
