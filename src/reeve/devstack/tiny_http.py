"""An HTTP/1.1 server small enough to misbehave on purpose: a handler may drop the connection unanswered."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

import h11

_READ_BYTES = 65_536
_LARGEST_BODY_BYTES = 1_048_576
_IDLE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Request:
    """A whole request."""

    method: str
    path: str
    """As sent, without the query."""
    query: str
    """After the `?`, as sent; empty if there is none."""
    headers: Mapping[str, str]
    """By lower-case name; of repeated ones the last."""
    body: bytes


@dataclass(frozen=True, slots=True)
class Response:
    """What to answer."""

    status: int
    body: bytes
    content_type: str = "text/plain; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)


Handler = Callable[[Request], Awaitable[Response | None]]
"""Answers a request; None drops the connection without an answer."""


class TinyHttpServer:
    """Listens from `start` to `stop`; keeps connections alive as HTTP/1.1 wants."""

    def __init__(self, handler: Handler, host: str, port: int) -> None:
        self._handler = handler
        self._host = host
        self._port = port
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    @property
    def port(self) -> int:
        """The port listened on; it differs from the one asked for when that was 0."""
        return int(self._server.sockets[0].getsockname()[1]) if self._server else self._port

    async def start(self) -> None:
        """Listens from now on. Raises OSError when the port is taken."""
        self._server = await asyncio.start_server(self._accept, self._host, self._port)

    async def stop(self) -> None:
        """Listens no more; open connections are cut."""
        if self._server is not None:
            self._server.close()
            for connection in self._connections:
                connection.cancel()
            await asyncio.gather(*self._connections, return_exceptions=True)
            await self._server.wait_closed()
            self._server = None

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with contextlib.suppress(ConnectionError, TimeoutError):
                await self._talk(h11.Connection(h11.SERVER), reader, writer)
        finally:
            writer.transport.abort() if writer.transport.is_closing() else writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def _talk(
        self, protocol: h11.Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        while True:
            try:
                request = await _next_request(protocol, reader, writer)
            except h11.RemoteProtocolError as error:
                if protocol.our_state in {h11.IDLE, h11.SEND_RESPONSE}:
                    await _send(protocol, writer, "GET", Response(error.error_status_hint, b"bad request\n"))
                return
            if request is None:
                return
            response = await self._handler(request)
            if response is None:
                writer.transport.abort()
                return
            await _send(protocol, writer, request.method, response)
            if protocol.our_state is not h11.DONE or protocol.their_state is not h11.DONE:
                return
            protocol.start_next_cycle()


async def _next_request(
    protocol: h11.Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> Request | None:
    """The next whole request; None when the client has gone. Raises h11.RemoteProtocolError, TimeoutError."""
    head: h11.Request | None = None
    body = bytearray()
    while True:
        event = protocol.next_event()
        if event is h11.NEED_DATA:
            if protocol.they_are_waiting_for_100_continue:
                go_on = protocol.send(h11.InformationalResponse(status_code=100, headers=[]))
                writer.write(go_on or b"")
            protocol.receive_data(await asyncio.wait_for(reader.read(_READ_BYTES), _IDLE_SECONDS))
        elif isinstance(event, h11.Request):
            head = event
        elif isinstance(event, h11.Data):
            body += event.data
            if len(body) > _LARGEST_BODY_BYTES:
                raise h11.RemoteProtocolError("body too large", error_status_hint=413)
        elif isinstance(event, h11.EndOfMessage) and head is not None:
            path, _, query = head.target.decode("latin-1").partition("?")
            headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in head.headers}
            return Request(head.method.decode("ascii"), path, query, headers, bytes(body))
        else:
            return None


async def _send(protocol: h11.Connection, writer: asyncio.StreamWriter, method: str, response: Response) -> None:
    headers = [
        ("Content-Type", response.content_type),
        ("Content-Length", str(len(response.body))),
        *response.headers.items(),
    ]
    parts = [protocol.send(h11.Response(status_code=response.status, headers=headers))]
    if method != "HEAD":
        parts.append(protocol.send(h11.Data(data=response.body)))
    parts.append(protocol.send(h11.EndOfMessage()))
    writer.write(b"".join(part for part in parts if part))
    await writer.drain()
