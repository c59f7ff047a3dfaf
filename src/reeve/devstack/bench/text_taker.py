"""An SMS gateway that takes every text, keeps none and notes when each had come whole. A program, run by the bench:
`python -m reeve.devstack.bench.text_taker --port 8080 --out FILE`. `arrivals` says what FILE holds.
"""

from __future__ import annotations

import asyncio
import os
import re
from time import monotonic
from typing import cast

from reeve.devstack.bench.arrivals import CASE, line
from reeve.devstack.bench.taking_program import take

_LENGTH = re.compile(rb"^content-length:\s*(\d+)", re.IGNORECASE | re.MULTILINE)
_CLOSE = re.compile(rb"^connection:\s*close", re.IGNORECASE | re.MULTILINE)
_ID = re.compile(rb'(?:[?&"]|^)id"?[=:] *"?([0-9a-zA-Z]+)')
_BODY = b"0: Accepted for delivery"
_HEAD = b"HTTP/1.1 202 Accepted\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n" % len(_BODY)
_KEPT = _HEAD + b"\r\n" + _BODY
_CLOSED = _HEAD + b"Connection: close\r\n\r\n" + _BODY


class _Session(asyncio.Protocol):
    """One connection. Reads only as much HTTP as a sender of texts writes."""

    def __init__(self, out: int) -> None:
        self._out = out
        self._buffer = bytearray()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while self._transport is not None and self._next(self._transport):
            pass

    def _next(self, transport: asyncio.Transport) -> bool:
        """Whether something whole was there."""
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return False
        head = bytes(self._buffer[:end])
        length = _LENGTH.search(head)
        whole = end + 4 + (int(length[1]) if length else 0)
        if len(self._buffer) < whole:
            return False
        body = bytes(self._buffer[end + 4 : whole])
        del self._buffer[:whole]
        os.write(self._out, text_line(monotonic(), head.split(b" ", 2)[1], body))
        last = _CLOSE.search(head) is not None
        transport.write(_CLOSED if last else _KEPT)
        if last:
            transport.close()
        return True


def text_line(at: float, target: bytes, body: bytes) -> bytes:
    """The text's line in the file; case and id stand in the body, or in the query of a GET."""
    fields = body or target
    case, found = CASE.search(fields), _ID.search(fields)
    return line(at, case[1] if case else None, found[1] if found else None)


if __name__ == "__main__":
    take(_Session, "Takes SMS on 127.0.0.1 and notes only when each came.")
