"""A real escalation service on real servers, fed as intake feeds it, and looked at from outside."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from reeve.contracts.events import canonical
from reeve.contracts.subjects import events_subject
from reeve.devstack.launching import Child
from reeve.domain.case import Case
from reeve.domain.events import Event, event_key
from reeve.domain.stored import load_case
from reeve.ports import Away
from reeve.runtime.bus.connection import BusConnection, connect_bus
from reeve.runtime.bus.publisher import BusPublisher
from reeve.runtime.bus.streams import declare_streams
from reeve.runtime.store import cases, events, notifications
from reeve.runtime.store.events import EventStore
from reeve.runtime.store.mongo import Client, Database, ensure_indexes, open_database
from reeve.runtime.store.outbox import outbox_row
from reeve.runtime.time_source import SystemTime
from tests.support.patient_store import patient_store
from tests.support.seeding import RULES, Seed, plant
from tests.support.shared_servers import SharedServers
from tests.support.waiting import PATIENCE
from tests.support.waiting import eventually as eventually

DATABASE = "reeve"


def now() -> datetime:
    """Aware UTC; escalation runs on the real clock here."""
    return SystemTime().now()


_ids = iter(range(1, 1_000_000_000))


def ticket(verb: str, subject: str, *, site: str = "s1", at: datetime | None = None, **data: Any) -> Event:
    """A ticket event of now (or `at`), with data as keywords."""
    posted = f"e{next(_ids)}"
    key = event_key(site, "/test", posted)
    return Event(site, "/test", posted, f"ticket.{verb}", subject, at or now(), data, key)


class Servers:
    """NATS and MongoDB of one test, to be stopped, killed and started again, and what it starts on them."""

    def __init__(self, pair: SharedServers, folder: Path) -> None:
        self.nats = pair.nats
        self.mongo = pair.mongo
        self.folder = folder
        self.started: list[Child] = []
        """Every service process, so that none outlives its test."""

    def environment(self, **more: str) -> dict[str, str]:
        """For a service process; short delays so that tests need not wait."""
        return {
            **os.environ,
            "REEVE_NATS_URL": self.nats.url,
            "REEVE_MONGO_URL": self.mongo.url,
            "REEVE_MONGO_DATABASE": DATABASE,
            "REEVE_RULES": str(RULES),
            "REEVE_ESCALATION_HOST": "127.0.0.1",
            "REEVE_ESCALATION_PORT": "0",
            "REEVE_ESCALATION_LEASE": "1.0",
            "REEVE_ESCALATION_TICK_GRACE": "0.5",
            "REEVE_ESCALATION_EVENT_GRACE": "3",
            "REEVE_ESCALATION_RECONCILE": "0.2",
            # Small batches, so that a point in a batch is passed often however fast the machine is.
            "REEVE_ESCALATION_BATCH": "24",
            **more,
        }


class Escalation:
    """The service as a process of its own."""

    def __init__(self, servers: Servers) -> None:
        self._servers = servers
        self._child: Child | None = None
        self.log = servers.folder / "escalation.log"

    async def start(self, **environment: str) -> None:
        """The process runs; it may not be ready yet."""
        command = [sys.executable, "-m", "tests.support.run_escalation"]
        self._child = await Child.start(
            command, env=self._servers.environment(**environment), log=self.log, cwd=RULES.parent
        )
        self._servers.started.append(self._child)

    async def ready(self) -> None:
        """It decides: its lanes are taken. Raises AssertionError with its log if it ended instead."""

        async def taken() -> bool:
            text = self.log.read_text() if self.log.exists() else ""
            assert self.child.returncode is None, text[-3000:]
            return '"lanes_taken"' in text.rpartition('"service_starting"')[2]

        await eventually("escalation ready", taken)

    @property
    def child(self) -> Child:
        """The process."""
        assert self._child is not None
        return self._child

    async def ended(self, timeout_seconds: float = PATIENCE) -> int:
        """Its exit code, once it has ended by itself."""
        return await asyncio.wait_for(self.child.wait(), timeout_seconds)

    async def kill(self) -> None:
        """As kill -9."""
        if self._child is not None:
            await self._child.kill()

    async def terminate(self) -> int:
        """As SIGTERM; its exit code."""
        self.child.signal(signal.SIGTERM)
        return await self.ended()


class Site:
    """What intake and integrators are to escalation: posts events, reads the record and the bus."""

    def __init__(self, servers: Servers, bus: BusConnection, client: Client) -> None:
        self.servers = servers
        self.bus = bus
        self.client = client
        self.database: Database = open_database(client, DATABASE)
        self.publisher = BusPublisher(bus)
        self._store = EventStore(self.database)

    async def post(self, posted: Sequence[Event], *, publish: bool = True) -> None:
        """Accepted, in the record and on the bus, as intake does it; waits for servers that are away."""

        async def insert() -> bool:
            await self._store.insert(posted, now())
            return True

        await _patiently(insert)
        if publish:
            await self.publish(posted)

    async def publish(self, posted: Sequence[Event]) -> None:
        """On the bus (again), with the Nats-Msg-Id that intake gives them."""

        async def send() -> bool:
            messages = [(events_subject(e.site, e.type, e.subject), e.key, canonical(e), None) for e in posted]
            return not await self.publisher.publish_all(messages)

        await _patiently(send)
        await _patiently(lambda: self._mark(posted))

    async def _mark(self, posted: Sequence[Event]) -> bool:
        await self._store.mark_published([event.key for event in posted], now())
        return True

    async def applied(self, posted: Sequence[Event]) -> bool:
        """Whether every one of them was decided."""
        events = self.database["events"]
        # What is open has an index of its own; asking after hundreds of keys each time would be a load in itself.
        if await events.find_one({"applied_at": None}) is not None:
            return False
        keys = [event.key for event in posted]
        return await events.count_documents({"_id": {"$in": keys}, "applied_at": {"$ne": None}}) == len(keys)

    async def all_applied(self, posted: Sequence[Event], timeout_seconds: float = PATIENCE) -> None:
        """Returns when every one was decided."""
        await eventually("events applied", lambda: self.applied(posted), timeout_seconds)

    async def cases(self) -> dict[str, Case]:
        """Every case by id."""
        return {doc["_id"]: load_case(doc["state"]) async for doc in self.database["cases"].find()}

    async def effects(self, case_id: str) -> list[dict[str, Any]]:
        """The case's timeline lines."""
        found = await self.database["decisions"].find({"case": case_id}).to_list()
        found.sort(key=lambda document: int(document["_id"].rpartition("#")[2]))
        return [line for document in found for line in json.loads(document["lines"])]

    async def messages(self, stream: str) -> list[tuple[str, str]]:
        """Every message of a stream: subject and Nats-Msg-Id, in order."""
        context = self.bus.client.jetstream(timeout=PATIENCE)
        state = (await context.stream_info(stream)).state
        found: list[tuple[str, str]] = []
        if not state.messages:
            return found
        reading = await context.subscribe(">", stream=stream, ordered_consumer=True)
        while True:
            message = await reading.next_msg(timeout=PATIENCE)
            found.append((message.subject, (message.headers or {}).get("Nats-Msg-Id", "")))
            if message.metadata.sequence.stream >= state.last_seq:
                await reading.unsubscribe()
                return found

    async def requested_ids(self) -> Counter[str]:
        """How often each notification was requested on the bus."""
        found = await self.messages("NOTIFICATIONS")
        return Counter(key for subject, key in found if ".requested." in subject)

    async def outbox_is_empty(self) -> bool:
        """Every message was acknowledged by the bus and marked."""
        query = {"server_id": {"$ne": self.bus.server_id}}
        return await self.database["outbox"].count_documents(query) == 0

    async def check_nothing_lost_or_doubled(self) -> None:
        """Every decision's messages are on the bus once, every notification stands in the record once."""
        await eventually("outbox empty", self.outbox_is_empty)
        expected: Counter[str] = Counter()
        async for document in self.database["outbox"].find():
            expected.update(message.msg_id for message in outbox_row(document).messages)
        assert max(expected.values(), default=1) == 1, "one effect, decided twice"
        told = [*await self.messages("CASES"), *await self.messages("NOTIFICATIONS")]
        seen = Counter(key for _, key in told)
        assert set(expected) <= {unquote(key) for key in seen}, "messages are missing"
        assert max(seen.values(), default=1) == 1, "messages were doubled"
        requested: set[str] = set()
        rounds: Counter[tuple[Any, ...]] = Counter()
        async for document in self.database["notifications"].find():
            requested.add(document["_id"])
            rounds[tuple(document[name] for name in ("case", "step", "level", "run", "round"))] += 1
        assert max(rounds.values(), default=1) == 1, "a round of a step was requested twice"
        assert {unquote(key) for key in await self.requested_ids()} == requested


async def _patiently(work: Callable[[], Awaitable[bool]], timeout_seconds: float = PATIENCE) -> None:
    async with asyncio.timeout(timeout_seconds):
        while True:
            try:
                if await work():
                    return
            except Away:
                pass
            await asyncio.sleep(0.1)


@asynccontextmanager
async def running_site(pair: SharedServers, seed: Seed, folder: Path) -> AsyncIterator[Site]:
    """Streams, indexes and the project's rules on both servers, and a site to post from."""
    servers = Servers(pair, folder)
    bus = await connect_bus(servers.nats.url, "site", PATIENCE)
    client = patient_store(servers.mongo.url, "site")
    site = Site(servers, bus, client)
    try:
        await declare_streams(bus)
        for module in (cases, events, notifications):
            await ensure_indexes(site.database, module.INDEXES)
        await plant(site.database, seed)
        await site.publisher.start()
        yield site
    finally:
        await asyncio.gather(*(child.kill() for child in servers.started))
        await bus.close()
        await client.close()


def minutes_ago(minutes: float) -> datetime:
    """A moment in the past, for deadlines that come soon."""
    return now() - timedelta(minutes=minutes)
