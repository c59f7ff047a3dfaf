"""An SMTP server that takes every mail and keeps none, for `asyncio.start_server`."""

from __future__ import annotations

import asyncio

_ANSWERS = {b"EHLO": b"250-plain\r\n250 8BITMIME\r\n", b"DATA": b"354 go on\r\n", b"QUIT": b"221 bye\r\n"}


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Serves one connection until the client quits."""
    writer.write(b"220 plain\r\n")
    in_mail = False
    while line := await reader.readline():
        if in_mail:
            if line == b".\r\n":
                in_mail = False
                writer.write(b"250 taken\r\n")
            continue
        command = line[:4].upper()
        writer.write(_ANSWERS.get(command, b"250 ok\r\n"))
        in_mail = command == b"DATA"
        if command == b"QUIT":
            break
    writer.close()
