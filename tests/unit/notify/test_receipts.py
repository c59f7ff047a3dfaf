"""What a receipt makes of a delivery, whenever it comes and however often."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal as OneOf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reeve.domain.case import CaseKey
from reeve.runtime.providers.posts import Receipt
from reeve.runtime.store.deliveries import Attempt, Delivery, State
from services.notify.receipts import judged

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
SENT = Attempt(NOW, "sent", "accepted", "r-1", "alpha")
SILENT = Attempt(NOW, "unknown", "timeout", None, "alpha")
RESENT = Attempt(NOW, "resent", "accepted", "r-2", "beta")
AWAY = Attempt(NOW, "transient", "unreachable", None, "alpha")


def _delivery(state: State, *attempts: Attempt) -> Delivery:
    return Delivery(
        id="k#a#sms",
        notification="k",
        case=CaseKey("garden", "complaint", "T-1"),
        recipient="a",
        place="garden",
        channel="sms",
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
        rank=2,
        state=state,
        due_at=NOW,
        attempts=list(attempts),
    )


def _receipt(status: OneOf["delivered", "failed", "pending"], reference: str | None = "r-1") -> Receipt:
    return Receipt(status, reference, None if reference else "ours")


@pytest.mark.parametrize(
    ("delivery", "receipt", "another", "state"),
    [
        (_delivery("sent", SENT), _receipt("delivered"), False, "delivered"),
        (_delivery("unknown", SILENT), _receipt("delivered", None), False, "delivered"),
        (_delivery("claimed", SILENT), _receipt("delivered", None), False, "delivered"),  # being sent again
        (_delivery("queued", SILENT, AWAY), _receipt("delivered", None), False, "delivered"),
        (_delivery("failed", SILENT, SILENT), _receipt("delivered", None), False, "delivered"),
        (_delivery("sent", SENT), _receipt("failed"), False, "failed"),
        (_delivery("sent", SENT), _receipt("failed"), True, "queued"),
        (_delivery("unknown", SILENT), _receipt("failed", None), True, "queued"),
        (_delivery("sent", SILENT, RESENT), _receipt("failed", None), True, None),  # of the first, not the second
        (_delivery("claimed", SILENT), _receipt("failed", None), True, None),
        (_delivery("failed", SENT), _receipt("failed"), True, None),
    ],
)
def test_judged(delivery: Delivery, receipt: Receipt, another: bool, state: State | None) -> None:
    change = judged(delivery, "alpha", receipt, another, NOW)
    assert change is not None
    assert change.state == state
    assert change.attempt.provider == "alpha"
    assert change.attempt.result == ("delivered" if receipt.status == "delivered" else "not_delivered")


def test_no_such_number_is_no_matter_for_another_provider() -> None:
    change = judged(_delivery("sent", SENT), "alpha", Receipt("failed", "r-1", None, bad_address=True), True, NOW)
    assert change is not None
    assert (change.state, change.attempt.reason) == ("failed", "bad_address")


@given(st.lists(st.sampled_from(["delivered", "failed", "pending"]), max_size=6))
def test_any_receipts_in_any_order_end_where_one_that_it_arrived_leads(
    said: list[OneOf["delivered", "failed", "pending"]],
) -> None:
    delivery = _delivery("sent", SENT)
    for status in said:
        change = judged(delivery, "alpha", _receipt(status), False, NOW)
        if change is not None:
            delivery.attempts.append(change.attempt)
            delivery.state = change.state or delivery.state
    assert len(delivery.attempts) <= 3
    if "delivered" in said:
        assert delivery.state == "delivered"
    elif "failed" in said:
        assert delivery.state == "failed"
    else:
        assert delivery == _delivery("sent", SENT)
