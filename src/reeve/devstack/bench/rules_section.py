"""Sections `rules` and `simulate`: how long rules take to be checked, how fast events run through them alone."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncGenerator, Sequence
from time import perf_counter

import orjson

from reeve.contracts.events import canonical, parse_event
from reeve.contracts.timeline import timeline_line
from reeve.devstack.bench.decide_loops import our_rate
from reeve.devstack.bench.end_to_end_section import throughput, world
from reeve.devstack.bench.figures import Figure, median_of, ratio_of
from reeve.devstack.bench.many_rules import many_rules
from reeve.devstack.bench.programs import BenchFailed
from reeve.devstack.bench.rig import Rig, complaints, serious_complaints
from reeve.domain.bundle import Bundle
from reeve.domain.events import Event
from reeve.domain.facts import zone_of
from reeve.domain.simulate import Simulation
from reeve.rulelang.load import load_bundle
from reeve.runtime.spill import Spill
from reeve.runtime.time_source import SystemTime

_RUNS = 3
_POLICIES, _RULES = 50, 500
_BAR_MANY_SECONDS = 3.0
_BAR_SHIPPED_SECONDS = 1.0
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
    most = 500 if quick else 5000
    decided, alone = [], []
    for run in range(1, _RUNS + 1):
        events = list(complaints(most, SystemTime().now(), f"S{run}-"))
        rig.tell(f"simulate: {most} events through escalation's loop, run {run} of {_RUNS}")
        await rig.fresh()
        await rig.accept(events)
        decided.append(await our_rate(rig, most))
        alone.append(await _simulated(rig, events, run))
    live, beside = [], []
    async with world(rig) as here:
        # Sized by what this machine does, so that a slow one is done in time as well.
        count = round(min(most, max(100, 5 * (await throughput(here, 100))[1])))
        for run in range(1, _RUNS + 1):
            rig.tell(f"simulate: {count} events through all services, run {run} of {_RUNS}")
            first = here.posted
            live.append((await throughput(here, count))[0])
            events = list(serious_complaints(count, SystemTime().now(), first))
            beside.append(await _simulated(rig, events, run))
    yield median_of("simulate", "simulated, from JSON to the timeline's JSON", [*alone, *beside], "events/s")
    yield median_of("simulate", "live: post → graded → notification requested", live, "events/s")
    yield ratio_of("simulate", "simulated ÷ live", beside, live, _BAR_SIMULATE)
    yield median_of("simulate", "escalation's loop alone, all steps durable", decided, "events/s")
    yield ratio_of("simulate", "simulated ÷ escalation's loop alone", alone, decided)


async def _simulated(rig: Rig, events: Sequence[Event], run: int) -> float:
    rig.tell(f"simulate: {len(events)} events simulated, run {run} of {_RUNS}")
    bodies = [canonical(event) for event in events]
    return await asyncio.to_thread(simulated_rate, rig.bundle, bodies)


def simulated_rate(bundle: Bundle, bodies: Sequence[bytes]) -> float:
    """As `reeve rules simulate --json` does it, in bounded memory; what it prints is thrown away."""
    begun = perf_counter()
    with Spill() as shelf:
        simulation = Simulation(bundle, shelf=shelf)
        for body in bodies:
            for effect in simulation.feed(parse_event(body)):
                orjson.dumps(timeline_line(effect, zone_of(bundle.site(effect.case.site).zone)), default=str)
    return len(bodies) / (perf_counter() - begun)
