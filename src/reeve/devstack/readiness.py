"""Asks a NATS server or a MongoDB whether Reeve can work with it."""

from __future__ import annotations

import asyncio

import nats
from nats.errors import Error as NatsError
from pymongo import AsyncMongoClient
from pymongo.errors import PyMongoError


async def nats_fault(url: str, timeout_seconds: float) -> str | None:
    """Why the server at `url` can't be used now; None if it answers and has JetStream."""

    async def ignore(_error: Exception) -> None:
        """The failure is already in what connect raises."""

    try:
        async with asyncio.timeout(timeout_seconds):
            connection = await nats.connect(
                url,
                allow_reconnect=False,
                connect_timeout=max(1, round(timeout_seconds)),
                error_cb=ignore,
            )
            try:
                await connection.jetstream().account_info()
            finally:
                await connection.close()
    except TimeoutError:
        return f"no answer within {timeout_seconds:g} seconds"
    except (NatsError, OSError) as error:
        return str(error) or type(error).__name__
    return None


async def mongo_fault(url: str, timeout_seconds: float) -> str | None:
    """Why the MongoDB at `url` can't be used now; None if it has a primary and transactions."""
    try:
        async with AsyncMongoClient[dict[str, object]](
            url, serverSelectionTimeoutMS=round(timeout_seconds * 1000)
        ) as client:
            hello = await client.admin.command("hello")
    except PyMongoError as error:
        return str(error).partition(", Timeout:")[0]
    if "setName" not in hello and hello.get("msg") != "isdbgrid":
        return "it is not a replica set, and transactions need one (one node is enough)"
    return None
