"""What takes messages during a measurement: a mail server and an SMS gateway, each in a process of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

from reeve.devstack.bench.arrivals import arrived
from reeve.devstack.bench.programs import BenchFailed, running
from reeve.devstack.bench.rig import Rig
from reeve.devstack.launching import free_port

_LIMIT_SECONDS = 60.0


class Taker(NamedTuple):
    """One of them."""

    port: int
    out: Path
    """What has come, a line for each."""

    async def until(self, wanted: int, seconds: float = _LIMIT_SECONDS) -> None:
        """So many messages have come since it started. Raises BenchFailed."""
        end = perf_counter() + seconds
        while (come := arrived(self.out)) < wanted:
            if perf_counter() > end:
                raise BenchFailed(f"{come} of {wanted} messages had come after {seconds:g} s")
            await asyncio.sleep(0.02)


@asynccontextmanager
async def mail_taker(rig: Rig) -> AsyncIterator[Taker]:
    """Takes mail inside."""
    async with _taker(rig, "mail server", "smtp_taker") as taker:
        yield taker


@asynccontextmanager
async def text_taker(rig: Rig) -> AsyncIterator[Taker]:
    """Takes SMS inside, on any path."""
    async with _taker(rig, "SMS gateway", "text_taker") as taker:
        yield taker


@asynccontextmanager
async def _taker(rig: Rig, name: str, module: str) -> AsyncIterator[Taker]:
    port = free_port()
    out = rig.folder / f"{module}-{port}.lines"
    arguments = (f"reeve.devstack.bench.{module}", "--port", str(port), "--out", str(out))
    async with running(rig, name, arguments, port, {}, None) as program:
        await program.ready()
        yield Taker(port, out)
