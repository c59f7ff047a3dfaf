"""Escalation's loop, and the two plainer loops that one would write first. All decide with the same core.

The plain loops do less: no outbox, no record of notifications or applied events. They are what it costs to do
without, not what one should run.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from datetime import timedelta
from time import perf_counter
from typing import Self

from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig
from pymongo import ReplaceOne

from reeve.contracts.events import parse_event
from reeve.contracts.outgoing import messages_of
from reeve.devstack.bench.rig import Rig
from reeve.domain.advance import apply_event
from reeve.domain.case import Case
from reeve.domain.counts import Count, count_key
from reeve.domain.errors import NotLoaded
from reeve.domain.events import Event
from reeve.domain.facts import zone_of
from reeve.domain.stored import dump_case, load_case
from reeve.domain.workset import Workset, subject_key
from reeve.ports import CaseRecord
from reeve.runtime.bus.lanes import LANES
from reeve.runtime.store.cases import MongoCaseRecord
from reeve.runtime.store.mongo import Document
from reeve.runtime.time_source import SystemTime
from services.escalation.inbox import Inbox
from services.escalation.loop import Loop
from services.escalation.outbox import Committed, Outbox
from services.escalation.supposing import SupposingWorkset

_FETCH = 256
PLAIN_PREFIX = "plain."
"""Before the subjects of what is decided beside running services, which must not take it for theirs."""


class FixedRules:
    """One bundle for ever."""

    def __init__(self, rig: Rig) -> None:
        self.bundle = rig.bundle

    async def recall(self, digest: str) -> bool:
        """There is no other bundle."""
        return False


class OurLoop:
    """Escalation's own parts, put together as the service does, in this process."""

    def __init__(self, rig: Rig, capacity: int = 2048, most: int = 512) -> None:
        self.settled = 0
        time = SystemTime()
        record: CaseRecord = MongoCaseRecord(rig.client, rig.database)
        self.inbox = Inbox(rig.bus, capacity)
        self.outbox = Outbox(rig.bus, rig.publisher, record, time, lambda: self.inbox.lanes, timedelta(seconds=600))
        self.loop = Loop(
            self.inbox,
            record,
            FixedRules(rig),
            rig.publisher,
            self._hand_over,
            self.outbox.sweep_soon,
            time,
            most,
            self.outbox.deciding,
        )
        self._tasks: list[asyncio.Task[None]] = []

    async def _hand_over(self, batch: Committed) -> None:
        await self.outbox.add(batch)
        self.settled += len(batch.settled)

    async def __aenter__(self) -> Self:
        self._tasks = [asyncio.create_task(self.loop.run()), asyncio.create_task(self.outbox.run())]
        for lane in range(LANES):
            await self.inbox.open_lane(lane)
        return self

    async def until(self, count: int) -> None:
        """Returns when that many messages were decided, told and acknowledged."""
        while self.settled < count:
            for task in self._tasks:
                if task.done():
                    task.result()
            await asyncio.sleep(0.005)
        await self.outbox.drained()

    async def __aexit__(self, *exc: object) -> None:
        for lane in range(LANES):
            await self.inbox.close_lane(lane)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def our_rate(rig: Rig, count: int) -> float:
    """Events a second, every step durable."""
    begun = perf_counter()
    async with OurLoop(rig) as ours:
        await ours.until(count)
        return count / (perf_counter() - begun)


async def naive_batch_rate(rig: Rig, count: int) -> float:
    """Events a second of: fetch 256, load, decide, compare-and-set bulk_write, publish_async, ack each."""
    context = rig.bus.jetstream
    subscription = await context.pull_subscribe(
        "work.>", durable="naive", stream="WORK", config=ConsumerConfig(ack_policy=AckPolicy.EXPLICIT)
    )
    begun = perf_counter()
    done = 0
    while done < count:
        messages = await subscription.fetch(min(_FETCH, count - done), timeout=5)
        await _naive_batch(rig, context, messages)
        for message in messages:
            await message.ack()
        done += len(messages)
    await rig.bus.client.flush()
    return count / (perf_counter() - begun)


