"""What a receipt makes of a delivery, whenever it comes and however often."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from typing import Literal as OneOf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reeve.domain.case import CaseKey
from reeve.runtime.providers.http_file import HttpFile
from reeve.runtime.providers.load import Configured
from reeve.runtime.providers.posts import Receipt
from reeve.runtime.store.deliveries import Attempt, Delivery, State
from reeve.runtime.store.provider_posts import ProviderPost
from services.notify.metrics import RECEIPTS
from services.notify.receipts import ReceiptKeeper, judged

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


class _Posts:
    """The record's posts, with the one that nobody knows; `now` moves as the test says."""

    def __init__(self) -> None:
        body = b'{"id": "of-somebody-else", "status": "ok"}'
        self.open = [ProviderPost("p", "strange", "receipts", "POST", "", "application/json", body, NOW)]
        self.time = NOW

    def now(self) -> datetime:
        return self.time

    async def claim(self, *_: object) -> list[ProviderPost]:
        return [replace(post) for post in self.open]

    async def settle(self, id: str, look_at: datetime | None = None) -> None:
        self.open = self.open if look_at else []

    async def find(self, _: object) -> dict[str, Delivery]:
        return {}


async def test_a_receipt_of_somebody_else_is_counted_once_however_often_it_was_looked_at() -> None:
    posts = _Posts()
    file = HttpFile.model_validate(
        {
            "name": "strange",
            "url": "https://a.example/",
            "secrets": {"hook": "HOOK"},
            "webhooks": {"auth": {"kind": "token", "token": "{{ secrets.hook }}"}},
            "receipts": {"reference": "id", "status": "status", "delivered": ["ok"]},
        }
    )
    anything = cast("Any", posts)
    configured = {"strange": Configured(file, {}, "strange.yaml")}
    keeper = ReceiptKeeper(
        anything, anything, configured, {}, anything, asyncio.Event(), anything, "me", timedelta(seconds=9)
    )
    counted = RECEIPTS.labels("strange", "unknown")
    for minutes in (0, 1, 5, 9):
        posts.time = NOW + timedelta(minutes=minutes)
        assert await keeper.work_through() == 1
    assert counted._value.get() == 0
    posts.time = NOW + timedelta(minutes=11)
    await keeper.work_through()
    assert (counted._value.get(), posts.open) == (1, [])
