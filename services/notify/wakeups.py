"""Messages that say 'a notification is requested'. They only wake us; what is asked for stands in the record."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Collection, Sequence

from pydantic import ValidationError

from reeve.contracts.notices import dead_letter
from reeve.contracts.outgoing import read_requested
from reeve.contracts.subjects import parse_notifications
from reeve.ports import BusAway, StoreAway, TimeSource
from reeve.runtime.bus.connection import BusConnection
from reeve.runtime.bus.publisher import BusPublisher
from reeve.runtime.bus.pull import TERM, ContinuousPull, Durable, Received, acknowledge
from reeve.runtime.crash import reach
from reeve.runtime.store.deliveries import DeliveryStore
from reeve.runtime.store.notifications import NotificationStore, Requested
from reeve.runtime.telemetry import get_log
from services.notify.metrics import DEAD, REQUESTED
from services.notify.planner import Planner

DURABLE = Durable(
    stream="NOTIFICATIONS", name="notify-requested", filter="notifications.*.requested.*", ack_wait_seconds=60
)

_BUFFER = 1024
_BATCH = 256
_RETRY_SECONDS = 0.5
_SWEEP_SECONDS = 1.0
_SWEPT_AT_ONCE = 500

log = get_log(__name__)


class WakeUps:
    """Takes what is there, plans it, and only then acknowledges."""

    def __init__(
        self,
        bus: BusConnection,
        publisher: BusPublisher,
        notifications: NotificationStore,
        planner: Planner,
        time_source: TimeSource,
    ) -> None:
        self._bus = bus
        self._publisher = publisher
        self._notifications = notifications
        self._planner = planner
        self._time = time_source
        self._buffer: deque[Received] = deque()
        self._filled = asyncio.Event()
        self._pull = ContinuousPull(bus, DURABLE, self._take, lambda: _BUFFER - len(self._buffer))

    async def start(self) -> None:
        """The durable exists and is being read. Raises BusAway."""
        await self._pull.start()

    async def stop(self) -> None:
        """Nothing more is taken from the bus; what is not acknowledged comes again."""
        await self._pull.stop()

    async def run(self) -> None:
        """Plans until cancelled; what could not be planned stays in hand until the record is back."""
        while True:
            await self._filled.wait()
            batch = [self._buffer.popleft() for _ in range(min(_BATCH, len(self._buffer)))]
            if not self._buffer:
                self._filled.clear()
            self._pull.taken()
            await self._handle(batch)

    def _take(self, received: Received) -> None:
        self._buffer.append(received)
        self._filled.set()

    async def _handle(self, batch: Sequence[Received]) -> None:
        """Returns when each has its verdict."""
        keys: dict[str, list[Received]] = {}
        unreadable: list[Received] = []
        for received in batch:
            try:
                keys.setdefault(read_requested(received.data).id, []).append(received)
            except ValidationError:
                unreadable.append(received)
        requested = await self._planned(keys)
        reach("notify.before_ack")
        REQUESTED.labels("message").inc(len(requested))
        unknown = [received for key, those in keys.items() if key not in requested for received in those]
        for received in unreadable:
            await self._bury(received, "this is no requested notification")
        for received in unknown:
            await self._bury(received, "the record holds no such notification")
        for key in requested:
            for received in keys[key]:
                await acknowledge(self._bus, received)

    async def _planned(self, keys: Collection[str]) -> dict[str, Requested]:
        """The notifications of these keys, planned, however long the record is away."""
        while True:
            try:
                requested = await self._notifications.load(keys)
                await self._planner.plan(list(requested.values()))
            except StoreAway:
                log.warning("The record is away; notifications wait.", action="plan_waits")
                await asyncio.sleep(_RETRY_SECONDS)
            else:
                return requested

    async def _bury(self, received: Received, reason: str) -> None:
        """A dead letter has it; if the bus did not take that, the message itself comes again."""
        try:
            site: str | None = parse_notifications(received.subject).site
        except ValueError:
            site = None
        letter = dead_letter(
            "notify",
            site,
            reason=reason,
            attempts=received.delivery,
            subject=received.subject,
            body=received.data,
            at=self._time.now(),
            headers=received.headers,
        )
        DEAD.inc()
        log.error("A message could not be handled.", action="dead_letter", reason=reason)
        try:
            await self._publisher.publish(letter.subject, letter.id, letter.body)
        except BusAway:
            return
        await acknowledge(self._bus, received, TERM)


class Sweeper:
    """Finds in the record what no message woke us for: lost wake-ups, roles whose hour has come, failures."""

    def __init__(
        self,
        notifications: NotificationStore,
        deliveries: DeliveryStore,
        planner: Planner,
        time_source: TimeSource,
    ) -> None:
        self._notifications = notifications
        self._deliveries = deliveries
        self._planner = planner
        self._time = time_source

    async def run(self) -> None:
        """Sweeps until cancelled."""
        while True:
            try:
                found = await self.sweep()
            except StoreAway:
                log.debug("The record is away; the sweep waits.", action="sweep_waits")
                found = 0
            if found < _SWEPT_AT_ONCE:
                await asyncio.sleep(_SWEEP_SECONDS)

    async def sweep(self) -> int:
        """One round; how many requested notifications it found. Raises StoreAway."""
        overdue: list[Requested] = await self._notifications.overdue(self._time.now(), _SWEPT_AT_ONCE)
        if overdue:
            await self._planner.plan(overdue)
            REQUESTED.labels("sweep").inc(len(overdue))
        failed = await self._deliveries.to_climb(_SWEPT_AT_ONCE)
        if failed:
            await self._planner.find_another_way(failed)
        return len(overdue)
