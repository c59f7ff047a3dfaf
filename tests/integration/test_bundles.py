"""Bundles in a real MongoDB: seeded once, switched by one at a time, announced, recalled, kept up with a folder."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from reeve.contracts.outgoing import OutMessage
from reeve.ports import BusAway
from reeve.rulelang.closures import Closures
from reeve.rulelang.load import bundle_version
from reeve.runtime.bundles import ActivationLost, Bundles, NoBundle
from reeve.runtime.candidates import BundleRejected
from reeve.runtime.rules_folder import RulesFolder, watch_folder
from reeve.runtime.store.bundles import INDEXES, BundleStore
from reeve.runtime.store.mongo import Database, ensure_indexes, open_database
from tests.support.patient_store import patient_store
from tests.support.shared_servers import SharedServers
from tests.support.simulation import CALENDAR_YAML, SITE_YAML
from tests.support.waiting import PATIENCE, until

pytestmark = pytest.mark.integration

POLICY = """
policy: complaint
takes: ticket
if: category == "complaint"
grades:
  - {grade: major, if: loss_cny >= LOSS}
  - {grade: ordinary}
clocks:
  respond: {start: ticket.opened, stop: ticket.acknowledged, limit: {major: 5m, ordinary: 10m}}
steps:
  - {name: late, on: respond breached, notify: front_desk, message: late}
close: ticket.closed
"""
MESSAGES = 'late: {en: {email: {subject: "late", body: "{{ case }} is late"}}}\n'
SCENARIO = """
- test: ten thousand is major
  site: s
  events: [{at: 2026-02-13 17:50, type: ticket.opened, subject: T-1, data: {category: complaint, loss_cny: 10000}}]
  expect: [{effect: graded, grade: major}]
"""


def files(loss: int = 10000, **more: str) -> dict[str, bytes]:
    texts = {
        "site.yaml": SITE_YAML,
        "calendars/cn.yaml": CALENDAR_YAML,
        "messages.yaml": MESSAGES,
        "complaint.yaml": POLICY.replace("LOSS", str(loss)),
        **{path.replace("__", "/") + ".yaml": text for path, text in more.items()},
    }
    return {path: text.encode() for path, text in texts.items()}


def write(folder: Path, content: dict[str, bytes]) -> None:
    for path, data in content.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)


class Clock:
    """Each reading is a millisecond later, and has microseconds that MongoDB can't keep."""

    def __init__(self) -> None:
        self._at = datetime(2026, 2, 13, 9, tzinfo=UTC)

    def now(self) -> datetime:
        self._at = self._at.replace(microsecond=self._at.microsecond + 1001)
        return self._at


class Bus:
    """Takes what is published; away while told so."""

    def __init__(self) -> None:
        self.published: list[OutMessage] = []
        self.away = False

    async def publish(self, message: OutMessage) -> None:
        if self.away:
            raise BusAway("away")
        self.published.append(message)

    def told(self) -> list[tuple[str, dict[str, Any]]]:
        return [(message.subject, json.loads(message.body)["data"]) for message in self.published]


@pytest.fixture
async def database(shared_servers: SharedServers) -> AsyncIterator[Database]:
    client = patient_store(shared_servers.mongo.url, "test")
    opened = open_database(client, f"test_{uuid.uuid4().hex[:12]}")
    await ensure_indexes(opened, INDEXES)
    yield opened
    await client.close()


@pytest.fixture
def store(database: Database) -> BundleStore:
    return BundleStore(database)


@pytest.fixture
def bus() -> Bus:
    return Bus()


@pytest.fixture
def bundles(store: BundleStore, bus: Bus) -> Bundles:
    return Bundles(store, Clock(), bus.publish)


async def test_an_empty_record_is_seeded_once(
    bundles: Bundles, store: BundleStore, bus: Bus, tmp_path: Path
) -> None:
    write(tmp_path, files())
    with pytest.raises(NoBundle):
        await bundles.load_active()
    both = await asyncio.gather(bundles.seed(tmp_path), Bundles(store, Clock(), bus.publish).seed(tmp_path))
    assert sum(done is not None for done in both) == 1
    assert await bundles.seed(tmp_path) is None
    loaded = await bundles.load_active()
    assert loaded.version == bundle_version(files())
    assert isinstance(loaded.matcher, Closures)
    assert [subject for subject, _ in bus.told()] == ["rules.activated"]


