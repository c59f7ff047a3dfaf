"""Nobody is flooded and nobody is forgotten: what waits goes as one message, what was hidden is told in the end."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from reeve.domain.case import Case, CaseKey
from reeve.domain.flood.tempering import held_group
from reeve.domain.recipients import Recipient
from reeve.runtime.store.mongo import ensure_indexes
from reeve.runtime.time_source import SystemTime
from services.notify.flood.building import COLLECTIONS
from tests.integration.notify.flood_world import reeve
from tests.integration.notify.world import GENERAL, MANAGER, SITE, World, acknowledged
from tests.support.waiting import no_midnight

pytestmark = pytest.mark.integration

OWNER = Recipient("o-1", SITE, language="en", addresses={"email": "o@example.org"}, customers=frozenset({"C-1"}))
MAIL_ONLY = replace(MANAGER, addresses={"email": "manager@example.org"}, language="en")


async def _held(here: World, count: int) -> list[dict[str, Any]]:
    """So many deliveries wait for something."""

    async def there() -> bool:
        return await here.database["deliveries"].count_documents({"hold": {"$ne": ""}, "state": "queued"}) >= count

    await here.until(f"{count} held", there)
    return await here.database["deliveries"].find({"hold": {"$ne": ""}}).sort("at", 1).to_list()


async def _let_go(here: World) -> None:
    """Their hour has come."""
    now = SystemTime().now() - timedelta(seconds=1)
    await here.database["deliveries"].update_many({"state": "queued"}, {"$set": {"due_at": now}})


async def _counted(here: World) -> bool:
    """The month's SMS are those of the deliveries, and none is left to be counted."""
    (sms,) = await here.database["deliveries"].find({"channel": "sms"}).to_list() or [{}]
    (month,) = await here.database["sms_budgets"].find({"site": SITE}).to_list() or [{}]
    return bool(month) and month["segments"] == sms["segments"] > 0 and sms["uncounted"] == 0


async def test_what_follows_within_a_window_comes_as_one_message_and_the_worst_grades_never_wait(
    here: World,
) -> None:
    await here.people(MAIL_ONLY, GENERAL)
    mild, grave = await here.case("T-1", "ordinary"), await here.case("T-2", "major")
    async with here.notify():
        first = await here.request(mild, step="nobody_answered")
        await here.arrived(1)
        await here.request(mild, step="nobody_answered", round=2)
        await here.request(mild, step="nearly_late")
        for number in range(3):
            await here.request(grave, round=number + 1)
        await here.arrived(4)
        held = await _held(here, 2)
        assert {(each["hold"], each["case"]) for each in held} == {("merge", str(mild.key))}
        assert len({each["group"] for each in held}) == len({each["due_at"] for each in held}) == 1
        sent_at = (await here.delivery(first))["attempts"][-1]["at"]
        assert held[0]["due_at"] - sent_at <= timedelta(minutes=5)
        await _let_go(here)
        messages = await here.arrived(5)
        await here.told("sent", 6)
        await here.request(grave, ["general_manager"], ["sms"], round=9)
        await here.until("the segments are counted", lambda: _counted(here))
    assert "2 messages" in messages[-1].text
    assert "nobody_answered" in messages[-1].text
    assert "nearly_late" in messages[-1].text
    states = {each["_id"]: each async for each in here.database["deliveries"].find({"hold": "merge"})}
    (leader,) = (each for each in states.values() if each["state"] == "sent")
    (other,) = (each for each in states.values() if each["state"] == "merged")
    assert (leader["merged"], other["into"]) == (1, leader["_id"])
    assert len(here.mailbox.messages) == 6


async def test_an_acknowledgement_ends_what_waits_in_a_window(here: World) -> None:
    await here.people(MAIL_ONLY)
    case = await here.case("T-1", "ordinary")
    async with here.notify():
        await here.request(case)
        await here.arrived(1)
        await here.request(case, round=2)
        await here.request(case, round=3)
        await _held(here, 2)
        await here.save(acknowledged(case, SystemTime().now()))
        await _let_go(here)
        told = await here.told("suppressed", 2)
    assert {each["data"]["reason"] for each in told} == {"acknowledged"}
    assert len(here.mailbox.messages) == 1


