"""A real intake on real servers, posted to as site systems do."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import nats
import orjson
from nats.aio.client import Client as NatsClient
from nats.js.errors import NotFoundError
from pymongo import MongoClient

from reeve.contracts.schemas import EXAMPLE_EVENT
from reeve.devstack.mongo_server import MongoServer
from reeve.devstack.nats_server import NatsServer
from services.intake.app import Intake, intake
from services.intake.settings import IntakeSettings
from tests.support.waiting import PATIENCE
from tests.support.waiting import eventually as eventually

NDJSON = {"Content-Type": "application/x-ndjson"}


def event(id: str, **changes: Any) -> dict[str, Any]:
    """A good event."""
    return {**EXAMPLE_EVENT, "id": id, "subject": f"T-{id}", **changes}


def ndjson(*events: Any) -> bytes:
    """One JSON text a line; bytes stand as they are."""
    return b"\n".join(item if isinstance(item, bytes) else orjson.dumps(item) for item in events)


@dataclass(slots=True)
class Stack:
    """Servers of one test and what runs on them."""

    nats: NatsServer
    mongo: MongoServer

    def settings(self, **more: Any) -> IntakeSettings:
        """Settings of an intake on these servers, on a free port."""
        urls = {"nats_url": self.nats.url, "mongo_url": self.mongo.url}
        return IntakeSettings(**{"intake_port": 0, **urls, **more})

    @asynccontextmanager
    async def intake(self, **more: Any) -> AsyncIterator[tuple[Intake, httpx.AsyncClient]]:
        """An intake in this process that takes posts, unless the record is away, and a client of it."""
        async with (
            intake(self.settings(**more)) as running,
            httpx.AsyncClient(base_url=running.url, timeout=PATIENCE) as client,
        ):
            if self.mongo.is_running:
                await eventually("intake takes posts", lambda: takes_posts(client))
            yield running, client

    @asynccontextmanager
    async def bus(self) -> AsyncIterator[NatsClient]:
        """A connection of the test's own."""
        client = await nats.connect(self.nats.url)
        try:
            yield client
        finally:
            await client.close()

    async def messages(self, stream: str) -> list[tuple[str, dict[str, Any]]]:
        """Subject and body of every message of a stream, in order; none if there is no such stream yet."""
        found = []
        async with self.bus() as client:
            jetstream = client.jetstream(timeout=PATIENCE)
            try:
                state = (await jetstream.stream_info(stream)).state
            except NotFoundError:
                return []
            for number in range(max(1, state.first_seq), state.last_seq + 1):
                message = await jetstream.get_msg(stream, number)
                found.append((message.subject or "", orjson.loads(message.data or b"null")))
        return found

    async def published(self) -> list[str]:
        """Ids of the events on the bus, in order."""
        return [body["id"] for _, body in await self.messages("EVENTS")]

    def stored(self) -> list[dict[str, Any]]:
        """The documents of `events`."""
        client: MongoClient[dict[str, Any]] = MongoClient(self.mongo.url)
        with client:
            return list(client["reeve"]["events"].find().sort("_id"))


async def takes_posts(client: httpx.AsyncClient) -> bool:
    """Whether it does so now; on a slow machine it listens before it knows the rules."""
    return (await client.get("/readyz?needs=record")).status_code == 200
