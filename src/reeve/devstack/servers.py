"""NATS and MongoDB together: our own processes, or the ones that the settings name."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import NamedTuple

from reeve.devstack.errors import Unreachable
from reeve.devstack.local_server import LocalServer
from reeve.devstack.mongo_server import MongoServer
from reeve.devstack.nats_server import NatsServer
from reeve.devstack.readiness import mongo_fault, nats_fault

_ANSWER_SECONDS = 5.0


class ServerUrls(NamedTuple):
    """Where clients connect."""

    nats_url: str
    mongo_url: str


@asynccontextmanager
async def servers(folder: Path) -> AsyncIterator[ServerUrls]:
    """Both servers of our own on free ports, ready inside; their data is in `folder` and stays there.

    Raises StackError (permanent). For tests; whoever must stop or kill one uses NatsServer and MongoServer.
    """
    async with AsyncExitStack() as stack:
        nats_server = NatsServer(folder / "nats")
        mongo_server = MongoServer(folder / "mongo")
        await start_together(stack, [mongo_server, nats_server])
        yield ServerUrls(nats_server.url, mongo_server.url)


async def start_together(stack: AsyncExitStack, wanted: list[LocalServer]) -> None:
    """All are ready, each is stopped when `stack` closes, in reverse order. Raises the first StackError."""
    for server in wanted:
        stack.push_async_callback(server.stop)
    starts = [asyncio.create_task(server.start(), name=f"start {server.label}") for server in wanted]
    try:
        await asyncio.gather(*starts)
    except BaseException:
        for start in starts:
            start.cancel()
        await asyncio.gather(*starts, return_exceptions=True)
        raise


async def check_nats(url: str) -> None:
    """The server at `url` can be used. Raises Unreachable."""
    if fault := await nats_fault(url, _ANSWER_SECONDS):
        raise Unreachable("The NATS server", "REEVE_NATS_URL", fault)


async def check_mongo(url: str) -> None:
    """The MongoDB at `url` can be used. Raises Unreachable."""
    if fault := await mongo_fault(url, _ANSWER_SECONDS):
        raise Unreachable("The MongoDB", "REEVE_MONGO_URL", fault)
