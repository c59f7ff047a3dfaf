"""Other rules while cases run: who follows, who stays, what a person can choose; no event is lost by it."""

from __future__ import annotations

import json
import signal
from collections import Counter
from typing import Any

import pytest

from reeve.devstack.servers import ServerUrls
from reeve.domain.events import Event
from reeve.runtime.bundles import Activation, Bundles
from reeve.runtime.bus.publisher import BusPublisher
from reeve.runtime.store.bundles import BundleStore
from reeve.runtime.time_source import SystemTime
from tests.support.changing_rules import Ran, reeve, rule_files, write_rules
from tests.support.escalation import Escalation, Site, eventually, minutes_ago, ticket
from tests.support.waiting import PATIENCE

pytestmark = pytest.mark.integration


async def activate(site: Site, **changes: Any) -> Activation:
    """The usual rules with these changes are the active ones, announced on the bus."""
    publisher = BusPublisher(site.bus, PATIENCE)
    await publisher.start()

    async def publish(message: Any) -> None:
        await publisher.publish(message.subject, message.id, message.body)

    return await Bundles(BundleStore(site.database), SystemTime(), publish).activate(rule_files(**changes), "li")


async def started(site: Site, **environment: str) -> Escalation:
    service = Escalation(site.servers)
    await service.start(**environment)
    await service.ready()
    return service


async def opened(site: Site, *subjects: str, category: str, loss_cny: int = 1500) -> list[Event]:
    posted = [
        ticket("opened", subject, at=minutes_ago(60), category=category, loss_cny=loss_cny) for subject in subjects
    ]
    await site.post(posted)
    await site.all_applied(posted)
    return posted


async def said(site: Site, case_id: str, effect: str) -> list[dict[str, Any]]:
    return [line for line in await site.effects(case_id) if line["effect"] == effect]


async def how_often(site: Site, effect: str) -> Counter[str]:
    """Case → how many lines of its timeline are of this kind."""
    found: Counter[str] = Counter()
    async for document in site.database["decisions"].find():
        found[document["case"]] += sum(line["effect"] == effect for line in json.loads(document["lines"]))
    return found


async def all_follow(
    site: Site, policies: tuple[str, ...], version: str, timeout_seconds: float = PATIENCE
) -> None:
    """Every open case of these policies runs on that version's file."""
    stored = await BundleStore(site.database).get(version)
    assert stored is not None

    async def none_left() -> bool:
        query = {"open": True, "policy": {"$in": policies}, "digest": {"$nin": list(stored.policies)}}
        return await site.database["cases"].count_documents(query) == 0

    await eventually("every case follows", none_left, timeout_seconds)


async def run_reeve(site: Site, *arguments: str) -> Ran:
    return await reeve(ServerUrls(site.servers.nats.url, site.servers.mongo.url), *arguments)


async def test_a_case_follows_as_its_policy_says(site: Site) -> None:
    await activate(site)
    await started(site)
    for category in ("complaint", "repair", "service"):
        await opened(site, f"T-{category}", category=category)
    before = await site.cases()
    done = await activate(site, bound=1000, serious="4h")
    await all_follow(site, ("repair", "service"), done.version)

    cases = await site.cases()
    pinned, adopted, recomputed = (cases[f"s1/{name}/T-{name}"] for name in ("complaint", "repair", "service"))
    assert pinned == before["s1/complaint/T-complaint"], "a pinned case is not touched at all"
    assert adopted.grade == "ordinary", "a case that adopts is not graded anew"
    assert recomputed.grade == "serious"
    assert await said(site, "s1/complaint/T-complaint", "adopted") == []
    for name in ("repair", "service"):
        case_id = f"s1/{name}/T-{name}"
        (line,) = await said(site, case_id, "adopted")
        assert line["on_change"] == {"repair": "adopt", "service": "recompute"}[name]
        assert (line["was"], line["now"]) == (before[case_id].digest, cases[case_id].digest)
    assert [line["grade"] for line in await said(site, "s1/service/T-service", "graded")] == ["ordinary", "serious"]
    await site.check_nothing_lost_or_doubled()


