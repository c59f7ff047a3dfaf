"""Candidate rules on live traffic: what they would do otherwise is recorded, and nothing else happens."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from reeve.devstack.servers import ServerUrls
from reeve.domain.events import Event
from reeve.runtime.store.bundles import BundleStore
from reeve.runtime.store.shadows import Shadow, ShadowStore
from tests.support.changing_rules import Ran, reeve, write_rules
from tests.support.escalation import Escalation, Site, eventually, now, ticket
from tests.support.seeding import complaint_rules

pytestmark = pytest.mark.integration

QUICK = {"REEVE_ESCALATION_SHADOW_DELAY": "0.2", "REEVE_ESCALATION_SHADOW_PAUSE": "0.1"}


@pytest.fixture
async def escalation(site: Site) -> AsyncIterator[Escalation]:
    service = Escalation(site.servers)
    await service.start(**QUICK)
    await service.ready()
    yield service
    await service.kill()


async def command(site: Site, *arguments: str) -> Ran:
    urls = ServerUrls(site.servers.nats.url, site.servers.mongo.url)
    return await reeve(urls, "rules", *arguments)


def candidate(folder: Path) -> Path:
    """Complaints are serious from 1,000 yuan on."""
    files = complaint_rules()
    policy = files["complaint.yaml"]
    changed = policy.replace(b"loss_cny >= 2000", b"loss_cny >= 1000")
    assert changed != policy
    return write_rules(folder, {**files, "complaint.yaml": changed})


async def start(site: Site, folder: Path) -> Shadow:
    ran = await command(site, "push", str(candidate(folder)), "--shadow", "--json", "--author", "li")
    assert ran.code == 0, ran.err
    shadow = await ShadowStore(site.database).current()
    assert shadow is not None
    assert ran.of("result")[0]["version"] == shadow.version
    return shadow


async def evaluated(site: Site, posted: list[Event], cases: int) -> None:
    """The shadow has seen these events, and so many cases differ."""
    await site.all_applied(posted)

    async def seen() -> bool:
        shadow = await ShadowStore(site.database).current()
        assert shadow is None or shadow.failed is None, shadow
        enough = shadow is not None and shadow.events >= len(posted)
        return enough and await site.database["shadow_differences"].count_documents({}) == cases

    await eventually("the shadow has seen the events", seen)


async def differences(site: Site) -> dict[str, Any]:
    found = await site.database["shadow_differences"].find().to_list()
    return {each["_id"]: {key: value for key, value in each.items() if key != "_id"} for each in found}


async def test_differences_are_recorded_and_nothing_else_happens(
    site: Site, escalation: Escalation, tmp_path: Path
) -> None:
    before = ticket("opened", "T-1", category="complaint", loss_cny=1500)
    await site.post([before])
    await site.all_applied([before])
    shadow = await start(site, tmp_path / "candidate")
    posted = [
        ticket("updated", "T-1", loss_cny=1600),
        ticket("opened", "T-2", category="complaint", loss_cny=1500),
        ticket("opened", "T-3", category="complaint", loss_cny=100),
    ]
    await site.post(posted)
    await evaluated(site, posted, cases=1)
    (found,) = (await differences(site)).values()
    assert found["case"] == "s1/complaint/T-2", "T-1 is pinned to its file, T-3 is the same under both"
    assert found["grade"] == {"before": "ordinary", "after": "serious"}
    assert (await site.cases())["s1/complaint/T-2"].grade == "ordinary"
    await site.check_nothing_lost_or_doubled()

    shown = await command(site, "shadow", "--json")
    assert shown.code == 0, shown.err
    (row,) = shown.of("shadow")
    assert (row["version"], row["author"], row["failed"]) == (shadow.version, "li", None)
    assert row["findings"]["grades"] == [{"policy": "complaint", "from": "ordinary", "to": "serious", "cases": 1}]
    assert [case["case"] for case in shown.of("case")] == ["s1/complaint/T-2"]
    readable = await command(site, "shadow", "--lang", "zh")
    assert "影子规则" in readable.out
    assert "s1/complaint/T-2  ordinary → serious" in readable.out


async def test_a_restart_comes_to_the_same_differences(site: Site, escalation: Escalation, tmp_path: Path) -> None:
    await start(site, tmp_path / "candidate")
    posted = [ticket("opened", f"T-{n}", category="complaint", loss_cny=1500) for n in range(5)]
    await site.post(posted)
    await evaluated(site, posted, cases=5)
    recorded = await differences(site)
    await escalation.kill()
    again = Escalation(site.servers)
    await again.start(**QUICK)
    await again.ready()
    more = [ticket("opened", "T-9", category="complaint", loss_cny=1500)]
    await site.post(more)
    await evaluated(site, [*posted, *more], cases=6)
    now_there = await differences(site)
    new = {key: value for key, value in now_there.items() if key not in recorded}
    assert [each["case"] for each in new.values()] == ["s1/complaint/T-9"]
    assert {key: now_there[key] for key in recorded} == recorded
    await again.kill()


async def test_a_candidate_that_fails_is_said_and_harms_nothing(site: Site, escalation: Escalation) -> None:
    store = ShadowStore(site.database)
    active = await BundleStore(site.database).active()
    assert active is not None
    await store.start("no-such-version", "li", "", now(), active.version)

    async def failed() -> bool:
        shadow = await store.current()
        return shadow is not None and shadow.failed is not None

    await eventually("the shadow has failed", failed)
    shown = await command(site, "shadow")
    assert shown.code == 1
    assert "can't read the recorded rules" in shown.out
    posted = ticket("opened", "T-1", category="complaint", loss_cny=12000)
    await site.post([posted])
    await site.all_applied([posted])
    assert (await site.cases())["s1/complaint/T-1"].grade == "major"


async def test_promoting_makes_it_the_active_one(site: Site, escalation: Escalation, tmp_path: Path) -> None:
    shadow = await start(site, tmp_path / "candidate")
    promoted = await command(site, "shadow", "promote", "--yes", "--note", "it did well", "--json")
    assert promoted.code == 0, promoted.err
    active = await BundleStore(site.database).active()
    assert active is not None
    assert (active.version, active.note) == (shadow.version, "it did well")
    assert await ShadowStore(site.database).current() is None
    assert (await command(site, "shadow", "promote", "--yes")).code == 1


async def test_dropping_leaves_nothing(site: Site, escalation: Escalation, tmp_path: Path) -> None:
    await start(site, tmp_path / "candidate")
    posted = [ticket("opened", "T-1", category="complaint", loss_cny=1500)]
    await site.post(posted)
    await evaluated(site, posted, cases=1)
    active = await BundleStore(site.database).active()
    dropped = await command(site, "shadow", "drop")
    assert dropped.code == 0, dropped.err
    assert await differences(site) == {}
    assert (await command(site, "shadow")).code == 1
    assert (await command(site, "shadow", "drop")).code == 1
    assert await BundleStore(site.database).active() == active


async def test_what_is_refused_does_not_become_the_shadow(site: Site, tmp_path: Path) -> None:
    folder = candidate(tmp_path / "candidate")
    write_rules(folder, {"complaint.yaml": b"policy: complaint\ntakes: nothing\n"})
    refused = await command(site, "push", str(folder), "--shadow")
    assert refused.code == 1
    assert "complaint.yaml" in refused.err
    same = write_rules(tmp_path / "same", complaint_rules())
    assert (await command(site, "push", str(same), "--shadow")).code == 1, "it is active already"
    assert await ShadowStore(site.database).current() is None
