"""The bounded buffer between the bus and the loop: one for all lanes of this replica, in order of arrival.

One batch takes from all lanes at once, so that lanes of one process never conflict with each other. What can wait
(cases to revise) stands apart, and a batch takes only a little of it, so that no event waits for it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable

from reeve.contracts.subjects import timer_due_filter, work_filter
from reeve.runtime.bus.connection import BusConnection
from reeve.runtime.bus.pull import PROGRESS, ContinuousPull, Durable, Received, acknowledge, nak
from reeve.runtime.verdicts import Failure, attempt
from services.escalation.metrics import REDELIVERIES
from services.escalation.spare import SpareWork
from services.escalation.work import BadWork, EventWork, ReviseWork, TickWork, Work, read_tick, read_work, site_of

ACK_WAIT_SECONDS = 60.0


class Inbox:
    """Messages in hand. `take` is for the one loop; everything else may be called from anywhere."""

    def __init__(self, bus: BusConnection, capacity: int) -> None:
        """`capacity`: messages of one lane held at most, of events and ticks each."""
        self._bus = bus
        self._capacity = capacity
        self._queue: deque[tuple[Work, _Lane | None]] = deque()
        self._arrived = asyncio.Event()
        self._lanes: dict[int, tuple[_Lane, _Lane]] = {}
        self._in_hand: list[Work] = []
        self._spare = SpareWork()

    @property
    def lanes(self) -> frozenset[int]:
        """Lanes being read."""
        return frozenset(self._lanes)

    async def open_lane(self, lane: int) -> None:
        """Events and ticks of the lane come in from now on. Raises BusAway."""
        if lane in self._lanes:
            return
        events = _Lane(self, self._bus, _events_durable(lane, self._capacity), self._capacity)
        ticks = _Lane(self, self._bus, _ticks_durable(lane, self._capacity), self._capacity)
        await events.pull.start()
        await ticks.pull.start()
        self._lanes[lane] = (events, ticks)

    async def close_lane(self, lane: int) -> None:
        """Nothing more of the lane comes in; what of it was not taken yet goes back to the bus."""
        pair = self._lanes.pop(lane, ())
        for source in pair:
            await source.pull.stop()
        back = [work for work, source in self._queue if source in pair]
        self._queue = deque(entry for entry in self._queue if entry[1] not in pair)
        self._spare.drop_lane(lane)
        for work in back:
            if work.received is not None:
                await acknowledge(self._bus, work.received, nak(0))

    def held(self) -> set[str]:
        """Keys of the events and ids of the cases that are in the buffer or were taken last."""
        works = [*self._in_hand, *(work for work, _ in self._queue)]
        return {work.event.key for work in works if isinstance(work, EventWork)} | {
            work.case_id for work in works if isinstance(work, TickWork)
        }

    def put(self, work: Iterable[Work]) -> None:
        """Work that did not come by the bus."""
        self._queue.extend((item, None) for item in work)
        self._arrived.set()

    async def put_spare(self, work: ReviseWork) -> None:
        """Work that can wait for everything else; returns once there is room for it."""
        await self._spare.room()
        if work.lane in self._lanes:
            self._spare.put(work)
            self._arrived.set()

    async def spare_done(self) -> None:
        """Everything that could wait has been taken."""
        await self._spare.done()

    async def take(self, most: int) -> list[Work]:
        """What is there, at least one, in order of arrival; waits for no more than the first.

        At most `most`, and of work that can wait a little more. What was taken before is done with.
        """
        self._spare.batch_ended()
        while not self._queue and not self._spare:
            self._arrived.clear()
            await self._arrived.wait()
        taken: list[Work] = []
        sources: set[_Lane] = set()
        while self._queue and len(taken) < most:
            work, source = self._queue.popleft()
            taken.append(work)
            if source is not None:
                source.buffered -= 1
                sources.add(source)
        for source in sources:
            source.pull.taken()
        # Lanes come in side by side; counts over several subjects want the order in which events were accepted.
        taken.sort(key=_stamp)
        taken += self._spare.take(most, beside=bool(taken))
        self._in_hand = taken
        return taken

    async def keep(self, in_hand: Iterable[Work]) -> None:
        """The bus does not deliver again what is in hand or in the buffer, for another minute."""
        for work in [*in_hand, *(work for work, _ in self._queue)]:
            if work.received is not None:
                await acknowledge(self._bus, work.received, PROGRESS)

    def arrived(self, work: Work, source: _Lane) -> None:
        """A message came in."""
        self._queue.append((work, source))
        self._arrived.set()


class _Lane:
    """One durable of one lane."""

    def __init__(self, inbox: Inbox, bus: BusConnection, durable: Durable, capacity: int) -> None:
        self._inbox = inbox
        self._capacity = capacity
        self._ticks = durable.stream == "TIMERS"
        self.buffered = 0
        self.pull = ContinuousPull(bus, durable, self._sink, self._room)

    def _room(self) -> int:
        return self._capacity - self.buffered

    def _sink(self, received: Received) -> None:
        if received.delivery > 1:
            REDELIVERIES.inc()
        self.buffered += 1
        self._inbox.arrived(read(received, ticks=self._ticks), self)


def _stamp(work: Work) -> int:
    return work.received.stamp if work.received is not None else 0


def read(received: Received, *, ticks: bool) -> Work:
    """The message as work; one that can't be read is work too: it has a sender and a verdict."""

    def form() -> EventWork | TickWork:
        return read_tick(received) if ticks else read_work(received)

    result = attempt(form, reading=True)
    if isinstance(result, Failure):
        return BadWork(received, result.reason, site_of(received))
    return result


def _events_durable(lane: int, capacity: int) -> Durable:
    return Durable(
        "WORK", f"escalation-work-{lane}", work_filter(lane), ACK_WAIT_SECONDS, max_ack_pending=4 * capacity
    )


def _ticks_durable(lane: int, capacity: int) -> Durable:
    return Durable(
        "TIMERS",
        f"escalation-timers-{lane}",
        timer_due_filter(lane),
        ACK_WAIT_SECONDS,
        max_ack_pending=4 * capacity,
    )
