"""Servers of our own for a benchmark, and a clean start for each measurement on them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from reeve.contracts.events import canonical
from reeve.contracts.subjects import events_subject
from reeve.devstack.mongo_server import MongoServer
from reeve.devstack.nats_server import NatsServer
from reeve.devstack.servers import ServerUrls, start_together
from reeve.domain.bundle import Bundle
from reeve.domain.errors import ReeveError
from reeve.domain.events import Event, event_key
from reeve.rulelang.load import load_bundle, read_folder
from reeve.runtime.bus.connection import BusConnection, connect_bus
from reeve.runtime.bus.publisher import BusPublisher
from reeve.runtime.bus.streams import declare_streams
from reeve.runtime.matchers import matcher_named
from reeve.runtime.store import cases, events, notifications
from reeve.runtime.store.events import EventStore
from reeve.runtime.store.mongo import Client, Database, connect_store, ensure_indexes, open_database
from reeve.runtime.time_source import SystemTime

SITES = 40
"""Events are spread over this many sites."""
_POSTED = 1000

Tell = Callable[[str], None]
"""Is told what goes on, for whoever watches a terminal."""


class RulesUnusable(ReeveError):
    """There is nothing to decide by; the sentence says where to look."""


def untold(text: str) -> None:
    """Nobody watches."""


@dataclass
class Rig:
    """Both servers, connected; `fresh` begins a measurement."""

    urls: ServerUrls
    bus: BusConnection
    client: Client
    publisher: BusPublisher
    bundle: Bundle
    nats: NatsServer | None = None
    """The bus, for those that may empty it."""
    runs: int = 0
    name: str = "bench"
    folder: Path = field(default_factory=Path)
    """For logs of programs that a section starts."""
    rules: Path = field(default_factory=Path)
    pids: Mapping[str, int] = field(default_factory=dict)
    """The servers' process ids by their names."""
    tell: Tell = untold

    @property
    def database(self) -> Database:
        """The database of the measurement under way."""
        return open_database(self.client, self.name)

    async def fresh(self) -> None:
        """No event, case, message, timer or consumer is left of the measurement before.

        Raises RuntimeError on a bus of somebody else's.
        """
        if self.nats is None:
            raise RuntimeError("only who has the bus itself may empty it")
        await self.client.drop_database(self.name)
        self.runs += 1
        self.name = f"bench{self.runs}"
        await self.nats.drop_streams()
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


def site_names() -> list[str]:
    """The sites of all events here."""
    return [f"site-{number}" for number in range(SITES)]


def complaints(
    count: int, at: datetime, tag: str = "B", ago: timedelta = timedelta(), first: int = 0
) -> Iterator[Event]:
    """New complaints of many sites, each on a subject of its own, every tenth sharing an incident."""
    grades = (0, 2500, 12000, 120000)
    sites = site_names()
    for number in range(first, first + count):
        site = sites[number % SITES]
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


def serious_complaints(count: int, at: datetime, first: int) -> Iterator[Event]:
    """The same, all of one grade that no quiet hours hold back, and each an incident of its own.

    So each asks for the same number of notifications, at any hour of the day. Their subjects are T-X<number>,
    numbered from `first`.
    """
    for event in complaints(count, at, "X", first=first):
        data = {**event.data, "loss_cny": 2500, "incident": f"I-{event.id}"}
        yield Event(event.site, event.source, event.id, event.type, event.subject, event.at, data, event.key)


@asynccontextmanager
async def rig(folder: Path, rules: Path, tell: Tell = untold) -> AsyncIterator[Rig]:
    """Servers whose data lies in `folder`. Raises StackError, RulesUnusable."""
    bundle = usable_bundle(rules)
    async with AsyncExitStack() as stack:
        nats_server, mongo_server = NatsServer(folder / "nats"), MongoServer(folder / "mongo")
        tell("starting nats-server and mongod")
        await start_together(stack, [mongo_server, nats_server])
        urls = ServerUrls(nats_server.url, mongo_server.url)
        connected = await stack.enter_async_context(connected_rig(urls, bundle, nats_server))
        await declare_streams(connected.bus)
        pids = {"nats-server": nats_server.pid, "mongod": mongo_server.pid}
        yield replace(connected, folder=folder, rules=rules, pids=pids, tell=tell)


@asynccontextmanager
async def connected_rig(urls: ServerUrls, bundle: Bundle, nats: NatsServer | None = None) -> AsyncIterator[Rig]:
    """A rig on servers that run already. Raises Away."""
    bus = await connect_bus(urls.nats_url, "bench", 10)
    client = connect_store(urls.mongo_url, "bench")
    publisher = BusPublisher(bus)
    await publisher.start()
    try:
        yield Rig(urls, bus, client, publisher, bundle, nats)
    finally:
        await bus.close()
        await client.close()


def usable_bundle(rules: Path) -> Bundle:
    """The folder's rules, ready to decide by. Raises RulesUnusable."""
    loaded = load_bundle(read_folder(rules)).bundle
    if loaded is None:
        raise RulesUnusable(f"The rules in {rules} can't be used; `reeve rules check` says why.")
    return replace(loaded, matcher=matcher_named("closures"))
