"""Servers of our own for a benchmark, and a clean start for each measurement on them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from reeve.contracts.events import canonical
from reeve.contracts.subjects import events_subject
from reeve.devstack.servers import ServerUrls, servers
from reeve.domain.bundle import Bundle
from reeve.domain.events import Event, event_key
from reeve.rulelang.load import load_bundle, read_folder
from reeve.runtime.bus.connection import BusConnection, connect_bus
from reeve.runtime.bus.publisher import BusPublisher
from reeve.runtime.bus.streams import STREAMS, declare_streams
from reeve.runtime.matchers import matcher_named
from reeve.runtime.store import cases, events, notifications
from reeve.runtime.store.events import EventStore
from reeve.runtime.store.mongo import Client, Database, connect_store, ensure_indexes, open_database
from reeve.runtime.time_source import SystemTime

SITES = 40
"""Events are spread over this many sites."""
_POSTED = 1000


@dataclass
class Rig:
    """Both servers, connected; `fresh` begins a measurement."""

    urls: ServerUrls
    bus: BusConnection
    client: Client
    publisher: BusPublisher
    bundle: Bundle
    runs: int = 0
    name: str = "bench"

    @property
    def database(self) -> Database:
        """The database of the measurement under way."""
        return open_database(self.client, self.name)

    async def fresh(self) -> None:
        """No event, case, message, timer or consumer is left of the measurement before."""
        await self.client.drop_database(self.name)
        self.runs += 1
        self.name = f"bench{self.runs}"
        context = self.bus.jetstream
        for stream in STREAMS:
            await context.delete_stream(stream["name"])
        await declare_streams(self.bus)
        for module in (cases, events, notifications):
            await ensure_indexes(self.database, module.INDEXES)

    async def accept(self, posted: Sequence[Event]) -> None:
        """In the record and on the bus, as intake leaves them; WORK holds them when this returns."""
        store = EventStore(self.database)
        now = SystemTime().now()
        for start in range(0, len(posted), _POSTED):
            part = posted[start : start + _POSTED]
            await store.insert(part, now)
            await store.mark_published([event.key for event in part], now)
            await self.publisher.publish_all(
                (events_subject(event.site, event.type, event.subject), event.key, canonical(event), None)
                for event in part
            )
        context = self.bus.jetstream
        while (await context.stream_info("WORK")).state.messages < len(posted):  # noqa: ASYNC110
            await asyncio.sleep(0.02)


def complaints(count: int, at: datetime, tag: str = "B", ago: timedelta = timedelta()) -> Iterator[Event]:
    """New complaints of many sites, each on a subject of its own, every tenth sharing an incident."""
    grades = (0, 2500, 12000, 120000)
    for number in range(count):
        site = f"site-{number % SITES}"
        posted = f"{tag}{number}"
        data = {
            "category": "complaint",
            "title": "ceiling leak in the corridor",
            "customer": f"C-{number % 977}",
            "loss_cny": grades[number % 4],
            "incident": f"I-{tag}{number // 10 if number % 10 == 0 else number}",
        }
        yield Event(
            site,
            "/bench",
            posted,
            "ticket.opened",
            f"T-{tag}{number}",
            at - ago,
            data,
            event_key(site, "/bench", posted),
        )


@asynccontextmanager
async def rig(folder: Path, rules: Path) -> AsyncIterator[Rig]:
    """Servers whose data lies in `folder`. Raises StackError; ValueError if the rules can't be used."""
    loaded = load_bundle(read_folder(rules)).bundle
    if loaded is None:
        raise ValueError(f"the rules in {rules} can't be used; see `reeve rules check`")
    bundle = replace(loaded, matcher=matcher_named("closures"))
    async with servers(folder) as urls:
        bus = await connect_bus(urls.nats_url, "bench", 10)
        client = connect_store(urls.mongo_url, "bench")
        publisher = BusPublisher(bus)
        await publisher.start()
        try:
            await declare_streams(bus)
            yield Rig(urls, bus, client, publisher, bundle)
        finally:
            await bus.close()
            await client.close()
