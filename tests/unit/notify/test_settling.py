"""What follows from an attempt, and what an acknowledgement or a closing cancels."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reeve.domain.case import Case, CaseKey
from reeve.runtime.store.deliveries import Attempt, Delivery
from services.notify.channels.base import Outcome, Reason, Result
from services.notify.pool.terms import Terms, UnknownPolicy
from services.notify.settling import (
    MOST_INTERRUPTED,
    RetryPlan,
    Try,
    another_may_take,
    barred,
    cancelled,
    crashes_us,
    follow,
    given_up,
    put_back,
    receipt_is_overdue,
    settle,
    unwanted,
)
from tests.support.deliveries import delivery

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
KEY = CaseKey("garden", "complaint", "T-1")
PLAN = RetryPlan(4, timedelta(seconds=10))
TERMS = Terms("smtp")
SENT = Outcome(Result.SENT, Reason.ACCEPTED, "ref", "smtp")
AWAY = Outcome(Result.TRANSIENT, Reason.UNREACHABLE, None, "smtp")
BUSY = Outcome(Result.TRANSIENT, Reason.BUSY, None, "smtp")
LATER = Outcome(Result.TRANSIENT, Reason.BUSY, None, "smtp", timedelta(seconds=70))
WRONG_PASSWORD = Outcome(Result.TRANSIENT, Reason.CREDENTIALS, None, "smtp")
SILENT = Outcome(Result.UNKNOWN, Reason.TIMEOUT, None, "smtp")
REFUSED = Outcome(Result.PERMANENT, Reason.REFUSED, None, "smtp")
BAD_ADDRESS = Outcome(Result.PERMANENT, Reason.BAD_ADDRESS, None, "smtp")
INTERRUPTED = Attempt(NOW, "unknown", "interrupted")
TIMED_OUT = Attempt(NOW, "unknown", "timeout", None, "smtp")
AWAY_BEFORE = Attempt(NOW, "transient", "unreachable", None, "smtp")


def _delivery(*attempts: Attempt) -> Delivery:
    these = {"id": "k#a#email", "notification": "k", "channel": "email", "step": "late", "rank": 2, "claim": "me"}
    return delivery(*attempts, state="claimed", at=NOW, requested_at=NOW, due_at=NOW, **these)


@pytest.mark.parametrize(
    ("earlier", "outcome", "state", "label", "wait"),
    [
        ((), SENT, "sent", "sent", 0),
        ((AWAY_BEFORE,), SENT, "sent", "sent", 0),
        ((INTERRUPTED,), SENT, "sent", "resent", 0),
        ((TIMED_OUT,), SENT, "sent", "resent", 0),
        ((), REFUSED, "failed", "permanent", 0),
        ((), AWAY, "queued", "transient", 10),
        ((AWAY_BEFORE,), AWAY, "queued", "transient", 20),
        ((AWAY_BEFORE,) * 2, AWAY, "queued", "transient", 40),
        ((AWAY_BEFORE,) * 3, AWAY, "failed", "transient", 0),
        ((INTERRUPTED,) * 3, AWAY, "queued", "transient", 10),  # crashes of ours are no tries of the provider
        ((), BUSY, "queued", "transient", 120),  # greylisting takes minutes
        ((), LATER, "queued", "transient", 70 * 1.125),  # as the provider says, and a little spread
        ((), WRONG_PASSWORD, "queued", "transient", 240),
        ((), SILENT, "unknown", "unknown", 5),
        ((INTERRUPTED,), SILENT, "unknown", "unknown", 5),
        ((TIMED_OUT,), SILENT, "failed", "unknown", 0),
    ],
)
def test_settle(earlier: tuple[Attempt, ...], outcome: Outcome, state: str, label: str, wait: float) -> None:
    settlement = settle(_delivery(*earlier), [Try(NOW, outcome)], TERMS, PLAN, 0.5)
    assert settlement.state == state
    assert settlement.attempt == Attempt(NOW, label, outcome.reason.value, outcome.reference, "smtp")
    assert settlement.due_at == NOW + timedelta(seconds=wait)
    assert settlement.claim == "me"


@pytest.mark.parametrize(
    ("policy", "receipts", "earlier", "state", "wait"),
    [
        ("resend", True, (), "unknown", 5),
        ("resend", True, (TIMED_OUT,), "unknown", 60),  # it may still say that the second arrived
        ("wait", True, (), "unknown", 60),
        ("wait", True, (TIMED_OUT,), "unknown", 60),
        ("wait", False, (), "unknown", 5),  # nothing to wait for
        ("wait", False, (TIMED_OUT,), "failed", 0),
        ("give_up", True, (), "failed", 0),
    ],
)
def test_what_becomes_of_an_unknown(
    policy: UnknownPolicy, receipts: bool, earlier: tuple[Attempt, ...], state: str, wait: int
) -> None:
    terms = Terms("smtp", unknown=policy, receipts=receipts, receipt_within=timedelta(minutes=1))
    settlement = settle(_delivery(*earlier), [Try(NOW, SILENT)], terms, PLAN, 0.5)
    assert (settlement.state, settlement.due_at) == (state, NOW + timedelta(seconds=wait))
    assert bool(settlement.references) is receipts


def test_a_round_over_several_providers_is_one_try_and_waits_for_whoever_is_back_first() -> None:
    first = Outcome(Result.TRANSIENT, Reason.CREDENTIALS, provider="a")
    second = Outcome(Result.TRANSIENT, Reason.UNREACHABLE, provider="b")
    settlement = settle(_delivery(), [Try(NOW, first), Try(NOW, second)], Terms("b"), PLAN, 0.5)
    assert [each.provider for each in settlement.attempts] == ["a", "b"]
    assert settlement.due_at == NOW + timedelta(seconds=10)
    again = _delivery(*settlement.attempts)
    assert settle(again, [Try(NOW, first), Try(NOW, second)], Terms("b"), PLAN, 0.5).due_at == NOW + timedelta(
        seconds=20
    )


def test_a_round_in_which_somebody_may_take_it_later_is_not_the_end() -> None:
    no_template = Outcome(Result.PERMANENT, Reason.NO_TEMPLATE, provider="a")
    away = Outcome(Result.TRANSIENT, Reason.UNREACHABLE, provider="b")
    tries = [Try(NOW, no_template), Try(NOW, away)]
    settlement = settle(_delivery(), tries, Terms("b"), PLAN, 0.5)
    assert settlement.state == "queued"
    both = [Terms("a"), Terms("b")]
    assert barred(_delivery(*settlement.attempts), both, NOW) == {"a"}
    assert settle(_delivery(), [Try(NOW, no_template)], Terms("a"), PLAN, 0.5).state == "failed"


@pytest.mark.parametrize(
    ("outcome", "another"),
    [(SENT, False), (SILENT, False), (AWAY, True), (WRONG_PASSWORD, True), (REFUSED, True), (BAD_ADDRESS, False)],
)
def test_what_the_next_provider_is_asked_for(outcome: Outcome, another: bool) -> None:
    assert another_may_take(outcome) is another


def test_a_worst_grade_that_waits_too_long_goes_another_way() -> None:
    early = Attempt(NOW - timedelta(minutes=9), "transient", "unreachable", None, "smtp")
    for rank, state in ((0, "failed"), (1, "failed"), (2, "queued")):
        delivery = replace(_delivery(early), rank=rank)
        assert settle(delivery, [Try(NOW, BUSY)], TERMS, PLAN, 0.5).state == state


def test_no_other_provider_gets_it_while_a_receipt_may_come() -> None:
    terms = [Terms("a", receipts=True, receipt_within=timedelta(minutes=2)), Terms("b"), Terms("c")]
    silent = Attempt(NOW, "unknown", "timeout", None, "a")
    assert barred(_delivery(silent), terms, NOW + timedelta(seconds=119)) == {"b", "c"}
    assert barred(_delivery(silent), terms, NOW + timedelta(seconds=121)) == frozenset()
    no_receipts = Attempt(NOW, "unknown", "timeout", None, "b")
    assert barred(_delivery(no_receipts), terms, NOW) == frozenset()
    said = Attempt(NOW, "not_delivered", "not_delivered", None, "a")
    assert barred(_delivery(silent, said), terms, NOW) == {"a"}


def test_two_without_an_answer_and_the_time_for_receipts_is_over() -> None:
    assert not receipt_is_overdue(_delivery(TIMED_OUT, INTERRUPTED))
    assert receipt_is_overdue(_delivery(TIMED_OUT, TIMED_OUT))


@pytest.mark.parametrize(
    ("outcome", "state", "into"),
    [
        (SENT, "merged", "k#a#email"),
        (SILENT, "unknown", "k#a#email"),
        (AWAY, "queued", None),
        (REFUSED, "failed", None),
    ],
)
def test_those_that_go_out_with_it_follow_it(outcome: Outcome, state: str, into: str | None) -> None:
    leader = settle(_delivery(), [Try(NOW, outcome)], TERMS, PLAN, 0.5)
    follower = follow(replace(_delivery(), id="other", claim="mine"), leader)
    assert (follower.state, follower.into, follower.claim) == (state, into, "mine")
    assert follower.due_at == leader.due_at


def test_segments_are_those_of_the_try_that_handed_them_over_and_of_who_led() -> None:
    leader = settle(_delivery(AWAY_BEFORE), [Try(NOW, BUSY), Try(NOW, SILENT)], TERMS, PLAN, 0.5, 3)
    assert [each.segments for each in leader.attempts] == [0, 3]
    follower = follow(replace(_delivery(), id="other"), leader)
    assert ([each.segments for each in follower.attempts], follower.segments) == ([0], 0)


@given(st.integers(1, 60), st.floats(0, 1), st.sampled_from([Reason.UNREACHABLE, Reason.BUSY, Reason.CREDENTIALS]))
def test_waits_double_within_a_quarter_and_end_at_half_an_hour(failed: int, jitter: float, reason: Reason) -> None:
    wait = PLAN.wait(failed, jitter, reason)
    first = {Reason.UNREACHABLE: 10, Reason.BUSY: 120, Reason.CREDENTIALS: 240}[reason]
    plain = min(first * 2 ** (failed - 1), 1800)
    assert 0.75 * plain <= wait.total_seconds() <= 1.25 * plain


def test_a_delivery_that_crashes_us_is_given_up() -> None:
    assert not crashes_us(_delivery(*[INTERRUPTED] * (MOST_INTERRUPTED - 1), AWAY_BEFORE))
    assert crashes_us(_delivery(*[INTERRUPTED] * MOST_INTERRUPTED))
    settlement = given_up(_delivery(), Reason.INTERRUPTED, NOW)
    assert (settlement.state, settlement.attempt) == ("failed", Attempt(NOW, "permanent", "interrupted"))


def test_what_was_not_tried_leaves_no_attempt() -> None:
    assert put_back(_delivery(), NOW).attempt is None
    assert cancelled(_delivery(), Reason.ACKNOWLEDGED, NOW).state == "suppressed"


@pytest.mark.parametrize(
    ("acknowledged", "closed", "ack_ends", "expected"),
    [
        (None, None, True, None),
        (1, None, True, Reason.ACKNOWLEDGED),
        (1, None, False, None),
        (0, None, True, None),  # what the acknowledgement itself asked for
        (-1, None, True, None),  # acknowledged before: a later step is sent
        (None, 1, False, Reason.CASE_CLOSED),
        (None, 0, True, None),  # what the closing itself asked for
        (1, 2, True, Reason.CASE_CLOSED),
    ],
)
def test_unwanted(acknowledged: int | None, closed: int | None, ack_ends: bool, expected: Reason | None) -> None:
    def moment(minutes: int | None) -> datetime | None:
        return None if minutes is None else NOW + timedelta(minutes=minutes)

    case = Case(KEY, "ticket", "d", NOW, acknowledged_at=moment(acknowledged), closed_at=moment(closed))
    case = replace(case, open=closed is None)
    delivery = replace(_delivery(), ack_ends=ack_ends)
    assert unwanted(case, NOW, delivery) is expected
    assert unwanted(case, NOW, replace(delivery, reminds=False)) is None
