"""Kills, restarts and a bus put back to an older copy, under a steady load: nothing is lost, nothing is doubled.

Run in seconds here. REEVE_CHAOS_MINUTES=10 keeps breaking things for that long, with a copy of the bus that is a
minute old each time.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import random
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import unquote

import nats
import nats.errors
import pytest
import pytest_asyncio

from reeve.domain.stored import load_case
from reeve.runtime.bus.connection import connect_bus
from reeve.runtime.store.outbox import outbox_row
from tests.support.shared_servers import SharedServers
from tests.support.stack import SERVICES, Stack, running_stack
from tests.support.story import SITE, Json, complaint, event, key_of, mail_of, rules_copy, staff
from tests.support.waiting import PATIENCE, eventually

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.long,
    pytest.mark.asyncio(loop_scope="module"),
]

SHORT = {
    "complaint.yaml": {"major: 5m, serious: 8m, ordinary: 10m": "major: 5m, serious: 8m, ordinary: 3s"},
}
CHAOS_MINUTES = float(os.environ.get("REEVE_CHAOS_MINUTES", "0"))
POSTERS = 6
PER_SECOND = 12


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stack(server_pair: SharedServers, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    folder = tmp_path_factory.mktemp("nothing-lost")
    async with running_stack(
        server_pair, folder, rules_copy(folder / "rules", SHORT), REEVE_LOG_LEVEL="info"
    ) as running:
        await running.people(*staff())
        yield running


class Load:
    """Complaints opened at a steady pace, every second one acknowledged; some major, some of one incident."""

    def __init__(self, stack: Stack, tag: str) -> None:
        self.posted: list[Json] = []
        self._stack = stack
        self._tag = tag
        self._numbers = iter(range(1_000_000))
        self._stop = asyncio.Event()

    async def run(self) -> None:
        """Posts until stopped, whatever is away meanwhile."""
        async with asyncio.TaskGroup() as posters:
            for _ in range(POSTERS):
                posters.create_task(self._post())

    def stop(self) -> None:
        """What has begun is still posted."""
        self._stop.set()

    async def _post(self) -> None:
        while not self._stop.is_set():
            number = next(self._numbers)
            for each in self._story(number):
                self.posted.append(each)
                await self._stack.post_stubbornly(each)
                if number % 17 == 0:
                    await self._stack.post_stubbornly(each)  # a careful site posts again
            await asyncio.sleep(POSTERS / PER_SECOND)

    def _story(self, number: int) -> Iterator[Json]:
        subject = f"{self._tag}-{number:04}"
        data: Json = {"customer": f"C-{number}", "title": "noise"}
        if number % 10 == 0:
            data["loss_cny"] = 12000
        elif number % 10 < 3:
            data["incident"] = f"I-{self._tag}-{number // 40}"
        yield complaint(subject, **data)
        if number % 2:
            yield event("ticket.acknowledged", subject)


@asynccontextmanager
async def load(stack: Stack, tag: str) -> AsyncIterator[Load]:
    """A load inside; afterwards all of it is accepted."""
    running = Load(stack, tag)
    task = asyncio.create_task(running.run())
    try:
        yield running
    finally:
        running.stop()
        await task


async def progress(running: Load, count: int) -> None:
    """So many more events have been posted."""
    wanted = len(running.posted) + count

    async def there() -> bool:
        return len(running.posted) >= wanted

    await eventually(f"{count} more events are posted", there)


async def test_kills_of_every_service_at_random_moments(stack: Stack) -> None:
    rng = random.Random(2)
    kills: Counter[str] = Counter()
    async with load(stack, "K") as running:
        for name in rng.sample(SERVICES * 2, k=6):
            await stack.services[name].ready()
            await progress(running, rng.randrange(5, 25))
            await asyncio.sleep(rng.uniform(0, 0.2))
            await stack.restart(name)
            kills[name] += 1
        await progress(running, 20)
    await check_everything(stack, running.posted, notify_kills=kills["notify"])


async def test_a_kill_within_a_transaction_holds_up_nobody(stack: Stack) -> None:
    escalation = stack.escalation
    await escalation.stop()
    await escalation.start(REEVE_CRASH_AT="escalation.committing:2")
    posted = [complaint(f"T-{n}") for n in range(20)]
    for each in posted:
        await stack.post_stubbornly(each)
    await eventually("escalation has died within a transaction", escalation.dead)
    # A minute is what MongoDB gives a transaction that nobody ends; so long that waiting for it is no way out.
    await end_transactions_after(stack, 24 * 3600)
    try:
        await escalation.start()
        await stack.quiet()
    finally:
        await end_transactions_after(stack, 60)
    await check_everything(stack, posted, notify_kills=0, tags=("T",))


async def end_transactions_after(stack: Stack, seconds: int) -> None:
    await stack.mongo_client.admin.command({"setParameter": 1, "transactionLifetimeLimitSeconds": seconds})


async def test_the_bus_and_the_record_go_down_under_load(stack: Stack) -> None:
    async with load(stack, "S") as running:
        await progress(running, 30)
        by_bus = await post_by_bus(stack, [complaint(f"SB-{n}") for n in range(10)])
        for server in (stack.nats, stack.mongo, stack.mongo, stack.nats):
            await server.kill()
            await asyncio.sleep(0.3)
            await server.start()
            await progress(running, 30)
    assert all(service.alive for service in stack.services.values()), "no service ended for it"
    await check_everything(stack, [*running.posted, *by_bus], notify_kills=0, tags=("S",))


async def test_the_bus_is_put_back_to_an_older_copy(stack: Stack) -> None:
    async with load(stack, "B") as running:
        await progress(running, 60)
        copy = await stack.copy_bus()
        await progress(running, 120)
        await stack.restore_bus(copy)
        await progress(running, 40)
    await check_everything(stack, running.posted, notify_kills=0, tags=("B",))


@pytest.mark.skipif(not CHAOS_MINUTES, reason="set REEVE_CHAOS_MINUTES to break things for longer")
@pytest.mark.timeout(60 * (CHAOS_MINUTES + 5))
async def test_chaos(stack: Stack) -> None:
    rng = random.Random(3)
    loop = asyncio.get_running_loop()
    end = loop.time() + 60 * CHAOS_MINUTES
    copy, copied_at = await stack.copy_bus(), loop.time()
    kills = 0
    async with load(stack, "C") as running:
        while loop.time() < end:
            await progress(running, rng.randrange(20, 200))
            if loop.time() - copied_at > 60:
                await stack.restore_bus(copy)
                copy, copied_at = await stack.copy_bus(), loop.time()
                continue
            victim = rng.choice([*SERVICES, "nats", "mongo"])
            if victim in SERVICES:
                kills += victim == "notify"
                await stack.restart(victim)
                await stack.services[victim].ready()
            else:
                server = stack.nats if victim == "nats" else stack.mongo
                await server.kill()
                await server.start()
    await check_everything(stack, running.posted, notify_kills=kills, tags=("C",))


async def post_by_bus(stack: Stack, events: list[Json]) -> list[Json]:
    """Posted on intake.>, as a site system that speaks NATS does, and in the record."""
    client = await nats.connect(stack.nats.url)
    try:
        for each in events:
            subject = f"intake.{SITE}.{each['type']}"
            await client.jetstream(timeout=PATIENCE).publish(subject, json.dumps(each).encode())
    finally:
        await client.close()
    keys = [key_of(each) for each in events]

    async def stored() -> bool:
        return await stack.database["events"].count_documents({"_id": {"$in": keys}}) == len(keys)

    await eventually("what was posted on the bus is in the record", stored)
    return events


# --- afterwards


async def check_everything(
    stack: Stack, posted: Sequence[Json], *, notify_kills: int, tags: tuple[str, ...] = ()
) -> None:
    """No event, case, effect or message is lost; none is there twice, but for one repeat per kill of notify."""
    try:
        await at_rest(stack)
        await check_events(stack, posted)
        await check_decisions(stack)
        await check_bus(stack)
        await check_requests(stack)
        await check_deliveries(stack, notify_kills, tags)
        check_people_heard(stack, posted)
    finally:
        if not stack.escalation.alive:
            await stack.escalation.start()


async def at_rest(stack: Stack) -> None:
    """Escalation is stopped, so that no deadline moves anything, and the bus that runs now has every message.

    What notify adds to a timeline while escalation stops, escalation publishes when it runs again.
    """
    bus = await connect_bus(stack.nats.url, "test", PATIENCE)
    await bus.close()

    async def all_published() -> bool:
        return await stack.database["outbox"].count_documents({"server_id": {"$ne": bus.server_id}}) == 0

    async def stopped_at_rest() -> bool:
        await stack.quiet()
        await eventually("the bus that runs now has acknowledged every message", all_published)
        await stack.escalation.stop()
        await stack.quiet()
        if await all_published():
            return True
        await stack.escalation.start()
        return False

    # Nothing is posted any more, so the deadlines that still come are few.
    await eventually("everything is at rest", stopped_at_rest, 4 * PATIENCE)


async def check_events(stack: Stack, posted: Sequence[Json]) -> None:
    """Each is in the record, and its case took it once."""
    cases = {each["_id"]: load_case(each["state"]) async for each in stack.database["cases"].find()}
    lost = []
    for each in posted:
        case = cases.get(f"{SITE}/complaint/{each['subject']}")
        if case is None or case.applied.count(key_of(each)) != 1:
            lost.append(each)
    assert not lost
    assert await stack.database["events"].count_documents(
        {"_id": {"$in": [key_of(each) for each in posted]}}
    ) == len(posted)


async def check_decisions(stack: Stack) -> None:
    """Each version of each case was decided once, none is missing, and all clocks have their next moment."""
    versions: dict[str, list[int]] = {}
    async for each in stack.database["decisions"].find({}, {"case": 1}):
        number = each["_id"].rpartition("#")[2]
        if number.isdigit():
            versions.setdefault(each["case"], []).append(int(number))
    async for each in stack.database["cases"].find({"unopened": {"$ne": True}}):  # duties to come have no decision
        assert sorted(versions.pop(each["_id"])) == list(range(1, each["version"] + 1)), each["_id"]
        assert not each["open"] or each["next_due"] is not None
    assert not versions, "decisions without a case"


async def check_bus(stack: Stack) -> None:
    """What was decided is on the bus, each effect once; what was accepted likewise."""
    expected: Counter[str] = Counter()
    async for each in stack.database["outbox"].find():
        expected.update(message.msg_id for message in outbox_row(each).messages)
    told = [*await stack.on_bus("CASES"), *await stack.on_bus("NOTIFICATIONS")]
    seen = Counter(unquote((message.headers or {})["Nats-Msg-Id"]) for message in told)
    assert max(expected.values()) == 1
    assert not set(expected) - set(seen), "messages are missing"
    assert not [key for key, count in seen.items() if count > 1], "messages are doubled"
    async for each in stack.database["deliveries"].find():
        assert not each["open"]
    events = Counter((message.headers or {})["Nats-Msg-Id"] for message in await stack.on_bus("EVENTS"))
    assert max(events.values()) == 1, "an accepted event is on the bus twice"
    assert len(events) == await stack.database["events"].count_documents({}), "accepted events are missing"


async def check_requests(stack: Stack) -> None:
    """Every `notify` line that was not overtaken stands as a requested notification, once."""
    lines: Counter[tuple[str, str]] = Counter()
    async for each in stack.database["decisions"].find():
        if each["_id"].rpartition("#")[2].isdigit():
            for line in json.loads(each["lines"]):
                if line["effect"] == "notify":
                    lines[each["case"], line["step"]] += 1
                elif line["effect"] == "suppressed" and "once_per" not in line:
                    lines[each["case"], line["step"]] -= 1
    requested: Counter[tuple[str, str]] = Counter()
    rounds: Counter[tuple[Any, ...]] = Counter()
    async for each in stack.database["notifications"].find():
        requested[each["case"], each["step"]] += 1
        rounds[each["case"], each["step"], each["run"], each["level"], each["round"]] += 1
        assert await stack.database["deliveries"].count_documents({"notification": each["_id"]}) >= len(each["to"])
    assert max(rounds.values()) == 1, "a round was requested twice"
    assert requested == +lines


async def check_deliveries(stack: Stack, notify_kills: int, tags: tuple[str, ...]) -> None:
    """Sent once; where a crash left it open whether it was, at most once more for each, and recorded so."""
    arrived: Counter[str] = Counter()
    for message in stack.messages:
        arrived[
            message.details["message-id" if message.channel == "email" else "id"].strip("<>").split("@")[0]
        ] += 1
    known = 0
    async for each in stack.database["deliveries"].find({"channel": {"$in": ["email", "sms"]}}):
        results = [attempt["result"] for attempt in each["attempts"]]
        digest = hashlib.sha256(each["_id"].encode()).hexdigest()
        times = arrived[digest[:40]] if each["channel"] == "email" else arrived[digest[:32]]
        if each["state"] == "suppressed":
            # Acknowledged before it was sent, or before it was known whether it had been.
            assert times <= results.count("unknown"), (each["_id"], results, times)
            known += times > 0
            continue
        known += times > 0
        assert each["state"] == "sent", (each["_id"], each["state"], results)
        unknown = results.count("unknown")
        assert results[-1] == ("resent" if unknown else "sent"), results
        assert 1 <= times <= 1 + unknown, (each["_id"], results, times)
        if each["subject"].startswith(tags):
            assert unknown <= notify_kills, results
    assert known == len(arrived), "every message that arrived is a delivery of the record"


def check_people_heard(stack: Stack, posted: Sequence[Json]) -> None:
    """The department head hears of every complaint: no acknowledgement stops that."""
    heard = {text for message in stack.to(mail_of("department_head")) for text in message.text.split()}
    subjects = {each["subject"] for each in posted}
    assert not {subject for subject in subjects if f"{subject}" not in " ".join(heard)}
