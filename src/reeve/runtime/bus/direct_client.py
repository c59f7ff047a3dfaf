"""nats-py's client with two shorter ways: messages handed over as they are read, and many sent at once.

The ordinary way builds an object, a queue entry and a task's turn for each message in, and a header block with its
checks for each message out: more work than deciding what the message says. What is used here of nats-py's inner
parts is few lines, and the contract tests of the publisher and the pull notice a change.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import NamedTuple

import nats.errors
from nats.aio.client import Client
from nats.aio.subscription import Subscription

_HEADER_LINE = "NATS/1.0"
_HEADER_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_NEWLINES = str.maketrans("\r\n", "  ")


class Arrived(NamedTuple):
    """A message as the bus sent it."""

    subject: str
    reply: str
    data: bytes
    header_block: bytes | None

    @property
    def headers(self) -> dict[str, str] | None:
        """Read when somebody asks; a status line is there as `Status` and `Description`."""
        return None if self.header_block is None else read_headers(self.header_block)


Take = Callable[[Arrived], None]


class DirectClient(Client):
    """A client for `reeve.runtime.bus.connection` only."""

    def __init__(self) -> None:
        super().__init__()
        self._direct: dict[int, Take] = {}

    async def listen(self, subject: str, take: Take) -> Subscription:
        """Every message on the subject goes to `take` at once, in order; it must neither block nor wait.

        Raises what `subscribe` raises. What `take` raises is reported like an ordinary callback's error.
        """
        subscription = await self.subscribe(subject, cb=_never, pending_msgs_limit=-1, pending_bytes_limit=-1)
        self._direct[subscription._id] = take
        return subscription

    async def stop_listening(self, subscription: Subscription) -> None:
        """Nothing more of it is handed over. Raises what `unsubscribe` raises."""
        self._direct.pop(subscription._id, None)
        await subscription.unsubscribe()

    async def _process_msg(
        self, sid: int, subject: bytes, reply: bytes, data: bytes, headers: bytes | None
    ) -> None:
        take = self._direct.get(sid)
        if take is None:
            await super()._process_msg(sid, subject, reply, data, headers)  # type: ignore[arg-type]
            return
        try:
            take(Arrived(subject.decode(), reply.decode(), data, headers))
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            await self._error_cb(error)

    async def send_frames(self, frames: list[bytes]) -> None:
        """The frames (see `publication`) are on their way, in order.

        Raises OutboundBufferLimitError when there is no connection: nothing is kept for a later one.
        """
        if not self.is_connected:
            raise nats.errors.OutboundBufferLimitError
        await self._send_command(b"".join(frames))
        if self._flush_queue is not None and self._flush_queue.empty():
            await self._flush_pending()


async def _never(message: object) -> None:
    """For nats-py, which wants a callback; messages that come before `listen` returns are none of ours."""


def publication(subject: str, reply: str, payload: bytes, headers: Mapping[str, str] | None = None) -> bytes:
    """A message as it goes over the wire. Raises ValueError for a subject or a header's name that can't."""
    if not subject or not subject.isprintable() or " " in subject:
        raise ValueError("not a subject")
    if not headers:
        return b"PUB %b %b %d\r\n%b\r\n" % (subject.encode(), reply.encode(), len(payload), payload)
    lines = [f"{_name(name)}: {value.strip().translate(_NEWLINES)}\r\n" for name, value in headers.items()]
    block = f"NATS/1.0\r\n{''.join(lines)}\r\n".encode()
    whole = len(block) + len(payload)
    return b"HPUB %b %b %d %d\r\n%b%b\r\n" % (
        subject.encode(),
        reply.encode(),
        len(block),
        whole,
        block,
        payload,
    )


@lru_cache(maxsize=256)
def _name(name: str) -> str:
    if not _HEADER_NAME.fullmatch(name):
        raise ValueError("not a header's name")
    return name


def read_headers(block: bytes) -> dict[str, str]:
    """The headers of a message's block; of a repeated one the last."""
    first, *lines = block.decode("utf-8", "surrogateescape").split("\r\n")
    found = dict(_pairs(lines))
    status = first[len(_HEADER_LINE) :].strip()
    if status:
        found["Status"], _, found["Description"] = status.partition(" ")
    return found


def _pairs(lines: Iterable[str]) -> Iterable[tuple[str, str]]:
    for line in lines:
        name, colon, value = line.partition(":")
        if colon:
            yield name, value.strip()
