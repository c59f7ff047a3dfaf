"""Accepted events go onto the bus at once, and again until it has acknowledged them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from prometheus_client import Counter, Gauge

from reeve.contracts.subjects import events_subject
from reeve.ports import BusAway, Message, StoreAway, TimeSource, Unpublished
from reeve.runtime.bus.connection import BusConnection
from reeve.runtime.bus.publisher import BusPublisher
from reeve.runtime.bus.streams import declare_streams
from reeve.runtime.crash import reach
from reeve.runtime.store.events import EventStore, Outgoing
from reeve.runtime.telemetry import error_fields, get_log

_MOST_AT_ONCE = 1000
_MOST_QUEUED = 20_000
_MARK_SECONDS = 0.25
"""Marks wait this long for others: an unmarked event is at worst published once more, under the same id."""
_SWEEP_SECONDS = 5.0
_FORGOTTEN_AFTER = timedelta(seconds=10)
"""An event older than this and still unpublished belongs to a replica that is gone or missed the answer."""
_AGAIN_SECONDS = 0.5
_BEFORE_THE_CHANGE = timedelta(minutes=10)
"""How much of what a bus acknowledged it may have lost when it comes back as another process (design.md §1)."""
_NOTE_SECONDS = 60.0

_PUBLISHED = Counter("reeve_intake_published", "Accepted events that the bus acknowledged, repeats included")
_REPUBLISHED = Counter(
    "reeve_intake_republished", "Events put on the bus again after it came back as another process"
)
_BEHIND = Gauge("reeve_intake_behind", "1 while accepted events wait in the record for the bus")

log = get_log(__name__)


class EventOutbox:
    """Puts accepted events on the bus in the order accepted.

    While the bus is away, or more is accepted than it takes, events wait in the record alone and are
    published from there; memory stays bounded.
    """

    def __init__(self, store: EventStore, time: TimeSource, clock: Callable[[], float]) -> None:
        """`clock`: seconds, monotonic."""
        self._store = store
        self._time = time
        self._clock = clock
        self._queue: deque[Outgoing] = deque()
        self._wake = asyncio.Event()
        self._behind = True
        self._skipped = 0
        self._in_doubt_since: datetime | None = None
        self._unmarked: list[str] = []
        """Keys that the bus has acknowledged and the record does not know yet."""
        self._marked_at = 0.0
        self._noted_at = 0.0
        self._swept_at = 0.0
        self.idle = asyncio.Event()
        """Set while everything accepted so far, as far as we know, is on the bus."""
        _BEHIND.set(1)

    def offer(self, events: Sequence[Outgoing]) -> None:
        """New events stand in the record: they will be published."""
        if not events:
            return
        self.idle.clear()
        if self._behind:
            self._skipped += 1
        elif len(self._queue) + len(events) > _MOST_QUEUED:
            self._fall_behind()
        else:
            self._queue.extend(events)
            self._wake.set()

    async def run(self, bus: BusConnection, publisher: BusPublisher, replicas: int) -> None:
        """Publishes until cancelled. Raises StreamRefused: a person must mend the bus."""
        await self._meet(bus)
        while True:
            try:
                if bus.changed.is_set():
                    await self._start_over(bus, publisher, replicas)
                elif not bus.connected:
                    self._fall_behind()
                    await asyncio.sleep(_AGAIN_SECONDS)
                elif self._behind:
                    await self._catch_up(publisher)
                else:
                    await self._publish_next(publisher)
                    await self._look_after(bus, publisher)
            except (StoreAway, BusAway) as away:
                log.debug("Publishing waits.", action="publish_waits", **error_fields(away))
                self._fall_behind()
                await asyncio.sleep(_AGAIN_SECONDS)

    async def drain(self, seconds: float) -> None:
        """Waits until all is on the bus, at most `seconds`; what is left is published at the next start."""
        try:
            async with asyncio.timeout(seconds):
                await self.idle.wait()
        except TimeoutError:
            log.info("Events wait in the record for the bus.", action="publish_left")

    async def _meet(self, bus: BusConnection) -> None:
        """If the bus is another process than when it was last noted, what it acknowledged then is in doubt."""
        while True:
            try:
                last = await self._store.last_bus()
            except StoreAway:
                await asyncio.sleep(_AGAIN_SECONDS)
                continue
            if last is not None:
                self._in_doubt_since = last[1] - _BEFORE_THE_CHANGE
                if last[0] != bus.server_id:
                    bus.changed.set()
            return

    async def _start_over(self, bus: BusConnection, publisher: BusPublisher, replicas: int) -> None:
        bus.changed.clear()
        try:
            await declare_streams(bus, replicas)
            await self._republish(publisher)
            await self._note(bus)
        except (StoreAway, BusAway):
            bus.changed.set()
            raise

    async def _republish(self, publisher: BusPublisher) -> None:
        self._fall_behind()
        since = self._time.now() - _BEFORE_THE_CHANGE
        if self._in_doubt_since is not None:
            since = min(since, self._in_doubt_since)
        count = 0
        async for batch in self._store.published_since(since, _MOST_AT_ONCE):
            failed = await publisher.publish_all(_messages(batch))
            if any(not item.refused for item in failed):
                raise BusAway("the bus went away again")
            count += len(batch)
        self._in_doubt_since = None
        _REPUBLISHED.inc(count)
        log.info("Events were published again: the bus is another process.", action="republished", count=count)

    async def _catch_up(self, publisher: BusPublisher) -> None:
        skipped = self._skipped
        found = await self._store.unpublished(self._time.now() + timedelta(days=1), _MOST_AT_ONCE)
        if found:
            await self._publish(found, publisher)
            await self._mark()
        elif skipped == self._skipped:  # nothing was accepted while the record was asked
            self._behind = False
            _BEHIND.set(0)
            self.idle.set()

    async def _publish_next(self, publisher: BusPublisher) -> None:
        if not self._queue:
            self._wake.clear()
            if not self._unmarked:
                self.idle.set()
            try:
                async with asyncio.timeout(_MARK_SECONDS if self._unmarked else _AGAIN_SECONDS):
                    await self._wake.wait()
            except TimeoutError:
                await self._mark()
                return
        batch = [self._queue.popleft() for _ in range(min(len(self._queue), _MOST_AT_ONCE))]
        await self._publish(batch, publisher)
        if len(self._unmarked) >= _MOST_AT_ONCE or self._clock() - self._marked_at >= _MARK_SECONDS:
            await self._mark()

    async def _mark(self) -> None:
        self._marked_at = self._clock()
        keys, self._unmarked = self._unmarked, []
        try:
            await self._store.mark_published(keys, self._time.now())
        except StoreAway:
            self._unmarked = keys
            raise

    async def _publish(self, batch: Sequence[Outgoing], publisher: BusPublisher) -> None:
        failed = await publisher.publish_all(_messages(batch))
        reach("intake.published")
        missing = {item.index for item in failed if not item.refused}
        _report_refused(batch, failed)
        done = [event.key for index, event in enumerate(batch) if index not in missing]
        _PUBLISHED.inc(len(done))
        self._unmarked += done
        if missing:
            raise BusAway("some events were not acknowledged")

    async def _look_after(self, bus: BusConnection, publisher: BusPublisher) -> None:
        now = self._clock()
        if now - self._swept_at >= _SWEEP_SECONDS:
            self._swept_at = now
            forgotten = await self._store.unpublished(self._time.now() - _FORGOTTEN_AFTER, _MOST_AT_ONCE)
            if forgotten:
                await self._publish(forgotten, publisher)
                await self._mark()
        if now - self._noted_at >= _NOTE_SECONDS:
            await self._note(bus)

    async def _note(self, bus: BusConnection) -> None:
        self._noted_at = self._clock()
        await self._store.note_bus(bus.server_id, self._time.now())

    def _fall_behind(self) -> None:
        if not self._behind:
            log.info("Accepted events wait in the record for the bus.", action="publish_behind")
        self._behind = True
        self._skipped += 1
        self._queue.clear()
        self.idle.clear()
        _BEHIND.set(1)


def _messages(batch: Sequence[Outgoing]) -> list[Message]:
    return [Message(events_subject(e.site, e.type, e.subject), e.key, e.body) for e in batch]


def _report_refused(batch: Sequence[Outgoing], failed: Sequence[Unpublished]) -> None:
    """A refused event is not tried again: escalation takes it from the record by itself."""
    for item in failed:
        if item.refused:
            log.error(
                "The bus refuses an event; it is decided from the record instead.",
                action="publish_refused",
                event_key=batch[item.index].key,
                reason=item.reason,
            )