async def test_every_replica_works_with_the_new_rules_and_each_takes_its_own_cases_along(site: Site) -> None:
    await activate(site)
    first, second = Escalation(site.servers), Escalation(site.servers)
    second.log = site.servers.folder / "second.log"
    for service in (first, second):
        await service.start()
        await service.ready()
    many = [f"R-{n}" for n in range(40)]
    await opened(site, *many, category="service")
    done = await activate(site, bound=1000)
    await all_follow(site, ("service",), done.version)

    async def both_have_them() -> bool:
        loaded = f'"bundle": "{done.version}", "event": "Other rules are active."'
        return all(loaded in service.log.read_text() for service in (first, second))

    await eventually("both replicas have the new rules", both_have_them)
    adopted = await how_often(site, "adopted")
    assert all(adopted[f"s1/service/{subject}"] == 1 for subject in many)
    later = [ticket("opened", f"L-{n}", category="service", loss_cny=1500) for n in range(20)]
    await site.post(later)
    await site.all_applied(later)
    cases = await site.cases()
    assert all(cases[f"s1/service/L-{n}"].grade == "serious" for n in range(20))
    await site.check_nothing_lost_or_doubled()


async def test_events_flow_while_many_cases_follow(site: Site) -> None:
    await activate(site)
    await started(site)
    many = [f"M-{n}" for n in range(150)]
    await opened(site, *many, category="service")
    done = await activate(site, bound=1000)
    # Meanwhile some of these cases get events themselves, and others come in.
    posted: list[Event] = []
    for n in range(0, 150, 3):
        wave = [ticket("updated", f"M-{n}", loss_cny=900), ticket("acknowledged", f"M-{n}")]
        wave.append(ticket("opened", f"N-{n}", category="service", loss_cny=1500))
        posted += wave
        await site.post(wave)
    await site.all_applied(posted)
    await all_follow(site, ("service",), done.version)
    cases, adopted = await site.cases(), await how_often(site, "adopted")
    for n in range(150):
        case = cases[f"s1/service/M-{n}"]
        assert adopted[f"s1/service/M-{n}"] == 1
        mine = [event.key for event in posted if event.subject == f"M-{n}"]
        assert case.applied[1:] == mine, "events of a case stay in order"
        if n % 3:
            assert case.grade == "serious"
        else:
            assert case.clocks["respond"].status == "stopped"
    assert all(cases[f"s1/service/N-{n}"].grade == "serious" for n in range(0, 150, 3))
    await site.check_nothing_lost_or_doubled()


@pytest.mark.parametrize("point", ["escalation.decided", "escalation.committing", "escalation.committed"])
async def test_a_kill_in_the_middle_costs_nothing(site: Site, point: str) -> None:
    await activate(site)
    service = await started(site)
    many = [f"K-{n}" for n in range(100)]
    await opened(site, *many, category="service")
    assert await service.terminate() == 0
    done = await activate(site, bound=1000)
    doomed = Escalation(site.servers)
    await doomed.start(REEVE_CRASH_AT=f"{point}:2")
    assert await doomed.ended() == -signal.SIGKILL
    await started(site)
    await all_follow(site, ("service",), done.version)
    adopted, graded = await how_often(site, "adopted"), await how_often(site, "graded")
    for subject in many:
        case_id = f"s1/service/{subject}"
        assert (adopted[case_id], graded[case_id]) == (1, 2), subject
    await site.check_nothing_lost_or_doubled()


async def test_the_preview_decides_a_sample_and_keeps_nothing(site: Site, tmp_path: Any) -> None:
    await activate(site)
    await started(site)
    for category in ("complaint", "repair", "service"):
        await opened(site, *(f"{category}-{n}" for n in range(3)), category=category)
    before = await site.cases()
    folder = write_rules(tmp_path / "rules", rule_files(bound=1000))
    looked = await run_reeve(site, "rules", "push", str(folder), "--dry-run", "--json")
    assert looked.code == 0, looked.err
    assert [(row["policy"], row["on_change"], row["cases"]) for row in looked.of("cases")] == [
        ("complaint", "pin", 3),
        ("repair", "adopt", 3),
        ("service", "recompute", 3),
    ]
    samples = {row["policy"]: row for row in looked.of("sample")}
    assert samples["repair"]["grades"] == []
    assert samples["service"]["grades"] == [{"was": "ordinary", "grade": "serious", "cases": 3}]
    assert await site.cases() == before
    words = await run_reeve(site, "rules", "push", str(folder), "--dry-run")
    assert "service (recompute): 3 open cases are graded and timed anew" in words.out
    assert "all 3 of them, decided now: 3 would go from ordinary to serious" in words.out


