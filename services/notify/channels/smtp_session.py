"""Mails on an SMTP connection that is greeted, encrypted and logged in: two round trips each where that is allowed.

aiosmtplib connects. Its own commands wait for an answer each, four round trips a mail, and parse each address anew.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Literal as OneOf
from typing import NamedTuple, cast

Stage = OneOf["mail", "rcpt", "data", "end"]
"""What was answered: MAIL FROM, RCPT TO, DATA, or the mail itself."""

_LONGEST_REPLY = 65_536
_GO_ON = 354


class Reply(NamedTuple):
    """What the server said to a mail in the end: the first refusal, or that it has the mail."""

    stage: Stage
    code: int

    @property
    def taken(self) -> bool:
        return self.stage == "end" and self.code == 250


class SessionBroken(Exception):
    """The connection ended, or what came on it was no SMTP."""


class SmtpSession(asyncio.Protocol):
    """One at a time sends on it. Created inside the running loop, on a transport nobody else reads any more."""

    def __init__(self, transport: asyncio.Transport, pipelining: bool) -> None:
        """`pipelining`: the server takes commands before it has answered those before (RFC 2920)."""
        self._transport = transport
        self._pipelining = pipelining
        self._buffer = bytearray()
        self._codes: deque[int] = deque()
        self._expected = 0
        self._came = asyncio.Event()
        self._broken = False
        self._writable = asyncio.Event()
        self._writable.set()
        transport.set_protocol(self)

    @property
    def usable(self) -> bool:
        """Whether another mail may be tried on it."""
        return not self._broken and not self._transport.is_closing()

    async def send(self, sender: str, to: str, mail: bytes, seconds: float, given: asyncio.Event) -> Reply:
        """The server's verdict on the mail; `given` is set once it may have it.

        Raises SessionBroken; TimeoutError when an answer takes longer than `seconds`.
        """
        commands = [f"MAIL FROM:<{sender}>", f"RCPT TO:<{to}>", "DATA"]
        stages: tuple[Stage, ...] = ("mail", "rcpt", "data")
        refused: Reply | None = None
        if self._pipelining:
            self._write("".join(f"{command}\r\n" for command in commands).encode("ascii"), len(commands))
        for stage, command in zip(stages, commands, strict=True):
            if not self._pipelining:
                self._write(f"{command}\r\n".encode("ascii"), 1)
            try:
                code = await self._code(seconds)
            except (SessionBroken, TimeoutError):
                if refused is None:
                    raise
                self.close()
                return refused
            fine = code == _GO_ON if stage == "data" else code in (250, 251)
            if not fine and refused is None:
                refused = Reply(stage, code)
                if not self._pipelining:
                    return refused
            elif refused is not None and code == _GO_ON:
                # It waits for a mail to nobody: only the end of the connection tells it that there is none.
                self.close()
        if refused is not None:
            return refused
        given.set()
        self._write(_stuffed(mail), 1)
        async with asyncio.timeout(seconds):
            await self._writable.wait()
        return Reply("end", await self._code(seconds))

    async def reset(self, seconds: float) -> bool:
        """Whether it is good for another mail after a refusal."""
        try:
            self._write(b"RSET\r\n", 1)
            return await self._code(seconds) == 250
        except (SessionBroken, TimeoutError):
            return False

    async def quit(self, seconds: float) -> None:
        """The server was told goodbye, if it still listens; the connection is closed."""
        try:
            self._write(b"QUIT\r\n", 1)
            await self._code(seconds)
        except (SessionBroken, TimeoutError):
            pass
        finally:
            self.close()

    def close(self) -> None:
        """Nothing more is sent on it."""
        self._broken = True
        self._transport.close()

    def _write(self, data: bytes, answers: int) -> None:
        if not self.usable:
            raise SessionBroken("the connection is closed")
        self._expected += answers
        self._transport.write(data)

    async def _code(self, seconds: float) -> int:
        """The next answer's code."""
        async with asyncio.timeout(seconds):
            while not self._codes:
                if self._broken:
                    raise SessionBroken("the connection ended")
                self._came.clear()
                await self._came.wait()
        self._expected -= 1
        return self._codes.popleft()

    # --- asyncio.Protocol

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\n")) >= 0:
            line = bytes(self._buffer[: end + 1])
            del self._buffer[: end + 1]
            if line[3:4] == b"-" and line[:3].isdigit():
                continue
            if not line[:3].isdigit():
                self._end()
                return
            self._codes.append(int(line[:3]))
        if len(self._buffer) > _LONGEST_REPLY or len(self._codes) > self._expected:
            # Said without being asked: mostly that it closes the connection (421).
            self._end()
        self._came.set()

    def eof_received(self) -> bool:
        self._end()
        return False

    def connection_lost(self, error: Exception | None) -> None:
        self._end()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def _end(self) -> None:
        self._broken = True
        self._writable.set()
        self._came.set()
        self._transport.close()


def session_on(transport: asyncio.BaseTransport, pipelining: bool) -> SmtpSession:
    """A session that takes over the transport of a connection that is ready for mail."""
    return SmtpSession(cast("asyncio.Transport", transport), pipelining)


def _stuffed(mail: bytes) -> bytes:
    """The mail as it goes over the line: its last line ends, and none is a dot alone (RFC 5321 §4.5.2)."""
    if not mail.endswith(b"\r\n"):
        mail += b"\r\n"
    if mail.startswith(b"."):
        mail = b"." + mail
    return mail.replace(b"\r\n.", b"\r\n..") + b".\r\n"
