"""What a decision looked at: which conditions held, why steps did not act, and the facts as they were then.

Made while deciding, kept with the decision, and never needed to decide anything: explanations read it. Facts may be
personal data: a trace goes into the record and nowhere else (PRIVACY-01).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from typing import Literal as OneOf

from reeve.domain.bundle import Policy
from reeve.domain.events import Event
from reeve.domain.expressions import Condition
from reeve.domain.facts import typed

NoteKind = OneOf["grade", "sample", "claimed", "ended", "grade_from"]
"""grade: the step is not for the grade the case has (`what`); sample: the case is not in the step's sample;
claimed: the sending of a `once_per` is with another case (`what`, empty: this case had it before); ended: the
step's repeats are over because of `what` (acknowledged, stopped, until, closed, reopened); grade_from: the fact
named in place of the step has this value (`what`)."""


Note = tuple[str, NoteKind, str | None]
"""Something about a step that its conditions don't say: the step's name, the kind, and `what` it says."""


@dataclass(slots=True, eq=False)
class Scene:
    """One moment of a decision with the facts as they were: another moment or other facts, another scene."""

    at: datetime
    event: bool
    """An event was in hand; otherwise time had passed."""
    clock: str | None
    """The clock in hand, if one was."""
    scope: Mapping[str, Any] | None = None
    """What conditions saw; None: none was looked at. Never changed once it is here."""
    grades: int | None = None
    """Place of the first grade whose condition held, -1: none did; None: grades were not looked at."""
    tests: list[tuple[Condition, bool]] = field(default_factory=list)
    """Conditions in the order looked at, and whether they held; those of grades are not repeated here."""
    notes: list[Note] = field(default_factory=list)


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """All scenes of one decision, under the policy file it was decided by."""

    policy: str
    """Digest of that file."""
    scenes: tuple[Scene, ...]
    file: str = ""
    """Its name."""


@dataclass(slots=True, eq=False)
class Considered:
    """Which policies looked at an event that might open a case, or that no case takes."""

    event: Event
    taken: bool = False
    """At least one case was there for it or opened; otherwise it waits for one."""
    refused: list[str] = field(default_factory=list)
    """Policies whose `if` did not hold."""
    opened: list[str] = field(default_factory=list)
    running: list[str] = field(default_factory=list)
    """Policies with a case that took it already."""
    scope: dict[str, Any] = field(default_factory=dict)
    """What the conditions saw of the event."""
    own: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    """The same for policies that read counts, whose names are each policy's own."""

    def compared(self, policy: Policy, name: str, value: Any, held: bool) -> None:
        """The policy's `if`, which is one comparison of a field that is no count, was looked at."""
        (self.opened if held else self.refused).append(policy.name)
        if value is not None:
            self.scope[name] = value

    def looked_at(self, policy: Policy, scope: Mapping[str, Any], held: bool) -> None:
        """The policy's `if` was looked at."""
        if held:
            self.opened.append(policy.name)
        else:
            self.refused.append(policy.name)
        if policy.opening_reads.counts:
            self.own[policy.name] = scope
        else:
            self.scope.update(scope)


def as_stored(value: Any) -> Any:
    """A value of a scope that JSON has no kind for, as text or number; `as_seen` gives it back."""
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value // timedelta(microseconds=1)
    return str(value)


def as_seen(stored: Mapping[str, Any]) -> dict[str, Any]:
    """The scope of a stored one, equal to what the conditions saw."""
    return {name: _seen(name, value) for name, value in stored.items()}


def _seen(name: str, value: Any) -> Any:
    if name == "open_for" and isinstance(value, int):
        return timedelta(microseconds=value)
    if name == "today" and isinstance(value, str):
        return date.fromisoformat(value)
    return typed(name, value)