async def test_a_person_puts_a_case_on_another_file_and_it_stays_there(site: Site) -> None:
    first = await activate(site)
    await started(site)
    await opened(site, "T-1", category="repair")
    await opened(site, "T-2", category="complaint")
    second = await activate(site, bound=1000)
    await all_follow(site, ("repair",), second.version)

    # A pinned case goes on with the current file, and is graded by it.
    ran = await run_reeve(
        site, "cases", "repin", "T-2", "--by", "u-7", "--reason", "agreed", "--recompute", "--json"
    )
    assert ran.code == 0, ran.err
    (row,) = ran.rows
    assert (row["case"], row["version"], row["changed"]) == ("s1/complaint/T-2", second.version, True)
    (line,) = await said(site, "s1/complaint/T-2", "adopted")
    assert (line["on_change"], line["by"], line["reason"]) == ("person", "u-7", "agreed")
    assert (await site.cases())["s1/complaint/T-2"].grade == "serious"
    again = await run_reeve(site, "cases", "repin", "T-2")
    assert (again.code, "already" in again.out) == (0, True)

    # One that follows every change is put on an earlier file, and later activations leave it there.
    ran = await run_reeve(site, "cases", "repin", "s1/repair/T-1", "--to", first.version[:6], "--by", "u-7")
    assert ran.code == 0, ran.err
    kept = (await site.cases())["s1/repair/T-1"]
    await opened(site, "T-3", category="repair")
    third = await activate(site, bound=500)

    async def other_follows() -> bool:
        return (await site.cases())["s1/repair/T-3"].digest in await _digests(site, third.version)

    await eventually("T-3 follows", other_follows)
    later = ticket("acknowledged", "T-1")
    await site.post([later])
    await site.all_applied([later])
    case = (await site.cases())["s1/repair/T-1"]
    assert case.digest == kept.digest
    assert case.digest in await _digests(site, first.version)
    assert len(await said(site, "s1/repair/T-1", "adopted")) == 2
    history = await run_reeve(site, "rules", "history", "--json")
    assert history.rows[0]["following"] == 0, "a case that a person has put on its file is not waited for"
    await site.check_nothing_lost_or_doubled()


async def test_what_can_not_be_repinned_is_said(site: Site) -> None:
    await activate(site)
    await started(site)
    posted = await opened(site, "T-1", category="repair")
    closed = ticket("closed", "T-1")
    await site.post([closed])
    await site.all_applied([*posted, closed])
    ran = await run_reeve(site, "cases", "repin", "T-1")
    assert (ran.code, "is closed" in ran.err) == (1, True), ran.err
    ran = await run_reeve(site, "cases", "repin", "T-9")
    assert (ran.code, "no case" in ran.err) == (1, True), ran.err


async def test_a_rejection_is_counted_and_the_running_rules_stay(site: Site, tmp_path: Any) -> None:
    done = await activate(site)
    await started(site)
    folder = write_rules(tmp_path / "rules", rule_files(complaint="policy: complaint\ntakes: nothing\n"))
    ran = await run_reeve(site, "rules", "push", str(folder), "--yes")
    assert ran.code == 1
    assert "complaint.yaml:2:8: error" in ran.err

    async def logged() -> bool:
        return '"bundle_rejected"' in (site.servers.folder / "escalation.log").read_text()

    await eventually("the service has heard of it", logged)
    active = await BundleStore(site.database).active()
    assert active is not None
    assert active.version == done.version
    posted = await opened(site, "T-1", category="complaint", loss_cny=2500)
    await site.all_applied(posted)
    assert (await site.cases())["s1/complaint/T-1"].grade == "serious"


async def _digests(site: Site, version: str) -> tuple[str, ...]:
    stored = await BundleStore(site.database).get(version)
    assert stored is not None
    return stored.policies
