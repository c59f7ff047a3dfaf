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
from services.notify.settling import (
    MOST_INTERRUPTED,
    RetryPlan,
    cancelled,
    crashes_us,
    given_up,
    put_back,
    settle,
    unwanted,
)

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
KEY = CaseKey("garden", "complaint", "T-1")
PLAN = RetryPlan(4, timedelta(seconds=10))
SENT = Outcome(Result.SENT, Reason.ACCEPTED, "ref")
BUSY = Outcome(Result.TRANSIENT, Reason.BUSY)
SILENT = Outcome(Result.UNKNOWN, Reason.TIMEOUT)
REFUSED = Outcome(Result.PERMANENT, Reason.REFUSED)
INTERRUPTED = Attempt(NOW, "unknown", "interrupted")
TIMED_OUT = Attempt(NOW, "unknown", "timeout")
BUSY_BEFORE = Attempt(NOW, "transient", "busy")


def _delivery(*attempts: Attempt) -> Delivery:
    return Delivery(
        id="k#a#email",
        notification="k",
        case=KEY,
        recipient="a",
        place="garden",
        channel="email",
        message="text",
        role="technician",
        rung=0,
        step="late",
        level=0,
        round=1,
        run=1,
        ack_ends=True,
        reminds=True,
        at=NOW,
        requested_at=NOW,
        rank=1,
        state="claimed",
        due_at=NOW,
        claim="me",
        attempts=list(attempts),
    )


@pytest.mark.parametrize(
    ("earlier", "outcome", "state", "label", "wait"),
    [
        ((), SENT, "sent", "sent", 0),
        ((BUSY_BEFORE,), SENT, "sent", "sent", 0),
        ((INTERRUPTED,), SENT, "sent", "resent", 0),
        ((TIMED_OUT,), SENT, "sent", "resent", 0),
        ((), REFUSED, "failed", "permanent", 0),
        ((), BUSY, "queued", "transient", 10),
        ((BUSY_BEFORE,), BUSY, "queued", "transient", 20),
        ((BUSY_BEFORE,) * 2, BUSY, "queued", "transient", 40),
        ((BUSY_BEFORE,) * 3, BUSY, "failed", "transient", 0),
        ((INTERRUPTED,) * 3, BUSY, "queued", "transient", 10),  # crashes of ours are no tries of the provider
        ((), SILENT, "queued", "unknown", 5),
        ((INTERRUPTED,), SILENT, "queued", "unknown", 5),
        ((TIMED_OUT,), SILENT, "failed", "unknown", 0),
    ],
)
def test_settle(earlier: tuple[Attempt, ...], outcome: Outcome, state: str, label: str, wait: int) -> None:
    settlement = settle(_delivery(*earlier), outcome, PLAN, NOW, 0.5)
    assert settlement.state == state
    assert settlement.attempt == Attempt(NOW, label, outcome.reason.value, outcome.reference)
    assert settlement.due_at == NOW + timedelta(seconds=wait)
    assert settlement.claim == "me"


@given(st.integers(1, 60), st.floats(0, 1))
def test_waits_double_within_a_quarter_and_end_at_half_an_hour(failed: int, jitter: float) -> None:
    wait = PLAN.wait(failed, jitter)
    plain = min(10 * 2 ** (failed - 1), 1800)
    assert 0.75 * plain <= wait.total_seconds() <= 1.25 * plain


def test_a_delivery_that_crashes_us_is_given_up() -> None:
    assert not crashes_us(_delivery(*[INTERRUPTED] * (MOST_INTERRUPTED - 1), BUSY_BEFORE))
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
