"""Asks a NATS server or a MongoDB whether Reeve can work with it."""

from __future__ import annotations

import asyncio

import nats
from nats.errors import Error as NatsError
from pymongo import MongoClient
from pymongo.errors import PyMongoError


async def nats_fault(url: str, timeout_seconds: float) -> str | None:
    """Why the server at `url` can't be used now; None if it answers and has JetStream."""

    last_error: Exception | None = None

    async def remember(error: Exception) -> None:
        nonlocal last_error
        last_error = error

    try:
        async with asyncio.timeout(timeout_seconds):
            connection = await nats.connect(
                url,
                allow_reconnect=False,
                connect_timeout=max(1, round(timeout_seconds)),
                max_reconnect_attempts=1,
                reconnect_time_wait=0.02,
                error_cb=remember,
            )
            try:
                await connection.jetstream().account_info()
            finally:
                await connection.close()
    except TimeoutError:
        return f"no answer within {timeout_seconds:g} seconds"
    except (NatsError, OSError) as error:
        cause = last_error or error
        return str(cause) or type(cause).__name__
    return None


async def mongo_fault(url: str, timeout_seconds: float) -> str | None:
    """Why the MongoDB at `url` can't be used now; None if it has a primary and transactions."""

    def ask() -> dict[str, object]:
        with MongoClient[dict[str, object]](url, serverSelectionTimeoutMS=round(timeout_seconds * 1000)) as client:
            return client.admin.command("hello")

    try:
        hello = await asyncio.to_thread(ask)
    except PyMongoError as error:
        return str(error).partition(", Timeout:")[0]
    if "setName" not in hello and hello.get("msg") != "isdbgrid":
        return "it is not a replica set, and transactions need one (one node is enough)"
    return None
