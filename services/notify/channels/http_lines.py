"""HTTP/1.1 on connections that are kept: one request and its whole answer at a time on each.

A message costs a provider's call, so this costs little: httpx and its pool take a millisecond and more for each.
"""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass
from functools import cache

import h11
import httpx

_KEPT_SECONDS = 15.0
"""A connection unused for longer is not trusted: servers close idle ones."""
_READ_BYTES = 65_536
_MOST_ANSWER_BYTES = 65_536


class Unreachable(Exception):
    """No connection: nothing was given to the provider."""


class Impossible(Exception):
    """The request can't be put on a line: a header with a line break in it, an address that is none."""


class Late(Exception):
    """The answer did not come in time; the request may have been taken."""


class Broken(Exception):
    """The connection ended, or what came on it was no HTTP; the request may have been taken."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the provider said."""

    status: int
    headers: httpx.Headers
    body: bytes
    """Cut where it is longer than any provider's answer has a reason to be."""


class HttpLines:
    """`most` requests at a time. Follows no redirect, uses no proxy, keeps no cookies."""

    def __init__(self, most: int, seconds: float) -> None:
        """`seconds`: for a connection, and again for the whole of an answer."""
        self._seconds = seconds
        self._places = asyncio.Semaphore(most)
        self._idle: list[_Line] = []

    async def exchange(self, request: httpx.Request) -> Answer:
        """The answer to a request whose body is in memory. Raises Unreachable, Impossible, Late, Broken."""
        async with self._places:
            line = self._kept(_origin(request.url)) or await self._connected(request.url)
            keep = False
            try:
                async with asyncio.timeout(self._seconds):
                    answer = await line.exchange(request)
                keep = line.reusable
            except TimeoutError as error:
                raise Late from error
            except (OSError, h11.RemoteProtocolError) as error:
                raise Broken from error
            except h11.LocalProtocolError as error:
                raise Impossible from error
            finally:
                if keep:
                    line.used_at = asyncio.get_running_loop().time()
                    self._idle.append(line)
                else:
                    line.close()
        return answer

    async def close(self) -> None:
        """All connections are closed."""
        idle, self._idle = self._idle, []
        for line in idle:
            line.close()

    def _kept(self, origin: tuple[bytes, bytes, int]) -> _Line | None:
        now = asyncio.get_running_loop().time()
        for line in [each for each in self._idle if now - each.used_at > _KEPT_SECONDS or each.gone]:
            self._idle.remove(line)
            line.close()
        for line in reversed(self._idle):
            if line.origin == origin:
                self._idle.remove(line)
                return line
        return None

    async def _connected(self, url: httpx.URL) -> _Line:
        origin = scheme, host, port = _origin(url)
        if scheme not in (b"http", b"https") or not host:
            raise Impossible("this is no http:// or https:// address")
        context = _trusting() if scheme == b"https" else None
        try:
            async with asyncio.timeout(self._seconds):
                reader, writer = await asyncio.open_connection(
                    host.decode("ascii"),
                    port,
                    ssl=context,
                    server_hostname=host.decode("ascii") if context else None,
                )
        except (OSError, TimeoutError) as error:
            raise Unreachable from error
        return _Line(origin, reader, writer)


class _Line:
    """One connection."""

    def __init__(
        self, origin: tuple[bytes, bytes, int], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.origin = origin
        self.used_at = 0.0
        self._reader = reader
        self._writer = writer
        self._protocol = h11.Connection(h11.CLIENT)

    @property
    def gone(self) -> bool:
        """The other side has ended it."""
        return self._reader.at_eof() or self._writer.is_closing() or self._reader.exception() is not None

    @property
    def reusable(self) -> bool:
        """Whether another request may follow."""
        ended = self._protocol.our_state is h11.DONE and self._protocol.their_state is h11.DONE
        return ended and not self.gone

    async def exchange(self, request: httpx.Request) -> Answer:
        protocol = self._protocol
        if protocol.our_state is h11.DONE:
            protocol.start_next_cycle()
        head = h11.Request(
            method=request.method.encode("ascii"), target=request.url.raw_path, headers=request.headers.raw
        )
        parts = [protocol.send(head)]
        if request.content:
            parts.append(protocol.send(h11.Data(data=request.content)))
        parts.append(protocol.send(h11.EndOfMessage()))
        self._writer.write(b"".join(part for part in parts if part))
        await self._writer.drain()
        return await self._answer(request)

    async def _answer(self, request: httpx.Request) -> Answer:
        protocol = self._protocol
        response: h11.Response | None = None
        body = bytearray()
        while len(body) < _MOST_ANSWER_BYTES:
            event = protocol.next_event()
            if event is h11.NEED_DATA:
                protocol.receive_data(await self._reader.read(_READ_BYTES))
            elif isinstance(event, h11.Response):
                response = event
            elif isinstance(event, h11.Data):
                body += event.data
            elif not isinstance(event, h11.InformationalResponse):
                break
        if response is None:
            raise h11.RemoteProtocolError("the connection ended before the answer")
        headers = httpx.Headers(list(response.headers))
        return Answer(response.status_code, headers, _plain(bytes(body[:_MOST_ANSWER_BYTES]), headers, request))

    def close(self) -> None:
        self._writer.close()


def _plain(body: bytes, headers: httpx.Headers, request: httpx.Request) -> bytes:
    """The body, unpacked if it was packed though nobody asked for that. Raises h11.RemoteProtocolError."""
    if headers.get("content-encoding", "identity").lower() == "identity":
        return body
    try:
        return httpx.Response(200, headers=headers, content=body, request=request).content[:_MOST_ANSWER_BYTES]
    except httpx.DecodingError as error:
        raise h11.RemoteProtocolError("the answer can't be unpacked") from error


def _origin(url: httpx.URL) -> tuple[bytes, bytes, int]:
    return url.raw_scheme, url.raw_host, url.port or (443 if url.raw_scheme == b"https" else 80)


@cache
def _trusting() -> ssl.SSLContext:
    """Loaded when first needed: it takes some 20 ms, and most gateways of a house are called by plain HTTP."""
    return httpx.create_ssl_context(trust_env=False)
