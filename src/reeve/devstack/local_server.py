"""One server process of ours: its folder, its port, its life; what differs per server is in subclasses."""

from __future__ import annotations

import asyncio
import os
import socket
from abc import ABC, abstractmethod
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

from reeve.devstack.binaries import Binary
from reeve.devstack.errors import PortTaken, ServerFailed
from reeve.devstack.launching import Child, free_port, port_is_free

HOST = "127.0.0.1"
_START_SECONDS = 180.0
_STOP_SECONDS = 20.0
_POLL_SECONDS = 0.03
_LOG_TAIL_BYTES = 16_384
_PORT_ATTEMPTS = 5


class LocalServer(ABC):
    """A server on this machine whose data lies in `folder` and survives restarts.

    An async context manager: ready inside, stopped after. The port stays the same over `restart()`.
    """

    label: ClassVar[str]
    """What a person calls it."""
    port_setting: ClassVar[str]
    """The environment variable that chooses its port under `reeve up`."""

    def __init__(self, folder: Path, *, port: int | None = None) -> None:
        """`folder` is created at start; without `port` a free one is taken."""
        self.folder = folder.resolve()
        self._wanted_port = port
        self._port = port
        self._child: Child | None = None

    @property
    def port(self) -> int:
        """The TCP port on 127.0.0.1. Raises RuntimeError before the first start if none was given."""
        if self._port is None:
            raise RuntimeError(f"{self.label} has no port before its first start")
        return self._port

    @property
    def log(self) -> Path:
        """Where the server writes its log; appended to over restarts."""
        return self.folder / "server.log"

    @property
    def pid(self) -> int:
        """Process id of the running server. Raises RuntimeError if it does not run."""
        return self._running().pid

    @property
    def is_running(self) -> bool:
        """Whether its process lives; it may not be ready yet."""
        return self._child is not None and self._child.returncode is None

    @property
    @abstractmethod
    def url(self) -> str:
        """What a client connects to."""

    @abstractmethod
    def _binary(self) -> Binary:
        """The program; blocking."""

    @abstractmethod
    def _prepare(self) -> list[str]:
        """Writes what the server reads at start and returns its arguments; blocking."""

    @abstractmethod
    async def _is_ready(self) -> bool:
        """Whether it serves clients, asked for real; does what is missing on the way. Raises nothing."""

    @abstractmethod
    def _useful(self, line: str) -> str | None:
        """A log line as a person would quote it, None if it says nothing about a failure."""

    async def start(self) -> None:
        """Running and ready for clients. Raises PortTaken, ServerMissing, ServerUnusable or ServerFailed."""
        if self.is_running:
            raise RuntimeError(f"{self.label} is already running")
        await asyncio.to_thread(self.folder.mkdir, parents=True, exist_ok=True)
        binary = await asyncio.to_thread(self._binary)
        for attempt in range(1, _PORT_ATTEMPTS + 1):
            if self._port is None:
                self._port = free_port()
            elif not port_is_free(self._port):
                raise PortTaken(self.label, self._port, self.port_setting)
            try:
                await self._start_once(binary)
                return
            except PortTaken:
                if self._wanted_port is not None or attempt == _PORT_ATTEMPTS:
                    raise
                self._port = None

    async def _start_once(self, binary: Binary) -> None:
        arguments = await asyncio.to_thread(self._prepare)
        log_start = self.log.stat().st_size if self.log.exists() else 0
        self._child = await Child.start(
            [str(binary.path), *arguments], env={**os.environ, **binary.environment}, log=self.log
        )
        try:
            async with asyncio.timeout(_START_SECONDS):
                while not (self._listens() and await self._is_ready() and self._child.returncode is None):
                    if self._child.returncode is not None:
                        raise self._ended_at_start(log_start)
                    await asyncio.sleep(_POLL_SECONDS)
        except TimeoutError as error:
            await self.kill()
            reason = self._last_useful_line(log_start)
            raise ServerFailed(
                self.label, f"was not ready after {_START_SECONDS:.0f} seconds", reason, str(self.log)
            ) from error
        except BaseException:
            await self.kill()
            raise

    def _listens(self) -> bool:
        """Whether anything accepts connections on the port; the answer is immediate on this machine."""
        with socket.socket() as probe:
            probe.settimeout(_POLL_SECONDS)
            return probe.connect_ex((HOST, self.port)) == 0

    def _ended_at_start(self, log_start: int) -> PortTaken | ServerFailed:
        tail = self._log_since(log_start).lower()
        if "address already in use" in tail:
            return PortTaken(self.label, self.port, self.port_setting)
        return ServerFailed(self.label, "ended at start", self._last_useful_line(log_start), str(self.log))

    def _log_since(self, start: int) -> str:
        try:
            with self.log.open("rb") as file:
                file.seek(max(start, self.log.stat().st_size - _LOG_TAIL_BYTES))
                return file.read().decode(errors="replace")
        except FileNotFoundError:
            return ""

    def _last_useful_line(self, start: int) -> str:
        lines = [line.strip() for line in self._log_since(start).splitlines() if line.strip()]
        useful = [said for line in lines if (said := self._useful(line))]
        return useful[-1] if useful else (lines[-1] if lines else "")

    def _running(self) -> Child:
        if self._child is None or self._child.returncode is not None:
            raise RuntimeError(f"{self.label} is not running")
        return self._child

    async def wait(self) -> int:
        """Returns when the server has ended, with its exit code."""
        if self._child is None:
            raise RuntimeError(f"{self.label} was never started")
        return await self._child.wait()

    async def stop(self) -> None:
        """Stopped in an orderly way; nothing happens if it does not run."""
        if self._child is not None:
            await self._child.stop(_STOP_SECONDS)

    async def kill(self) -> None:
        """Ended as by kill -9; nothing happens if it does not run."""
        if self._child is not None:
            await self._child.kill()

    async def restart(self) -> None:
        """Stopped and started again on the same port with the same data."""
        await self.stop()
        await self.start()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()
