"""Sections `rules` and `simulate`: how long rules take to be checked, how fast events run through them alone."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncGenerator, Callable, Iterable
from datetime import datetime
from functools import partial
from pathlib import Path
from time import perf_counter

from reeve.contracts.events import canonical
from reeve.devstack.bench.decide_loops import our_rate
from reeve.devstack.bench.end_to_end_section import throughput, world
from reeve.devstack.bench.figures import Figure, median_of, ratio_of
from reeve.devstack.bench.many_rules import many_rules
from reeve.devstack.bench.programs import BenchFailed
from reeve.devstack.bench.rig import Rig, complaints, serious_complaints
from reeve.domain.events import Event
from reeve.rulelang.load import load_bundle
from reeve.runtime.time_source import SystemTime

_RUNS = 3
_POLICIES, _RULES = 50, 500
_BAR_MANY_SECONDS = 3.0
_BAR_SHIPPED_SECONDS = 1.0
_SIMULATED = 20_000
"""Events of a simulation: enough that the command's start hardly counts."""
_BAR_SIMULATE = 5.0
"""Source: design, figures to reach."""


async def rules(rig: Rig, quick: bool) -> AsyncGenerator[Figure, None]:
    """Seconds until rules are read, checked and compiled: a big bundle, and the command on the rig's own rules."""
    many, command = [], []
    for run in range(1, (1 if quick else _RUNS) + 1):
        rig.tell(f"rules: {_RULES} rules in {_POLICIES} policies, run {run} of {_RUNS}")
        # Other texts each time: what was read before would be remembered.
        files = many_rules(_POLICIES, _RULES, seed=run)
        begun = perf_counter()
        loaded = await asyncio.to_thread(load_bundle, files)
        many.append(perf_counter() - begun)
        if loaded.bundle is None:
            raise BenchFailed(f"the bundle made for this can't be used: {loaded.problems[0].render()}")
        rig.tell(f"rules: reeve rules check, run {run} of {_RUNS}")
        command.append(await _checked(rig))
    what = f"check and compile {_RULES} rules, {_POLICIES} policies"
    yield median_of("rules", what, many, "s", _BAR_MANY_SECONDS, "less")
    yield median_of("rules", "reeve rules check, as a command", command, "s", _BAR_SHIPPED_SECONDS, "less")


async def _checked(rig: Rig) -> float:
    """Seconds from the start of `reeve rules check` on the rig's rules to its end. Raises BenchFailed."""
    begun = perf_counter()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "reeve.cli.main", "rules", "check", str(rig.rules)),
        env={**os.environ, "NO_COLOR": "1"},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    if await process.wait() != 0:
        raise BenchFailed(f"`reeve rules check {rig.rules}` does not pass")
    return perf_counter() - begun


async def simulate(rig: Rig, quick: bool) -> AsyncGenerator[Figure, None]:
    """Events a second of a simulation, beside the live pipeline and beside escalation's loop alone."""
    most, many = (500, 6000) if quick else (5000, _SIMULATED)
    decided, alone = [], []
    for run in range(1, _RUNS + 1):
        events = list(complaints(most, SystemTime().now(), f"S{run}-"))
        rig.tell(f"simulate: {most} events through escalation's loop, run {run} of {_RUNS}")
        await rig.fresh()
        await rig.accept(events)
        decided.append(await our_rate(rig, most))
        alone.append(await _simulated(rig, complaints, many, run))
    live = []
    async with world(rig) as here:
        # Sized by what this machine does, so that a slow one is done in time as well.
        count = round(min(most, max(100, 5 * (await throughput(here, 100))[1])))
        for run in range(1, _RUNS + 1):
            rig.tell(f"simulate: {count} events through all services, run {run} of {_RUNS}")
            live.append((await throughput(here, count))[0])
    # After the services have ended: live and simulated, each has the machine for itself.
    serious = partial(serious_complaints, first=0)
    beside = [await _simulated(rig, serious, many, run) for run in range(1, _RUNS + 1)]
    yield median_of("simulate", "simulated, from JSON to the timeline's JSON", [*alone, *beside], "events/s")
    yield median_of("simulate", "live: post → graded → notification requested", live, "events/s")
    yield ratio_of("simulate", "simulated ÷ live", beside, live, _BAR_SIMULATE)
    yield median_of("simulate", "escalation's loop alone, all steps durable", decided, "events/s")
    yield ratio_of("simulate", "simulated ÷ escalation's loop alone", alone, decided)


async def _simulated(rig: Rig, make: Callable[[int, datetime], Iterable[Event]], count: int, run: int) -> float:
    """The command's own events a second, its start included, on a file of so many events of one moment."""
    rig.tell(f"simulate: {count} events simulated, run {run} of {_RUNS}")
    file, at = rig.folder / "simulated.ndjson", SystemTime().now()
    file.write_bytes(b"\n".join(canonical(event) for event in make(count, at)))
    return await simulated_rate(rig.rules, file, count, at)


async def simulated_rate(rules: Path, file: Path, count: int, at: datetime) -> float:
    """Events a second of `reeve rules simulate --json`, until the moment `at`; what it prints is thrown away.

    Raises BenchFailed.
    """
    begun = perf_counter()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "reeve.cli.main", "rules", "simulate", str(rules), str(file)),
        *("--until", at.isoformat(), "--json"),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    if await process.wait() != 0:
        raise BenchFailed(f"`reeve rules simulate {rules}` does not take the bench's events")
    return count / (perf_counter() - begun)
