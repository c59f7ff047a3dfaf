"""`reeve rules backtest` over a real record: recorded events under the active rules and under a candidate."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from reeve.devstack.servers import ServerUrls
from reeve.domain.case import Case, CaseKey
from reeve.domain.events import Event, event_key
from reeve.domain.recipients import Recipient
from reeve.rulelang.load import bundle_version, load_bundle
from reeve.runtime.backtest.recorded import LONGEST_WARM_UP, SHORTEST_WARM_UP, RecordedEvents, WarmUp
from reeve.runtime.bundles import Bundles
from reeve.runtime.store import bundles, cases, events, recipients
from reeve.runtime.store.bundles import BundleStore
from reeve.runtime.store.cases import case_document
from reeve.runtime.store.events import EventStore
from reeve.runtime.store.mongo import Database, ensure_indexes, open_database
from reeve.runtime.store.recipients import RecipientStore
from reeve.runtime.time_source import SystemTime
from tests.support.changing_rules import Ran, reeve, rule_files, write_rules
from tests.support.patient_store import patient_store
from tests.support.shared_servers import SharedServers

pytestmark = pytest.mark.integration

_ids = itertools.count(1)


@dataclass
class Record:
    """A record whose active rules are the usual ones, and a candidate's folder."""

    urls: ServerUrls
    database: Database
    folder: Path
    now: datetime

    def ago(self, **length: float) -> datetime:
        return self.now - timedelta(**length)

    def opened(self, at: datetime, subject: str, *, site: str = "s", **data: Any) -> Event:
        own = f"e{next(_ids)}"
        facts = {"category": "complaint", **data}
        return Event(site, "/test", own, "ticket.opened", subject, at, facts, event_key(site, "/test", own))

    async def accept(self, *accepted: Event) -> None:
        for event in accepted:
            await EventStore(self.database).insert([event], event.at)

    async def open_case(self, event: Event) -> None:
        """The record also has the case that the event opened."""
        case = Case(CaseKey(event.site, "complaint", event.subject), "ticket", "d", event.at, version=1)
        await self.database["cases"].insert_one(case_document(case))

    async def backtest(self, *arguments: str) -> Ran:
        return await reeve(self.urls, "rules", "backtest", str(self.folder), *arguments)


@pytest.fixture
async def record(shared_servers: SharedServers, tmp_path: Path) -> AsyncIterator[Record]:
    urls = shared_servers.urls
    client = patient_store(urls.mongo_url, "test")
    database = open_database(client, "reeve")
    for module in (bundles, cases, events, recipients):
        await ensure_indexes(database, module.INDEXES)
    await Bundles(BundleStore(database), SystemTime()).activate(rule_files(), author="test")
    folder = write_rules(tmp_path / "candidate", rule_files(bound=1000, serious="6h"))
    yield Record(urls, database, folder, SystemTime().now())
    await client.close()


async def test_what_the_candidate_would_have_changed(record: Record, tmp_path: Path) -> None:
    old = record.opened(record.ago(days=45), "OLD", loss_cny=1500)
    await record.accept(old, record.opened(record.ago(days=5), "NEW", loss_cny=1500))
    await record.accept(record.opened(record.ago(days=4), "BAD", loss_cny=9000))
    await record.open_case(old)
    report = tmp_path / "report.html"
    ran = await record.backtest("--json", "--html", str(report))
    assert ran.code == 0, ran.err
    (found,) = ran.of("sums")
    assert (found["events"], found["earlier"], found["recipients_known"]) == (2, 1, False)
    assert found["candidate"] == bundle_version(rule_files(bound=1000, serious="6h"))
    assert found["grades"] == [{"policy": "complaint", "from": "ordinary", "to": "serious", "cases": 1}]
    (breaches,) = [row for row in found["breaches"] if row["moved"] or row["gained"] or row["lost"]]
    # OLD opened before and is pinned: it is late under both, before the comparison begins.
    assert (breaches["policy"], breaches["clock"], breaches["moved"]) == ("complaint", "respond", 2)
    assert [row["case"] for row in ran.of("case")] == ["s/complaint/NEW", "s/complaint/BAD"]
    page = report.read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert "s/complaint/NEW" in page
    assert "<script" not in page
    assert "http" not in page.replace("http-equiv", "")


async def test_people_of_the_record_are_counted_one_by_one(record: Record) -> None:
    desk = Recipient("ann", "s", frozenset({"front_desk"}), addresses={"email": "ann@example.org"})
    await RecipientStore(record.database).save([desk])
    await record.accept(record.opened(record.ago(hours=7), "NEW", loss_cny=1500))
    ran = await record.backtest("--json", "--since", "2d")
    (found,) = ran.of("sums")
    assert found["recipients_known"] is True
    assert found["people"] == [{"recipient": "s/ann", "before": 0, "after": 1}]
    assert "example.org" not in ran.out


