"""A requested notification reaches people: by mail and SMS, in their language, once, and the bus hears of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from reeve.contracts.subjects import cases_subject
from reeve.devstack.smtp_sink import SmtpBehaviour
from reeve.domain.effects import Effect
from reeve.runtime.store.outbox import outbox_row
from reeve.runtime.time_source import SystemTime
from tests.integration.notify.world import GENERAL, MANAGER, SITE, SUPERVISOR, World, acknowledged

pytestmark = pytest.mark.integration


async def test_mail_and_sms_reach_the_role_in_their_language(here: World) -> None:
    await here.people(MANAGER, SUPERVISOR)
    case = await here.case("T-1", customer="C-88")
    async with here.notify():
        effect = await here.request(case, ["property_manager", "service_supervisor"], ["sms", "email"])
        messages = await here.arrived(3)
        sent = await here.told("sent", 3)
    by_address = {message.to[0]: message for message in messages}
    assert set(by_address) == {"manager@example.org", "+447700900001", "supervisor@example.org"}
    assert "重大" in by_address["manager@example.org"].subject
    assert "ceiling leak" in by_address["manager@example.org"].subject
    assert by_address["supervisor@example.org"].text.isascii()
    assert "T-1" in by_address["+447700900001"].text
    assert {(each["data"]["recipient"], each["data"]["channel"]) for each in sent} == {
        ("pm-1", "email"),
        ("pm-1", "sms"),
        ("ss-1", "email"),
    }
    delivery = await here.delivery(effect, recipient="pm-1", channel="email")
    assert delivery["state"] == "sent"
    assert [attempt["result"] for attempt in delivery["attempts"]] == ["sent"]
    assert delivery["attempts"][0]["reference"] == by_address["manager@example.org"].details["message-id"]


async def test_the_same_wake_up_again_sends_nothing(here: World) -> None:
    await here.people(MANAGER)
    case = await here.case("T-1")
    async with here.notify():
        effect = await here.request(case)
        await here.told("sent")
        await here.bus.jetstream.purge_stream("NOTIFICATIONS")
        await here.wake(effect, case)
        other = await here.request(case, round=2)
        await here.told("sent", 2)
    assert len(here.mailbox.messages) == 2
    assert (await here.delivery(effect))["state"] == (await here.delivery(other))["state"] == "sent"


async def test_the_sweep_finds_what_no_message_woke_us_for(here: World) -> None:
    await here.people(MANAGER)
    case = await here.case("T-1")
    long_ago = SystemTime().now() - timedelta(seconds=30)
    effect = await here.request(case, wake=False, requested_at=long_ago)
    async with here.notify():
        await here.arrived(1)
        await here.told("sent")
    assert (await here.delivery(effect))["state"] == "sent"


async def test_a_hold_waits_in_the_record_and_roles_resolve_when_it_ends(here: World) -> None:
    case = await here.case("T-1")
    async with here.notify():
        hour = SystemTime().now() + timedelta(hours=1)
        await here.request(case, not_before=hour)
        stored = here.database["notifications"]

        async def waits() -> bool:
            found = await stored.find_one({})
            return found is not None and abs(found["look_at"] - hour) < timedelta(milliseconds=1)

        await here.until("it waits for its hour", waits)
        await here.people(MANAGER)  # who came on duty meanwhile is the one who is told
        assert not here.mailbox.messages
        now = SystemTime().now()
        await stored.update_one({}, {"$set": {"not_before": now, "look_at": now}})  # the hour has come
        await here.arrived(1)


async def test_an_owner_may_have_a_later_hour_than_the_staff(here: World) -> None:
    owner = replace(MANAGER, id="o-1", roles=frozenset(), customers=frozenset({"C-88"}))
    owner = replace(owner, addresses={"email": "owner@example.org"})
    await here.people(MANAGER, owner)
    case = await here.case("T-1", customer="C-88")
    roles = ["property_manager", "owner"]
    async with here.notify():
        later = SystemTime().now() + timedelta(hours=1)
        held = await here.request(case, roles, owner_not_before=later)
        (message,) = await here.arrived(1)
        assert message.to == ("manager@example.org",)
        stored = here.database["notifications"]

        async def waits() -> bool:
            found = await stored.find_one({"_id": held.key})
            return found is not None and abs(found["look_at"] - later) < timedelta(milliseconds=1)

        await here.until("the owner waits for the hour", waits)
        soon = SystemTime().now() + timedelta(seconds=1)
        await here.request(case, roles, round=2, owner_not_before=soon)
        messages = (await here.arrived(3))[1:]
    assert {message.to[0] for message in messages} == {"manager@example.org", "owner@example.org"}
    assert next(message for message in messages if message.to[0] == "owner@example.org").at >= soon


async def test_nobody_of_the_roles_goes_up_the_ladder_once_and_into_the_timeline(here: World) -> None:
    await here.people(GENERAL)
    case = await here.case("T-1")
    async with here.notify():
        await here.request(case, ["service_supervisor", "property_manager"])
        (message,) = await here.arrived(1)
        told = await here.told("undeliverable", 2)
        lines = await here.lines(case, 6)
    assert message.to == ("+447700900002",)  # no email address: the site's other channel
    assert "ceiling leak" not in message.text  # not the original text
    assert [(each["data"]["role"], each["data"]["next_role"]) for each in told] == [
        ("service_supervisor", "property_manager"),
        ("property_manager", "general_manager"),
    ]
    assert [(line["effect"], line.get("to"), line.get("level")) for line in lines] == [
        ("undeliverable", ["service_supervisor"], None),
        ("escalated", None, 1),
        ("notify", ["property_manager"], None),
        ("undeliverable", ["property_manager"], None),
        ("escalated", None, 2),
        ("notify", ["general_manager"], None),
    ]
    rows = [outbox_row(each) async for each in here.database["outbox"].find()]
    assert {message.subject for row in rows for message in row.messages} == {
        f"cases.{SITE}.complaint.escalated.T-1"
    }


async def test_nobody_at_all_is_undeliverable_never_silence(here: World) -> None:
    case = await here.case("T-1")
    async with here.notify():
        await here.request(case, ["general_manager"])
        told = await here.told("undeliverable", 2)
        lines = await here.lines(case, 4)
    assert [(each["data"]["role"], each["data"]["next_role"]) for each in told] == [
        ("general_manager", "company_leader"),
        ("company_leader", None),
    ]
    assert lines[-1]["effect"] == "undeliverable"


async def test_what_is_queued_for_an_acknowledged_step_is_suppressed(here: World) -> None:
    await here.people(MANAGER)
    now = SystemTime().now()
    case = await here.case("T-1")
    ended = await here.request(
        case, at=now - timedelta(minutes=2), requested_at=now - timedelta(minutes=1), wake=False
    )
    kept = await here.request(
        case, at=now - timedelta(minutes=2), requested_at=now - timedelta(minutes=1), wake=False, ack_ends=False
    )
    await here.save(acknowledged(case, now - timedelta(minutes=1)))
    async with here.notify():
        (told,) = await here.told("suppressed")
        await here.told("sent")
    assert told["data"]["notification"] == ended.key
    assert told["data"]["reason"] == "acknowledged"
    assert (await here.delivery(kept))["state"] == "sent"
    assert [line["effect"] for line in await here.lines(case)] == ["suppressed"]


async def test_an_acknowledgement_ends_retries(here: World) -> None:
    await here.people(MANAGER)
    case = await here.case("T-1")
    here.smtp.behaviour = SmtpBehaviour(data_reply="451 4.7.1 greylisted")
    async with here.notify(notify_retry_seconds=0.15):
        effect = await here.request(case)
        await here.arrived(1)
        await here.save(acknowledged(case, SystemTime().now() + timedelta(seconds=1)))
        (told,) = await here.told("suppressed")
    assert told["data"]["reason"] == "acknowledged"
    delivery = await here.delivery(effect)
    assert [attempt["result"] for attempt in delivery["attempts"]][-1] == "suppressed"
    assert not any(message.accepted for message in here.mailbox.messages)


async def test_what_waits_is_withdrawn_as_soon_as_its_case_is_taken(here: World) -> None:
    await here.people(MANAGER)
    first, second = await here.case("T-1"), await here.case("T-2")
    here.smtp.behaviour = SmtpBehaviour(data_reply="451 4.7.1 greylisted")
    tomorrow = SystemTime().now() + timedelta(days=1)
    async with here.notify(notify_retry_seconds=30):
        held = await here.request(first, not_before=tomorrow)
        effects = [await here.request(case) for case in (first, second)]
        soon = SystemTime().now() + timedelta(seconds=1)

        async def both_wait() -> bool:
            return (
                await here.database["deliveries"].count_documents({"state": "queued", "attempts.0": {"$exists": 1}})
                == 2
            )

        await here.until("both wait for their next try", both_wait)
        await here.save(acknowledged(first, soon))
        await here.publisher.publish(cases_subject(first.key, "acknowledged"), "a-1", b"{}")
        told = await here.told("suppressed", 2)
        (line,) = await here.lines(first, 1)  # of the one that waits for its hour: nothing else says it
        await here.until("it is marked", _suppressed(here, held))
    assert {each["data"]["notification"] for each in told} == {effects[0].key, held.key}
    assert {each["data"]["reason"] for each in told} == {"acknowledged"}
    assert (line["effect"], line["to"]) == ("suppressed", ["property_manager"])
    await here.save(acknowledged(second, soon))  # while notify is away nobody hears of it
    async with here.notify(notify_retry_seconds=30):

        async def both_told() -> bool:
            told = {each["data"]["notification"] for each in here.outcomes("suppressed")}
            return told == {effect.key for effect in (*effects, held)}

        await here.until("the other is withdrawn, too", both_told)
    assert len(await here.lines(first)) == 1
    assert not any(message.accepted for message in here.mailbox.messages)


def _suppressed(here: World, effect: Effect) -> Callable[[], Awaitable[bool]]:
    async def holds() -> bool:
        found = await here.database["notifications"].find_one({"_id": effect.key})
        return found is not None and found["state"] == "suppressed"

    return holds


async def test_the_worst_grade_goes_first(here: World) -> None:
    await here.people(MANAGER)
    ordinary = [await here.case(f"T-{number}", "ordinary") for number in range(40)]
    for case in ordinary:
        await here.request(case, wake=False, requested_at=SystemTime().now() - timedelta(seconds=30))
    worst = await here.case("T-99", "extraordinary")
    await here.request(worst, wake=False, requested_at=SystemTime().now() - timedelta(seconds=30))
    async with here.notify(smtp_connections=1):
        messages = await here.arrived(41)
    place = next(index for index, message in enumerate(messages) if "T-99" in message.subject)
    assert place <= 2


async def test_unreadable_and_unknown_wake_ups_become_dead_letters(here: World) -> None:
    await here.people(MANAGER)
    case = await here.case("T-1")
    async with here.notify():
        await here.publisher.publish(f"notifications.{SITE}.requested.T-1", "bad-1", b"\x00{no json")
        effect = await here.request(case, wake=False)
        await here.database["notifications"].delete_one({"_id": effect.key})
        await here.wake(effect, case)
        await here.request(case)
        await here.told("sent")

        async def buried() -> bool:
            return (await here.bus.jetstream.stream_info("DEAD")).state.messages == 2

        await here.until("two dead letters", buried)
        assert (await here.bus.jetstream.stream_info("DEAD")).state.messages == 2


async def test_a_broken_template_does_not_silence_a_message(here: World) -> None:
    await here.people(MANAGER)
    case = await here.case("T-1")
    async with here.notify():
        await here.request(case, message="no_such_message")
        (message,) = await here.arrived(1)
    assert "T-1" in message.subject
    assert "重大" in message.text
