"""Finds what the bus lost or delays: cases whose moment passed without a tick, events nobody decided.

It hands them to the same loop as everything else. In good times it finds nothing, and a metric says so.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Collection
from datetime import datetime, timedelta

import nats.errors

from reeve.ports import Away, CaseRecord, TimeSource
from reeve.runtime.bus.connection import BusConnection
from reeve.runtime.telemetry import error_fields, get_log
from services.escalation.inbox import Inbox
from services.escalation.metrics import RECONCILED
from services.escalation.work import EventWork, TickWork

_MOST = 512
_AGAIN = timedelta(seconds=30)
"""A thing handed over is left alone this long: it may be in the loop's hands, or fail each time."""

log = get_log(__name__)


class Reconciler:
    """Looks every few seconds, in the lanes this replica holds."""

    def __init__(
        self,
        inbox: Inbox,
        record: CaseRecord,
        bus: BusConnection,
        time: TimeSource,
        tick_grace: timedelta,
        event_grace: timedelta,
        pause_seconds: float,
    ) -> None:
        self._inbox = inbox
        self._record = record
        self._bus = bus
        self._time = time
        self._tick_grace = tick_grace
        self._event_grace = event_grace
        self._pause = pause_seconds
        self._handed: dict[str, datetime] = {}

    async def run(self) -> None:
        """Looks until cancelled."""
        while True:
            await asyncio.sleep(self._pause)
            try:
                await self.look()
            except Away as error:
                log.debug("The reconciler waits for a server.", action="reconcile_wait", **error_fields(error))

    async def look(self) -> int:
        """Everything overdue is in the loop's hands; how much that was. Raises Away."""
        now = self._time.now()
        self._handed = {key: at for key, at in self._handed.items() if now - at < _AGAIN}
        lanes = self._inbox.lanes
        if not lanes or not self._bus.connected:
            return 0
        overdue = await self._record.overdue(lanes, now - self._tick_grace, _MOST)
        held = self._inbox.held() | self._handed.keys()
        ticks = [TickWork(case_id) for case_id in overdue if case_id not in held]
        self._hand("tick", {tick.case_id for tick in ticks}, now)
        self._inbox.put(ticks)
        idle = [lane for lane in lanes if await self._caught_up(lane)]
        events: list[EventWork] = []
        if idle:
            found = await self._record.unapplied(idle, now - self._event_grace, _MOST)
            held = self._inbox.held() | self._handed.keys()
            events = [EventWork(event) for event in found if event.key not in held]
            self._hand("event", {work.event.key for work in events}, now)
            self._inbox.put(events)
        return len(ticks) + len(events)

    def _hand(self, what: str, keys: Collection[str], now: datetime) -> None:
        if not keys:
            return
        self._handed.update(dict.fromkeys(keys, now))
        RECONCILED.labels(what=what).inc(len(keys))
        log.warning("The bus had lost or delayed work.", action="reconciled", what=what, count=len(keys))

    async def _caught_up(self, lane: int) -> bool:
        """Whether the loop has taken all of the lane: what still waits in the stream is not lost."""
        try:
            reply = await self._bus.client.request(
                f"$JS.API.CONSUMER.INFO.WORK.escalation-work-{lane}", b"", timeout=2
            )
        except (nats.errors.Error, TimeoutError, OSError):
            return False
        return int(json.loads(reply.data).get("num_pending", 1)) == 0
