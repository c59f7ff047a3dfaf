"""The sections of the benchmark: each takes the rig and gives figures. Design: figures to reach."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path
from time import perf_counter

from nats.aio.msg import Msg

from reeve.contracts.events import canonical
from reeve.contracts.subjects import events_subject
from reeve.devstack.bench.decide_loops import OurLoop, naive_batch_rate, one_at_a_time_rate, our_rate
from reeve.devstack.bench.figures import Figure, median_of, percentile
from reeve.devstack.bench.rig import Rig, complaints
from reeve.domain.events import Event
from reeve.runtime.store.events import EventStore
from reeve.runtime.time_source import SystemTime

Section = Callable[[Rig, bool], AsyncIterator[Figure]]
"""Takes the rig and whether it shall be quick."""

_RUNS = 3
_DISPATCH_LIMIT = timedelta(minutes=10)
"""Source: COMPLAINT-06. The timers section lets this one run out for every case."""
_WINDOW = timedelta(seconds=60)


async def escalation(rig: Rig, quick: bool) -> AsyncIterator[Figure]:
    """Events a second through escalation, all steps durable, beside the loops one would write first."""
    count = 2000 if quick else 10000
    few = count // 20
    ours, naive, single = [], [], []
    for _ in range(_RUNS):
        ours.append(await _measured(rig, count, our_rate))
        naive.append(await _measured(rig, count, naive_batch_rate))
        single.append(await _measured(rig, few, one_at_a_time_rate))
    yield median_of("escalation", "ours, all steps durable", ours, "events/s")
    yield median_of("escalation", "naive batch loop (fetch 256)", naive, "events/s")
    yield median_of("escalation", "one message at a time", single, "events/s")
    yield median_of(
        "escalation",
        "ours ÷ naive batch loop",
        [a / b for a, b in zip(ours, naive, strict=True)],
        "times",
        1.5,
    )
    yield median_of(
        "escalation", "ours ÷ one at a time", [a / b for a, b in zip(ours, single, strict=True)], "times", 10
    )


async def _measured(rig: Rig, count: int, rate: Callable[[Rig, int], Awaitable[float]]) -> float:
    await rig.fresh()
    await rig.database["naive_cases"].create_index("route")
    await rig.accept(list(complaints(count, SystemTime().now())))
    return await rate(rig, count)


async def latency(rig: Rig, quick: bool) -> AsyncIterator[Figure]:
    """Milliseconds from an event's posting to its first requested notification on the bus."""
    for rate, bar in ((100, 100.0), (1000, 250.0)):
        medians, tails = [], []
        for _ in range(_RUNS):
            values = await _latencies(rig, rate, 4 if quick else 15)
            medians.append(percentile(values, 50) * 1000)
            tails.append(percentile(values, 99) * 1000)
        yield median_of("latency", f"p50 at {rate} events/s", medians, "ms", better="less")
        yield median_of("latency", f"p99 at {rate} events/s", tails, "ms", bar, "less")


