"""A program: an SMTP server that takes every mail and keeps none, in a process of its own. Prints its port."""

from __future__ import annotations

import asyncio

_ANSWERS = {b"EHLO": b"250-plain\r\n250 8BITMIME\r\n", b"DATA": b"354 go on\r\n", b"QUIT": b"221 bye\r\n"}


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
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


async def main() -> None:
    """Serves until killed."""
    server = await asyncio.start_server(_serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
