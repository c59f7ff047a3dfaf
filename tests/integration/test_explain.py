"""`reeve cases explain` on a real record that escalation's batches have written."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from reeve.domain.events import Event
from reeve.domain.recipients import Recipient
from reeve.runtime.store import cases, deliveries, events, notifications, recipients
from reeve.runtime.store.cases import MongoCaseRecord
from reeve.runtime.store.events import EventStore
from reeve.runtime.store.mongo import Database, ensure_indexes, open_database
from reeve.runtime.store.recipients import RecipientStore
from services.escalation.batch import decide_batch
from services.escalation.work import EventWork, Item, TickWork
from tests.support.explaining import step_of, why_not
from tests.support.patient_store import patient_store
from tests.support.seeding import Seed, plant
from tests.support.shared_servers import SharedServers
from tests.support.simulation import event, moment

pytestmark = pytest.mark.integration

OPENED = event(
    "2026-02-12 10:00", "ticket.opened", id="e1", category="complaint", loss_cny="12000.50", title="漏水"
)
ODD = event("2026-02-12 10:00", "ticket.opened", "T-9", id="odd-1", category="else", loss_cny=7)
EARLY = event("2026-02-12 10:01", "ticket.assigned", "T-8", id="early-1", stage="x")


@dataclass
class World:
    """The record, and the command on it."""

    database: Database
    record: MongoCaseRecord
    seed: Seed

    async def take(self, *posted: Event) -> None:
        for one in posted:
            await EventStore(self.database).insert([one], one.at)
            await self.decide(EventWork(one), one.at)

    async def decide(self, item: Item, now: Any) -> None:
        outcome = await decide_batch(self.record, [item], self.seed[0], now)
        assert not outcome.failures
        await self.record.commit(outcome.changes)

    async def explain(self, *arguments: str) -> Result:
        """In a thread: the command has an event loop of its own."""
        from reeve.cli.cases.command import app

        return await asyncio.to_thread(lambda: CliRunner().invoke(app, ["explain", *arguments]))

    async def rows(self, *arguments: str) -> list[dict[str, Any]]:
        ran = await self.explain(*arguments, "--json")
        assert ran.exit_code == 0, ran.output
        return [json.loads(line) for line in ran.stdout.splitlines()]


@pytest.fixture
async def world(
    shared_servers: SharedServers, seeded_rules: Seed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[World]:
    client = patient_store(shared_servers.mongo.url, "test")
    database = open_database(client, "reeve")
    for module in (cases, events, notifications, deliveries, recipients):
        await ensure_indexes(database, module.INDEXES)
    await plant(database, seeded_rules)
    monkeypatch.setenv("REEVE_MONGO_URL", shared_servers.mongo.url)
    monkeypatch.setenv("REEVE_MONGO_DATABASE", "reeve")
    monkeypatch.setenv("REEVE_DATA", str(tmp_path / "none"))
    monkeypatch.setenv("COLUMNS", "200")
    world = World(database, MongoCaseRecord(client, database), seeded_rules)
    await world.take(OPENED, ODD, EARLY)
    await world.decide(TickWork("s/complaint/T-1"), moment("2026-02-12 10:05"))
    await world.take(event("2026-02-12 10:07", "ticket.acknowledged", id="ack-1"))
    yield world
    await client.close()


async def test_what_a_decision_looked_at_is_on_record_with_it(world: World) -> None:
    stored = await world.database["decisions"].find_one({"_id": "s/complaint/T-1#1"})
    assert stored is not None
    assert json.loads(stored["facts"])["scenes"][0]["loss_cny"] == "12000.50"
    untaken = await world.database["decisions"].find_one({"_id": f"-#{ODD.key}"})
    assert untaken is not None
    assert (untaken["case"], untaken["lines"]) == ("s/-/T-9", "[]")
    assert await world.database["outbox"].count_documents({"cases": "s/-/T-9"}) == 0


async def test_a_case_is_explained_from_its_stored_decisions(world: World) -> None:
    (found,) = await world.rows("T-1")
    assert (found["case"], found["state"], found["version"]) == ("s/complaint/T-1", "open", world.seed[0].version)
    assert (found["grade"]["grade"], found["grade"]["cause"]["event"]) == ("major", "e1")
    assert found["grade"]["condition"]["parts"][0]["facts"] == {"loss_cny": "12000.50"}
    told = step_of(found, "nobody_answered")
    assert (told["told"][0]["cause"]["clock"], told["not"][0]["what"]) == ("respond", "acknowledged")
    assert why_not(found, "report_serious")["grades"] == ["serious"]


async def test_as_things_stood_at_a_moment_of_the_site(world: World) -> None:
    (then,) = await world.rows("s/complaint/T-1", "--at", "2026-02-12 10:03")
    assert why_not(then, "nobody_answered")["reason"] == "clock_running"
    assert why_not(then, "nobody_answered")["due"] == "2026-02-12T10:05:00+08:00"
    (minute,) = await world.rows("s/complaint/T-1", "--at", "2026-02-12 10:05")
    assert minute["now"][0]["effect"] == "breached"


async def test_only_what_concerns_a_role_or_a_person(world: World) -> None:
    boss = Recipient("gm-1", "s", frozenset({"general_manager"}), "zh", {"sms": "+8613900000000"}, name="王建国")
    await RecipientStore(world.database).save([boss])
    (by_role,) = await world.rows("T-1", "--who", "general_manager")
    (by_person,) = await world.rows("T-1", "--who", "gm-1")
    assert by_person["who"] == {"asked": "gm-1", "recipient": True, "roles": ["general_manager"]}
    assert [s["step"] for s in by_role["steps"]] == [s["step"] for s in by_person["steps"]]
    assert {"report_up", "no_date_yet"} <= {step["step"] for step in by_role["steps"]}
    assert all("general_manager" in step["roles"] for step in by_role["steps"])
    stranger = await world.explain("T-1", "--who", "nobody-1")
    assert (stranger.exit_code, "No step of this case concerns nobody-1" in stranger.stdout) == (0, True)


async def test_an_event_that_no_policy_takes_by_its_subject_its_id_and_its_key(world: World) -> None:
    for asked in (("T-9",), ("--event", "odd-1"), ("--event", ODD.key)):
        (found,) = await world.rows(*asked)
        assert (found["event"], found["state"]) == ("odd-1", "waits")
        (refusal,) = found["untaken"]["refused_by"]
        assert refusal["policy"] == "complaint"
        assert refusal["condition"]["parts"][0]["facts"] == {"category": "else"}
    (early,) = await world.rows("T-8")
    assert (early["event"], early["untaken"]["opens"]) == ("early-1", False)
    (taken,) = await world.rows("--event", "e1")
    assert (taken["state"], taken["cases"][0]["case"]) == ("taken", "s/complaint/T-1")
    assert [line["effect"] for line in taken["cases"][0]["lines"]][:2] == ["opened", "graded"]


async def test_people_read_it_in_english_and_chinese(world: World) -> None:
    english = (await world.explain("T-1", "--lang", "en")).stdout
    assert "major (Major complaint) since 2026-02-12 10:00:00: its condition held" in english
    assert "loss_cny >= 10000  held: loss_cny was 12000.50" in english
    assert "an acknowledgement ended it at 2026-02-12 10:07:00" in english
    assert "漏" not in english
    chinese = (await world.explain("T-1", "--lang", "zh")).stdout
    assert "损失 >= 10000  成立: 损失 为 12000.50" in chinese
    assert "没有收到 ticket.resolved" in chinese


async def test_what_is_not_there_or_not_asked_rightly(world: World) -> None:
    missing = await world.explain("T-77")
    assert missing.exit_code == 1
    assert "no case 'T-77'" in str(missing.exception)
    unknown = await world.explain("--event", "none-1")
    assert "none-1" in str(unknown.exception)
    assert (await world.explain()).exit_code == 2
    assert (await world.explain("T-1", "--event", "e1")).exit_code == 2
    assert (await world.explain("T-1", "--at", "yesterday")).exit_code == 2
