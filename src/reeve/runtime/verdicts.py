"""The one table from what went wrong to what happens to a message. Handlers never choose a verdict by hand.

| error | verdict |
|---|---|
| InvalidEvent and other malformed input | dead letter, then term |
| RefusedError: the domain says no | on record as refused, dead letter, then ack |
| Conflict | again at once, bounded; then nak with delay |
| Away: bus or record | wait until it is back; the message stays in hand |
| anything else | nak with delay; dead letter after the last delivery |
| shutdown (CancelledError) | none: the bus delivers again |
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import TypeVar

from reeve.domain.errors import NotLoaded, RefusedError
from reeve.ports import Away, Conflict

MOST_DELIVERIES = 5
"""Tries of a message that fails for an unknown reason; after the last it is a dead letter."""

MOST_CONFLICTS = 8
"""Times a batch is decided again at once because somebody else was faster."""

_NAK_SECONDS = (1.0, 5.0, 15.0, 60.0)

T = TypeVar("T")


class Verdict(Enum):
    """What becomes of the message."""

    DEAD = "dead"
    """It can't be read: dead letter, then term."""
    REFUSED = "refused"
    """It was read and can't be applied: recorded, dead letter, then ack."""
    AGAIN = "again"
    """At once, a bounded number of times; then LATER."""
    WAIT = "wait"
    """A server is away: keep it in hand until it is back."""
    LATER = "later"
    """Nak with a delay; DEAD after the last delivery."""


@dataclass(frozen=True, slots=True)
class Failure:
    """An attempt that failed, and what the table says about it."""

    verdict: Verdict
    error: Exception

    @property
    def reason(self) -> str:
        """A sentence for a dead letter: our own words, or an unknown error's class; never its text."""
        if isinstance(self.error, RefusedError):
            return self.error.reason
        if self.verdict is Verdict.DEAD:
            return "the message can't be read"
        return f"an unexpected {type(self.error).__name__} each time it was tried"


def verdict_of(error: Exception, *, reading: bool = False) -> Verdict:
    """The table. `reading`: the message was being read, so what refuses it is its form."""
    match error:
        case RefusedError():
            return Verdict.DEAD if reading else Verdict.REFUSED
        case ValueError() if reading:
            return Verdict.DEAD
        case Conflict():
            return Verdict.AGAIN
        case Away():
            return Verdict.WAIT
        case _:
            return Verdict.LATER


def attempt(work: Callable[[], T], *, reading: bool = False) -> T | Failure:
    """The result, or the failure. NotLoaded passes through: it is a question, not an error."""
    try:
        return work()
    except NotLoaded:
        raise
    except Exception as error:  # noqa: BLE001 - this is the verdict table
        return Failure(verdict_of(error, reading=reading), error)


def nak_delay(delivery: int) -> float:
    """Seconds until the next try, after the `delivery`-th one (from 1)."""
    return _NAK_SECONDS[min(delivery, len(_NAK_SECONDS)) - 1]
