"""Budgets and silences looked after by several processes at once: counted once, warned of once."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import UTC, timedelta

import pytest

from reeve.domain.flood.silences import Matchers, Silence
from reeve.runtime.bundles import Bundles
from reeve.runtime.own_events import OwnEvents
from reeve.runtime.store import events
from reeve.runtime.store.budgets import BudgetStore
from reeve.runtime.store.bundles import BundleStore
from reeve.runtime.store.deliveries import DeliveryStore
from reeve.runtime.store.events import EventStore
from reeve.runtime.store.mongo import ensure_indexes
from reeve.runtime.store.silences import Kept, SilenceStore
from reeve.runtime.time_source import SystemTime
from services.notify.case_reader import CaseReader
from services.notify.flood.building import COLLECTIONS, build_keeper, build_tempering
from services.notify.flood.tempering import spared_for_email
from tests.integration.notify.flood_world import Rules, draft, reeve
from tests.integration.notify.world import MANAGER, SITE, World
from tests.support.seeding import complaint_rules
from tests.support.waiting import no_midnight

pytestmark = pytest.mark.integration


async def test_segments_are_counted_once_and_a_budget_that_is_spent_moves_the_mild_to_email(here: World) -> None:
    for module in (*COLLECTIONS, events):
        await ensure_indexes(here.database, module.INDEXES)
    await no_midnight()
    time = SystemTime()
    now = time.now()
    rules = Rules(here.bundle, 100)
    bundle = await rules.current()
    case = await here.case("T-1", "ordinary")
    store, budgets = DeliveryStore(here.database), BudgetStore(here.database)
    sent = [draft(case, number, MANAGER, "sms", 3, now).delivery for number in range(60)]
    await store.insert(sent)
    await here.database["deliveries"].update_many({}, {"$set": {"state": "sent", "open": False, "uncounted": 2}})
    keepers = [
        build_keeper(
            here.database,
            CaseReader(here.database),
            rules,
            OwnEvents(EventStore(here.database), here.publisher, time),
            time,
        )
        for _ in range(3)
    ]
    await asyncio.gather(*(keeper.look() for keeper in keepers))
    for keeper in keepers:
        await keeper.look()
    month = f"{(now + timedelta(hours=8)).astimezone(UTC):%Y-%m}"
    used = (await budgets.load([(SITE, month)]))[SITE]
    assert (used.segments, used.told) == (120, (80, 100))
    warnings = await here.database["events"].find({"type": "ticket.opened"}).to_list()
    assert [each["subject"] for each in warnings] == [f"sms-budget/{month}/100"]

    tempering = build_tempering(here.database)
    both, no_mail = MANAGER, replace(MANAGER, id="pm-2", addresses={"sms": "+447700900009"})
    drafts = [
        draft(case, 100, both, "sms", 3, now),
        draft(case, 101, no_mail, "sms", 3, now),
        draft(case, 102, both, "sms", 0, now),
    ]
    found = [each.delivery for each in await tempering.temper(drafts, bundle, now, ("sms", "email"))]
    assert [(each.recipient, each.channel, each.state, each.hold) for each in found] == [
        ("pm-1", "sms", "suppressed", ""),
        ("pm-1", "email", "queued", ""),
        ("pm-2", "sms", "queued", "budget"),
        ("pm-1", "sms", "queued", ""),
    ]
    assert found[0].attempts[-1].reason == "over_budget"

    await store.insert(found)
    assert spared_for_email(found[0])
    for _ in range(2):  # the email did not arrive, and whoever noticed died and came again
        await tempering.after_all([(found[0], case)], bundle, now)
    revived = (await store.of_notifications(["n100"]))["n100"]
    assert {(each.channel, each.state, each.hold) for each in revived} == {
        ("sms", "queued", "budget"),
        ("email", "queued", ""),
    }


@pytest.mark.long
async def test_the_command_shows_what_is_used_and_what_is_degraded(here: World) -> None:
    files = complaint_rules()
    own = f"sites/{SITE}.yaml"
    code, out, err = await reeve(here, "budget")
    assert (code, out, "No site has an SMS budget" in err) == (0, "", True)
    assert await reeve(here, "budget", "--json") == (0, "", "")
    code, out, err = await reeve(here, "budget", "--site", f"{SITE}s", "--json")
    assert (code, out, f"did you mean {SITE}?" in err) == (2, "", True)
    files[own] += b"sms_budget: {segments: 100}\n"
    await Bundles(BundleStore(here.database), SystemTime()).activate(files, author="test")
    await no_midnight()
    month = f"{SystemTime().now() + timedelta(hours=8):%Y-%m}"
    used = {"_id": f"{SITE}@{month}", "site": SITE, "month": month, "segments": 120, "told": [80, 100]}
    await here.database["sms_budgets"].insert_one(used)
    code, out, err = await reeve(here, "budget", "--site", SITE, "--json")
    row = json.loads(out)
    assert (code, err, row["used"], row["budget"], row["percent"]) == (0, "", 120, 100, 120)
    assert row["degraded"] is True
    assert row["forecast"] >= 120
    assert "ordinary" in row["grades"]
    assert "major" not in row["grades"]


async def test_the_author_is_warned_once_of_each_end_while_something_open_is_hidden(here: World) -> None:
    for module in (*COLLECTIONS, events):
        await ensure_indexes(here.database, module.INDEXES)
    time = SystemTime()
    now = time.now()
    case, silences = await here.case("T-1", "ordinary"), SilenceStore(here.database)
    silence = Silence(
        "s-1", Matchers(site=SITE), now - timedelta(hours=8), now + timedelta(minutes=20), "pm-1", "x"
    )
    await silences.add(Kept(silence, SITE, now))
    rules = Rules(here.bundle, 100)
    own = OwnEvents(EventStore(here.database), here.publisher, time)
    keepers = [build_keeper(here.database, CaseReader(here.database), rules, own, time) for _ in range(2)]
    await keepers[0].look()
    assert await here.database["events"].count_documents({}) == 0, "it hides nothing: nobody is bothered"
    delivery = replace(draft(case, 1, MANAGER, "email", 3, now).delivery, state="suppressed", silence="s-1")
    await DeliveryStore(here.database).insert([delivery])
    for _ in range(2):
        await asyncio.gather(*(keeper.look() for keeper in keepers))
    (warning,) = await here.database["events"].find({}).to_list()
    data = json.loads(warning["body"])["data"]
    assert (data["category"], data["item"], data["assignee"]) == ("upkeep", "silence_ends", "pm-1")
    assert await silences.end("s-1", now + timedelta(minutes=30))
    await keepers[0].look()
    assert await here.database["events"].count_documents({}) == 2, "another end, another warning"


async def test_processes_that_plan_at_once_open_one_window(here: World) -> None:
    for module in COLLECTIONS:
        await ensure_indexes(here.database, module.INDEXES)
    bundle = await Rules(here.bundle, 100).current()
    case = await here.case("T-1", "ordinary")
    now = SystemTime().now()
    many = [build_tempering(here.database) for _ in range(6)]
    found = await asyncio.gather(
        *(
            each.temper([draft(case, number, MANAGER, "email", 3, now)], bundle, now, ("email",))
            for number, each in enumerate(many)
        )
    )
    deliveries = [draft.delivery for drafts in found for draft in drafts]
    assert sorted(each.hold for each in deliveries) == ["", *["merge"] * 5]
    assert len({(each.due_at, each.group) for each in deliveries if each.hold}) == 1

    asleep = draft(case, 9, replace(MANAGER, id="pm-2"), "email", 3, now)
    until = now + timedelta(hours=2)
    asleep = replace(asleep, target=replace(asleep.target, not_before=until))
    (held,) = await many[0].temper([asleep], bundle, now, ("email",))
    assert (held.delivery.hold, held.delivery.due_at, held.delivery.group != "") == ("quiet", until, True)
