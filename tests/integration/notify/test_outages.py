"""What goes wrong while sending: refusals, no answer, kills, outages. Never silence, at most one repeat."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from reeve.devstack.mailbox import Received
from reeve.devstack.sms_sink import GatewayBehaviour
from reeve.devstack.smtp_sink import SmtpBehaviour
from reeve.domain.effects import Effect
from reeve.ports import StoreAway
from reeve.runtime.store.deliveries import DeliveryStore
from tests.integration.notify.world import GENERAL, MANAGER, SUPERVISOR, World
from tests.support.shared_servers import SharedServers
from tests.support.waiting import PATIENCE

pytestmark = pytest.mark.integration


async def _finished(here: World, effect: Effect, **query: Any) -> dict[str, Any]:
    """The one delivery that the query finds, once it is final."""

    async def final() -> bool:
        found = await here.database["deliveries"].find_one({"notification": effect.key, "open": False, **query})
        return found is not None

    await here.until(f"{query} is settled", final)
    return await here.delivery(effect, **query)


async def test_a_refusal_for_now_is_tried_again(here: World) -> None:
    await here.people(MANAGER)
    here.smtp.behaviour = SmtpBehaviour(data_reply="451 4.7.1 greylisted", times=2)
    case = await here.case("T-1")
    async with here.notify(notify_retry_seconds=0.02):  # a greylisted one waits twelve times as long
        delivery = await _finished(here, await here.request(case))
    assert [attempt["result"] for attempt in delivery["attempts"]] == ["transient", "transient", "sent"]
    first, second, third = (attempt["at"] for attempt in delivery["attempts"])
    assert second - first >= timedelta(seconds=0.18)  # 0.24 s less the jitter
    assert third - second >= timedelta(seconds=0.36)  # twice that


async def test_retries_survive_a_restart(here: World) -> None:
    await here.people(MANAGER)
    here.smtp.behaviour = SmtpBehaviour(data_reply="451 4.7.1 greylisted", times=1)
    case = await here.case("T-1")
    async with here.notify(notify_retry_seconds=10):  # a greylisted one waits twelve times as long
        effect = await here.request(case)
        await here.arrived(1)
    assert (await here.delivery(effect))["state"] == "queued"
    await here.database["deliveries"].update_one({}, {"$set": {"due_at": case.opened_at}})  # its hour has come
    async with here.notify():
        delivery = await _finished(here, effect)
    assert [attempt["result"] for attempt in delivery["attempts"]] == ["transient", "sent"]


async def test_an_address_that_is_refused_leads_to_the_persons_other_channel(here: World) -> None:
    await here.people(MANAGER)
    here.smtp.behaviour = SmtpBehaviour(rcpt_reply="550 5.1.1 no such mailbox")
    case = await here.case("T-1")
    async with here.notify():
        effect = await here.request(case)
        sms = await _finished(here, effect, channel="sms")
        (failed,) = await here.told("failed")
    assert sms["state"] == "sent"
    assert sms["message"] == "complaint_reported"
    assert failed["data"]["reason"] == "bad_address"
    assert await here.lines(case) == []  # the role was reached


async def test_when_every_address_fails_the_role_above_is_told(here: World) -> None:
    await here.people(SUPERVISOR, GENERAL)
    here.smtp.behaviour = SmtpBehaviour(rcpt_reply="550 5.1.1 no such mailbox")
    case = await here.case("T-1")
    async with here.notify():
        effect = await here.request(case, ["service_supervisor"])
        up = await _finished(here, effect, recipient="gm-1")
    assert (up["state"], up["message"], up["rung"]) == ("sent", "unreachable", 2)
    assert [line["effect"] for line in await here.lines(case)] == [
        "undeliverable",
        "escalated",
        "notify",
        "undeliverable",
        "escalated",
        "notify",
    ]


async def test_tries_are_bounded(here: World) -> None:
    await here.people(MANAGER)
    here.gateway.behaviour = GatewayBehaviour(200, "ERROR", accepts=False)
    case = await here.case("T-1")
    here.smtp.behaviour = SmtpBehaviour(data_reply="451 4.7.1 later")
    async with here.notify(notify_attempts=2, notify_retry_seconds=0.05):
        effect = await here.request(case)
        mail = await _finished(here, effect, channel="email")
    assert mail["state"] == "failed"
    assert [attempt["result"] for attempt in mail["attempts"]] == ["transient", "transient"]


async def test_an_unknown_is_repeated_once_with_the_same_message_id(here: World) -> None:
    await here.people(MANAGER)
    here.smtp.behaviour = SmtpBehaviour(drop_after_accepting=True, times=1)
    case = await here.case("T-1")
    async with here.notify():
        delivery = await _finished(here, await here.request(case))
    assert [attempt["result"] for attempt in delivery["attempts"]] == ["unknown", "resent"]
    first, second = here.mailbox.messages
    assert first.details["message-id"] == second.details["message-id"]


def _lose_an_answer(monkeypatch: pytest.MonkeyPatch, name: str) -> list[str]:
    """The record does once what `name` asks of it, and breaks the connection before it says so."""
    real = getattr(DeliveryStore, name)
    lost: list[str] = []

    async def losing(*args: Any, **kwargs: Any) -> Any:
        answer = await real(*args, **kwargs)
        if answer and not lost:
            lost.append(name)
            raise StoreAway("the connection broke after the write")
        return answer

    monkeypatch.setattr(DeliveryStore, name, losing)
    return lost


async def test_what_was_planned_when_the_record_went_away_is_sent_at_once_and_is_no_repeat(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await here.people(MANAGER)
    lost = _lose_an_answer(monkeypatch, "insert")
    async with here.notify(notify_lease_seconds=3600):
        delivery = await _finished(here, await here.request(await here.case("T-1")))
    assert lost == ["insert"]
    assert [attempt["result"] for attempt in delivery["attempts"]] == ["sent"]


async def test_what_was_claimed_when_the_record_went_away_is_no_repeat(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await here.people(MANAGER)
    here.smtp.behaviour = SmtpBehaviour(data_reply="451 4.7.1 later", times=1)
    lost = _lose_an_answer(monkeypatch, "claim_due")
    async with here.notify(notify_retry_seconds=0.02, notify_lease_seconds=1):
        delivery = await _finished(here, await here.request(await here.case("T-1")))
    assert lost == ["claim_due"]
    assert [attempt["result"] for attempt in delivery["attempts"]] == ["transient", "sent"]


async def test_unknown_twice_looks_for_another_way(here: World) -> None:
    await here.people(MANAGER)
    here.smtp.behaviour = SmtpBehaviour(drop_after_accepting=True)
    case = await here.case("T-1")
    async with here.notify():
        effect = await here.request(case)
        sms = await _finished(here, effect, channel="sms")
    assert sms["state"] == "sent"
    mail = await here.delivery(effect, channel="email")
    assert [attempt["result"] for attempt in mail["attempts"]] == ["unknown", "unknown"]
    assert len([message for message in here.mailbox.messages if message.channel == "email"]) == 2


@pytest.mark.parametrize(
    ("point", "most"),
    [
        ("notify.claimed", 1),
        ("notify.planned", 2),
        ("notify.before_ack", 2),
        ("notify.sending", 1),
        ("notify.sent", 2),
        ("notify.recorded", 1),
    ],
)
async def test_kill_9_at_every_step_costs_at_most_one_repeat(here: World, point: str, most: int) -> None:
    await here.people(MANAGER)
    case = await here.case("T-1")
    process = await here.process(REEVE_CRASH_AT=point)
    try:
        effect = await here.request(case)
        await asyncio.wait_for(process.communicate(), PATIENCE)
        assert process.returncode == -9
        async with here.notify():
            delivery = await _finished(here, effect)
            await here.told("sent")
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()
    assert delivery["state"] == "sent"
    messages = here.mailbox.messages
    assert 1 <= len(messages) <= most
    assert len({message.details["message-id"] for message in messages}) == 1
    results = [attempt["result"] for attempt in delivery["attempts"]]
    assert results in (["sent"], ["unknown", "resent"])
    if len(messages) == 2:
        assert results == ["unknown", "resent"]


async def test_sigterm_finishes_what_is_being_sent_and_leaves_the_rest(here: World) -> None:
    await here.people(MANAGER)
    here.smtp.behaviour = SmtpBehaviour(delay_seconds=1)
    async with here.notify(smtp_connections=1):
        requested = [await here.request(await here.case(f"T-{number}")) for number in range(4)]
        await here.arrived(1)
    states = [(await here.delivery(effect))["state"] for effect in requested]
    assert set(states) == {"sent", "queued"}
    here.smtp.behaviour = SmtpBehaviour()
    async with here.notify():
        for effect in requested:
            delivery = await _finished(here, effect)
            assert [attempt["result"] for attempt in delivery["attempts"]] == ["sent"]
    assert len(here.mailbox.messages) == 4


async def test_the_bus_and_the_record_may_go_away(here: World, shared_servers: SharedServers) -> None:
    nats, mongo = shared_servers.nats, shared_servers.mongo
    async with here.notify():
        await here.people(MANAGER)
        case = await here.case("T-1")
        await here.request(case)
        await here.told("sent")

        await nats.kill()
        effect = await here.request(case, round=2, wake=False)
        assert (await _finished(here, effect))["state"] == "sent"  # the sweep needs no bus
        await nats.start()
        await here.told("sent", 2)  # and its outcome is told when the bus is back

        third = await here.request(case, round=3, wake=False)
        await mongo.restart()
        assert (await _finished(here, third))["state"] == "sent"
        await here.told("sent", 3)
        assert _repeats(here.mailbox.messages) == 0


async def test_nothing_published_or_logged_names_anybody(here: World) -> None:
    owner = replace(MANAGER, id="o-1", roles=frozenset(), customers=frozenset({"C-88"}), name="李业主")
    await here.people(owner, SUPERVISOR)
    case = await here.case("T-1", customer="C-88", room="3-1204", title="李业主家漏水", description="13800138000")
    here.smtp.behaviour = SmtpBehaviour(rcpt_reply="550 5.1.1 manager@example.org unknown", times=1)
    process = await here.process(REEVE_LOG_LEVEL="debug")
    try:
        await here.request(case, ["owner", "property_manager"], ["email"], message="no_such_message")
        await here.request(case, ["owner"], ["sms"])
        await here.told("sent", 2)
        await here.told("failed")
        await here.told("undeliverable", 3)
    finally:
        process.terminate()
        _, log = await asyncio.wait_for(process.communicate(), PATIENCE)
    assert b"delivery_sent" in log
    everything = b"".join(here.heard_bytes).decode() + log.decode()
    for private in ("manager@example.org", "447700900001", "李业主", "3-1204", "13800138000", "漏水"):
        assert private not in everything


def _repeats(messages: list[Received]) -> int:
    ids = [message.details["message-id"] for message in messages]
    return len(ids) - len(set(ids))
