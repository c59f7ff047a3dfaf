"""The processes that a section measures or measures against: started, ready, and gone afterwards."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from reeve.devstack.bench.rig import Rig
from reeve.devstack.errors import ServerFailed, StackError
from reeve.devstack.launching import Child, free_port
from reeve.devstack.local_server import HOST
from reeve.domain.recipients import Recipient
from reeve.runtime.bundles import Bundles
from reeve.runtime.store.bundles import BundleStore
from reeve.runtime.store.mongo import Database
from reeve.runtime.store.recipients import RecipientStore
from reeve.runtime.time_source import SystemTime

SERVICES = ("intake", "escalation", "notify")
_READY_SECONDS = 180.0
_STOP_SECONDS = 15.0
_POLL_SECONDS = 0.05
_UNLIMITED = "100000000"
"""The rate limit of a key protects intake from one site; it is not what is measured here."""


class BenchFailed(StackError):
    """A measurement can't be made; the sentence says why."""


class Program:
    """One running process that listens on `port`."""

    def __init__(self, name: str, child: Child, port: int, log: Path, ready_path: str | None) -> None:
        self.name = name
        self.port = port
        self.log = log
        self._child = child
        self._ready_path = ready_path

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._child.pid

    async def ready(self) -> None:
        """It answers 200 at its ready path, or takes connections if it has none. Raises ServerFailed."""
        try:
            async with asyncio.timeout(_READY_SECONDS):
                while not await self._answers(self._ready_path):
                    if self._child.returncode is not None:
                        raise self._failed(f"ended with code {self._child.returncode}")
                    await asyncio.sleep(_POLL_SECONDS)
        except TimeoutError as error:
            raise self._failed(f"was not ready after {_READY_SECONDS:.0f} seconds") from error

    async def _answers(self, path: str | None) -> bool:
        try:
            reader, writer = await asyncio.open_connection(HOST, self.port)
        except OSError:
            return False
        try:
            if path is None:
                return True
            writer.write(f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n".encode())
            return b" 200 " in await asyncio.wait_for(reader.readline(), 5)
        except (OSError, TimeoutError):
            return False
        finally:
            writer.close()

    def _failed(self, happened: str) -> ServerFailed:
        lines = self.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return ServerFailed(self.name, happened, lines[-1][:300] if lines else "", str(self.log))

    async def kill(self) -> None:
        """As kill -9."""
        await self._child.kill()

    async def stop(self) -> None:
        """Drained, or killed if that takes too long."""
        await self._child.stop(_STOP_SECONDS)


@asynccontextmanager
async def running(
    rig: Rig,
    name: str,
    arguments: Sequence[str],
    port: int,
    environment: Mapping[str, str],
    ready_path: str | None = "/readyz",
) -> AsyncIterator[Program]:
    """`python -m …` runs inside, ready once `Program.ready` says so, and has ended afterwards, whatever happens."""
    rig.tell(f"starting {name}")
    log = rig.folder / f"{name.replace(' ', '-')}-{port}.log"
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("REEVE_")}
    child = await Child.start([sys.executable, "-m", *arguments], env={**inherited, **environment}, log=log)
    program = Program(name, child, port, log, ready_path)
    try:
        yield program
    finally:
        await program.stop()


@asynccontextmanager
async def service(rig: Rig, name: str, label: str | None = None, **settings: str) -> AsyncIterator[Program]:
    """One of Reeve's services on the rig's servers and its present database, as `reeve run` starts it.

    To be waited for like any program: several that start at once are ready sooner.
    """
    port = free_port()
    environment = {
        "REEVE_NATS_URL": rig.urls.nats_url,
        "REEVE_MONGO_URL": rig.urls.mongo_url,
        "REEVE_MONGO_DATABASE": rig.name,
        "REEVE_RULES": str(rig.rules),
        "REEVE_LOG_LEVEL": "error",
        "REEVE_INTAKE_RATE": _UNLIMITED,
        f"REEVE_{name.upper()}_HOST": HOST,
        f"REEVE_{name.upper()}_PORT": str(port),
        **settings,
    }
    # Without a bus intake still takes posts, and says so there.
    path = "/readyz?needs=record" if name == "intake" else "/readyz"
    arguments = ("reeve.cli.main", "run", name)
    async with running(rig, label or name, arguments, port, environment, path) as program:
        yield program


def journal(rig: Rig) -> dict[str, str]:
    """The setting that gives notify its journal, as `reeve up` does."""
    return {"REEVE_NOTIFY_JOURNAL": str(rig.folder / "journal")}


async def prepare(rig: Rig, database: Database, sites: int = 0) -> None:
    """The rules are active there, and three people of each site can be told by email, in English."""
    await Bundles(BundleStore(database), SystemTime()).seed(rig.rules)
    roles = ("service_supervisor", "property_manager", "department_head")
    people = [
        Recipient(
            f"r-{role}", f"site-{site}", frozenset({role}), "en", {"email": f"{role}@site-{site}.example.org"}
        )
        for site in range(sites)
        for role in roles
    ]
    await RecipientStore(database).save(people)