async def one_at_a_time_rate(rig: Rig, count: int) -> float:
    """Events a second of the same, one message after the other, each publish awaited."""
    context = rig.bus.jetstream
    subscription = await context.pull_subscribe(
        "work.>", durable="single", stream="WORK", config=ConsumerConfig(ack_policy=AckPolicy.EXPLICIT)
    )
    begun = perf_counter()
    for _ in range(count):
        messages = await subscription.fetch(1, timeout=5)
        await _naive_batch(rig, context, messages, pipelined=False)
        await messages[0].ack_sync()
    return count / (perf_counter() - begun)


async def _naive_batch(rig: Rig, context: JetStreamContext, messages: list[Msg], *, pipelined: bool = True) -> None:
    await decide_plainly(rig, context, [parse_event(message.data) for message in messages], pipelined=pipelined)


async def decide_plainly(
    rig: Rig, context: JetStreamContext, posted: Sequence[Event], *, pipelined: bool = True, prefix: str = ""
) -> None:
    """The events are decided, their cases saved, and what that asks for is on the bus; no step can be repeated.

    `prefix` goes before every subject.
    """
    workset, versions = await _load(rig, posted)
    now = SystemTime().now()
    for event in posted:
        while True:
            try:
                apply_event(workset, event, rig.bundle, now)
                break
            except NotLoaded as missing:
                await _supply(rig, workset, missing)
                workset.applied.discard(event.key)
    await _save(rig, workset.changed_cases.values(), workset.changed_counts.values(), versions)
    waiting = []
    for decided in workset.decisions:
        zone = zone_of(rig.bundle.site(decided.key.site).zone)
        case = workset.changed_cases[str(decided.key)]
        for effect in decided.effects:
            for out in messages_of(effect, case, zone):
                headers = {"Nats-Msg-Id": out.id}
                subject = f"{prefix}{out.subject}"
                if pipelined:
                    waiting.append(await context.publish_async(subject, out.body, headers=headers))
                else:
                    await context.publish(subject, out.body, headers=headers)
    if waiting:
        await asyncio.gather(*waiting)


async def _load(rig: Rig, posted: Sequence[Event]) -> tuple[Workset, dict[str, int]]:
    keys = {subject_key(event.site, event.family, event.subject) for event in posted}
    found: dict[str, list[Case]] = {key: [] for key in keys}
    versions: dict[str, int] = {}
    async for document in rig.database["naive_cases"].find({"route": {"$in": list(keys)}}):
        found[document["route"]].append(load_case(document["state"]))
        versions[document["_id"]] = document["version"]
    # The same shortcut that ours takes, or most of the time here would go into deciding again.
    workset = SupposingWorkset()
    for key, cases in found.items():
        workset.load_subject(key, cases, ())
    rules = [rule for policy in rig.bundle.policies.values() for rule in policy.counts]
    for event in posted:
        for rule in rules:
            if (key_ := count_key(event.site, rule, event.data)) is not None:
                workset.load_count(key_, None)
    return workset, versions


async def _supply(rig: Rig, workset: Workset, missing: NotLoaded) -> None:
    match missing.kind:
        case "claim":
            workset.load_claim(missing.key, None)
        case "count":
            workset.load_count(missing.key, None)
        case "counted":
            workset.load_counted(missing.key, ())
        case "subject":
            workset.load_subject(missing.key, (), ())
        case _:
            workset.load_absent(missing.key)


async def _save(rig: Rig, cases: Iterable[Case], counts: Iterable[Count], versions: dict[str, int]) -> None:
    requests: list[ReplaceOne[Document]] = []
    for case in cases:
        case_id = str(case.key)
        route = subject_key(case.key.site, case.family, case.root or case.key.subject)
        document = {"_id": case_id, "version": case.version, "route": route, "state": dump_case(case)}
        known = {"_id": case_id, "version": versions.get(case_id, 0)}
        requests.append(ReplaceOne(known, document, upsert=True))
    if requests:
        await rig.database["naive_cases"].bulk_write(requests)
