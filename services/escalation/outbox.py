"""What happens after a commit: messages out, schedules set, rows marked, messages acknowledged. In that order.

One task does it, in the order of the commits, so that what is told about a case is told in order. While the
bus is away nothing passes: first everything that stands in the record's outbox goes out, then what is new.
"""

from __future__ import annotations

import asyncio
import itertools
from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import monotonic

from reeve.ports import Away, CaseRecord, DecisionRow, OutboxRow, Publisher, TimeSource
from reeve.runtime.bus.connection import BusConnection
from reeve.runtime.bus.lanes import lane_of_case
from reeve.runtime.bus.pull import Received, acknowledge
from reeve.runtime.crash import reach
from reeve.runtime.store.outbox import outbox_rows
from reeve.runtime.telemetry import error_fields, get_log
from services.escalation.metrics import OUTBOX, RECONCILED
from services.escalation.timers import Alarm

_SWEEP_MESSAGES = 5000
_RETRY_SECONDS = 0.5
_MARK_SECONDS = 0.5
_SWEEP_SECONDS = 2.0
"""Pause between two looks for rows of others: notify adds to timelines, and a crash may have left some."""
_SWEEP_AGE = timedelta(seconds=2)
"""Younger rows are on their way."""
_CONFIRM_SHARE = 40
"""The outbox is cleared this often within the time for which a row is kept."""
_MARK_ROWS = 2000
_QUEUE = 4
"""Committed batches that may wait for the bus; then deciding pauses."""

log = get_log(__name__)


@dataclass(slots=True)
class Committed:
    """A batch that is in the record."""

    rows: list[DecisionRow]
    alarms: list[Alarm] = field(default_factory=list)
    settled: list[tuple[Received, bytes]] = field(default_factory=list)
    """Messages with their verdicts."""


