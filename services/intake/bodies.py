"""Reads a request's body within limits of size and time."""

from __future__ import annotations

import asyncio

from starlette.requests import ClientDisconnect, Request

MAX_BODY_BYTES = 20_000_000
"""One post, however many events."""
_MOST_DISCARDED = 100_000_000
_READ_SECONDS = 60.0
_DISCARD_SECONDS = 10.0


class BodyTooLarge(Exception):
    """The body is larger than a post may be; it was not kept."""


class BodyTooSlow(Exception):
    """The body did not come in time."""


async def read_body(request: Request) -> bytes:
    """The whole body. Raises BodyTooLarge, BodyTooSlow, or ClientDisconnect."""
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > MAX_BODY_BYTES:
        if "expect" not in request.headers:
            await _discard(request)
        raise BodyTooLarge
    chunks: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(_READ_SECONDS):
            async for chunk in request.stream():
                size += len(chunk)
                if size <= MAX_BODY_BYTES:
                    chunks.append(chunk)
                elif size > _MOST_DISCARDED:
                    break
    except TimeoutError:
        raise BodyTooSlow from None
    if size > MAX_BODY_BYTES:
        raise BodyTooLarge
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


async def _discard(request: Request) -> None:
    """Takes in and drops what is being sent: who is cut off while sending never reads the answer."""
    size = 0
    try:
        async with asyncio.timeout(_DISCARD_SECONDS):
            async for chunk in request.stream():
                size += len(chunk)
                if size > _MOST_DISCARDED:
                    return
    except (TimeoutError, ClientDisconnect):
        return
