"""Sections `end-to-end` and `memory`: the three services as processes, from an HTTP post to an email."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from nats.js.api import AckPolicy, ConsumerConfig

from reeve.devstack.bench.arrivals import arrivals, arrived
from reeve.devstack.bench.decide_loops import PLAIN_PREFIX
from reeve.devstack.bench.figures import Figure, median_of, percentile, ratio_of
from reeve.devstack.bench.posting import post_all, post_paced, single_posts
from reeve.devstack.bench.programs import SERVICES, BenchFailed, journal, prepare, running, service
from reeve.devstack.bench.rig import SITES, Rig, serious_complaints, site_names
from reeve.devstack.bench.takers import Taker, mail_taker
from reeve.devstack.launching import free_port
from reeve.devstack.local_server import HOST
from reeve.domain.duties import runs_at
from reeve.runtime.store.scheduled_duties import ScheduledDuties
from reeve.runtime.time_source import SystemTime

SECTION = "end-to-end"
_RUNS = 3
_CONNECTIONS = 32
_LIMIT_SECONDS = 60.0
RATE = 50.0
"""Events a second while latency is measured."""
_TASTERS = SITES
"""One of each site: the first event of a site brings all its duties with it, a second's work for many sites."""
_WATCHER = "bench-watcher"


@dataclass
class World:
    """Everything, running."""

    rig: Rig
    taker: Taker
    ports: dict[str, int]
    pids: dict[str, int]
    posted: int = 0
    each: int = 0
    """Notifications that one event asks for, and so emails: everybody has one address and no telephone."""

    def requests(self, count: int) -> list[bytes]:
        """Posts of new cases, the first number of which is `posted`, counted as posted."""
        events = serious_complaints(count, SystemTime().now(), self.posted)
        self.posted += count
        return list(single_posts(events))

    async def requested(self) -> int:
        """How many requested notifications the bus has had since the start."""
        found = await self.rig.bus.jetstream.consumer_info("NOTIFICATIONS", _WATCHER)
        return found.num_pending or 0

    async def until_requested(self, wanted: int) -> None:
        """So many are on the bus since the start. Raises BenchFailed."""
        await _until("requested notifications", self.requested, wanted)


async def _until(what: str, count: Callable[[], Awaitable[int]], wanted: int) -> None:
    end = perf_counter() + _LIMIT_SECONDS
    while (found := await count()) < wanted:
        if perf_counter() > end:
            raise BenchFailed(f"{found} of {wanted} {what} after {_LIMIT_SECONDS:g} s")
        await asyncio.sleep(0.02)


@asynccontextmanager
async def world(rig: Rig) -> AsyncIterator[World]:
    """The services run on a clean start, and have done a little work. Raises StackError."""
    await rig.fresh()
    await prepare(rig, rig.database, SITES)
    async with AsyncExitStack() as stack:
        taker = await stack.enter_async_context(mail_taker(rig))
        smtp = {"REEVE_SMTP_HOST": HOST, "REEVE_SMTP_PORT": str(taker.port), **journal(rig)}
        programs = {name: await stack.enter_async_context(service(rig, name, **smtp)) for name in SERVICES}
        await asyncio.gather(*(program.ready() for program in programs.values()))
        await rig.bus.jetstream.add_consumer(
            "NOTIFICATIONS",
            ConsumerConfig(
                durable_name=_WATCHER, filter_subject="notifications.*.requested.*", ack_policy=AckPolicy.EXPLICIT
            ),
        )
        running_pids = {**rig.pids, **{name: program.pid for name, program in programs.items()}}
        found = World(rig, taker, {name: program.port for name, program in programs.items()}, running_pids)
        await _taste(found)
        await _duties_are_there(rig)
        # What the plain service publishes must not reach ours.
        await rig.bus.jetstream.add_stream(name="PLAIN", subjects=[f"{PLAIN_PREFIX}>"])
        yield found
        await rig.bus.jetstream.delete_stream("PLAIN")


async def _duties_are_there(rig: Rig) -> None:
    """A clean start puts the coming duties of every site into the record: work of its first seconds alone."""
    duties = ScheduledDuties(rig.database)

    async def sites_with_duties() -> int:
        return len({each.site for each in await duties.coming()})

    all_duties = rig.bundle.duties.values()
    wanted = sum(any(runs_at(duty, site) for duty in all_duties) for site in site_names())
    await _until("sites with duties", sites_with_duties, wanted)
    before = -1
    while (now := await rig.database["cases"].estimated_document_count()) != before:
        before = now
        await asyncio.sleep(1)


async def _taste(world: World) -> None:
    """How many notifications the rules ask for each event is known, and the services are warm."""
    await post_all(world.ports["intake"], world.requests(_TASTERS), 1, _LIMIT_SECONDS)
    database = world.rig.database

    async def applied() -> int:
        return await database["events"].count_documents({"applied_at": {"$ne": None}})

    await _until("events decided", applied, _TASTERS)
    asked = await database["notifications"].count_documents({})
    world.each, left = divmod(asked, _TASTERS)
    if left or not world.each:
        raise BenchFailed(f"these rules ask for {asked} notifications of {_TASTERS} serious complaints")
    await world.until_requested(asked)
    await world.taker.until(asked)


