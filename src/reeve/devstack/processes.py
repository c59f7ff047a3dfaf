"""The three services as local processes: started, watched, restarted when they die, drained at the end."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import httpx

from reeve.devstack.errors import PortTaken, ServerFailed
from reeve.devstack.launching import Child, port_is_free
from reeve.devstack.local_server import HOST
from reeve.devstack.log_lines import ChildOutput

_READY_SECONDS = 60.0
_DRAIN_SECONDS = 20.0
_POLL_SECONDS = 0.05
_LAST_WORDS_SECONDS = 1.0
_FIRST_PAUSE_SECONDS = 0.25
_LONGEST_PAUSE_SECONDS = 15.0
_STABLE_SECONDS = 30.0
"""A process that lived this long is well; its next death starts again with the shortest pause."""
_STILLBIRTHS = 5
"""Deaths in a row, before it was ready for the first time, after which we give up."""


@dataclass(frozen=True, slots=True)
class ProcessSpec:
    """What to run and how to know that it works."""

    name: str
    """Shown before its log lines; names its log file."""
    command: Sequence[str]
    port: int
    """It answers `GET /readyz` here, on 127.0.0.1."""
    port_setting: str
    """The environment variable that says so to it."""
    ready_path: str = "/readyz"

    @property
    def ready_url(self) -> str:
        """Answers 200 once the process does its work."""
        return f"http://{HOST}:{self.port}{self.ready_path}"


def service_spec(name: str, port: int) -> ProcessSpec:
    """One of Reeve's services under this same Python; `name` is intake, escalation or notify."""
    command = [sys.executable, "-m", "reeve.cli.main", "run", name]
    return ProcessSpec(name, command, port, f"REEVE_{name.upper()}_PORT")


class SupervisedProcess:
    """One process that is started again whenever it dies, until it is told to stop."""

    def __init__(self, spec: ProcessSpec, environment: Mapping[str, str], output: ChildOutput) -> None:
        self.spec = spec
        self.restart_count = 0
        """How often it was started again."""
        self._environment = {
            **os.environ,
            "PYTHONUNBUFFERED": "1",
            **environment,
            spec.port_setting: str(spec.port),
        }
        self._output = output
        self._child: Child | None = None
        self._watch: asyncio.Task[None] | None = None
        self._was_ready = False
        self._stopping = asyncio.Event()

    @property
    def pid(self) -> int:
        """Process id now. Raises RuntimeError while it is down."""
        if self._child is None or self._child.returncode is not None:
            raise RuntimeError(f"{self.spec.name} is not running")
        return self._child.pid

    async def start(self) -> None:
        """Running and ready. One that lives but is not ready is waited for, and says so now and then.

        Raises PortTaken, or ServerFailed if it keeps dying.
        """
        if not port_is_free(self.spec.port):
            raise PortTaken(self.spec.name, self.spec.port, self.spec.port_setting)
        self._watch = asyncio.create_task(self._keep_alive(), name=f"keep {self.spec.name} alive")
        ready = asyncio.create_task(self._wait_patiently())
        try:
            await asyncio.wait({ready, self._watch}, return_when=asyncio.FIRST_COMPLETED)
            if self._watch.done():
                self._watch.result()
            await ready
        finally:
            ready.cancel()

    async def _wait_patiently(self) -> None:
        while not self._was_ready:
            try:
                await self.wait_ready()
            except ServerFailed:
                self._output.say(f"is still not ready; {self.spec.ready_url} says what for")

    async def wait_ready(self, timeout_seconds: float = _READY_SECONDS) -> None:
        """Returns when it answers that it is ready. Raises ServerFailed after the timeout."""
        try:
            async with asyncio.timeout(timeout_seconds), httpx.AsyncClient(trust_env=False) as client:
                while not await self._is_ready(client):  # noqa: ASYNC110 - another process has no event
                    await asyncio.sleep(_POLL_SECONDS)
        except TimeoutError as error:
            happened = f"was not ready after {timeout_seconds:.0f} seconds"
            raise self._failed(happened) from error
        self._was_ready = True

    async def _is_ready(self, client: httpx.AsyncClient) -> bool:
        if self._child is None or self._child.returncode is not None:
            return False
        try:
            answer = await client.get(self.spec.ready_url, timeout=2)
        except httpx.HTTPError:
            return False
        return answer.status_code == httpx.codes.OK

    async def wait_failed(self) -> None:
        """Returns never; raises ServerFailed when it is given up. A process that was ready once never is."""
        if self._watch is None:
            raise RuntimeError(f"{self.spec.name} was not started")
        await asyncio.shield(self._watch)

    async def _keep_alive(self) -> None:
        loop = asyncio.get_running_loop()
        pause, stillbirths = _FIRST_PAUSE_SECONDS, 0
        while not self._stopping.is_set():
            began = loop.time()
            code = await self._live_once()
            if self._stopping.is_set():
                return
            stillbirths = 0 if self._was_ready else stillbirths + 1
            if stillbirths >= _STILLBIRTHS:
                raise self._failed(f"ended {stillbirths} times at start")
            if loop.time() - began >= _STABLE_SECONDS:
                pause = _FIRST_PAUSE_SECONDS
            self._output.say(f"ended with code {code}; starting it again in {pause:g} s")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), pause)
            pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
            self.restart_count += 1

    async def _live_once(self) -> int:
        """Starts it, shows what it prints, and returns its exit code once it has ended."""
        child = await Child.start(self.spec.command, env=self._environment, log=None)
        self._child = child
        following = asyncio.create_task(self._output.follow(await child.lines()))
        try:
            code = await child.wait()
            # Its last words are in the pipe; a grandchild that keeps the pipe open must not keep us.
            await asyncio.wait({following}, timeout=_LAST_WORDS_SECONDS)
        finally:
            following.cancel()
            child.close()
        return code

    def _failed(self, happened: str) -> ServerFailed:
        return ServerFailed(self.spec.name, happened, self._output.last_line, str(self._output.log))

    async def stop(self, grace_seconds: float = _DRAIN_SECONDS) -> None:
        """Drained (SIGTERM) within the grace, or else killed; stays down."""
        self._stopping.set()
        if self._watch is None:
            return
        while not self._watch.done():
            if self._child is not None:
                await self._child.stop(grace_seconds)
            await asyncio.wait({self._watch}, timeout=_POLL_SECONDS)
