"""What escalation has in hand: events and ticks, from the bus or from the reconciler, and cases to revise."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from reeve.contracts.events import EVENT_TYPES, parse_event
from reeve.contracts.problems import InvalidEvent, Problem
from reeve.contracts.subjects import parse_timer, parse_work
from reeve.domain.duties import POLICY
from reeve.domain.events import Event, event_key
from reeve.domain.inputs import Revise
from reeve.runtime.bus.lanes import lane_of, lane_of_event
from reeve.runtime.bus.pull import Received


@dataclass(slots=True)
class EventWork:
    """An event to be decided; `received` None: it was found undecided in the record."""

    event: Event
    received: Received | None = None

    @property
    def lane(self) -> int:
        return lane_of_event(self.event)


@dataclass(slots=True)
class TickWork:
    """A case whose moment may have come; `received` None: the reconciler found it overdue."""

    case_id: str
    received: Received | None = None


@dataclass(slots=True)
class ReviseWork:
    """An open case that may have to go on with another policy file; `revise`: a person's choice of one."""

    case_id: str
    lane: int
    revise: Revise | None = None
    received: None = None
    """Comes from the record, never by the bus."""


@dataclass(slots=True)
class ScheduleWork:
    """A duty whose next occurrence at a site is missing in the record."""

    site: str
    duty: str
    received: None = None
    """Comes from the record, never by the bus."""

    @property
    def case_id(self) -> str:
        """What it is called in the log."""
        return f"{self.site}/{POLICY}/{self.duty}"


@dataclass(slots=True)
class UnscheduleWork:
    """An occurrence of a duty that is not to come."""

    case_id: str
    received: None = None
    """Comes from the record, never by the bus."""


@dataclass(slots=True)
class BadWork:
    """A message that can't be read."""

    received: Received
    reason: str
    site: str | None


Item = EventWork | TickWork | ReviseWork | ScheduleWork | UnscheduleWork
"""What can be decided."""
Work = Item | BadWork


def read_work(received: Received) -> EventWork:
    """The event of a WORK message, its form checked. Raises InvalidEvent or ValueError (permanent).

    Intake has checked every field already, and what is in its record needs no second look; `check` does that
    for an event which the record does not know.
    """
    accepted = parse_work(received.subject)
    body: Any = orjson.loads(received.data)
    try:
        event = Event(
            site=body["site"],
            source=body["source"],
            id=body["id"],
            type=body["type"],
            subject=body["subject"],
            at=datetime.fromisoformat(body["time"]).astimezone(UTC),
            data=body["data"],
            key=event_key(body["site"], body["source"], body["id"]),
        )
    except (KeyError, TypeError, AttributeError, OverflowError) as error:
        raise ValueError("not an event of ours") from error
    if (event.site, event.type, event.subject) != (accepted.site, accepted.type, accepted.key):
        problem = Problem("$", "another event", "the site, type and subject that the NATS subject names")
        raise InvalidEvent((problem,), id=event.id, site=accepted.site)
    if event.type not in EVENT_TYPES or not isinstance(event.data, dict):
        raise ValueError("not an event of ours")
    return EventWork(event, received)


def check(work: EventWork) -> None:
    """An event that intake never put in the record is checked in full. Raises InvalidEvent (permanent)."""
    if work.received is not None:
        parse_event(work.received.data)


def read_tick(received: Received) -> TickWork:
    """The case that a TIMERS message names. Raises ValueError (permanent)."""
    return TickWork(str(parse_timer(received.subject)), received)


def lane_of_case_id(case_id: str) -> int:
    """The lane of a case that is no child; a child's is its parent's, which only its document knows."""
    site, _, rest = case_id.partition("/")
    return lane_of(site, rest.partition("/")[2])


def site_of(received: Received) -> str | None:
    """The site that a WORK message's subject names, for its dead letter."""
    tokens = received.subject.split(".")
    return tokens[2] if len(tokens) > 2 and tokens[0] == "work" else None
