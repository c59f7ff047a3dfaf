"""Posts events to 127.0.0.1 as fast as answers come, or at a pace, with little work of its own.

On a small machine the one who posts takes time from the one who is measured; this one takes some 50 µs a post.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from time import monotonic, perf_counter
from typing import cast

from reeve.contracts.events import canonical
from reeve.devstack.bench.programs import BenchFailed
from reeve.devstack.local_server import HOST
from reeve.domain.events import Event

_ANSWER_SECONDS = 30.0


class _Connection(asyncio.Protocol):
    """One kept HTTP connection; one request at a time."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._received = bytearray()
        self._answer: asyncio.Future[int] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head = self._received.find(b"\r\n\r\n")
        if head < 0 or self._answer is None or self._answer.done():
            return
        place = self._received.lower().find(b"content-length:", 0, head)
        length = int(self._received[place + 15 : self._received.find(b"\r\n", place)]) if place >= 0 else 0
        if len(self._received) >= head + 4 + length:
            self._answer.set_result(int(self._received[9:12]))
            self._received.clear()

    def connection_lost(self, error: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(BenchFailed("the connection was closed before the answer"))

    async def send(self, request: bytes) -> None:
        """It was answered 2xx. Raises BenchFailed, TimeoutError."""
        if self._transport is None or self._transport.is_closing():
            raise BenchFailed("the connection was closed between two posts")
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        status = await asyncio.wait_for(self._answer, _ANSWER_SECONDS)
        if status // 100 != 2:
            raise BenchFailed(f"a post was answered {status}")

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


@asynccontextmanager
async def _connections(port: int, count: int) -> AsyncIterator[list[_Connection]]:
    loop = asyncio.get_running_loop()
    opened: list[_Connection] = []
    try:
        for _ in range(count):
            _, connection = await loop.create_connection(_Connection, HOST, port)
            opened.append(connection)
        yield opened
    finally:
        for connection in opened:
            connection.close()


def single_posts(events: Iterable[Event]) -> Iterator[bytes]:
    """One request each."""
    return (_request("application/cloudevents+json", canonical(event)) for event in events)


def ndjson_posts(events: Sequence[Event], size: int) -> Iterator[bytes]:
    """`size` events a request, one a line."""
    for start in range(0, len(events), size):
        lines = b"\n".join(canonical(event) for event in events[start : start + size])
        yield _request("application/x-ndjson", lines)


def _request(content_type: str, body: bytes) -> bytes:
    head = f"POST /v1/events HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: {content_type}\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


async def post_all(port: int, requests: Iterable[bytes], connections: int, most_seconds: float) -> int:
    """How many requests were answered: all of them, or those begun within the time. Raises BenchFailed."""
    waiting = iter(list(requests))
    end = perf_counter() + most_seconds
    answered = 0

    async def keep_posting(connection: _Connection) -> None:
        nonlocal answered
        for request in waiting:
            await connection.send(request)
            answered += 1
            if perf_counter() >= end:
                return

    async with _connections(port, connections) as opened:
        await together([asyncio.create_task(keep_posting(connection)) for connection in opened])
    return answered


async def post_paced(port: int, requests: Iterable[bytes], rate: float, connections: int = 16) -> list[float]:
    """When each was due to be posted, by `time.monotonic`, in order. A connection that is late delays nothing
    of that: the wait counts as latency. Raises BenchFailed.
    """
    due: list[float] = []
    posting: list[asyncio.Task[None]] = []
    async with _connections(port, connections) as opened:
        turns = [asyncio.Lock() for _ in opened]

        async def post(request: bytes, turn: int) -> None:
            async with turns[turn]:
                await opened[turn].send(request)

        begun = monotonic()
        for number, request in enumerate(list(requests)):
            at = begun + number / rate
            await asyncio.sleep(max(0.0, at - monotonic()))
            due.append(at)
            posting.append(asyncio.create_task(post(request, number % connections)))
        await together(posting)
    return due


async def together(tasks: Sequence[asyncio.Task[None]]) -> None:
    """All have ended. Raises the first error as it is, once the others are cancelled."""
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
