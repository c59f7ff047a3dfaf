"""A mail server that takes every mail, keeps none and notes when each had come whole. A program, run by the bench:
`python -m reeve.devstack.bench.smtp_taker --port 2525 --out FILE`. `arrivals` says what FILE holds.
"""

from __future__ import annotations

import asyncio
import binascii
import os
import re
from time import monotonic
from typing import cast

from reeve.devstack.bench.arrivals import CASE, line
from reeve.devstack.bench.taking_program import take

_ID = re.compile(rb"^message-id:\s*<([^@>\s]+)", re.IGNORECASE | re.MULTILINE)
_ANSWERS = {
    b"EHLO": b"250-taker\r\n250-PIPELINING\r\n250 8BITMIME\r\n",
    b"HELO": b"250 taker\r\n",
    b"QUIT": b"221 bye\r\n",
}


class _Session(asyncio.Protocol):
    """One connection. Speaks only as much as a sender of mail needs."""

    def __init__(self, out: int) -> None:
        self._out = out
        self._buffer = bytearray()
        self._in_mail = False
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(b"220 taker\r\n")

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while self._transport is not None and self._next(self._transport):
            pass

    def _next(self, transport: asyncio.Transport) -> bool:
        """Whether something whole was there."""
        mark = b"\r\n.\r\n" if self._in_mail else b"\r\n"
        end = self._buffer.find(mark)
        if end < 0:
            return False
        whole = bytes(self._buffer[:end])
        del self._buffer[: end + len(mark)]
        if self._in_mail:
            self._in_mail = False
            os.write(self._out, mail_line(monotonic(), whole))
            transport.write(b"250 taken\r\n")
            return True
        command = whole[:4].upper()
        if command == b"DATA":
            self._in_mail = True
            transport.write(b"354 go on\r\n")
            return True
        transport.write(_ANSWERS.get(command, b"250 ok\r\n"))
        if command == b"QUIT":
            transport.close()
        return True


def mail_line(at: float, mail: bytes) -> bytes:
    """The mail's line in the file."""
    case = CASE.search(mail) or CASE.search(_decoded(mail))
    found = _ID.search(mail)
    return line(at, case[1] if case else None, found[1] if found else None)


def _decoded(mail: bytes) -> bytes:
    body = mail.partition(b"\r\n\r\n")[2]
    try:
        return binascii.a2b_base64(body)
    except binascii.Error:
        return b""


if __name__ == "__main__":
    take(_Session, "Takes mail on 127.0.0.1 and notes only when it came.")
