"""Starts child processes that can't outlive this one, and waits for them without blocking the loop."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

_LEASH = Path(__file__).with_name("leash.py")
_POLL_SECONDS = 0.02
_PORTS = range(28_100, 32_768)
"""Below those that Linux gives to connections, and to listeners that ask for any port."""


@cache
def _launcher() -> ThreadPoolExecutor:
    """One thread that lives as long as this process, and forks every child.

    The kernel's parent-death signal fires when the forking *thread* ends; a caller's thread may end early.
    """
    return ThreadPoolExecutor(max_workers=1, thread_name_prefix="reeve-launcher")


def free_port(host: str = "127.0.0.1") -> int:
    """A TCP port that nobody listens on. Neither this function nor the system gives it to anybody else as long as
    this process lives, where the kernel is Linux: whoever asked may take his time to listen there."""
    for port in random.sample(_PORTS, len(_PORTS)):
        if port_is_free(port, host) and _reserved(port):
            return port
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def _reserved(port: int) -> bool:
    """Whether the port is ours now: a name among sockets that have no file is free again when its process ends."""
    if sys.platform != "linux":
        return True
    name = socket.socket(socket.AF_UNIX)
    try:
        name.bind(f"\0reeve-port-{port}")
    except OSError:
        name.close()
        return False
    name.detach()
    return True


def port_is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Whether a listener could take the port now; connections that are merely closing don't count."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


class Child:
    """One running child process, alone in its session so that a terminal's Ctrl-C reaches only its parent."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._pipe: asyncio.ReadTransport | None = None

    @classmethod
    async def start(
        cls, command: Sequence[str], *, env: Mapping[str, str], log: Path | None, cwd: Path | None = None
    ) -> Child:
        """Starts `command`; its output is appended to `log`, or readable from `stdout` if that is None.

        The child is killed by the kernel (SIGKILL) when this process ends for any reason. Raises OSError
        only if this Python itself can't be started; a missing program shows as an early end of the child.
        """
        leashed = [sys.executable, "-I", "-S", str(_LEASH), str(os.getpid()), "SIGKILL", *command]

        def launch() -> subprocess.Popen[bytes]:
            with contextlib.ExitStack() as files:
                out = subprocess.PIPE if log is None else files.enter_context(log.open("ab"))
                return subprocess.Popen(
                    leashed,
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=subprocess.STDOUT,
                    env=dict(env),
                    cwd=cwd,
                    start_new_session=True,
                )

        launching = asyncio.get_running_loop().run_in_executor(_launcher(), launch)
        try:
            return cls(await asyncio.shield(launching))
        except asyncio.CancelledError:
            await cls(await launching).kill()
            raise

    @property
    def pid(self) -> int:
        """Process id; the leash becomes the command, so it is the command's own."""
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """None while it runs; negative when a signal ended it."""
        return self._process.poll()

    async def lines(self) -> asyncio.StreamReader:
        """Its output as a stream; once, and only for a child started without a log. Ends with `close()`."""
        if self._process.stdout is None:
            raise ValueError("this child writes to a log")
        reader = asyncio.StreamReader()
        self._pipe, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), self._process.stdout
        )
        return reader

    def close(self) -> None:
        """Nothing more is read from its output."""
        if self._pipe is not None:
            self._pipe.close()

    async def wait(self) -> int:
        """Returns once the child has ended, with its code."""
        while (code := self._process.poll()) is None:  # noqa: ASYNC110 - no portable event for it
            await asyncio.sleep(_POLL_SECONDS)
        return code

    def signal(self, number: signal.Signals) -> None:
        """Sends a signal; nothing happens if the child has already ended."""
        if self._process.poll() is None:
            self._process.send_signal(number)

    async def stop(self, grace_seconds: float) -> None:
        """Asks with SIGTERM, and after the grace insists with SIGKILL; returns when it has ended."""
        self.signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(self.wait(), grace_seconds)
        except TimeoutError:
            await self.kill()

    async def kill(self) -> None:
        """Ends it with SIGKILL, as a crash would; returns when it has ended."""
        self.signal(signal.SIGKILL)
        await self.wait()