async def _latencies(rig: Rig, rate: int, seconds: int) -> list[float]:
    await rig.fresh()
    posted_at: dict[str, float] = {}
    seen: dict[str, float] = {}

    async def requested(message: Msg) -> None:
        subject = message.subject.rpartition(".")[2]
        if subject not in seen:
            seen[subject] = perf_counter()

    subscription = await rig.bus.client.subscribe("notifications.*.requested.>", cb=requested)
    store = EventStore(rig.database)
    events = list(complaints(rate * seconds, SystemTime().now(), "L"))
    slice_size = max(1, rate // 50)
    posting: set[asyncio.Task[None]] = set()
    async with OurLoop(rig):
        begun = perf_counter()
        for start in range(0, len(events), slice_size):
            await asyncio.sleep(max(0.0, begun + start / rate - perf_counter()))
            part = events[start : start + slice_size]
            posted_at.update(dict.fromkeys((event.subject for event in part), perf_counter()))
            posting.add(asyncio.create_task(_post(rig, store, part)))
        await asyncio.gather(*posting)
        limit = perf_counter() + 60
        while len(seen) < len(events) and perf_counter() < limit:  # noqa: ASYNC110 - a count, no event
            await asyncio.sleep(0.02)
    await subscription.unsubscribe()
    missing = [perf_counter() - at for subject, at in posted_at.items() if subject not in seen]
    return [at - posted_at[subject] for subject, at in seen.items()] + missing


async def _post(rig: Rig, store: EventStore, part: list[Event]) -> None:
    now = SystemTime().now()
    await store.insert(part, now)
    await rig.publisher.publish_all(
        (events_subject(event.site, event.type, event.subject), event.key, canonical(event), None) for event in part
    )


async def timers(rig: Rig, quick: bool) -> AsyncIterator[Figure]:
    """Deadlines that come within one minute: how late each is decided, and that each comes exactly once."""
    count = 2000 if quick else 20000
    await rig.fresh()
    async with OurLoop(rig) as ours:
        # Long enough ahead that all cases are open and all schedules set before the first is due.
        first_due = SystemTime().now() + timedelta(seconds=20 if quick else 150)
        events = [
            _moved(event, first_due - _DISPATCH_LIMIT + _WINDOW * (number / count))
            for number, event in enumerate(complaints(count, first_due, "D"))
        ]
        await rig.accept(events)
        await ours.until(count)
        ready = SystemTime().now()
        yield Figure("timers", "left until the first was due", (first_due - ready).total_seconds(), "s", 0)
        last_due = first_due + _WINDOW
        while (wait := (last_due - SystemTime().now()).total_seconds()) > 0:  # noqa: ASYNC110 - a date
            await asyncio.sleep(min(wait, 1))
        limit = perf_counter() + 60
        while await _breached(rig) < count and perf_counter() < limit:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.25)
        await ours.outbox.drained()
    late, times = await _lateness(rig)
    yield Figure("timers", "due within one minute", count, "timers")
    yield Figure("timers", "lost", sum(1 for event in events if not times.get(event.subject)), "timers", 0, "less")
    yield Figure("timers", "doubled", sum(1 for each in times.values() if each > 1), "timers", 0, "less")
    yield Figure("timers", "lateness p50", percentile(late, 50), "s", better="less")
    yield Figure("timers", "lateness p99", percentile(late, 99), "s", 1.0, "less")


def _moved(event: Event, at: datetime) -> Event:
    data = {**event.data, "loss_cny": 0}
    return Event(event.site, event.source, event.id, event.type, event.subject, at, data, event.key)


async def _breached(rig: Rig) -> int:
    return await rig.database["decisions"].count_documents({"lines": {"$regex": '"breached","clock":"dispatch"'}})


async def _lateness(rig: Rig) -> tuple[list[float], dict[str, int]]:
    """Seconds from each dispatch breach's moment to its decision, and how many breaches each subject had."""
    late: list[float] = []
    times: dict[str, int] = {}
    async for document in rig.database["decisions"].find({"event": None}, {"at": 1, "lines": 1}):
        for line in json.loads(document["lines"]):
            if line["effect"] == "breached" and line["clock"] == "dispatch":
                times[line["case"]] = times.get(line["case"], 0) + 1
                late.append((document["at"] - datetime.fromisoformat(line["at"])).total_seconds())
    return late, times


async def memory(rig: Rig, quick: bool) -> AsyncIterator[Figure]:
    """Resident memory of this process, after a run of escalation."""
    count = 2000 if quick else 10000
    await _measured(rig, count, our_rate)
    yield Figure("memory", "this process after a run of escalation", _resident_megabytes(), "MB", better="less")


def _resident_megabytes() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


SECTIONS: dict[str, Section] = {
    "escalation": escalation,
    "latency": latency,
    "timers": timers,
    "memory": memory,
}
