"""NATS and MongoDB that the tests of one process have one after the other, each finding them running and empty."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from pymongo import AsyncMongoClient

from reeve.devstack.mongo_server import MongoServer
from reeve.devstack.nats_server import NatsServer
from reeve.devstack.servers import ServerUrls

_OF_MONGO = frozenset({"admin", "config", "local"})


class SharedServers:
    """Started when first wanted; whoever has them may stop, kill and start them again."""

    def __init__(self, folder: Path) -> None:
        self.nats = NatsServer(folder / "nats")
        self.mongo = MongoServer(folder / "mongo")
        self._taken = False

    @property
    def urls(self) -> ServerUrls:
        """Where clients connect, while somebody has them."""
        return ServerUrls(self.nats.url, self.mongo.url)

    @asynccontextmanager
    async def taken(self) -> AsyncIterator[SharedServers]:
        """Both run and are empty inside, for one user at a time."""
        assert not self._taken, "two tests of one process would have the servers at the same time"
        self._taken = True
        try:
            await asyncio.gather(*(server.start() for server in (self.nats, self.mongo) if not server.is_running))
            await self._empty()
            yield self
        finally:
            self._taken = False

    async def _empty(self) -> None:
        client: AsyncMongoClient[dict[str, object]] = AsyncMongoClient(self.mongo.url)
        async with client:
            for name in set(await client.list_database_names()) - _OF_MONGO:
                await client.drop_database(name)
        await self.nats.drop_streams()

    async def end(self) -> None:
        """Neither runs; nobody wants their data any more."""
        await asyncio.gather(self.nats.kill(), self.mongo.kill())
