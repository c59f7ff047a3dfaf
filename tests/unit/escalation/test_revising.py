"""What can wait for events does, and what is left over is found again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping
from dataclasses import replace

import pytest

from reeve.domain.bundle import Bundle
from reeve.ports import StoreAway
from reeve.runtime.store.running_cases import OutdatedCase
from services.escalation import spare
from services.escalation.revising import Reviser
from services.escalation.spare import SpareWork
from services.escalation.work import ReviseWork
from tests.support.simulation import bundle_of
from tests.support.waiting import PATIENCE

POLICY = """
takes: ticket
if: category == "NAME"
on_change: HOW
clocks:
  respond: {start: ticket.opened, stop: ticket.acknowledged, limit: 10m}
close: ticket.closed
"""


def rules(**policies: str) -> Bundle:
    return bundle_of({name: POLICY.replace("NAME", name).replace("HOW", how) for name, how in policies.items()})


class Record:
    """Outdated cases of one policy: id → lane; each is up to date once it was handed over."""

    def __init__(self, cases: dict[str, int]) -> None:
        self.left = cases
        self.asked: list[dict[str, str]] = []
        self.away = False

    async def count_outdated(self, current: Mapping[str, str], lanes: Collection[int] | None = None) -> int:
        if self.away:
            raise StoreAway("away")
        self.asked.append(dict(current))
        return sum(lane in (lanes or ()) for lane in self.left.values())

    async def outdated(
        self, current: Mapping[str, str], lanes: Collection[int] | None = None
    ) -> AsyncIterator[OutdatedCase]:
        for case_id, lane in list(self.left.items()):
            if lane in (lanes or ()):
                yield OutdatedCase(case_id, lane)


class Inbox:
    """Takes what it is given at once, unless told to hold."""

    def __init__(self, record: Record, lanes: set[int]) -> None:
        self.record = record
        self.lanes = frozenset(lanes)
        self.handed: list[str] = []
        self.stubborn: set[str] = set()
        self.got = asyncio.Event()

    async def put_spare(self, work: ReviseWork) -> None:
        self.handed.append(work.case_id)
        if work.case_id not in self.stubborn:
            del self.record.left[work.case_id]
        self.got.set()

    async def spare_done(self) -> None:
        await asyncio.sleep(0)


async def test_only_policies_that_follow_and_only_own_lanes() -> None:
    bundle = rules(complaint="pin", repair="adopt", service="recompute")
    record = Record({"a": 0, "b": 1, "c": 2})
    inbox = Inbox(record, {0, 2})
    assert await Reviser(inbox, record, lambda: bundle).sweep() == 2
    assert inbox.handed == ["a", "c"]
    assert set(record.asked[0]) == {"repair", "service"}
    assert record.asked[0]["repair"] == bundle.policies["repair"].digest


async def test_rules_that_only_pin_ask_nothing() -> None:
    record = Record({"a": 0})
    assert await Reviser(Inbox(record, {0}), record, lambda: rules(complaint="pin")).sweep() == 0
    assert record.asked == []


async def test_other_rules_in_the_middle_begin_anew() -> None:
    current = [rules(repair="adopt")]
    record = Record(dict.fromkeys("abcd", 0))

    class Switching(Inbox):
        async def put_spare(self, work: ReviseWork) -> None:
            await super().put_spare(work)
            if len(self.handed) == 2:
                current[0] = replace(current[0], version="other")

    inbox = Switching(record, {0})
    reviser = Reviser(inbox, record, lambda: current[0])
    await reviser.sweep()
    assert inbox.handed == ["a", "b"]
    running = asyncio.create_task(reviser.run())
    async with asyncio.timeout(PATIENCE):
        while len(inbox.handed) < 4:
            inbox.got.clear()
            await inbox.got.wait()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert inbox.handed == ["a", "b", "c", "d"]


async def test_a_record_that_is_away_is_asked_again() -> None:
    record = Record({"a": 0})
    record.away = True
    inbox = Inbox(record, {0})
    bundle = rules(repair="adopt")
    reviser = Reviser(inbox, record, lambda: bundle)
    with pytest.raises(StoreAway):
        await reviser.sweep()
    running = asyncio.create_task(reviser.run())
    await asyncio.sleep(0)
    record.away = False
    async with asyncio.timeout(PATIENCE):
        reviser.look()
        await inbox.got.wait()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert inbox.handed == ["a"]


def works(count: int, lane: int = 0) -> list[ReviseWork]:
    return [ReviseWork(f"{lane}-{n}", lane) for n in range(count)]


def test_beside_events_a_batch_takes_little_and_short_batches_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(spare, "perf_counter", lambda: now[0])
    queue = SpareWork()
    for work in works(2000):
        queue.put(work)
    alone = len(queue.take(512, beside=False))
    now[0] += 0.01
    queue.batch_ended()
    more = len(queue.take(512, beside=False))
    assert more > alone
    assert len(queue.take(512, beside=True)) < more
    assert len(queue.take(3, beside=False)) == 3
    for _ in range(10):
        queue.take(512, beside=False)
        now[0] += 1.0
        queue.batch_ended()
    assert len(queue.take(512, beside=False)) == 8, "long batches shrink, but it always goes on"


async def test_whoever_puts_waits_for_room_and_a_closed_lane_is_forgotten() -> None:
    queue = SpareWork()
    for work in [*works(300, lane=0), *works(300, lane=1)]:
        queue.put(work)
    waiting = asyncio.create_task(queue.room())
    await asyncio.sleep(0)
    assert not waiting.done()
    queue.drop_lane(0)
    while len(queue) > 200:
        queue.take(50, beside=False)
    await asyncio.wait_for(waiting, PATIENCE)
    done = asyncio.create_task(queue.done())
    taken = []
    while len(queue):
        await asyncio.sleep(0)
        taken += queue.take(50, beside=False)
    await asyncio.wait_for(done, PATIENCE)
    assert {work.lane for work in taken} == {1}
