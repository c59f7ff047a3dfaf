"""Several providers of a channel, and receipts: over at once, not twice while a receipt may come, never silence."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from reeve.devstack.smtp_sink import SmtpBehaviour
from reeve.devstack.tiny_http import Response
from reeve.domain.effects import Effect
from reeve.runtime.providers.posts import public_id
from reeve.runtime.store.cases import case_document
from reeve.runtime.store.deliveries import Delivery, DeliveryStore, delivery_of
from reeve.runtime.store.notifications import requested_document
from reeve.runtime.time_source import SystemTime
from tests.integration.notify.providers import SILENCE, companies, folder, receipt
from tests.integration.notify.world import MANAGER, World
from tests.support.passing_time import let_pass
from tests.support.waiting import PATIENCE

pytestmark = pytest.mark.integration

__all__ = ["folder"]

BY_SMS = replace(MANAGER, addresses={"sms": "+447700900001"})
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
BROKEN = Response(503, b"down for repairs")


async def _in_state(here: World, effect: Effect, state: str, **query: Any) -> dict[str, Any]:
    """The one delivery that the query finds, once it is in that state."""

    async def reached() -> bool:
        found = await here.database["deliveries"].find_one({"notification": effect.key, "state": state, **query})
        return found is not None

    await here.until(f"{query} is {state}", reached)
    return await here.delivery(effect, **query)


def _results(delivery: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(each["provider"], each["result"], each["reason"]) for each in delivery["attempts"]]


async def _sms(here: World, subject: str, **changes: Any) -> Effect:
    return await here.request(await here.case(subject), via=["sms"], **changes)


async def test_another_provider_has_it_at_once_and_who_refuses_our_password_is_left_alone(
    here: World, folder: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    await here.people(BY_SMS)
    async with companies(folder, alpha={"order": 1}, beta={"order": 2}) as (alpha, beta):
        alpha.answers = [BROKEN, Response(401, b"")]
        async with here.notify(channels=folder, sms_gateway=None, smtp_host=None, notify_retry_seconds=3600):
            first = await _in_state(here, await _sms(here, "T-1"), "sent")
            second = await _in_state(here, await _sms(here, "T-2"), "sent")
            third = await _in_state(here, await _sms(here, "T-3"), "sent")
    assert _results(first) == [("alpha", "transient", "provider_error"), ("beta", "sent", "accepted")]
    assert _results(second) == [("alpha", "transient", "credentials"), ("beta", "sent", "accepted")]
    assert _results(third) == [("beta", "sent", "accepted")]
    assert (len(alpha.taken), len(beta.taken)) == (2, 3)
    assert len({message["id"] for message in beta.taken}) == 3
    # Which of the two has it depends on what other tests of this process have set up.
    assert (capsys.readouterr().out + caplog.text).count("provider_set_aside") == 1


async def test_what_may_have_gone_out_waits_for_its_receipt(here: World, folder: Path) -> None:
    await here.people(BY_SMS)
    waits = {"unknown": "wait", "receipt_within": "1h"}
    async with companies(folder, alpha={"order": 1, **waits}, beta={"order": 2}) as (alpha, beta):
        alpha.answers = [SILENCE, SILENCE]
        async with here.notify(channels=folder, sms_gateway=None, smtp_host=None):
            arrived, lost = await _sms(here, "T-1"), await _sms(here, "T-2")
            key = (await _in_state(here, arrived, "unknown"))["_id"]
            await receipt(here, alpha, id=public_id(key), status="DELIVRD")
            delivered = await _in_state(here, arrived, "delivered")
            await here.told("delivered")
            waiting = await _in_state(here, lost, "unknown")
            # Nobody has it again before the time for its receipt is over: let it be over now.
            assert waiting["due_at"] - waiting["attempts"][0]["at"] >= timedelta(hours=1)
            assert len(alpha.taken + beta.taken) == 2
            await here.database["deliveries"].update_one({"_id": waiting["_id"]}, {"$set": {"due_at": EPOCH}})
            resent = await _in_state(here, lost, "sent")
    assert _results(delivered) == [("alpha", "unknown", "disconnected"), ("alpha", "delivered", "accepted")]
    assert [result for _, result, _ in _results(resent)] == ["unknown", "resent"]
    assert sum(public_id(key) == message["id"] for message in alpha.taken + beta.taken) == 1


async def test_receipts_come_as_they_like(here: World, folder: Path) -> None:
    await here.people(MANAGER)
    async with companies(folder, alpha={}) as (alpha,), here.notify(channels=folder, sms_gateway=None):
        lost = await _sms(here, "T-1")
        key = (await _in_state(here, lost, "sent", channel="sms"))["_id"]
        reference = alpha.taken[0]["reference"]
        await receipt(here, alpha, reference="alpha-2", status="DELIVRD")  # it is not sent yet
        await receipt(here, alpha, reference="of-somebody-else", status="UNDELIV")
        await receipt(here, alpha, reference=reference, status="ON ITS WAY")
        await receipt(here, alpha, reference=reference, status="UNDELIV")
        await receipt(here, alpha, id=public_id(key), status="UNDELIV")  # the same, said otherwise
        mail = await _in_state(here, lost, "sent", channel="email")
        (told,) = await here.told("failed")
        later = await _in_state(here, await _sms(here, "T-2"), "delivered")
        post = await receipt(here, alpha, reference="alpha-2", status="UNDELIV")  # it arrived: that stands
        await here.until("the receipt is looked at", _closed(here, post))
        await receipt(here, alpha, reference=reference, status="DELIVRD")  # on second thoughts
        arrived = await _in_state(here, lost, "delivered", channel="sms")
    assert told["data"]["reason"] == "not_delivered"
    assert mail["message"] == "complaint_reported"
    assert [result for _, result, _ in _results(later)] == ["sent", "delivered"]
    assert [result for _, result, _ in _results(arrived)] == ["sent", "not_delivered", "delivered"]


async def test_what_did_not_arrive_goes_through_the_next_provider(here: World, folder: Path) -> None:
    await here.people(BY_SMS)
    async with companies(folder, alpha={"order": 1}, beta={"order": 2}) as (alpha, beta):
        process = await _process(here, folder, REEVE_CRASH_AT="notify.receipt")
        effect = await _sms(here, "T-1")
        await _in_state(here, effect, "sent")
        await receipt(here, alpha, reference="alpha-1", status="UNDELIV")
        await asyncio.wait_for(process.communicate(), PATIENCE)
        assert process.returncode == -9
        async with here.notify(channels=folder, sms_gateway=None, smtp_host=None):
            await asyncio.wait_for(beta.came.wait(), PATIENCE)
            delivery = await _in_state(here, effect, "sent")
    assert [(who, result) for who, result, _ in _results(delivery)] == [
        ("alpha", "sent"),
        ("alpha", "not_delivered"),
        ("beta", "sent"),
    ]
    assert (len(alpha.taken), len(beta.taken)) == (1, 1)


async def test_a_group_is_one_message_even_when_we_die(here: World, folder: Path) -> None:
    await here.people(BY_SMS)
    async with companies(folder, alpha={}) as (alpha,):
        effects = [await _sms(here, f"T-{number}", wake=False) for number in range(3)]
        await DeliveryStore(here.database).insert([_held(effect) for effect in effects])
        await here.database["notifications"].update_many({}, {"$set": {"state": "done"}})
        process = await _process(here, folder, REEVE_CRASH_AT="notify.sent")
        await asyncio.wait_for(process.communicate(), PATIENCE)
        assert process.returncode == -9
        async with here.notify(channels=folder, sms_gateway=None, smtp_host=None):
            await here.until("all are settled", _all(here, {"open": False}, 3))
    found = [delivery_of(each) async for each in here.database["deliveries"].find().sort("state", -1)]
    (leader,) = [each for each in found if each.state == "sent"]
    assert [each.state for each in found] == ["sent", "merged", "merged"]
    assert (leader.merged, {each.into for each in found if each.state == "merged"}) == (2, {leader.id})
    assert [attempt.result for attempt in leader.attempts] == ["unknown", "resent"]
    assert len(alpha.taken) == 2  # one before we died, one marked repeat
    assert all(subject in alpha.taken[1]["text"] for subject in ("T-0", "T-1", "T-2"))


async def test_the_worst_goes_out_among_the_first_of_three_thousand(here: World) -> None:
    await here.people(MANAGER)
    ordinary = await here.case("T-1", "ordinary")
    worst = await here.case("T-999", "extraordinary")
    one = await here.request(ordinary, wake=False)
    now = SystemTime().now() - timedelta(seconds=30)
    keys = [replace(ordinary.key, subject=f"B-{number}") for number in range(3000)]
    many = [replace(one, key=f"{one.key}-{key.subject}", case=key) for key in keys]
    await here.database["cases"].insert_many([case_document(replace(ordinary, key=key)) for key in keys])
    await here.database["notifications"].insert_many([requested_document(each, now) for each in many])
    async with here.notify(smtp_connections=1, notify_lease_seconds=3600):
        await here.arrived(50)
        # The mail server takes one and says nothing more until the worst is in hand.
        here.smtp.behaviour = SmtpBehaviour(delay_seconds=PATIENCE / 2)
        effect = await here.request(worst)
        await _in_state(here, effect, "claimed")
        before = len(here.mailbox.messages)
        here.smtp.behaviour = SmtpBehaviour()
        let_pass(PATIENCE / 2)
        await _in_state(here, effect, "sent")
        order = ["T-999" in message.subject for message in here.mailbox.messages]
    assert before < 1000, "most of them wait"
    assert order.index(True) - before < 100, "only what was sent between its claim and its place in the line"


async def _process(here: World, channels: Path, **environment: str) -> asyncio.subprocess.Process:
    return await here.process(REEVE_CHANNELS=str(channels), REEVE_SMS_GATEWAY="", REEVE_SMTP_HOST="", **environment)


def _all(here: World, query: dict[str, Any], count: int) -> Callable[[], Awaitable[bool]]:
    async def enough() -> bool:
        return await here.database["deliveries"].count_documents(query) == count

    return enough


def _closed(here: World, post: str) -> Callable[[], Awaitable[bool]]:
    async def closed() -> bool:
        return await here.database["provider_posts"].count_documents({"_id": post, "open": False}) == 1

    return closed


def _held(effect: Effect) -> Delivery:
    """Its delivery to the manager, that waits for the others of its group and is due now."""
    wanted = effect.notification
    assert wanted is not None
    now = SystemTime().now()
    return Delivery(
        id=f"{effect.key}#pm-1#sms",
        notification=effect.key,
        case=effect.case,
        recipient="pm-1",
        place=effect.case.site,
        channel="sms",
        message=wanted.message,
        role="property_manager",
        rung=0,
        step=wanted.step,
        level=0,
        round=1,
        run=1,
        ack_ends=True,
        reminds=True,
        at=effect.at,
        requested_at=now,
        rank=3,
        state="queued",
        due_at=now,
        hold="merge",
        group="merge of this test",
    )