async def end_to_end(rig: Rig, quick: bool) -> AsyncGenerator[Figure, None]:
    """Events a second from post to requested notification, and milliseconds from post to email."""
    most, wanted_seconds, seconds = (150, 0.5, 1.0) if quick else (2000, 5.0, 10.0)
    ours, delivered, plain = [], [], []
    of_ours: list[list[float]] = []
    plain_latencies: list[list[float]] = []
    async with world(rig) as here, _plain(rig, "decide", here) as deciding, _plain(rig, "mail", here) as mailing:
        # Sized by what this machine does, so that a slow one is done in time as well.
        count = round(min(most, max(100, wanted_seconds * (await throughput(here, 100))[1])))
        for run in range(1, _RUNS + 1):
            rig.tell(f"end-to-end: events/s, run {run} of {_RUNS}")
            rates = await throughput(here, count)
            ours.append(rates[0])
            delivered.append(rates[1])
            rig.tell(f"end-to-end: events/s of the plain service, run {run} of {_RUNS}")
            plain.append(await _answered(here, deciding, most, wanted_seconds))
            rig.tell(f"end-to-end: latency at {RATE:g} events/s, run {run} of {_RUNS}")
            of_ours.append(await latencies(here, here.ports["intake"], here.each, seconds))
            rig.tell(f"end-to-end: latency of the plain service, run {run} of {_RUNS}")
            plain_latencies.append(await latencies(here, mailing, 3, seconds / 2))
    yield median_of(SECTION, "post → graded → notification requested", ours, "events/s")
    yield median_of(SECTION, "post → every email delivered", delivered, "events/s")
    yield median_of(SECTION, "reference: plain service, a post at a time", plain, "events/s")
    yield ratio_of(SECTION, "post → requested ÷ plain service", ours, plain)
    for percent in (50, 99):
        ours_ms = [percentile(values, percent) * 1000 for values in of_ours]
        of_plain = [percentile(values, percent) * 1000 for values in plain_latencies]
        yield median_of(SECTION, f"post → email p{percent} at {RATE:g} events/s", ours_ms, "ms", better="less")
        yield median_of(SECTION, f"reference: no record kept, p{percent}", of_plain, "ms", better="less")
        yield ratio_of(SECTION, f"p{percent} ÷ no record kept", ours_ms, of_plain, better="less")


@asynccontextmanager
async def _plain(rig: Rig, work: str, here: World) -> AsyncIterator[int]:
    """The port of a plain service that does this work."""
    port = free_port()
    arguments = [
        *("reeve.devstack.bench.plain_service", "--work", work, "--port", str(port)),
        *("--smtp-port", str(here.taker.port), "--nats-url", rig.urls.nats_url, "--mongo-url", rig.urls.mongo_url),
        *("--database", rig.name, "--rules", str(rig.rules)),
    ]
    async with running(rig, f"plain service {work}", arguments, port, {}) as program:
        await program.ready()
        yield port


async def throughput(here: World, count: int) -> tuple[float, float]:
    """Events a second until all notifications are requested, and until all emails are delivered."""
    requests = here.requests(count)
    requested_before, come_before = await here.requested(), arrived(here.taker.out)
    begun = perf_counter()
    if await post_all(here.ports["intake"], requests, _CONNECTIONS, _LIMIT_SECONDS) < count:
        raise BenchFailed(f"intake did not take {count} events in {_LIMIT_SECONDS:g} s")
    await here.until_requested(requested_before + count * here.each)
    requested = perf_counter() - begun
    await here.taker.until(come_before + count * here.each)
    return count / requested, count / (perf_counter() - begun)


async def _answered(here: World, port: int, count: int, seconds: float) -> float:
    requests = here.requests(count)
    begun = perf_counter()
    answered = await post_all(port, requests, _CONNECTIONS, seconds)
    return answered / (perf_counter() - begun)


async def latencies(here: World, port: int, each: int, seconds: float, rate: float = RATE) -> list[float]:
    """Seconds from the moment an event was due to be posted to the arrival of each of its emails.

    `rate`: events a second.
    """
    first, before = here.posted, arrived(here.taker.out)
    count = round(rate * seconds)
    due = await post_paced(port, here.requests(count), rate)
    await here.taker.until(before + count * each)
    return [
        at - due[number - first]
        for at, number in arrivals(here.taker.out, before)
        if number is not None and first <= number < first + count
    ]


async def memory(rig: Rig, quick: bool) -> AsyncGenerator[Figure, None]:
    """Resident memory of each process, idle and after a load from end to end."""
    count = 200 if quick else 3000
    async with world(rig) as here:
        idle = {name: _resident_megabytes(pid) for name, pid in here.pids.items()}
        rig.tell(f"memory: {count} events from end to end")
        await throughput(here, count)
        loaded = {name: _resident_megabytes(pid) for name, pid in here.pids.items()}
    for name in idle:
        yield Figure("memory", f"{name}, idle", idle[name], "MB", better="less")
        yield Figure("memory", f"{name}, after {count} events", loaded[name], "MB", better="less")
        yield Figure("memory", f"{name}, after ÷ idle", loaded[name] / idle[name], "times", better="less")


def _resident_megabytes(pid: int) -> float:
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    except OSError as error:
        raise BenchFailed("memory is measured on Linux only") from error
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
