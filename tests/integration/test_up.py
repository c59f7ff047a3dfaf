"""`reeve up` as people use it: a process that stays up, drains when asked, and leaves nothing when killed."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from reeve.devstack.addresses import running_stack
from reeve.devstack.launching import free_port
from tests.support.waiting import PATIENCE, process_lives, until

pytestmark = [pytest.mark.integration]

ROOT = Path(__file__).parents[2]


class Up:
    """Starts `reeve up` on one data folder, as often as asked."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "data"
        self._log = folder / "up.log"
        names = ("INTAKE", "ESCALATION", "NOTIFY", "SINK_HTTP", "SINK_SMTP", "NATS", "MONGO")
        ports = {f"REEVE_{name}_PORT": str(free_port()) for name in names}
        rules = folder / "rules"
        shutil.copytree(ROOT / "rules", rules, ignore=shutil.ignore_patterns("tests"))  # `make check` runs those
        own = {"REEVE_DATA": str(self.data), "REEVE_RULES": str(rules), "PYTHONUNBUFFERED": "1"}
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("REEVE_")}
        self._environment = {**inherited, **ports, **own}
        self._started: list[asyncio.subprocess.Process] = []

    @property
    def said(self) -> str:
        """All that any of them printed so far."""
        return self._log.read_text(encoding="utf-8") if self._log.exists() else ""

    async def start(self) -> asyncio.subprocess.Process:
        with self._log.open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "reeve.cli.main", "up"), stdout=log, stderr=log, env=self._environment
            )
        self._started.append(process)
        return process

    async def start_ready(self) -> asyncio.subprocess.Process:
        process = await self.start()
        await until(
            f"reeve up is ready; it said:\n{self.said}",
            lambda: running_stack(self.data) is not None or process.returncode is not None,
            180,
        )
        assert process.returncode is None, self.said
        return process

    async def kill_all(self) -> None:
        for process in self._started:
            if process.returncode is None:
                process.kill()
            await process.wait()


@pytest.fixture
async def up(tmp_path: Path) -> AsyncIterator[Up]:
    running = Up(tmp_path)
    yield running
    await running.kill_all()


def children(pid: int) -> list[int]:
    """Process ids of all whose parent is `pid` now."""
    return [
        int(entry.name)
        for entry in Path("/proc").iterdir()
        if entry.name.isdigit() and process_lives(int(entry.name)) and _parent(entry) == pid
    ]


def _parent(entry: Path) -> int:
    try:
        return int((entry / "stat").read_text(encoding="ascii").rpartition(")")[2].split()[1])
    except OSError:
        return 0


@pytest.mark.long
async def test_it_survives_kill_9_and_drains_on_ctrl_c(up: Up) -> None:
    first = await up.start_ready()
    offspring = children(first.pid)
    assert len(offspring) == 6, "NATS, MongoDB, sinks, intake, escalation, notify"

    second = await up.start()
    assert await asyncio.wait_for(second.wait(), PATIENCE) == 1
    assert f"already running on {up.data} (process {first.pid})" in up.said

    first.kill()
    await first.wait()
    await until("no orphan is left", lambda: not any(map(process_lives, offspring)))
    assert running_stack(up.data) is None

    third = await up.start_ready()
    addresses = running_stack(up.data)
    assert addresses is not None
    async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE) as client:
        assert (await client.get(f"{addresses.intake_url}/readyz")).status_code == 200
    offspring = children(third.pid)
    third.send_signal(signal.SIGINT)
    assert await asyncio.wait_for(third.wait(), PATIENCE) == 0
    assert "Stopped. Your data is kept" in up.said
    assert not any(map(process_lives, offspring))


async def test_ctrl_c_while_it_starts_stops_it_as_well(up: Up) -> None:
    process = await up.start()
    await until("a server was started", lambda: len(children(process.pid)) >= 1)
    offspring = children(process.pid)
    process.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(process.wait(), PATIENCE) == 0
    assert not any(map(process_lives, offspring))
