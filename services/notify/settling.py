"""What follows from an attempt: done, again later, awaited, or given up on this address. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from reeve.domain.case import Case
from reeve.domain.telling import WAITED, Reminding, moot
from reeve.runtime.providers.posts import public_id
from reeve.runtime.store.deliveries import Attempt, Delivery, Settlement, State
from reeve.runtime.store.delivery_receipts import by_our_id, by_their_id
from reeve.runtime.store.notifications import Requested
from services.notify.channels.base import Outcome, Reason, Result
from services.notify.pool.terms import WORST_RANKS, Terms

MOST_INTERRUPTED = 20
"""Crashes with one delivery in hand after which it is given up: it may be what crashes us."""

_LONGEST_WAIT = timedelta(minutes=30)
_LONGEST_ASKED = timedelta(hours=1)
"""Who asks to be left alone for longer is asked after this all the same."""

RESEND_AFTER = timedelta(seconds=5)
"""Before the one repeat of a delivery of which nobody knows whether it arrived."""

WORST_PATIENCE = timedelta(minutes=10)
"""A message of the two worst grades that could not go this way for so long goes another way."""

_SLOWER = {Reason.BUSY: 12, Reason.CREDENTIALS: 24}
"""Times the first wait: greylisting ends in minutes, a wrong password when somebody has read the log. The rest
(no connection, a fault of the provider) may be over in seconds."""


@dataclass(frozen=True, slots=True)
class RetryPlan:
    """How often and after what wait a delivery is tried that no provider takes now."""

    attempts: int
    """Rounds at most; in each every provider of the channel that can be asked is."""
    first_wait: timedelta

    def wait(self, failed_rounds: int, jitter: float, reason: Reason = Reason.UNREACHABLE) -> timedelta:
        """Before the next round; `jitter` (0 to 1) spreads it by a quarter either way, so not all come at once."""
        first = self.first_wait * _SLOWER.get(reason, 1)
        wait: timedelta = min(first * (1 << min(failed_rounds - 1, 20)), _LONGEST_WAIT)
        return wait * (0.75 + 0.5 * jitter)


@dataclass(frozen=True, slots=True)
class Try:
    """One provider was asked: how that ended, and when that was known."""

    at: datetime
    outcome: Outcome


def settle(
    delivery: Delivery, tries: Sequence[Try], terms: Terms, plan: RetryPlan, jitter: float, segments: int = 0
) -> Settlement:
    """The delivery's next state after a round of tries; `terms` are those of the provider of the last.

    Of unknown ones the provider's terms decide: awaited and then sent once more, with the same Message-ID, or given
    up; unknown again is failed, once no receipt can come any more. Segments count what providers were handed.
    """
    now, last = tries[-1].at, tries[-1].outcome
    attempts = tuple(_attempt(delivery, each) for each in tries)
    settlement = Settlement(delivery.id, "failed", now, now, delivery.claim, attempts)
    if last.result in (Result.SENT, Result.UNKNOWN):
        keys = references(delivery.id, terms, last.reference)
        attempts = (*attempts[:-1], replace(attempts[-1], segments=segments))
        settlement = replace(settlement, attempts=attempts, references=keys, segments=segments)
    if last.result is Result.SENT:
        return replace(settlement, state="sent")
    if last.result is Result.UNKNOWN:
        return _unknown(settlement, delivery, terms)
    waits = _waits(delivery, tries, plan, jitter)
    rounds = 1 + _rounds(delivery)
    if last.reason is Reason.BAD_ADDRESS or not waits or rounds >= plan.attempts:
        return settlement
    due_at = now + min(waits)
    first = delivery.attempts[0].at if delivery.attempts else now
    if delivery.rank <= WORST_RANKS and due_at - first > WORST_PATIENCE:
        return settlement
    return replace(settlement, state="queued", due_at=due_at)


def another_may_take(outcome: Outcome) -> bool:
    """Whether the next provider is asked at once: nothing was taken, and it was not the address."""
    if outcome.result is Result.TRANSIENT:
        return True
    return outcome.result is Result.PERMANENT and outcome.reason is not Reason.BAD_ADDRESS


def given_up(delivery: Delivery, reason: Reason, now: datetime) -> Settlement:
    """Not tried, and never will be: no address any more, no receipt in time, or it crashed us too often."""
    attempt = Attempt(now, Result.PERMANENT.value, reason.value)
    return Settlement(delivery.id, "failed", now, now, delivery.claim, (attempt,))


def cancelled(delivery: Delivery, reason: Reason, now: datetime, tries: Sequence[Try] = ()) -> Settlement:
    """Not sent (any more), because the case no longer wants it."""
    before = tuple(_attempt(delivery, each) for each in tries)
    attempt = Attempt(now, "suppressed", reason.value)
    return Settlement(delivery.id, "suppressed", now, now, delivery.claim, (*before, attempt))


def put_back(
    delivery: Delivery, now: datetime, tries: Sequence[Try] = (), wait: timedelta = timedelta(0)
) -> Settlement:
    """Not tried to the end: whoever is next may take it after `wait`."""
    attempts = tuple(_attempt(delivery, each) for each in tries)
    return Settlement(delivery.id, "queued", now, now + wait, delivery.claim, attempts)


def follow(delivery: Delivery, leader: Settlement) -> Settlement:
    """What becomes of a delivery whose matter the message of `leader` said, too."""
    now = leader.at
    followed: dict[State, State] = {"sent": "merged", "queued": "queued", "unknown": "unknown", "failed": "failed"}
    state = followed[leader.state]
    settlement = Settlement(delivery.id, state, now, leader.due_at, delivery.claim)
    if state in ("merged", "unknown"):
        settlement = replace(settlement, into=leader.id)
    if state in ("unknown", "failed"):
        # The parts are the leader's: counted there, once.
        settlement = replace(settlement, attempts=tuple(replace(each, segments=0) for each in leader.attempts[-1:]))
    return settlement


def crashes_us(delivery: Delivery) -> bool:
    """Whether it was in hand at too many crashes."""
    return sum(each.reason == Reason.INTERRUPTED for each in delivery.attempts) >= MOST_INTERRUPTED


def receipt_is_overdue(delivery: Delivery) -> bool:
    """Whether it was sent twice without an answer, and the time for a receipt of the second is over, too."""
    return len(_silent(delivery)) > 1


def barred(delivery: Delivery, terms: Sequence[Terms], now: datetime) -> frozenset[str]:
    """Providers that are not asked: who refused this message, or said that it did not arrive.

    While a receipt may still come for a message that may have gone out: all but the one that may have taken it,
    which knows a repeat by its id.
    """
    if not delivery.attempts:
        return frozenset()
    names = {each.name for each in terms}
    refused = {each.provider for each in delivery.attempts if each.result in ("permanent", "not_delivered")}
    for attempt in reversed(_silent(delivery)):
        for each in terms:
            if each.name == attempt.provider and now < attempt.at + each.awaits:
                return frozenset(names - {each.name})
    return frozenset(refused & names)


def references(id: str, terms: Terms, reference: str | None) -> tuple[str, ...]:
    """What a receipt may name the message by; nothing where the provider gives none."""
    if not terms.receipts:
        return ()
    ours = (by_our_id(terms.name, public_id(id)),)
    return ours if reference is None else (*ours, by_their_id(terms.name, reference))


def unwanted(case: Case, at: datetime, wanted: Reminding) -> Reason | None:
    """Why a queued notification of the logical moment `at` is not sent any more; None: send it."""
    why = moot(case, at, wanted)
    return Reason(why) if why is not None else None


def withdrawn(each: Requested, case: Case, roles: Collection[str], now: datetime) -> Reason | None:
    """Why a notification is not turned into deliveries any more; None: it is, or it is on its way just now.

    `roles` are those that could be told at `now`: with none it waits for its hour, however young it is.
    """
    waits = not roles or now - each.requested_at > WAITED
    return unwanted(case, each.effect.at, each.wanted) if waits else None


def _attempt(delivery: Delivery, tried: Try) -> Attempt:
    outcome = tried.outcome
    label = outcome.result.value
    if outcome.result is Result.SENT and any(each.result == "unknown" for each in delivery.attempts):
        label = "resent"
    return Attempt(tried.at, label, outcome.reason.value, outcome.reference, outcome.provider)


def _unknown(settlement: Settlement, delivery: Delivery, terms: Terms) -> Settlement:
    if terms.unknown == "give_up":
        return settlement
    again = bool(_silent(delivery))
    if again and not terms.awaits:
        return settlement
    wait = terms.awaits if again or (terms.unknown == "wait" and terms.awaits) else RESEND_AFTER
    return replace(settlement, state="unknown", due_at=settlement.at + wait)


def _waits(delivery: Delivery, tries: Sequence[Try], plan: RetryPlan, jitter: float) -> list[timedelta]:
    """How long each provider would be left alone that did not take it now; the shortest counts."""
    waits = []
    for each in tries:
        outcome = each.outcome
        if outcome.result is not Result.TRANSIENT:
            continue
        if outcome.retry_after is not None:
            asked = max(plan.first_wait, min(outcome.retry_after, _LONGEST_ASKED))
            waits.append(asked * (1 + 0.25 * jitter))
        else:
            waits.append(plan.wait(1 + _rounds(delivery), jitter, outcome.reason))
    return waits


def _rounds(delivery: Delivery) -> int:
    """How many rounds it has had: of the provider that was asked most often."""
    tries = Counter(
        each.provider
        for each in delivery.attempts
        if each.reason != Reason.INTERRUPTED and each.result not in ("delivered", "not_delivered")
    )
    return max(tries.values(), default=0)


def _silent(delivery: Delivery) -> list[Attempt]:
    """The tries of which nobody knows how they ended. A crash of ours is none: it says nothing of the provider."""
    known = {
        (each.provider, each.reference)
        for each in delivery.attempts
        if each.result in ("delivered", "not_delivered")
    }
    return [
        each
        for each in delivery.attempts
        if each.result == "unknown"
        and each.reason != Reason.INTERRUPTED
        and (each.provider, each.reference) not in known
    ]
