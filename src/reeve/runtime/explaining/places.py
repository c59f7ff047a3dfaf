"""What stands where in a policy file: from the position of a condition to the rule it belongs to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal as OneOf

from reeve.domain.bundle import Policy
from reeve.domain.expressions import Condition, Trigger

Use = OneOf["policy", "count", "grade", "start", "stop", "pause", "resume", "on", "if", "until", "close"]
"""policy: the file's own `if`; start … resume: of a clock; on, if, until: of a step."""


@dataclass(frozen=True, slots=True)
class Place:
    """A condition of a policy: what it is for, and of which clock, step, grade or count."""

    use: Use
    name: str
    condition: Condition


def places(policy: Policy) -> dict[tuple[int, int], Place]:
    """Every whole condition of the file by its line and column."""
    return {(place.condition.pos.line, place.condition.pos.column): place for place in _all(policy)}


def _all(policy: Policy) -> Iterator[Place]:
    if policy.when is not None:
        yield Place("policy", policy.name, policy.when)
    for count in policy.counts:
        yield from _of("count", count.name, count.of)
    for grade in policy.grades:
        if grade.when is not None:
            yield Place("grade", grade.grade, grade.when)
    for clock in policy.clocks.values():
        yield from _of("start", clock.name, clock.start)
        yield from _of("stop", clock.name, clock.stop)
        yield from _of("pause", clock.name, clock.pause_from)
        yield from _of("resume", clock.name, clock.pause_to)
    for step in policy.steps:
        yield from _of("on", step.name, step.on)
        yield from _of("until", step.name, step.until)
        if step.when is not None:
            yield Place("if", step.name, step.when)
    yield from _of("close", policy.name, policy.close)


def _of(use: Use, name: str, trigger: Trigger | None) -> Iterator[Place]:
    for alternative in trigger.alternatives if trigger is not None else ():
        if alternative.when is not None:
            yield Place(use, name, alternative.when)
