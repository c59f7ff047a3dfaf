"""What a decision does, as data: one line of the case's timeline each, and at most one message out.

`details` holds exactly the further keys of contracts.md §5 for that effect; no personal data (PRIVACY-01).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from typing import Literal as OneOf

from reeve.domain.case import Case, CaseKey
from reeve.domain.trace import Trace

EffectName = OneOf[
    "opened",
    "graded",
    "clock_started",
    "clock_paused",
    "clock_resumed",
    "clock_stopped",
    "breached",
    "corrected",
    "acknowledged",
    "delayed",
    "notify",
    "escalated",
    "reopened",
    "child_opened",
    "suppressed",
    "undeliverable",
    "closed",
    "adopted",
    "scored",
]


@dataclass(frozen=True, slots=True)
class Because:
    """Why: the line of the rule, and the event (its posted id) or the clock whose moment came."""

    rule: str
    """`<file>:<line>`."""
    event: str | None = None
    clock: str | None = None


@dataclass(frozen=True, slots=True)
class Notification:
    """What a `notify` effect asks for. Roles only: people are found when it is sent."""

    step: str
    level: int
    round: int
    """Counts every sending of the step in the case's run, from 1."""
    run: int
    to: tuple[str, ...]
    via: tuple[str, ...]
    message: str
    grade: str | None
    ack_ends: bool
    reminds: bool = False
    """Part of a step that repeats or climbs: an acknowledgement or the closing makes what is queued of it moot."""
    late: bool = False
    not_before: datetime | None = None
    """Quiet hours: send at this moment at the earliest."""
    owner_not_before: datetime | None = None
    """The same for the role `owner`, whose messages keep to opening hours."""


@dataclass(frozen=True, slots=True)
class Effect:
    """One thing that happened to a case at a logical moment, however late it was noticed."""

    what: EffectName
    case: CaseKey
    at: datetime
    key: str
    """Deterministic: the same decision made again has the same keys."""
    because: Because
    details: Mapping[str, Any]
    """Values are text, numbers, booleans, None, lists, or datetimes (rendered with the site's offset)."""
    notification: Notification | None = None
    """Set on `notify`, and on the `suppressed` line of a round that is not sent."""


@dataclass(frozen=True, slots=True)
class ChildRequest:
    """A case to open on another policy, with the parent's facts; it receives the parent's events from now on."""

    policy: str
    subject: str
    because: Because


@dataclass(frozen=True, slots=True)
class Decision:
    """The case afterwards, and what happened, in order. `changed` False: nothing at all to save."""

    case: Case
    effects: tuple[Effect, ...]
    changed: bool
    claims: tuple[str, ...] = ()
    """Keys of `once_per` sendings that this case now holds."""
    children: tuple[ChildRequest, ...] = ()
    trace: Trace | None = None
    """What was looked at; None if nothing changed."""
