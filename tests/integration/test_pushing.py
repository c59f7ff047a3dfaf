"""`reeve rules push`, `history`, `diff` and `rollback` against a real record and a real bus."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from reeve.devstack.servers import ServerUrls
from reeve.domain.recipients import Recipient
from reeve.rulelang.load import bundle_version
from reeve.runtime.bundles import Bundles
from reeve.runtime.bus.connection import BusConnection, connect_bus
from reeve.runtime.bus.streams import declare_streams
from reeve.runtime.rules_folder import RulesFolder
from reeve.runtime.store import bundles, cases
from reeve.runtime.store.bundles import BundleStore
from reeve.runtime.store.mongo import Database, ensure_indexes, open_database
from reeve.runtime.store.recipients import RecipientStore
from reeve.runtime.time_source import SystemTime
from tests.support.changing_rules import SCENARIO, Ran, reeve, reeve_apart, rule_files, write_rules
from tests.support.patient_store import patient_store
from tests.support.shared_servers import SharedServers
from tests.support.waiting import PATIENCE

pytestmark = pytest.mark.integration


@dataclass
class Desk:
    """What an operator has: a folder and servers; and what the test looks at."""

    urls: ServerUrls
    database: Database
    bus: BusConnection
    folder: Path

    @property
    def store(self) -> BundleStore:
        return BundleStore(self.database)

    def save(self, **changes: Any) -> str:
        """The folder's version after these changes of the usual rules."""
        files = rule_files(**changes)
        write_rules(self.folder, files)
        return bundle_version(files)

    async def reeve(self, *arguments: str) -> Ran:
        return await reeve(self.urls, *arguments)

    async def push(self, *arguments: str) -> Ran:
        return await self.reeve("rules", "push", str(self.folder), "--yes", "--author", "li", "--json", *arguments)

    async def active(self) -> str | None:
        active = await self.store.active()
        return active.version if active is not None else None

    async def told(self) -> list[tuple[str, dict[str, Any]]]:
        """Every notice about rules on the bus, in order."""
        jetstream = self.bus.client.jetstream(timeout=PATIENCE)
        state = (await jetstream.stream_info("RULES")).state
        messages = [await jetstream.get_msg("RULES", seq=n + 1) for n in range(state.messages)]
        return [(str(each.subject), json.loads(each.data or b"")["data"]) for each in messages]


@pytest.fixture
async def desk(shared_servers: SharedServers, tmp_path: Path) -> AsyncIterator[Desk]:
    urls = shared_servers.urls
    client = patient_store(urls.mongo_url, "test")
    database = open_database(client, "reeve")
    for module in (bundles, cases):
        await ensure_indexes(database, module.INDEXES)
    bus = await connect_bus(urls.nats_url, "test", PATIENCE)
    await declare_streams(bus)
    yield Desk(urls, database, bus, tmp_path / "rules")
    await bus.close()
    await client.close()


async def test_a_push_is_shown_activated_announced_and_in_the_history(desk: Desk) -> None:
    first = desk.save()
    assert (await desk.push("--note", "to begin with")).code == 0
    second = desk.save(serious="6h")

    looked = await desk.reeve("rules", "push", str(desk.folder), "--dry-run")
    assert looked.code == 0, looked.err
    assert "complaint.respond serious: 8h → 6h" in looked.out
    assert "complaint (pin): 0 open cases stay on the file they have" in looked.out
    assert "repair (adopt): 0 open cases go on with the new file" in looked.out
    assert await desk.active() == first

    pushed = await desk.push("--note", "quicker")
    assert pushed.code == 0, pushed.err
    assert [row["says"] for row in pushed.of("difference")] == [
        f"{policy}.respond serious: 8h → 6h" for policy in ("complaint", "repair", "service")
    ]
    (result,) = pushed.of("result")
    assert (result["outcome"], result["version"], result["was"]) == ("activated", second, first)
    assert (result["by"], result["note"], result["announced"]) == ("li", "quicker", True)
    assert await desk.active() == second
    assert [(subject, data["version"], data["note"]) for subject, data in await desk.told()] == [
        ("rules.activated", first, "to begin with"),
        ("rules.activated", second, "quicker"),
    ]
    listed = await desk.reeve("rules", "history", "--json")
    assert [(row["version"], row["by"], row["note"], row["active"]) for row in listed.rows] == [
        (second, "li", "quicker", True),
        (first, "li", "to begin with", False),
    ]
    assert listed.rows[0]["following"] == 0