class Outbox:
    """The publishing half of the loop."""

    def __init__(
        self,
        bus: BusConnection,
        publisher: Publisher,
        record: CaseRecord,
        time: TimeSource,
        lanes: Callable[[], Collection[int]],
        confirm_after: timedelta,
    ) -> None:
        self._bus = bus
        self._publisher = publisher
        self._record = record
        self._time = time
        self._lanes = lanes
        self._confirm_after = confirm_after
        self._queue: asyncio.Queue[Committed | None] = asyncio.Queue(_QUEUE)
        self._unmarked: dict[str, list[str]] = {}
        """Server process → rows it has acknowledged, not marked yet."""
        self._marking = asyncio.Lock()
        self._unset: list[Alarm] = []
        self._deciding: datetime | None = None
        self._on_their_way: deque[datetime] = deque()
        """When each batch that was begun and is not out yet was decided, oldest first."""
        self._sweep_wanted = True
        self._sweep_before = time.now()
        self._swept_at = monotonic()
        bus.on_reconnect(lambda same_server: self.sweep_soon())

    def deciding(self, at: datetime) -> None:
        """A batch is being decided at that moment: what it commits comes here, however long it takes."""
        self._deciding = at

    async def add(self, batch: Committed) -> None:
        """The batch goes out after those before it; waits while too many do."""
        OUTBOX.inc(len(batch.rows))
        if batch.rows:
            self._on_their_way.append(batch.rows[0].at)
        self._deciding = None
        await self._queue.put(batch)

    def sweep_soon(self) -> None:
        """Whatever stands unpublished in the record by now goes out before anything new."""
        self._sweep_wanted = True
        self._sweep_before = self._time.now()

    async def drained(self) -> None:
        """Everything added so far has been handled and is marked. Raises Away."""
        await self._queue.join()
        await self._mark()

    async def run(self) -> None:
        """Publishes until cancelled."""
        marking = asyncio.create_task(self._keep_marking(), name="outbox marks")
        try:
            while True:
                self._look_now_and_then()
                try:
                    # Not wait_for: Python 3.11's loses a cancellation that comes together with the batch.
                    async with asyncio.timeout(_RETRY_SECONDS):
                        batch = await self._queue.get()
                except TimeoutError:
                    await self._sweep_if_wanted()
                    continue
                try:
                    await self._sweep_if_wanted()
                    if batch is not None:
                        await self._send(batch)
                finally:
                    self._queue.task_done()
        finally:
            marking.cancel()
            await asyncio.gather(marking, return_exceptions=True)

    async def _send(self, batch: Committed) -> None:
        reach("escalation.committed")
        server_id = self._bus.server_id
        rows = outbox_rows(batch.rows)
        outgoing = [message for row in rows for message in row.messages]
        outgoing += [alarm.message() for alarm in batch.alarms]
        failed = {item.index for item in await self._publisher.publish_all(outgoing)}
        reach("escalation.published")
        if self._bus.server_id != server_id:
            # Which process acknowledged what is unknown now; the sweep publishes it all again.
            failed = set(range(len(outgoing)))
        sent, start = [], 0
        for row in rows:
            end = start + len(row.messages)
            if failed.isdisjoint(range(start, end)):
                sent.append(row.id)
            start = end
        if failed:
            self.sweep_soon()
            self._unset += [alarm for index, alarm in enumerate(batch.alarms, start) if index in failed]
        self._unmarked.setdefault(server_id, []).extend(sent)
        reach("escalation.acknowledging")
        for received, verdict in batch.settled:
            await acknowledge(self._bus, received, verdict)
        OUTBOX.dec(len(batch.rows))
        if batch.rows:
            self._on_their_way.popleft()
        reach("escalation.acknowledged")

    # --- what is left over

    def _look_now_and_then(self) -> None:
        """Rows that nobody has on the way any more are looked for every few seconds."""
        if self._sweep_wanted or monotonic() - self._swept_at < _SWEEP_SECONDS:
            return
        self._sweep_wanted = True
        in_hand = [*itertools.islice(self._on_their_way, 1), *([self._deciding] if self._deciding else [])]
        self._sweep_before = min([self._time.now() - _SWEEP_AGE, *in_hand])

    async def _sweep_if_wanted(self) -> None:
        """Publishes what the record's outbox holds for our lanes; does not return before that is done."""
        while self._sweep_wanted and self._lanes():
            self._sweep_wanted = False
            try:
                await self._mark()
                done = await self._sweep()
            except Away as error:
                done = False
                log.debug("The outbox waits for a server.", action="outbox_waits", **error_fields(error))
            self._swept_at = monotonic()
            if not done:
                self._sweep_wanted = True
                await asyncio.sleep(_RETRY_SECONDS)

    async def _sweep(self) -> bool:
        """Whether every row is out, with the schedules of its cases: a restored bus may lack those too."""
        server_id, before = self._bus.server_id, self._sweep_before
        while True:
            rows = await self._record.unpublished(self._lanes(), server_id, before, _SWEEP_MESSAGES)
            alarms, self._unset = self._unset, []
            if not rows and not alarms:
                return True
            alarms += await self._alarms_of(rows)
            outgoing = [message for row in rows for message in row.messages]
            outgoing += [alarm.message() for alarm in alarms]
            failed = await self._publisher.publish_all(outgoing)
            refused = [item for item in failed if item.refused]
            if len(failed) > len(refused) or server_id != self._bus.server_id:
                self._unset += alarms
                return False
            if refused:
                log.error("The bus refuses messages for good.", action="outbox_refused", count=len(refused))
            await self._record.mark_published([row.id for row in rows], server_id, self._time.now())
            RECONCILED.labels(what="outbox").inc(len(rows))
            log.info("Messages were published again.", action="outbox_republished", messages=len(outgoing))

    async def _alarms_of(self, rows: list[OutboxRow]) -> list[Alarm]:
        ids = {case_id for row in rows for case_id in row.cases}
        cases = (await self._record.load({"case": ids})).cases.values() if ids else ()
        return [
            Alarm.of(case, lane_of_case(case), again_at=self._time.now())
            for case in cases
            if case is not None and case.next_due is not None
        ]

    # --- marks

    async def _keep_marking(self) -> None:
        server_id = self._bus.server_id
        confirmed_at = monotonic()
        pause = self._confirm_after.total_seconds() / _CONFIRM_SHARE
        while True:
            await asyncio.sleep(_MARK_SECONDS)
            try:
                await self._mark()
                if monotonic() - confirmed_at < pause:
                    continue
                confirmed_at = monotonic()
                if self._bus.connected and server_id == self._bus.server_id:
                    # Seen alive as the same process now, so whatever it acknowledged before is on its disk
                    # once enough time has passed.
                    await self._record.confirm(server_id, self._time.now() - self._confirm_after)
                server_id = self._bus.server_id
            except Away as error:
                log.debug("Marks wait for the record.", action="marks_wait", **error_fields(error))

    async def _mark(self) -> None:
        """What was acknowledged is marked. A crash before only publishes it once more, with the same ids.

        One at a time: whoever looks for rows that are not marked must not do so while somebody is marking.
        """
        async with self._marking:
            for server_id in list(self._unmarked):
                while ids := self._unmarked[server_id]:
                    some, self._unmarked[server_id] = ids[:_MARK_ROWS], ids[_MARK_ROWS:]
                    try:
                        await self._record.mark_published(some, server_id, self._time.now())
                    except Away:
                        self._unmarked[server_id] += some
                        raise
                if server_id != self._bus.server_id and not self._unmarked[server_id]:
                    del self._unmarked[server_id]
