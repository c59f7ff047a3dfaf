"""Section `kills`: notify is killed again and again while it sends; what was lost, and what came twice."""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections import Counter
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from time import perf_counter

from reeve.devstack.bench.arrivals import ID_LETTERS, times_by_id
from reeve.devstack.bench.fan_out import Takers, request, settled, takers
from reeve.devstack.bench.figures import Figure
from reeve.devstack.bench.programs import journal, service
from reeve.devstack.bench.rig import Rig

SECTION = "kills"
_LEASE = {"REEVE_NOTIFY_LEASE_SECONDS": "2"}
"""So that what a killed process had in hand is taken over during the measurement."""
_LIFE_SECONDS = 20.0
"""After so long without a message a process is killed anyway: others' leases may have to run out first."""


async def kills(rig: Rig, quick: bool) -> AsyncGenerator[Figure, None]:
    """Notify, killed (SIGKILL) at random moments while it works off notifications; each message counted."""
    wanted, times = (300, 5) if quick else (10_000, 100)
    async with takers(rig) as both:
        rig.tell(f"kills: {wanted} notifications are requested")
        requested = await request(rig, wanted)
        done = await _with_kills(rig, both, requested, times)
        found = await judge(rig, both)
    yield Figure(SECTION, "notifications", requested, "notifications")
    yield Figure(SECTION, "kills", done, "kills")
    yield Figure(SECTION, "lost", found.lost, "messages", 0, "less")
    yield Figure(SECTION, "came again without a mark", found.unmarked, "messages", 0, "less")
    yield Figure(SECTION, "came again, marked so", found.repeats, "messages", done, "less")
    yield Figure(SECTION, "most repeats of one message", found.most, "times", 1, "less")
    yield Figure(SECTION, "marked though it came once", found.cautious, "messages", better="less")


async def _with_kills(rig: Rig, both: Takers, requested: int, times: int) -> int:
    """Everything is settled in the end; how often notify was killed while it had something to send."""
    rng = random.Random(4)
    settings = {**both.settings, **_LEASE, **journal(rig)}
    killed = 0
    for number in range(times):
        rig.tell(f"kills: {number + 1} of {times}")
        left = requested - sum(both.come)
        if left <= 0:
            break
        async with service(rig, "notify", **settings) as doomed:
            await doomed.ready()
            await _some_have_come(both, rng.uniform(0, 2 * left / (times - number + 1)))
            await asyncio.sleep(rng.uniform(0, 0.05))
            await doomed.kill()
            killed += 1
    rig.tell("kills: the rest is sent")
    async with service(rig, "notify", **settings) as last:
        await last.ready()
        await settled(rig)
    return killed


async def _some_have_come(both: Takers, count: float) -> None:
    """So many more, or as many as come within the time."""
    wanted, end = sum(both.come) + count, perf_counter() + _LIFE_SECONDS
    while sum(both.come) < wanted and perf_counter() < end:  # noqa: ASYNC110 - other processes have no event
        await asyncio.sleep(0.002)


@dataclass(slots=True)
class Verdict:
    """What became of all deliveries."""

    lost: int = 0
    """Deliveries that never came."""
    repeats: int = 0
    """Messages that came once more and whose record says that it was sent again."""
    unmarked: int = 0
    """Messages that came once more, and the record knows nothing of it."""
    cautious: int = 0
    """Deliveries whose record says that they were sent again, and that came once."""
    most: int = 0
    """Repeats of that delivery that came most often."""


async def judge(rig: Rig, both: Takers) -> Verdict:
    """Each delivery of the record held against what has come."""
    come: Counter[str] = times_by_id(both.mails.out) + times_by_id(both.texts.out)
    found = Verdict()
    query = {"channel": {"$in": ["email", "sms"]}}
    async for each in rig.database["deliveries"].find(query, {"attempts.result": 1, "state": 1}):
        times = come[hashlib.sha256(each["_id"].encode()).hexdigest()[:ID_LETTERS]]
        unknown = sum(attempt["result"] == "unknown" for attempt in each["attempts"])
        again = max(0, times - 1)
        found.lost += times == 0
        found.repeats += min(again, unknown)
        found.unmarked += max(0, again - unknown)
        found.cautious += unknown > 0 and again == 0
        found.most = max(found.most, again)
    return found
