"""The record of deliveries: who is claimed when there is no room for all, groups, what receipts leave behind."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from reeve.domain.case import CaseKey
from reeve.runtime.store.deliveries import Attempt, Delivery, DeliveryStore, Settlement, delivery_of
from reeve.runtime.store.delivery_receipts import Change, DeliveryReceipts
from services.notify.channels.base import Reason
from services.notify.settling import given_up
from tests.integration.notify.world import World

pytestmark = pytest.mark.integration

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
LEASE = timedelta(minutes=1)
ROOM = {"sms": {0: 2, 1: 2, 2: 2, 3: 2, 4: 2}}


def _queued(name: str, rank: int, **changes: object) -> Delivery:
    delivery = Delivery(
        id=name,
        notification=f"n-{name}",
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
        rank=rank,
        state="queued",
        due_at=NOW,
    )
    return replace(delivery, **changes)  # type: ignore[arg-type]


async def _states(here: World) -> dict[str, str]:
    return {each["_id"]: each["state"] async for each in here.database["deliveries"].find().sort("_id", 1)}


async def test_every_grade_is_claimed_however_many_of_another_wait(here: World) -> None:
    store = DeliveryStore(here.database)
    bulk = [_queued(f"bulk-{number:03}", 1) for number in range(300)]
    mild = [_queued("mild-7", 7), _queued("mild-99", 99), _queued("mild-5", 5)]
    later = _queued("later", 0, due_at=NOW + timedelta(seconds=1))
    await store.insert([*bulk, *mild, later, _queued("worst", 0)])
    claimed = await store.claim_due(NOW, LEASE, "me", ROOM, ())
    assert [each.id for each in claimed] == ["worst", "bulk-000", "bulk-001", "mild-5", "mild-7"]
    again = await store.claim_due(NOW, LEASE, "me", {"sms": {0: 2, 4: 2}}, {each.id for each in claimed})
    assert [each.id for each in again] == ["mild-99"]  # there is no room for more of the bulk


async def test_what_waits_for_a_channel_that_is_gone_is_found(here: World) -> None:
    store = DeliveryStore(here.database)
    old = NOW - timedelta(minutes=20)
    gone = _queued("gone", 3, channel="chat", due_at=old)
    await store.insert([gone, _queued("sms", 3, due_at=old), _queued("new", 3, channel="chat")])
    claimed = await store.claim_stranded(NOW, LEASE, "me", ("sms",), NOW - timedelta(minutes=15), 10)
    assert [each.id for each in claimed] == ["gone"]
    await store.record([given_up(each, Reason.UNREACHABLE, NOW) for each in claimed])
    assert await _states(here) == {"gone": "failed", "new": "queued", "sms": "queued"}
    assert await store.to_climb(10) == {"n-gone"}


async def test_one_of_a_group_brings_the_others_that_are_due(here: World) -> None:
    store = DeliveryStore(here.database)
    group = [_queued(name, 3, group="g") for name in ("a", "b", "c")]
    held = _queued("held", 3, group="g", due_at=NOW + timedelta(hours=1))
    somebody_else = _queued("x", 3, group="g", recipient="b")
    await store.insert([*group, held, somebody_else])
    claimed = await store.claim_due(NOW, LEASE, "me", {"sms": {3: 1, 4: 1}}, ())
    assert {each.id for each in claimed} == {"a", "b", "c"}
    assert await _states(here) == {"a": "claimed", "b": "claimed", "c": "claimed", "held": "queued", "x": "queued"}
    # Whoever had them dies: they come back together, and each says that it may have gone out.
    later = NOW + LEASE
    again = await store.claim_due(later, LEASE, "other", ROOM, {"x"})
    assert [attempt.reason for each in again for attempt in each.attempts] == ["interrupted"] * 3


async def test_a_group_that_somebody_has_in_hand_is_left_to_him_until_he_is_done(here: World) -> None:
    store = DeliveryStore(here.database)
    await store.insert([_queued(name, 3, group="g") for name in ("a", "b")] + [_queued("alone", 3)])
    # He has claimed the first and has not come to take the others.
    his = {"state": "claimed", "claim": "other", "due_at": NOW + LEASE}
    await here.database["deliveries"].update_one({"_id": "a"}, {"$set": his})
    assert [each.id for each in await store.claim_due(NOW, LEASE, "me", ROOM, ())] == ["alone"]
    await store.record([Settlement("a", "sent", NOW, NOW, "other", (Attempt(NOW, "sent", "ok"),))])
    assert [each.id for each in await store.claim_due(NOW, LEASE, "me", ROOM, ())] == ["b"]


@pytest.mark.parametrize(
    ("state", "followers"), [("delivered", "merged"), ("queued", "queued"), ("failed", "failed"), (None, "unknown")]
)
async def test_those_that_went_out_with_it_share_what_the_receipt_says(
    here: World, state: str | None, followers: str
) -> None:
    store, receipts = DeliveryStore(here.database), DeliveryReceipts(here.database)
    await store.insert([_queued(name, 3, group="g") for name in ("a", "b")])
    claimed = await store.claim_due(NOW, LEASE, "me", ROOM, ())
    silent = Attempt(NOW, "unknown", "timeout", None, "alpha")
    due = NOW + timedelta(minutes=5)
    await store.record(
        [
            Settlement("a", "unknown", NOW, due, "me", (silent,), merged=1, references=("alpha/our/1",)),
            Settlement("b", "unknown", NOW, due, "me", (silent,), into="a"),
        ]
    )
    assert len(claimed) == 2
    known = await receipts.find(["alpha/our/1", "alpha/our/2"])
    assert set(known) == {"alpha/our/1"}
    said = Attempt(NOW, "not_delivered", "not_delivered", None, "alpha")
    change = Change(known["alpha/our/1"], said, state, NOW)  # type: ignore[arg-type]
    assert await receipts.apply(change) is True
    assert await receipts.apply(change) is False  # it is not as it was read any more
    assert await _states(here) == {"a": state or "unknown", "b": followers}
    assert await store.to_climb(10) == ({"n-a", "n-b"} if state == "failed" else frozenset())


async def test_that_it_arrived_stands_though_it_is_being_sent_again(here: World) -> None:
    store, receipts = DeliveryStore(here.database), DeliveryReceipts(here.database)
    silent = Attempt(NOW, "unknown", "timeout", None, "alpha")
    await store.insert([_queued("a", 3, attempts=[silent])])
    await here.database["deliveries"].update_one({"_id": "a"}, {"$set": {"references": ["alpha/our/1"]}})
    await store.claim_due(NOW, LEASE, "me", ROOM, ())
    known = await receipts.find(["alpha/our/1"])
    arrived = Attempt(NOW, "delivered", "accepted", None, "alpha")
    assert await receipts.apply(Change(known["alpha/our/1"], arrived, "delivered", NOW))
    resent = Attempt(NOW + timedelta(seconds=1), "resent", "accepted", "r-2", "alpha")
    settlement = Settlement("a", "sent", resent.at, resent.at, "me", (resent,))
    await store.record([settlement])
    await store.record([settlement])  # the record was away, and the same is written again
    (document,) = await here.database["deliveries"].find().to_list()
    delivery = delivery_of(document)
    assert delivery.state == "delivered"
    assert [attempt.result for attempt in delivery.attempts] == ["unknown", "delivered", "resent"]
