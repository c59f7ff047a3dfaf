"""The sections of the benchmark: each takes the rig and gives figures. Design: figures to reach."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from datetime import datetime, timedelta
from time import perf_counter

from nats.aio.msg import Msg

from reeve.contracts.events import canonical
from reeve.contracts.subjects import events_subject
from reeve.devstack.bench.activation_section import activation
from reeve.devstack.bench.decide_loops import OurLoop, naive_batch_rate, one_at_a_time_rate, our_rate
from reeve.devstack.bench.end_to_end_section import end_to_end, memory
from reeve.devstack.bench.figures import Figure, median_of, percentile, ratio_of
from reeve.devstack.bench.intake_section import intake
from reeve.devstack.bench.kills_section import kills
from reeve.devstack.bench.notify_section import notify
from reeve.devstack.bench.rig import Rig, complaints
from reeve.devstack.bench.rules_section import rules, simulate
from reeve.domain.events import Event
from reeve.runtime.store.events import EventStore
from reeve.runtime.time_source import SystemTime

Section = Callable[[Rig, bool], AsyncGenerator[Figure, None]]
"""Takes the rig and whether it shall be quick."""

_RUNS = 3
_DISPATCH_LIMIT = timedelta(minutes=10)
"""Source: COMPLAINT-06. The timers section lets this one run out for every case."""
_TIMERS_A_SECOND = 20_000 / 60
_LONGEST_LEAD = timedelta(seconds=150)
_TRIED = 1000
"""Cases opened to see how long opening all will take."""


async def escalation(rig: Rig, quick: bool) -> AsyncGenerator[Figure, None]:
    """Events a second through escalation, all steps durable, beside the loops one would write first."""
    count = 500 if quick else 5000
    few = count // 20
    ours, naive, single = [], [], []
    for run in range(1, _RUNS + 1):
        rig.tell(f"escalation: {count} events through each loop, run {run} of {_RUNS}")
        ours.append(await _measured(rig, count, our_rate))
        naive.append(await _measured(rig, count, naive_batch_rate))
        single.append(await _measured(rig, few, one_at_a_time_rate))
    yield median_of("escalation", "ours, all steps durable", ours, "events/s")
    yield median_of("escalation", "naive batch loop (fetch 256)", naive, "events/s")
    yield median_of("escalation", "one message at a time", single, "events/s")
    yield ratio_of("escalation", "ours ÷ naive batch loop", ours, naive, 1.5)
    yield ratio_of("escalation", "ours ÷ one at a time", ours, single, 10)


async def _measured(rig: Rig, count: int, rate: Callable[[Rig, int], Awaitable[float]]) -> float:
    await rig.fresh()
    await rig.database["naive_cases"].create_index("route")
    await rig.accept(list(complaints(count, SystemTime().now())))
    return await rate(rig, count)


async def latency(rig: Rig, quick: bool) -> AsyncGenerator[Figure, None]:
    """Milliseconds from an event's posting to its first requested notification on the bus."""
    for rate, bar in ((100, 100.0), (1000, 250.0)):
        medians, tails = [], []
        for run in range(1, _RUNS + 1):
            rig.tell(f"latency: {rate} events/s, run {run} of {_RUNS}")
            values = await _latencies(rig, rate, 1 if quick else 6)
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


async def timers(rig: Rig, quick: bool) -> AsyncGenerator[Figure, None]:
    """Deadlines that come as 20,000 within a minute do: how late each is decided, and that each comes once."""
    count = 2000 if quick else 20000
    window = timedelta(seconds=count / _TIMERS_A_SECOND)
    rig.tell(f"timers: opening {_TRIED} cases to see how long {count} will take")
    await rig.fresh()
    begun = perf_counter()
    await rig.accept(list(complaints(_TRIED, SystemTime().now())))
    await our_rate(rig, _TRIED)
    lead = timedelta(seconds=5 + 1.2 * (perf_counter() - begun) * count / _TRIED)
    await rig.fresh()
    async with OurLoop(rig) as ours:
        # Long enough ahead that all cases are open and all schedules set before the first is due.
        first_due = SystemTime().now() + min(lead, _LONGEST_LEAD)
        events = [
            _moved(event, first_due - _DISPATCH_LIMIT + window * (number / count))
            for number, event in enumerate(complaints(count, first_due, "D"))
        ]
        rig.tell(f"timers: opening {count} cases")
        await rig.accept(events)
        await ours.until(count)
        ready = SystemTime().now()
        yield Figure("timers", "left until the first was due", (first_due - ready).total_seconds(), "s", 0)
        last_due = first_due + window
        while (wait := (last_due - SystemTime().now()).total_seconds()) > 0:
            rig.tell(f"timers: the last one is due in {wait:.0f} s")
            await asyncio.sleep(min(wait, 1))
        limit = perf_counter() + 60
        while await _breached(rig) < count and perf_counter() < limit:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.25)
        await ours.outbox.drained()
    late, times = await _lateness(rig)
    yield Figure("timers", f"due within {window.total_seconds():g} s", count, "timers")
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


SECTIONS: dict[str, Section] = {
    "intake": intake,
    "escalation": escalation,
    "latency": latency,
    "timers": timers,
    "notify": notify,
    "kills": kills,
    "end-to-end": end_to_end,
    "memory": memory,
    "rules": rules,
    "simulate": simulate,
    "activation": activation,
}
"""By the name that `reeve bench` knows it by, in the order in which they run."""