async def test_an_owner_gets_one_payment_reminder_a_day_and_none_for_what_is_paid(here: World) -> None:
    await here.people(OWNER)
    await no_midnight()
    now = SystemTime().now()
    bills = []
    for number in range(4):
        bill = Case(
            CaseKey(SITE, "arrears", f"B-{number}"), "payment", "gone", now, version=1, facts={"customer": "C-1"}
        )
        await here.save(bill)
        bills.append(bill)
    async with here.notify():
        await here.request(bills[0], ["owner"], reminds=False, ack_ends=False)
        await here.arrived(1)
        for bill in bills[1:]:
            await here.request(bill, ["owner"], reminds=False, ack_ends=False)
        held = await _held(here, 3)
        assert {each["hold"] for each in held} == {"daily"}
        assert len({each["group"] for each in held}) == 1
        shanghai = timedelta(hours=8)
        assert (held[0]["due_at"] + shanghai).date() > (now + shanghai).date()
        paid = replace(bills[3], open=False, closed_at=SystemTime().now(), version=2)
        await here.save(paid)
        await _let_go(here)
        messages = await here.arrived(2)
        (dropped,) = await here.told("suppressed")
        # Nobody was there to send this one on its day: today has had its reminder, so it waits for another.
        yesterday = SystemTime().now() - timedelta(days=1)
        late = await here.request(bills[0], ["owner"], reminds=False, ack_ends=False, requested_at=yesterday)
        assert (await _held(here, 1))[-1]["hold"] == "daily"
        await here.database["deliveries"].update_one(
            {"notification": late.key},
            {"$set": {"due_at": yesterday, "group": held_group(SITE, OWNER.id, "email", yesterday)}},
        )

        async def waits_again() -> bool:
            found = await here.delivery(late)
            return bool(found["state"] == "queued" and found["due_at"] > yesterday + timedelta(days=1))

        await here.until("it waits again", waits_again)
        assert len(here.mailbox.messages) == 2
    assert (dropped["subject"], dropped["data"]["reason"]) == ("B-3", "case_closed")
    assert "2 messages" in messages[1].text
    assert "B-1" in messages[1].text
    assert "B-2" in messages[1].text
    assert "B-3" not in messages[1].text


@pytest.mark.long
async def test_a_silence_hides_until_its_end_and_then_the_newest_of_what_is_open_is_told(here: World) -> None:
    await here.people(MAIL_ONLY)
    await ensure_indexes(
        here.database, {name: index for each in COLLECTIONS for name, index in each.INDEXES.items()}
    )
    common = ("--author", "pm-1", "--reason", "burst pipe", "--for", "3h")
    code, out, err = await reeve(here, "silences", "add", "--site", SITE, "--subject", "T-", *common, "--json")
    assert (code, err) == (0, "")
    silence, ends = (json.loads(out)[key] for key in ("id", "until"))
    code, out, _ = await reeve(here, "silences", "extend", silence, "--for", "2h", "--json")
    longer = datetime.fromisoformat(json.loads(out)["until"]) - datetime.fromisoformat(ends)
    assert (code, round(longer.total_seconds())) == (0, 2 * 3600), "the record keeps milliseconds"

    case, closed = await here.case("T-1", "ordinary"), await here.case("T-2", "ordinary")
    grave = await here.case("T-3", "major")
    async with here.notify():
        for number in range(2):
            await here.request(case, step=f"late_{number}")
        await here.request(closed)
        await here.request(grave)
        told = await here.told("suppressed", 3)
        assert {each["data"]["reason"] for each in told} == {"silenced"}
        assert [message.subject.count("T-3") for message in await here.arrived(1)] == [1], "the worst are told"
        await here.save(replace(closed, open=False, closed_at=SystemTime().now(), version=2))

        code, out, _ = await reeve(here, "silences", "show", silence, "--json")
        rows = {row["case"]: row for row in map(json.loads, out.splitlines())}
        assert (code, rows[str(case.key)]["hidden"], rows[str(closed.key)]["open"]) == (0, 2, False)
        assert (await reeve(here, "silences", "end", silence))[0] == 0
        messages = await here.arrived(2)
        await here.told("sent", 2)
    assert "T-1" in messages[1].subject
    assert len(here.mailbox.messages) == 2
    newest = await here.database["deliveries"].find_one({"step": "late_1"})
    assert newest is not None
    assert (newest["state"], newest["silence"]) == ("sent", silence)
    assert await here.database["deliveries"].count_documents({"state": "suppressed"}) == 2
