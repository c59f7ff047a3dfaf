"""What follows from an attempt: done, again later, or given up on this address. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from reeve.domain.case import Case
from reeve.domain.telling import Reminding, moot
from reeve.runtime.store.deliveries import Attempt, Delivery, Settlement
from services.notify.channels.base import Outcome, Reason, Result

MOST_INTERRUPTED = 20
"""Crashes with one delivery in hand after which it is given up: it may be what crashes us."""

_LONGEST_WAIT = timedelta(minutes=30)

_RESEND_AFTER = timedelta(seconds=5)
"""Before the one repeat of a delivery of which nobody knows whether it arrived."""


@dataclass(frozen=True, slots=True)
class RetryPlan:
    """How often and after what wait a delivery is tried that the provider does not take now."""

    attempts: int
    first_wait: timedelta

    def wait(self, failed_attempts: int, jitter: float) -> timedelta:
        """Before the next try; `jitter` (0 to 1) spreads it by a quarter either way, so not all come at once."""
        wait: timedelta = min(self.first_wait * (1 << min(failed_attempts - 1, 20)), _LONGEST_WAIT)
        return wait * (0.75 + 0.5 * jitter)


def settle(delivery: Delivery, outcome: Outcome, plan: RetryPlan, now: datetime, jitter: float) -> Settlement:
    """The delivery's next state after this attempt.

    Unknown is sent once more, with the same Message-ID; unknown again is failed, and another way is looked for.
    """
    earlier = delivery.attempts
    label = outcome.result.value
    if outcome.result is Result.SENT and any(attempt.result == "unknown" for attempt in earlier):
        label = "resent"
    attempt = Attempt(now, label, outcome.reason.value, outcome.reference)

    def settled(state: str, due_at: datetime) -> Settlement:
        return Settlement(delivery.id, state, now, due_at, attempt, delivery.claim)  # type: ignore[arg-type]

    if outcome.result is Result.SENT:
        return settled("sent", now)
    if outcome.result is Result.PERMANENT:
        return settled("failed", now)
    tries = 1 + sum(each.reason != Reason.INTERRUPTED for each in earlier)
    if outcome.result is Result.UNKNOWN:
        unknown = any(each.result == "unknown" and each.reason != Reason.INTERRUPTED for each in earlier)
        return settled("failed", now) if unknown else settled("queued", now + _RESEND_AFTER)
    if tries >= plan.attempts:
        return settled("failed", now)
    return settled("queued", now + plan.wait(tries, jitter))


def given_up(delivery: Delivery, reason: Reason, now: datetime) -> Settlement:
    """Not tried, and never will be: no address any more, or it crashed us too often."""
    attempt = Attempt(now, Result.PERMANENT.value, reason.value)
    return Settlement(delivery.id, "failed", now, now, attempt, delivery.claim)


def cancelled(delivery: Delivery, reason: Reason, now: datetime) -> Settlement:
    """Not sent, because the case no longer wants it."""
    attempt = Attempt(now, "suppressed", reason.value)
    return Settlement(delivery.id, "suppressed", now, now, attempt, delivery.claim)


def put_back(delivery: Delivery, now: datetime) -> Settlement:
    """Not tried: whoever is next may take it at once."""
    return Settlement(delivery.id, "queued", now, now, None, delivery.claim)


def crashes_us(delivery: Delivery) -> bool:
    """Whether it was in hand at too many crashes."""
    return sum(each.reason == Reason.INTERRUPTED for each in delivery.attempts) >= MOST_INTERRUPTED


def unwanted(case: Case, at: datetime, wanted: Reminding) -> Reason | None:
    """Why a queued notification of the logical moment `at` is not sent any more; None: send it."""
    why = moot(case, at, wanted)
    return Reason(why) if why is not None else None