async def test_pushing_what_is_active_says_so(desk: Desk) -> None:
    version = desk.save()
    await desk.push()
    again = await desk.push()
    assert again.code == 0
    (result,) = again.of("result")
    assert (result["outcome"], result["version"], result["active"]) == ("unchanged", version, version)
    assert len(await desk.told()) == 1


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        ({"complaint": "policy: complaint\ntakes: nothing\n"}, "ticket, mail"),
        ({"bound": 3000, "tests__complaint.test": SCENARIO}, "two thousand is serious"),
    ],
)
async def test_what_is_wrong_changes_nothing_and_is_told_everywhere(
    desk: Desk, broken: dict[str, Any], says: str
) -> None:
    good = desk.save()
    await desk.push()
    wrong = desk.save(**broken)
    looked = await desk.reeve("rules", "push", str(desk.folder), "--dry-run")
    assert (looked.code, says in looked.err) == (1, True), looked.err
    assert len(await desk.told()) == 1, "a dry run tells nobody"

    refused = await desk.push()
    assert refused.code == 1
    assert refused.of("result")[0]["outcome"] == "rejected"
    assert says in refused.out
    assert await desk.active() == good
    subject, data = (await desk.told())[-1]
    assert (subject, data["version"], data["by"]) == ("rules.rejected", wrong, "li")
    assert any(says in error for error in data["errors"])


async def test_where_nobody_can_be_asked_yes_is_needed(desk: Desk) -> None:
    desk.save()
    ran = await desk.reeve("rules", "push", str(desk.folder))
    assert (ran.code, ran.out) == (2, "")
    assert "--yes" in ran.err
    assert await desk.active() is None


async def test_a_role_that_nobody_holds_is_said_before_anything_is_active(desk: Desk) -> None:
    desk.save()
    await RecipientStore(desk.database).save(
        [
            Recipient("u-1", "s1", frozenset({"front_desk"}), addresses={"email": "a@example.org"}),
            Recipient("u-2", "s2", frozenset({"general_manager"}), addresses={"email": "b@example.org"}),
        ]
    )
    looked = await desk.reeve("rules", "push", str(desk.folder), "--dry-run", "--json")
    assert looked.code == 0, looked.err
    (warned,) = [row for row in looked.of("problem") if row["code"].startswith("role_")]
    assert "front_desk" in warned["message"]
    assert "s2" in warned["message"]
    assert "s1" not in warned["message"]
    assert "example.org" not in looked.out


@pytest.mark.parametrize(("answer", "code"), [("n\n", 1), ("\n", 1), ("y\n", 0)])
async def test_on_a_terminal_somebody_is_asked(desk: Desk, answer: str, code: int) -> None:
    version = desk.save()
    ran = await reeve_apart(desk.urls, "rules", "push", str(desk.folder), typed=answer)
    assert ran.code == code, ran.err
    assert f"Activate version {version} on all replicas?" in ran.err
    assert ("Nothing was activated" in ran.out) == (code == 1)
    assert await desk.active() == (None if code else version)


async def test_of_two_pushes_at_once_one_wins_and_the_other_is_told_which(desk: Desk, tmp_path: Path) -> None:
    desk.save()
    await desk.push()
    others = [write_rules(tmp_path / f"rules{n}", rule_files(bound=3000 + n)) for n in range(3)]
    pushes = [
        reeve_apart(desk.urls, "rules", "push", str(folder), "--yes", "--author", f"p{n}", "--json")
        for n, folder in enumerate(others)
    ]
    ran = await asyncio.gather(*pushes)
    results = [each.of("result")[0] for each in ran]
    assert all((each.code == 0) == (row["outcome"] == "activated") for each, row in zip(ran, results, strict=True))
    lost = [row for row in results if row["outcome"] == "lost"]
    active = await desk.active()
    assert len(await desk.store.history()) == 1 + len(results) - len(lost)
    # Those that looked before the first of them was active lose against it; a slow one may have looked after.
    assert all(row["active"] != row["version"] for row in lost)
    assert active in [row["version"] for row in results if row["outcome"] == "activated"]


