"""Kills, restarts and a restored bus, under load: no event, case or effect lost, nothing requested twice."""

from __future__ import annotations

import asyncio
import random
import shutil
import signal
from datetime import datetime

import pytest

from reeve.domain.events import Event
from tests.support.escalation import Escalation, Site, eventually, minutes_ago, ticket

pytestmark = [pytest.mark.integration, pytest.mark.long]

POINTS = [
    "escalation.decided",
    "escalation.committing",
    "escalation.committed",
    "escalation.published",
    "escalation.acknowledging",
    "escalation.acknowledged",
]


def load(tag: str, count: int, at: datetime | None = None) -> list[Event]:
    """Complaints, each opened, answered out of order with its neighbours, some sharing an incident."""
    opened = [
        ticket("opened", f"{tag}-{n}", at=at, category="complaint", incident=f"{tag}-I-{n % 20}", customer=f"C-{n}")
        for n in range(count)
    ]
    acknowledged = [ticket("acknowledged", f"{tag}-{n}", at=at) for n in range(0, count, 2)]
    return [*opened, *acknowledged]


async def post_in_waves(site: Site, posted: list[Event], size: int = 40) -> None:
    """As a busy morning comes in."""
    for start in range(0, len(posted), size):
        await site.post(posted[start : start + size])
        await asyncio.sleep(0.05)


async def check_everything_happened(site: Site, posted: list[Event]) -> None:
    """Each subject has its case, each event was applied to it once, every message is out once."""
    await site.all_applied(posted)
    cases = await site.cases()
    for event in posted:
        case = cases[f"s1/complaint/{event.subject}"]
        assert case.applied.count(event.key) == 1
        stopped = case.clocks["respond"].status == "stopped"
        assert stopped == any(other.verb == "acknowledged" and other.subject == event.subject for other in posted)
    await site.check_nothing_lost_or_doubled()


@pytest.mark.parametrize("point", POINTS)
async def test_a_kill_between_any_two_steps_loses_and_doubles_nothing(site: Site, point: str) -> None:
    doomed = Escalation(site.servers)
    await doomed.start(REEVE_CRASH_AT=f"{point}:3")
    posted = load("K", 200)
    posting = asyncio.create_task(post_in_waves(site, posted))
    assert await doomed.ended() == -signal.SIGKILL
    heir = Escalation(site.servers)
    await heir.start()
    await posting
    await check_everything_happened(site, posted)
    await heir.kill()


async def test_kills_at_random_moments(site: Site) -> None:
    rng = random.Random(7)
    posted = load("R", 600)
    posting = asyncio.create_task(post_in_waves(site, posted))
    service = Escalation(site.servers)
    await service.start()
    for _ in range(4):
        await service.ready()
        await asyncio.sleep(rng.uniform(0.02, 0.6))
        await service.kill()
        await service.start()
    await posting
    await check_everything_happened(site, posted)
    await service.kill()


@pytest.mark.parametrize("server", ["nats", "mongo"])
async def test_a_server_that_dies_pauses_the_work_and_loses_nothing(site: Site, server: str) -> None:
    service = Escalation(site.servers)
    await service.start()
    await service.ready()
    posted = load("S", 500)
    posting = asyncio.create_task(post_in_waves(site, posted, 25))
    victim = site.servers.nats if server == "nats" else site.servers.mongo
    for _ in range(2):
        await asyncio.sleep(0.3)
        await victim.kill()
        await asyncio.sleep(0.5)
        await victim.start()
    await posting
    await check_everything_happened(site, posted)
    assert service.child.returncode is None, "the service itself stayed up"
    await service.kill()


async def test_a_bus_restored_from_an_older_copy_loses_and_doubles_nothing(site: Site) -> None:
    service = Escalation(site.servers)
    await service.start()
    await service.ready()
    before = load("A", 60)
    await post_in_waves(site, before)
    await site.all_applied(before)
    await eventually("first messages out", site.outbox_is_empty)
    nats = site.servers.nats
    await nats.stop()
    copy = nats.folder / "copy"
    await asyncio.to_thread(shutil.copytree, nats.store, copy)
    await nats.start()

    # Due three seconds from now, so its schedule is set after the copy was made and is lost with it.
    due_soon = ticket("opened", "D-1", at=minutes_ago(10 - 3 / 60), category="complaint")
    after = [*load("B", 60), due_soon]
    await post_in_waves(site, after)
    await site.all_applied(after)
    await eventually("later messages out", site.outbox_is_empty)
    await nats.kill()
    await asyncio.to_thread(shutil.rmtree, nats.store)
    await asyncio.to_thread(copy.rename, nats.store)
    await nats.start()

    last = load("C", 20)
    await post_in_waves(site, last)
    # What intake does when the bus is another process: it publishes again what it published lately.
    await site.publish([*before, *after])
    await check_everything_happened(site, [*before, *[e for e in after if e is not due_soon], *last])

    async def breached() -> bool:
        lines = await site.effects("s1/complaint/D-1")
        return any(line["effect"] == "breached" and line["clock"] == "respond" for line in lines)

    await eventually("the deadline whose schedule was lost", breached)
    await service.kill()


async def test_two_replicas_share_the_lanes_and_one_takes_over(site: Site) -> None:
    first, second = Escalation(site.servers), Escalation(site.servers)
    second.log = site.servers.folder / "second.log"
    await first.start()
    await first.ready()
    await second.start()
    await second.ready()
    posted = load("P", 300)
    posting = asyncio.create_task(post_in_waves(site, posted))
    await asyncio.sleep(0.5)
    await first.kill()
    await posting
    await check_everything_happened(site, posted)
    await second.kill()