async def test_activation_is_announced_with_its_files_and_author(bundles: Bundles, bus: Bus) -> None:
    first = await bundles.activate(files(), "li", "first")
    again = await bundles.activate(files(), "li", "again")
    second = await bundles.activate(files(20000, repair=POLICY.replace("complaint", "repair")), "wang", "")
    assert (first.changed, again.changed, second.changed) == (True, False, True)
    assert second.was == first.version
    assert second.files == ("~ complaint.yaml", "+ repair.yaml")
    (_, one), (subject, two) = bus.told()
    assert one["note"] == "first"
    assert subject == "rules.activated"
    assert (two["version"], two["by"]) == (second.version, "wang")
    assert two["files"] == sorted(files(repair=""))


async def test_a_bundle_with_errors_changes_nothing_and_is_announced_as_rejected(
    bundles: Bundles, bus: Bus
) -> None:
    active = await bundles.activate(files(), "li")
    broken = files()
    broken["complaint.yaml"] = broken["complaint.yaml"].replace(b"limit:", b"limt:")
    with pytest.raises(BundleRejected) as refused:
        await bundles.activate(broken, "li")
    assert any("complaint.yaml:" in error and "limt" in error for error in refused.value.errors)
    assert await bundles.active_version() == active.version
    subject, data = bus.told()[-1]
    assert subject == "rules.rejected"
    assert data["errors"] == refused.value.errors


async def test_a_bundle_whose_test_fails_is_not_activated(bundles: Bundles) -> None:
    good, bad = files(10000), files(20000)
    for each in (good, bad):
        each["tests/grades.test.yaml"] = SCENARIO.encode()
    active = await bundles.activate(good, "li")
    with pytest.raises(BundleRejected, match="ten thousand is major"):
        await bundles.activate(bad, "li")
    assert await bundles.active_version() == active.version


async def test_of_two_at_once_one_wins_and_the_other_is_told(
    bundles: Bundles, store: BundleStore, bus: Bus
) -> None:
    seen = await bundles.activate(files(), "li")
    won = await bundles.activate(files(20000), "wang", was=seen.version)
    with pytest.raises(ActivationLost) as lost:
        await bundles.activate(files(30000), "zhao", was=seen.version)
    assert lost.value.active == won.version
    assert await bundles.active_version() == won.version
    others = [Bundles(store, Clock(), bus.publish) for _ in range(8)]
    results = await asyncio.gather(
        *(one.activate(files(40000 + n), f"p{n}", was=won.version) for n, one in enumerate(others)),
        return_exceptions=True,
    )
    assert sum(not isinstance(result, BaseException) for result in results) == 1
    assert all(isinstance(result, ActivationLost) for result in results if isinstance(result, BaseException))


async def test_an_activation_outlives_a_bus_that_is_away(bundles: Bundles, store: BundleStore, bus: Bus) -> None:
    bus.away = True
    done = await bundles.activate(files(), "li")
    assert done.changed
    assert bus.published == []
    bus.away = False
    later = Bundles(store, Clock(), bus.publish)
    assert await later.announce_pending()
    assert await later.announce_pending()
    assert [data["version"] for _, data in bus.told()] == [done.version]


async def test_history_tells_every_activation_newest_first(bundles: Bundles, store: BundleStore) -> None:
    first = await bundles.activate(files(), "li", "one")
    second = await bundles.activate(files(20000), "wang", "two")
    await bundles.activate(files(), "li", "back")
    history = await store.history()
    assert [(each.version, each.author, each.note) for each in history] == [
        (first.version, "li", "back"),
        (second.version, "wang", "two"),
        (first.version, "li", "one"),
    ]
    stored = await store.get(first.version)
    assert stored is not None
    assert stored.files == files()


