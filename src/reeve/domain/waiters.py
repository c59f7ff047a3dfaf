"""Who waits for what: a policy's clocks and steps by the happening that sets them off.

Made once per policy, so that a decision looks only at the rules that a happening can concern.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal as OneOf
from typing import NamedTuple

from reeve.domain.bundle import ClockRule, Policy, StepRule
from reeve.domain.expressions import Condition, OnCase, OnClock, OnCondition, OnEvent, Trigger


class Happening(NamedTuple):
    """Something steps and clocks may wait for: the event itself, a change of the case, a change of a clock."""

    kind: OneOf["event", "case", "clock"]
    what: str
    clock: str = ""


Whens = tuple[Condition | None, ...]
"""Conditions of the alternatives that name a happening: any of them is enough; None always holds."""

ALWAYS: Whens = (None,)


@dataclass(slots=True)
class Waiters:
    """What one happening can set off, in the order of the file."""

    stops: list[tuple[ClockRule, Whens]] = field(default_factory=list)
    pauses: list[tuple[ClockRule, Whens]] = field(default_factory=list)
    resumes: list[tuple[ClockRule, Whens]] = field(default_factory=list)
    starts: list[tuple[ClockRule, Whens]] = field(default_factory=list)
    steps: list[tuple[StepRule, Whens]] = field(default_factory=list)
    untils: list[tuple[StepRule, Whens]] = field(default_factory=list)
    closes: list[Whens] = field(default_factory=list)


NOBODY = Waiters()


@dataclass(slots=True)
class Listening:
    """A policy's rules by what they wait for."""

    by_happening: dict[Happening, Waiters] = field(default_factory=dict)
    stop_conditions: list[tuple[ClockRule, Whens]] = field(default_factory=list)
    start_conditions: list[tuple[ClockRule, Whens]] = field(default_factory=list)
    step_conditions: list[tuple[StepRule, str, Condition]] = field(default_factory=list)
    until_conditions: list[tuple[StepRule, Whens]] = field(default_factory=list)
    close_conditions: Whens = ()

    def waiters(self, happening: Happening) -> Waiters:
        """What the happening can set off."""
        return self.by_happening.get(happening, NOBODY)

    @property
    def conditional(self) -> bool:
        """Whether anything but closing waits for a condition on its own."""
        return bool(self.stop_conditions or self.start_conditions or self.step_conditions or self.until_conditions)


class _ById:
    """A policy as a cache key: by identity, since a policy is immutable and holds unhashable maps."""

    __slots__ = ("policy",)

    def __init__(self, policy: Policy) -> None:
        self.policy = policy

    def __hash__(self) -> int:
        return id(self.policy)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _ById) and other.policy is self.policy


def listening(policy: Policy) -> Listening:
    """The policy's index; made on first use and kept with it."""
    return _listening(_ById(policy))


@lru_cache(maxsize=4096)
def _listening(key: _ById) -> Listening:
    policy = key.policy
    found = Listening()
    for clock in policy.clocks.values():
        _listen_clock(found, clock)
    for step in policy.steps:
        _listen_step(found, step)
    for happening, whens in named_happenings(policy.close):
        _at(found, happening).closes.append(whens)
    found.close_conditions = _bare(policy.close)
    return found


def _listen_clock(found: Listening, clock: ClockRule) -> None:
    for happening, whens in named_happenings(clock.stop):
        _at(found, happening).stops.append((clock, whens))
    for happening, whens in named_happenings(clock.pause_from):
        _at(found, happening).pauses.append((clock, whens))
    for happening, whens in named_happenings(clock.pause_to):
        _at(found, happening).resumes.append((clock, whens))
    for happening, whens in named_happenings(clock.start):
        _at(found, happening).starts.append((clock, whens))
    if stops := _bare(clock.stop):
        found.stop_conditions.append((clock, stops))
    if starts := _bare(clock.start):
        found.start_conditions.append((clock, starts))


def _listen_step(found: Listening, step: StepRule) -> None:
    for happening, whens in named_happenings(step.on):
        _at(found, happening).steps.append((step, whens))
    for happening, whens in named_happenings(step.until):
        _at(found, happening).untils.append((step, whens))
    for index, alternative in enumerate(step.on.alternatives):
        if isinstance(alternative, OnCondition):
            found.step_conditions.append((step, f"{step.name}.{index}", alternative.when))
    if untils := _bare(step.until):
        found.until_conditions.append((step, untils))


def _at(found: Listening, happening: Happening) -> Waiters:
    return found.by_happening.setdefault(happening, Waiters())


def named_happenings(trigger: Trigger | None) -> Iterable[tuple[Happening, Whens]]:
    """The happenings a trigger names, each with the conditions of its alternatives."""
    named: dict[Happening, list[Condition | None]] = {}
    for alternative in trigger.alternatives if trigger else ():
        match alternative:
            case OnEvent(type=type_, when=when):
                named.setdefault(Happening("event", type_), []).append(when)
            case OnCase(what=what, when=when):
                named.setdefault(Happening("case", what), []).append(when)
            case OnClock(clock=clock, what=moment, when=when):
                named.setdefault(Happening("clock", moment, clock), []).append(when)
            case _:
                pass
    return [(happening, tuple(whens)) for happening, whens in named.items()]


def _bare(trigger: Trigger | None) -> tuple[Condition, ...]:
    return tuple(a.when for a in trigger.alternatives if isinstance(a, OnCondition)) if trigger else ()
