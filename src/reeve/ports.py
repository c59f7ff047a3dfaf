"""What the shell needs from the outside, as few protocols as possible. `reeve.runtime` stands behind them.

Errors of the adapters, by what the caller does about them:

ReeveError
├── Away            a server can't be reached or did not answer in time: wait, try again, lose nothing
│   ├── BusAway
│   └── StoreAway
└── Conflict        somebody else changed the same documents first: load them and decide again
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, Protocol

from reeve.domain.case import Case
from reeve.domain.counts import Count
from reeve.domain.effects import Effect
from reeve.domain.errors import ReeveError
from reeve.domain.events import Event


class Away(ReeveError):
    """A server is out of reach; transient, whatever it lasts."""


class BusAway(Away):
    """The bus did not answer or did not acknowledge."""


class StoreAway(Away):
    """The record can't be read or written now; what was asked may or may not have been done."""


class Conflict(ReeveError):
    """Another writer was faster; nothing was written."""


class TimeSource(Protocol):
    """The only thing that tells `now`; read once per batch or tick and passed down."""

    def now(self) -> datetime:
        """Aware UTC."""
        ...


class Message(NamedTuple):
    """One message to publish. `msg_id` (Nats-Msg-Id) makes a repeat within 12 minutes a no-op on the bus."""

    subject: str
    msg_id: str
    payload: bytes
    headers: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Unpublished:
    """A message whose acknowledgement did not come; `index` is its place in what was handed over."""

    index: int
    reason: str
    refused: bool = False
    """The bus said no (too large, no such stream): trying again unchanged is pointless."""


class Publisher(Protocol):
    """Puts messages on the bus, many at a time."""

    async def publish_all(
        self, messages: Iterable[tuple[str, str, bytes, Mapping[str, str] | None]]
    ) -> list[Unpublished]:
        """Every message not in the answer is stored by the bus; order is kept. Never raises for the bus."""
        ...


# --- the record as escalation uses it -----

Needs = dict[str, set[str]]
"""What to load, by the kinds of `domain.errors.NotLoaded`.

subject `<site>/<family>/<subject>`: the cases that receive its events, and the events of it that wait;
case: a case by id; count: one count; counted: every open case that takes part in a count; claim: who holds
a `once_per` sending.
"""


@dataclass(slots=True)
class Loaded:
    """What was asked for, as it stands in the record; absent things are there as None or empty."""

    cases: dict[str, Case | None] = field(default_factory=dict)
    """By case id; every case named anywhere below is here too."""
    subjects: dict[str, list[str]] = field(default_factory=dict)
    """Subject → ids of its cases."""
    waiting: dict[str, list[Event]] = field(default_factory=dict)
    """Subject → events that wait for a case, oldest first."""
    counts: dict[str, Count | None] = field(default_factory=dict)
    count_versions: dict[str, int] = field(default_factory=dict)
    """Count key → version in the record, 0 where there is none yet."""
    counted: dict[str, list[str]] = field(default_factory=dict)
    """Count key → ids of the open cases that take part in it."""
    claims: dict[str, str | None] = field(default_factory=dict)
    """Claim → id of the case that holds it."""


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """Messages of decisions of one lane, kept until the bus has surely stored them all."""

    id: str
    """Of the first decision among them: `<case id>#<version>`, or notify's own for what it adds to a timeline."""
    lane: int
    at: datetime
    """When they were decided."""
    cases: tuple[str, ...]
    """Ids of the cases that were decided on."""
    messages: tuple[Message, ...]


NO_CASE = "-"
"""Stands for the policy, and for the case, where no case takes an event."""


@dataclass(frozen=True, slots=True)
class DecisionRow:
    """One saved decision: the timeline of one version of one case, and what it tells the bus."""

    case: str
    version: int
    at: datetime
    """When it was decided, by the shell's `now`."""
    event: str | None
    """Id of the event as posted; None: time passed."""
    event_key: str | None
    bundle: str
    lines: bytes
    """The timeline lines (contracts.md §5), a JSON array."""
    messages: tuple[Message, ...]
    requested: tuple[Effect, ...]
    """The `notify` effects, which become documents that notify works off."""
    lane: int
    key: str = ""
    """What tells it from other decisions on the case; empty: its version does."""
    trace: bytes = field(default=b"", repr=False)
    """What was looked at (`reeve.runtime.traces`), a JSON object; empty: nothing is kept of it."""
    facts: bytes = field(default=b"", repr=False)
    """The facts as they were then, likewise. Personal data: for the record alone (PRIVACY-01)."""
    taken: bool = True
    """False: no case takes the event, and `case` is `<site>/-/<subject>`."""

    @property
    def id(self) -> str:
        return f"{self.case if self.taken else NO_CASE}#{self.key or self.version}"


@dataclass(slots=True)
class Changes:
    """What one batch changes, all of it or nothing."""

    now: datetime
    cases: list[tuple[Case, int]] = field(default_factory=list)
    """Each with the version it was loaded with, 0 for a new one."""
    decisions: list[DecisionRow] = field(default_factory=list)
    counts: list[tuple[Count, int]] = field(default_factory=list)
    """Each with the version it was loaded with, 0 for a new one."""
    claims: dict[str, str] = field(default_factory=dict)
    """Claim → id of the case that takes it."""
    applied: list[Event] = field(default_factory=list)
    """Events decided now, the waiting and the refused among them."""
    waiting_added: list[str] = field(default_factory=list)
    """Keys of events that wait for a case from now on."""
    waiting_taken: list[str] = field(default_factory=list)
    """Keys of events that have found their case."""
    unknown: set[str] = field(default_factory=set)
    """Keys of applied events that came by the bus and are not in the record: they are added to it."""
    refused: dict[str, str] = field(default_factory=dict)
    """Event key → why it can't be applied; it is in `dead.>` and never tried again."""


class CaseRecord(Protocol):
    """Escalation's record. Every method raises StoreAway (transient); `commit` also Conflict."""

    async def load(self, needs: Needs) -> Loaded:
        """Everything asked for, never older than this process's last commit."""
        ...

    async def applied(self, keys: Collection[str]) -> dict[str, bool]:
        """Whether each event was decided before; an event that the record lacks is not in the answer."""
        ...

    async def commit(self, changes: Changes) -> None:
        """All of it is durable, or nothing is: Conflict when any of it had changed since it was loaded."""
        ...

    async def unpublished(
        self, lanes: Collection[int], server_id: str, before: datetime, most: int
    ) -> list[OutboxRow]:
        """Rows decided before that moment that this server process has not acknowledged, oldest first.

        At least one if there is any, and no more once they hold `most` messages.
        """
        ...

    async def mark_published(self, ids: Collection[str], server_id: str, now: datetime) -> None:
        """The server process `server_id` has acknowledged every message of these rows at `now`."""
        ...

    async def confirm(self, server_id: str, before: datetime) -> int:
        """Rows that this very process acknowledged before that moment are dropped; how many."""
        ...

    async def overdue(self, lanes: Collection[int], before: datetime, most: int) -> list[str]:
        """Ids of open cases whose next moment lies before that, longest overdue first."""
        ...

    async def unapplied(self, lanes: Collection[int], before: datetime, most: int) -> list[Event]:
        """Events of these lanes, accepted before that moment and not decided yet, oldest first."""
        ...