async def test_bounds_decide_the_exit_code(record: Record) -> None:
    await record.accept(record.opened(record.ago(hours=7), "NEW", loss_cny=1500))
    assert (await record.backtest()).code == 0, "a difference alone is no failure"
    assert (await record.backtest("--fail-on", "sms")).code == 0
    assert (await record.backtest("--max-changed", "1")).code == 0
    strict = await record.backtest("--fail-on", "grades,worse", "--max-changed", "0", "--json")
    assert strict.code == 1
    assert strict.of("sums")[0]["beyond"] == ["fail-on grades", "fail-on worse", "max-changed 0: 1"]
    wrong = await record.backtest("--fail-on", "everything")
    assert wrong.code == 2
    assert "any, grades, breaches" in wrong.err


async def test_one_site_alone(record: Record) -> None:
    await record.accept(record.opened(record.ago(hours=7), "NEW", site="north", loss_cny=1500))
    ran = await record.backtest("--site", "south", "--fail-on", "any", "--json")
    assert ran.code == 0
    assert ran.of("sums")[0]["events"] == 0
    assert (await record.backtest("--site", "north", "--fail-on", "any")).code == 1


async def test_against_another_version(record: Record) -> None:
    await record.accept(record.opened(record.ago(hours=7), "NEW", loss_cny=1500))
    first = bundle_version(rule_files())
    await Bundles(BundleStore(record.database), SystemTime()).activate(
        rule_files(bound=1000, serious="6h"), author="test"
    )
    assert (await record.backtest("--fail-on", "any")).code == 0, "the candidate is what is active"
    assert (await record.backtest("--fail-on", "any", "--against", first[:6])).code == 1
    unknown = await record.backtest("--against", "nosuch")
    assert unknown.code == 2
    assert "nosuch" in unknown.err


async def test_rules_with_errors_are_not_compared(record: Record) -> None:
    write_rules(record.folder, {"complaint.yaml": b"policy: complaint\ntakes: nothing\n"})
    ran = await record.backtest()
    assert ran.code == 1
    assert "complaint.yaml" in ran.err


async def test_a_record_that_is_away(record: Record) -> None:
    nowhere = ServerUrls(nats_url=record.urls.nats_url, mongo_url="mongodb://127.0.0.1:9/?directConnection=true")
    ran = await reeve(nowhere, "rules", "backtest", str(record.folder))
    assert ran.code == 3
    assert "MongoDB" in ran.err


async def test_where_a_replay_begins(record: Record) -> None:
    known, elsewhere = RecordedEvents(record.database), RecordedEvents(record.database, "elsewhere")
    since = record.ago(days=30)
    assert await known.warm_up(since, []) == WarmUp(since - SHORTEST_WARM_UP, since - SHORTEST_WARM_UP, frozenset())
    await record.open_case(record.opened(record.ago(days=33), "RECENT"))
    await record.open_case(record.opened(record.ago(days=60), "OLD"))
    warm_up = await known.warm_up(since, [])
    assert abs(warm_up.start - record.ago(days=60)) < timedelta(seconds=1)
    assert warm_up.whole_from == since - SHORTEST_WARM_UP
    assert warm_up.subjects == frozenset({"s/ticket/OLD"}), "of RECENT every event is replayed anyhow"
    await record.open_case(record.opened(record.ago(days=900), "ANCIENT"))
    assert (await known.warm_up(since, [])).start == since - LONGEST_WARM_UP
    assert (await elsewhere.warm_up(since, [])).start == since - SHORTEST_WARM_UP


async def test_a_count_needs_all_events_of_its_time(record: Record) -> None:
    counting = rule_files()["complaint.yaml"] + (
        b"\ncounts:\n  opened_at_site: {of: ticket.opened, same: incident, within: 90d}\n"
        b"# opened_at_site is read by nobody, and kept up all the same\n"
    )
    bundle = load_bundle({**rule_files(), "complaint.yaml": counting}).bundle
    assert bundle is not None
    warm_up = await RecordedEvents(record.database).warm_up(record.now, [bundle])
    assert warm_up.whole_from == record.now - timedelta(days=90)


async def test_a_case_closed_since_was_open_then(record: Record) -> None:
    since = record.ago(days=30)
    closed = record.opened(record.ago(days=70), "CLOSED")
    await record.open_case(closed)
    await record.database["cases"].update_one({"subject": "CLOSED"}, {"$set": {"open": False}})
    known = RecordedEvents(record.database)
    assert (await known.warm_up(since, [])).subjects == frozenset()
    decision = {"_id": "s/complaint/CLOSED#2", "case": "s/complaint/CLOSED", "at": record.ago(days=20)}
    await record.database["decisions"].insert_one(decision)
    assert (await known.warm_up(since, [])).subjects == frozenset({"s/ticket/CLOSED"})


async def test_events_come_in_order_of_acceptance_and_only_those_needed(record: Record) -> None:
    late = record.opened(record.ago(hours=9), "LATE")
    await record.accept(record.opened(record.ago(days=20), "OTHER"), record.opened(record.ago(days=19), "OLD"))
    await record.accept(record.opened(record.ago(hours=8), "FIRST"))
    await EventStore(record.database).insert([late], record.ago(hours=7))
    known = RecordedEvents(record.database)
    warm_up = WarmUp(record.ago(days=30), record.ago(days=1), frozenset({"s/ticket/OLD"}))
    found = [event.subject if event else None async for event in known.since(warm_up, record.now)]
    assert found == [None, "OLD", "FIRST", "LATE"]
    assert await known.count(warm_up.start, record.now) == 4
