"""/healthz, /readyz and /metrics for services without an HTTP API of their own; GET and HEAD only."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest

Readiness = Callable[[], Awaitable[dict[str, bool]]]
"""Name of what the service needs → whether it has it now."""

_HEAD_LIMIT = 8192
_READ_SECONDS = 5.0
_REASONS = {
    200: "OK",
    400: "Bad Request",
    404: "Not Found",
    405: "Method Not Allowed",
    503: "Service Unavailable",
}
_TEXT = "text/plain; charset=utf-8"


class HealthServer:
    """Answers on `host:port` from `start` to `stop`."""

    def __init__(self, host: str, port: int, readiness: Readiness, registry: CollectorRegistry = REGISTRY) -> None:
        self._host = host
        self._port = port
        self._readiness = readiness
        self._registry = registry
        self._server: asyncio.Server | None = None

    @property
    def port(self) -> int:
        """The port listened on; it differs from the one asked for when that was 0."""
        if self._server is None:
            return self._port
        return int(self._server.sockets[0].getsockname()[1])

    async def start(self) -> None:
        """Listens from now on. Raises OSError when the port is taken."""
        self._server = await asyncio.start_server(self._serve, self._host, self._port, limit=_HEAD_LIMIT)

    async def stop(self) -> None:
        """Listens no more."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with contextlib.suppress(TimeoutError, asyncio.IncompleteReadError, ConnectionError):
                status, kind, body, head_only = await self._answer(reader)
                head = (
                    f"HTTP/1.1 {status} {_REASONS[status]}\r\nContent-Type: {kind}\r\n"
                    f"Content-Length: {len(body)}\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n"
                )
                writer.write(head.encode() + (b"" if head_only else body))
                await writer.drain()
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def _answer(self, reader: asyncio.StreamReader) -> tuple[int, str, bytes, bool]:
        try:
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), _READ_SECONDS)
            method, target, _ = head.split(b"\r\n", 1)[0].decode("ascii").split(" ")
        except (asyncio.LimitOverrunError, UnicodeDecodeError, ValueError):
            return 400, _TEXT, b"bad request\n", False
        if method not in ("GET", "HEAD"):
            return 405, _TEXT, b"GET only\n", False
        status, kind, body = await self._page(target.partition("?")[0])
        return status, kind, body, method == "HEAD"

    async def _page(self, path: str) -> tuple[int, str, bytes]:
        if path == "/healthz":
            return 200, _TEXT, b"ok\n"
        if path == "/metrics":
            return 200, CONTENT_TYPE_LATEST, generate_latest(self._registry)
        if path == "/readyz":
            needs = await self._readiness()
            lines = "".join(f"{name}: {'ok' if met else 'away'}\n" for name, met in sorted(needs.items()))
            return (200 if all(needs.values()) else 503), _TEXT, lines.encode()
        return 404, _TEXT, b"there is /healthz, /readyz and /metrics\n"
