"""SMTP and HTTP servers that break the line, the protocol or their word, each in one way."""

from __future__ import annotations

import asyncio
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from socket import SO_LINGER, SOL_SOCKET

CERTIFICATES = Path(__file__).parent / "certificates"
Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def serving(talk: Talk, secure: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """The port at which `talk` has each connection; whatever it leaves open is cut afterwards. `secure`: by TLS."""
    talks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await talk(reader, writer)
        except (ConnectionError, ssl.SSLError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(serve(reader, writer))
        talks.add(task)
        task.add_done_callback(talks.discard)

    server = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=secure)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in talks:
            task.cancel()
        await asyncio.gather(*talks, return_exceptions=True)


def certificate(name: str) -> ssl.SSLContext:
    """What a server shows: one of tests/support/certificates."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATES / f"{name}.pem")
    return context


def reset(writer: asyncio.StreamWriter) -> None:
    """The connection ends in a reset instead of a goodbye."""
    socket = writer.get_extra_info("socket")
    socket.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


class ScriptedSmtp:
    """Answers each command by its first four letters; `None` cuts the line there, a number waits so many seconds.

    What is given here is said the first time, afterwards all is well. `greet` always comes before everything;
    `end` is the answer to a whole mail; `cut_in_body` resets the line after the first line of one.
    """

    def __init__(
        self, *, greet: bytes | None = b"220 here", cut_in_body: bool = False, **answers: bytes | float | None
    ) -> None:
        self.mails: list[bytes] = []
        self.connections = 0
        self.hangs = False
        """Somebody waits for one of its answers that are numbers."""
        self._greet = greet
        self._cut_in_body = cut_in_body
        self._answers: dict[str, list[bytes | float | None]] = {
            "EHLO": [b"250-here\r\n250 8BITMIME"],
            "DATA": [b"354 go on"],
            "END": [b"250 taken"],
            "QUIT": [b"221 bye"],
        }
        for command, answer in answers.items():
            self._answers[command.upper()] = [answer, *self._answers.get(command.upper(), [b"250 ok"])]

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        self.connections += 1
        if self._greet is None:
            return
        writer.write(self._greet + b"\r\n")
        while line := await reader.readline():
            command = line[:4].decode("latin-1").strip().upper()
            if not await self._say(writer, command):
                return
            if command == "DATA" and self._last.startswith(b"354"):
                if self._cut_in_body:
                    self._cut_in_body = False
                    await reader.readline()
                    reset(writer)
                    return
                self.mails.append(await reader.readuntil(b"\r\n.\r\n"))
                if not await self._say(writer, "END"):
                    return
            if command == "QUIT":
                return

    async def _say(self, writer: asyncio.StreamWriter, command: str) -> bool:
        """Whether the line goes on. Of several answers each is given once, the last for ever."""
        answers = self._answers.get(command, [b"250 ok"])
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if answer is None:
            return False
        self._last = b""
        if isinstance(answer, bytes):
            self._last = answer
            writer.write(answer + b"\r\n")
        else:
            self.hangs = True
            await asyncio.sleep(answer)
        return True


def http_talk(*answers: bytes | None, taken: list[bytes] | None = None, slowly: float = 0.0) -> Talk:
    """Answers one request after the other with these very bytes, the last for ever; None resets the line.

    `slowly`: a byte at a time with such a pause.
    """
    left = list(answers)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(
                (int(row[15:]) for row in head.lower().split(b"\r\n") if row.startswith(b"content-length:")), 0
            )
            body = await reader.readexactly(length)
            if taken is not None:
                taken.append(body)
            answer = left.pop(0) if len(left) > 1 else left[0]
            if answer is None:
                reset(writer)
                return
            if slowly:
                for start in range(len(answer)):
                    writer.write(answer[start : start + 1])
                    await asyncio.sleep(slowly)
            writer.write(b"" if slowly else answer)
            if b"content-length" not in answer.lower() and b"chunked" not in answer.lower():
                return

    return talk
