"""What a program that takes messages for the bench does around its protocol: its options, its file, its end."""

from __future__ import annotations

import argparse
import asyncio
import os
from collections.abc import Callable

from reeve.devstack.local_server import HOST
from reeve.runtime.process import run, stop_requested


def take(session: Callable[[int], asyncio.Protocol], what: str) -> None:
    """Serves until SIGTERM or SIGINT; each session is given the file that it notes in, open for appending."""
    parser = argparse.ArgumentParser(description=what)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--out", required=True)
    options = parser.parse_args()
    run(lambda: _serve(session, options))


async def _serve(session: Callable[[int], asyncio.Protocol], options: argparse.Namespace) -> None:
    stopped = stop_requested()
    out = os.open(options.out, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    server = await asyncio.get_running_loop().create_server(lambda: session(out), HOST, options.port)
    await stopped.wait()
    server.close()
