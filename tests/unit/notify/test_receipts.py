"""What a receipt makes of a delivery, whenever it comes and however often."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from typing import Literal as OneOf

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reeve.runtime.providers.http_file import HttpFile
from reeve.runtime.providers.load import Configured
from reeve.runtime.providers.posts import Receipt
from reeve.runtime.store.deliveries import Attempt, Delivery, State
from reeve.runtime.store.delivery_receipts import by_their_id
from reeve.runtime.store.provider_posts import ProviderPost
from services.notify.metrics import RECEIPTS
from services.notify.receipts import ReceiptKeeper, judged
from tests.support.deliveries import delivery

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
SENT = Attempt(NOW, "sent", "accepted", "r-1", "alpha")
SILENT = Attempt(NOW, "unknown", "timeout", None, "alpha")
RESENT = Attempt(NOW, "resent", "accepted", "r-2", "beta")
CAME = Attempt(NOW, "delivered", "accepted", "r-1", "strange")
AWAY = Attempt(NOW, "transient", "unreachable", None, "alpha")


def _delivery(state: State, *attempts: Attempt) -> Delivery:
    these = {"id": "k#a#sms", "notification": "k", "recipient": "a", "rank": 2}
    return delivery(*attempts, state=state, at=NOW, requested_at=NOW, due_at=NOW, **these)


ARRIVED = _delivery("delivered", SENT, CAME)


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
    """The record, with one post and the deliveries that are known; `now` moves as the test says."""

    def __init__(self, body: bytes, **known: Delivery) -> None:
        self.open = [ProviderPost("p", "strange", "receipts", "POST", "", "application/json", body, NOW, claims=0)]
        self.known = {by_their_id("strange", reference): each for reference, each in known.items()}
        self.time = NOW

    def now(self) -> datetime:
        return self.time

    async def claim(self, *_: object) -> list[ProviderPost]:
        self.open = [replace(post, claims=post.claims + 1) for post in self.open]
        return self.open

    async def settle(self, id: str, look_at: datetime | None = None) -> None:
        self.open = self.open if look_at else []

    async def find(self, wanted: set[str]) -> dict[str, Delivery]:
        return {name: each for name, each in self.known.items() if name in wanted}


def _keeper(posts: _Posts) -> ReceiptKeeper:
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
    return ReceiptKeeper(
        anything, anything, configured, {}, anything, asyncio.Event(), anything, "me", timedelta(seconds=9)
    )


def _counted(came_to: str) -> float:
    return float(RECEIPTS.labels("strange", came_to)._value.get())


async def test_a_receipt_of_somebody_else_is_counted_once_however_often_it_was_looked_at() -> None:
    said = [("of-somebody-else", "ok"), ("r-1", "ok"), ("r-2", "under way")]
    posts = _Posts(
        orjson.dumps([{"id": reference, "status": status} for reference, status in said]), **{"r-1": ARRIVED}
    )
    keeper = _keeper(posts)
    before = [_counted(each) for each in ("unknown", "repeated", "pending")]
    for minutes in (0, 1, 5, 9):
        posts.time = NOW + timedelta(minutes=minutes)
        assert await keeper.work_through() == 1
    assert [_counted(each) for each in ("unknown", "repeated", "pending")] == [
        before[0],
        before[1] + 1,
        before[2] + 1,
    ]
    posts.time = NOW + timedelta(minutes=11)
    await keeper.work_through()
    assert (_counted("unknown"), posts.open) == (before[0] + 1, [])


@pytest.mark.parametrize("body", [b"{", b"[1, null]", b'{"status": "ok"}'])
async def test_a_post_without_any_receipt_is_counted_and_done_with(body: bytes) -> None:
    posts, before = _Posts(body), _counted("unreadable")
    await _keeper(posts).work_through()
    assert (_counted("unreadable"), posts.open) == (before + 1, [])


async def test_the_post_of_a_provider_whose_file_is_not_read_yet_waits_for_it() -> None:
    posts = _Posts(b'{"id": "r-1", "status": "under way"}')
    posts.open = [replace(each, provider="new") for each in posts.open]
    await _keeper(posts).work_through()
    assert posts.open