async def test_a_push_that_looked_before_another_was_faster_changes_nothing(desk: Desk) -> None:
    first = desk.save()
    await desk.push()
    known = Bundles(desk.store, SystemTime())
    mine = await known.prepare(rule_files(bound=3000), "li")
    theirs = await known.activate(rule_files(bound=4000), "wang", "theirs")
    with pytest.raises(Exception, match=f"wang activated version {theirs.version} \\(theirs\\)"):
        await known.activate(mine, "li", was=first)
    assert await desk.active() == theirs.version


async def test_rollback_by_the_first_letters_and_the_folder_stays_aside(desk: Desk) -> None:
    first = desk.save()
    await desk.push()
    second = desk.save(serious="6h")
    await desk.push()
    back = await desk.reeve("rules", "rollback", first[:6], "--yes", "--author", "wang", "--json")
    assert back.code == 0, back.err
    assert next(row["says"] for row in back.of("difference")) == "complaint.respond serious: 6h → 8h"
    assert await desk.active() == first
    newest = (await desk.store.history())[0]
    assert (newest.version, newest.author, newest.note) == (first, "wang", f"rollback to {first}")

    # `reeve up` on the folder that was pushed leaves the rollback alone until somebody changes a file.
    known = Bundles(desk.store, SystemTime())
    watched = RulesFolder(known, desk.store, desk.folder, print, "reeve up")
    assert second in await watched.start()
    assert await desk.active() == first
    third = desk.save(serious="5h")
    assert "complaint.respond serious: 8h → 5h" in await watched.start()
    assert await desk.active() == third


async def test_a_version_that_nobody_has_and_one_that_several_could_be(desk: Desk) -> None:
    desk.save()
    await desk.push()
    unknown = await desk.reeve("rules", "rollback", "zzzz", "--yes")
    assert (unknown.code, unknown.out) == (1, "")
    assert "reeve rules history" in unknown.err
    await desk.database["bundles"].insert_many(
        [{"_id": f"abc{n}", "files": [], "policies": [], "activations": []} for n in range(2)]
    )
    several = await desk.reeve("rules", "diff", "abc", str(desk.folder))
    assert several.code == 1
    assert "abc0, abc1" in several.err


async def test_diff_between_versions_the_active_one_and_folders(desk: Desk, tmp_path: Path) -> None:
    first = desk.save()
    await desk.push()
    desk.save(serious="6h")
    waiting = await desk.reeve("rules", "diff", "active", str(desk.folder))
    assert waiting.code == 0, waiting.err
    assert "~ complaint.respond serious: 8h → 6h" in waiting.out
    await desk.push()
    between = await desk.reeve("rules", "diff", first[:5], "active", "--json")
    assert [row["says"] for row in between.rows] == [
        f"{policy}.respond serious: 8h → 6h" for policy in ("complaint", "repair", "service")
    ]
    text = await desk.reeve("rules", "diff", first, "active", "--text")
    assert "+++ " in text.out
    assert text.out.count("\n-  respond:") == 3
    nowhere = ServerUrls("nats://127.0.0.1:1", "mongodb://127.0.0.1:1")
    other = write_rules(tmp_path / "other", rule_files(bound=2500))
    folders = await reeve(nowhere, "rules", "diff", str(other), str(desk.folder))
    assert folders.code == 0, "two folders need no server"
    assert "complaint grade serious if: loss_cny >= 2500 → loss_cny >= 2000" in folders.out


async def test_without_a_bus_the_record_decides_and_the_announcement_follows(desk: Desk) -> None:
    version = desk.save()
    away = ServerUrls("nats://127.0.0.1:1", desk.urls.mongo_url)
    pushed = await reeve(away, "rules", "push", str(desk.folder), "--yes", "--json")
    assert pushed.code == 0, pushed.err
    assert pushed.of("result")[0]["announced"] is False
    assert "NATS can't be reached" in pushed.err
    assert await desk.active() == version


async def test_without_a_record_nothing_can_be_pushed(desk: Desk) -> None:
    desk.save()
    nowhere = ServerUrls(desk.urls.nats_url, "mongodb://127.0.0.1:1")
    pushed = await reeve(nowhere, "rules", "push", str(desk.folder), "--yes")
    assert pushed.code == 3
    assert "MongoDB can't be reached" in pushed.err
