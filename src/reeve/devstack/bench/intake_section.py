"""Section `intake`: posts over HTTP, beside the same HTTP server with less behind it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from itertools import count
from time import perf_counter

from reeve.devstack.bench.figures import Figure, median_of, ratio_of
from reeve.devstack.bench.posting import ndjson_posts, post_all, single_posts
from reeve.devstack.bench.programs import BenchFailed, prepare, running, service
from reeve.devstack.bench.rig import Rig, serious_complaints
from reeve.devstack.launching import free_port
from reeve.domain.events import Event
from reeve.runtime.store.events import COLLECTION
from reeve.runtime.store.mongo import Database, open_database
from reeve.runtime.time_source import SystemTime

SECTION = "intake"
_RUNS = 3
_CONNECTIONS = 32
_BATCH_CONNECTIONS = 8
_BATCH = 100
_PUBLISHED_SECONDS = 60.0
_BAR_BATCH = 3.0
_BAR_SINGLE = 0.6
"""Source: design, figures to reach."""


@dataclass
class _Rates:
    """Events a second, a value per run."""

    nothing: list[float] = field(default_factory=list)
    no_bus: list[float] = field(default_factory=list)
    single: list[float] = field(default_factory=list)
    single_answered: list[float] = field(default_factory=list)
    batch: list[float] = field(default_factory=list)
    batch_answered: list[float] = field(default_factory=list)


async def intake(rig: Rig, quick: bool) -> AsyncGenerator[Figure, None]:
    """Events a second that intake takes, and what of that storing and publishing cost."""
    await rig.fresh()
    seconds, most = (1.0, 3_000) if quick else (4.0, 24_000)
    without_bus = open_database(rig.client, f"{rig.name}-nobus")
    await prepare(rig, rig.database)
    await prepare(rig, without_bus)
    rates = _Rates()
    plain = free_port()
    arguments = ("reeve.devstack.bench.plain_service", "--work", "nothing", "--port", str(plain))
    unreachable = {
        "REEVE_NATS_URL": f"nats://127.0.0.1:{free_port()}",
        "REEVE_MONGO_DATABASE": without_bus.name,
    }
    numbers = count(step=most)

    def some() -> list[Event]:
        return list(serious_complaints(most, SystemTime().now(), next(numbers)))

    async with (
        running(rig, "plain service", arguments, plain, {}) as stored_nowhere,
        service(rig, "intake", "intake without a bus", **unreachable) as no_bus,
        service(rig, "intake") as full,
    ):
        await asyncio.gather(*(program.ready() for program in (stored_nowhere, no_bus, full)))
        for port in (plain, no_bus.port, full.port):
            await post_all(port, list(single_posts(some()))[:300], _CONNECTIONS, 1.0)
        await _published(rig.database)
        for run in range(1, _RUNS + 1):
            for name, step in _steps(rates, rig.database, plain, no_bus.port, full.port, some, seconds):
                rig.tell(f"intake: {name}, run {run} of {_RUNS}")
                await step()
    await rig.client.drop_database(without_bus.name)
    for figure in _figures(rates):
        yield figure


def _steps(
    rates: _Rates,
    database: Database,
    plain: int,
    no_bus: int,
    full: int,
    some: Callable[[], list[Event]],
    seconds: float,
) -> Iterable[tuple[str, Callable[[], Awaitable[None]]]]:
    """What one run does, in turn."""

    async def answered(port: int, into: list[float]) -> None:
        requests = list(single_posts(some()))
        begun = perf_counter()
        posted = await post_all(port, requests, _CONNECTIONS, seconds)
        into.append(posted / (perf_counter() - begun))

    async def single() -> None:
        requests = list(single_posts(some()))
        begun = perf_counter()
        posted = await post_all(full, requests, _CONNECTIONS, seconds)
        rates.single_answered.append(posted / (perf_counter() - begun))
        await _published(database)
        rates.single.append(posted / (perf_counter() - begun))

    async def batch() -> None:
        requests = list(ndjson_posts(some(), _BATCH))
        begun = perf_counter()
        posted = _BATCH * await post_all(full, requests, _BATCH_CONNECTIONS, seconds)
        rates.batch_answered.append(posted / (perf_counter() - begun))
        await _published(database)
        rates.batch.append(posted / (perf_counter() - begun))

    return (
        ("single posts", single),
        ("the same server, nothing stored", lambda: answered(plain, rates.nothing)),
        ("the bus unreachable", lambda: answered(no_bus, rates.no_bus)),
        (f"NDJSON of {_BATCH}", batch),
    )


async def _published(database: Database) -> None:
    """Everything accepted is on the bus, and marked so."""
    end = perf_counter() + _PUBLISHED_SECONDS
    while left := await database[COLLECTION].count_documents({"published_at": None}):
        if perf_counter() > end:
            raise BenchFailed(f"intake had {left} events not yet on the bus after {_PUBLISHED_SECONDS:g} s")
        await asyncio.sleep(0.03)


def _figures(rates: _Rates) -> Iterable[Figure]:
    yield median_of(SECTION, f"single posts, {_CONNECTIONS} connections: on the bus", rates.single, "events/s")
    yield median_of(SECTION, "single posts: answered", rates.single_answered, "events/s")
    yield median_of(SECTION, "reference: same server, nothing stored", rates.nothing, "events/s")
    yield median_of(SECTION, "reference: intake, bus unreachable", rates.no_bus, "events/s")
    yield median_of(SECTION, f"NDJSON of {_BATCH}: on the bus", rates.batch, "events/s")
    yield median_of(SECTION, f"NDJSON of {_BATCH}: answered", rates.batch_answered, "events/s")
    yield ratio_of(SECTION, "single ÷ same server, nothing stored", rates.single, rates.nothing, _BAR_SINGLE)
    yield ratio_of(SECTION, "single ÷ intake, bus unreachable", rates.single, rates.no_bus, _BAR_SINGLE)
    yield ratio_of(SECTION, f"NDJSON of {_BATCH} ÷ single", rates.batch, rates.single, _BAR_BATCH)