async def test_a_policy_of_an_earlier_bundle_is_recalled(bundles: Bundles, store: BundleStore) -> None:
    await bundles.activate(files(), "li")
    earlier = (await bundles.load_active()).policies["complaint"]
    await bundles.activate(files(20000), "li")
    fresh = Bundles(store, Clock())
    running = await fresh.load_active()
    assert earlier.digest not in running.archive
    assert await fresh.recall(earlier.digest)
    assert running.archive[earlier.digest].grades[0].when == earlier.grades[0].when
    assert not await fresh.recall("no such digest")


async def test_a_save_activates_and_a_wrong_one_does_not(
    bundles: Bundles, store: BundleStore, tmp_path: Path
) -> None:
    write(tmp_path, files())
    told: list[str] = []
    folder = RulesFolder(bundles, store, tmp_path, told.append, "reeve up")
    assert "is active now" in await folder.start()
    first = await bundles.active_version()
    ready = asyncio.Event()
    watching = asyncio.create_task(folder.watch(ready))
    try:
        await asyncio.wait_for(ready.wait(), PATIENCE)
        (tmp_path / "complaint.yaml").write_text("policy: complaint\ntakes: nothing\n")
        await until("the wrong save is told about", lambda: len(told) == 1)
        assert "can't be activated" in told[0]
        assert "complaint.yaml:2:" in told[0]
        assert await bundles.active_version() == first
        write(tmp_path, files(20000))
        await until("the good save is told about", lambda: len(told) == 2)
        assert "~ complaint.yaml" in told[1]
        assert await bundles.active_version() == bundle_version(files(20000))
    finally:
        watching.cancel()


async def test_after_a_rollback_the_folder_stays_aside_until_it_changes(
    bundles: Bundles, store: BundleStore, tmp_path: Path
) -> None:
    await bundles.activate(files(), "li")
    write(tmp_path, files(20000))
    folder = RulesFolder(bundles, store, tmp_path, print, "reeve up")
    await folder.start()
    assert await bundles.active_version() == bundle_version(files(20000))
    await bundles.activate(files(), "li", "rollback")
    assert "Change a file there" in await folder.start()
    assert await bundles.active_version() == bundle_version(files())
    write(tmp_path, files(30000))
    assert "is active now" in await folder.start()
    assert await bundles.active_version() == bundle_version(files(30000))


async def test_a_folder_that_is_away_for_a_moment_is_watched_again(tmp_path: Path) -> None:
    folder = tmp_path / "rules"
    write(folder, files())
    seen: list[int] = []

    async def on_change(content: Any) -> None:
        seen.append(len(content))

    ready = asyncio.Event()
    watching = asyncio.create_task(watch_folder(folder, on_change, ready))
    try:
        await asyncio.wait_for(ready.wait(), PATIENCE)
        folder.rename(tmp_path / "elsewhere")
        write(tmp_path / "new", files(20000))
        (tmp_path / "new").rename(folder)
        await until("the new folder is seen", lambda: len(files()) in seen)
        assert not watching.done()
    finally:
        watching.cancel()


async def test_a_warning_is_told_once_and_then_counted(
    bundles: Bundles, store: BundleStore, tmp_path: Path
) -> None:
    odd = POLICY.replace("notify: front_desk", "if: no_such_fact, notify: front_desk")
    folder = RulesFolder(bundles, store, tmp_path, print, "reeve up", lang="zh")
    told = []
    for loss in (10000, 20000):
        write(tmp_path, files(complaint=odd.replace("LOSS", str(loss))))
        told.append(await folder.start())
    assert "no_such_fact" in told[0]
    assert "现已生效" in told[1]
    assert "complaint 等级 major if：loss_cny >= 10000 → loss_cny >= 20000" in told[1]
    assert "no_such_fact" not in told[1]
    assert "与之前相同的警告" in told[1]


async def test_an_activation_that_died_before_its_history_is_written_down_later(
    bundles: Bundles, store: BundleStore, bus: Bus, database: Database
) -> None:
    bus.away = True
    first = await bundles.activate(files(), "li", "one")
    await database["bundles"].update_one({"_id": first.version}, {"$set": {"activations": []}})
    assert [each.version for each in await store.history()] == [first.version]
    bus.away = False
    await bundles.announce_pending()
    second = await bundles.activate(files(20000), "wang", "two")
    assert [each.version for each in await store.history()] == [second.version, first.version]
