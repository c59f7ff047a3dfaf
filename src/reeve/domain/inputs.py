"""What a case can be decided on: an event, the passing of time, a count that crossed, a parent that opens it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from reeve.domain.bundle import CountRule, Policy
from reeve.domain.case import Case, CaseKey
from reeve.domain.events import Event


@dataclass(frozen=True, slots=True)
class Tick:
    """Time has passed: everything due up to and including `until` happens at its own moment."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Revise:
    """Other rules are active since `at`: the case follows them as its policy's `on_change` says.

    `to`: a person (`by`, an id) puts the case on the policy file of that digest, whatever `on_change` says;
    `recompute`: grade and running clocks are decided anew as well.
    """

    at: datetime
    to: str | None = None
    by: str | None = None
    reason: str | None = None
    """Why, in that person's words; it stands on the timeline and is never published (PRIVACY-01)."""
    recompute: bool = False


@dataclass(frozen=True, slots=True)
class Recount:
    """A count this case takes part in crossed a value that a grade compares it with, because of `event`.

    `at` is the moment of the crossing: the event's own, or a later one if the event came out of order.
    """

    event: Event
    at: datetime


@dataclass(frozen=True, slots=True)
class Opening:
    """An event opens a case, or opens a closed one anew."""

    key: CaseKey
    event: Event


@dataclass(frozen=True, slots=True)
class ChildOpening:
    """A step of `parent` opens this case at `at`; `event` is the event in hand then, if one was."""

    key: CaseKey
    parent: Case
    at: datetime
    event: Event | None


@dataclass(frozen=True, slots=True)
class DutyOpening:
    """A duty's moment has come: its scheduled case opens at `at`.

    `overtaken`: its next occurrence is due already, so this one is only put on record and nobody is told.
    """

    at: datetime
    overtaken: bool = False


Input = Event | Tick | Revise | Recount | Opening | ChildOpening | DutyOpening


class Facts(Protocol):
    """What a decision needs to know beyond its own case. May raise `errors.NotLoaded`."""

    def count(self, policy: Policy, rule: CountRule, case: Case | None, event: Event | None, at: datetime) -> int:
        """The count's value for this case (or, without one, this event) at the logical moment `at`."""
        ...

    def claim_holder(self, claim: str) -> str | None:
        """Id of the case that holds a `once_per` sending; None: nobody yet."""
        ...
