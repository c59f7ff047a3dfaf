"""What has happened to a delivery, in order, from the delivery alone: for the bus and for the timeline. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal as OneOf

from reeve.contracts.deliveries import DeliveryWhat
from reeve.runtime.store.deliveries import NOBODY, Attempt, Delivery
from reeve.runtime.store.short_ids import short_id

What = OneOf[
    "held",
    "sent",
    "delivered",
    "failed",
    "unknown",
    "retried",
    "merged",
    "suppressed",
    "undeliverable",
    "acknowledged",
]
"""held: it waits on purpose (`reason`); retried: an attempt came to nothing and another follows; unknown: nobody
knows whether an attempt arrived; merged: another message says it, too; acknowledged: the recipient has answered."""

_OF_RESULT: dict[str, What] = {
    "sent": "sent",
    "resent": "sent",
    "delivered": "delivered",
    "suppressed": "suppressed",
    "merged": "merged",
    "undeliverable": "undeliverable",
}

_TOLD: dict[What, DeliveryWhat] = {
    "sent": "sent",
    "delivered": "delivered",
    "failed": "failed",
    "merged": "sent",
    "suppressed": "suppressed",
    "undeliverable": "undeliverable",
    "acknowledged": "acknowledged",
}
"""What the bus calls it; what is not here is for the timeline alone."""


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that has happened to a delivery."""

    what: What
    at: datetime
    attempt: int | None = None
    """Which try it was, or how many there had been, from 1; None: none was made."""
    provider: str = ""
    reason: str | None = None
    """A word from a fixed list; None where there is nothing to explain."""
    resent: bool = False
    """Sent once more after nobody knew whether it had arrived."""
    until: datetime | None = None
    """held: when it goes out."""
    answer: str | None = None
    """acknowledged: `acknowledged`, `escalated` or `delayed`."""
    how: str | None = None
    """acknowledged: the way the answer came."""
    minutes: int | None = None
    """acknowledged, where more time was asked for: how much."""
    event: str | None = None
    """acknowledged: id of the event that the answer became."""
    into: str | None = None
    """merged: short name of the delivery whose message says it."""
    segments: int = 0
    """SMS segments that this very try handed to the provider."""


def happenings(delivery: Delivery) -> list[Happening]:
    """Everything, in order of time. What is only to come (a next attempt) is no part of it."""
    found = [*_held(delivery), *_attempts(delivery), *_settled(delivery), *_answered(delivery)]
    into = short_id(delivery.into) if delivery.into is not None else None
    found = [replace(each, into=into) if each.what == "merged" else each for each in found]
    return sorted(found, key=lambda each: each.at)


@dataclass(frozen=True, slots=True)
class Outcome:
    """Something the bus is told of a delivery."""

    key: str
    """Its own among those of the delivery; letters, digits and `_`."""
    what: DeliveryWhat
    happening: Happening


def outcomes(delivery: Delivery) -> list[Outcome]:
    """What the bus is told of it, in order of time; of several alike the first, but of answers each."""
    found: dict[str, Outcome] = {}
    for each in happenings(delivery):
        told = _TOLD.get(each.what)
        if told is not None:
            key = f"{told}_{_digest(each.event)}" if each.event is not None else told
            found.setdefault(key, Outcome(key, told, each))
    return list(found.values())


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _held(delivery: Delivery) -> Iterator[Happening]:
    if delivery.hold:
        until = delivery.due_at if delivery.state == "queued" and not delivery.attempts else None
        yield Happening("held", delivery.requested_at, reason=delivery.hold, until=until)


def _attempts(delivery: Delivery) -> Iterator[Happening]:
    tries = 0
    last = len(delivery.attempts) - 1
    taken = segments_of_tries(delivery)
    for number, attempt in enumerate(delivery.attempts):
        what = _OF_RESULT.get(attempt.result)
        if what in (None, "sent") and attempt.result != "not_delivered":
            tries += 1
        if what is None:
            what = _came_to_nothing(attempt, final=number == last and delivery.state == "failed")
        happening = Happening(
            what, attempt.at, tries or None, attempt.provider, attempt.reason, segments=taken[number]
        )
        if what in ("sent", "delivered"):
            happening = replace(happening, reason=None, resent=attempt.result == "resent")
        yield happening


def segments_of_tries(delivery: Delivery) -> list[int]:
    """The SMS segments of each try. What an older release noted for the delivery alone is of its last send."""
    taken = [attempt.segments for attempt in delivery.attempts]
    sends = [n for n, attempt in enumerate(delivery.attempts) if attempt.result in ("sent", "resent", "unknown")]
    if sends:
        taken[sends[-1]] += max(0, delivery.segments - sum(taken))
    return taken


def _came_to_nothing(attempt: Attempt, *, final: bool) -> What:
    if final:
        return "failed"
    return "unknown" if attempt.result == "unknown" else "retried"


def _settled(delivery: Delivery) -> Iterator[Happening]:
    """What no attempt says: that it was merged, and a final state that was reached without one."""
    said = {_OF_RESULT.get(attempt.result) for attempt in delivery.attempts}
    state = delivery.state
    if delivery.into is not None and "merged" not in said:
        yield Happening("merged", delivery.due_at, reason="merged")
    if state in ("suppressed", "undeliverable", "delivered", "sent") and state not in said:
        yield Happening(state, delivery.due_at, len(delivery.attempts) or None)
    elif state == "failed" and not delivery.attempts:
        yield Happening("failed", delivery.due_at)


def _answered(delivery: Delivery) -> Iterator[Happening]:
    for each in delivery.answers:
        yield Happening(
            "acknowledged", each.at, answer=each.what, how=each.how, minutes=each.minutes, event=each.id
        )


def for_nobody(delivery: Delivery) -> bool:
    """Whether it only notes that nobody gets the notification."""
    return delivery.recipient == NOBODY
