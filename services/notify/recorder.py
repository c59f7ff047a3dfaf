"""Puts settled attempts into the record, many at a time, and starts what follows from them."""

from __future__ import annotations

import asyncio

from reeve.ports import StoreAway
from reeve.runtime.crash import reach
from reeve.runtime.store.deliveries import DeliveryStore, Settlement
from reeve.runtime.telemetry import get_log
from services.notify.channels.base import Result
from services.notify.hand import Hand, Item
from services.notify.journal import Journal
from services.notify.metrics import ATTEMPTS, LAG, SETTLED, SMS_SEGMENTS
from services.notify.planner import Planner

_RETRY_SECONDS = 0.5
_GATHER_SECONDS = 0.03
_GATHER_JOURNALED_SECONDS = 0.1
"""Pause between two writes: what ends meanwhile shares the next one. Nobody waits for it but the record, and what a
kill meanwhile costs is repeats; where a journal knows what was sent it costs none."""

log = get_log(__name__)


class Recorder:
    """Until the record has a settlement the delivery stays in hand: nobody else sends it meanwhile."""

    def __init__(
        self,
        deliveries: DeliveryStore,
        planner: Planner,
        hand: Hand,
        announce: asyncio.Event,
        journal: Journal | None = None,
    ) -> None:
        """`announce` is set whenever there is something the bus should hear of."""
        self._journal = journal
        self._gather = _GATHER_SECONDS if journal is None else _GATHER_JOURNALED_SECONDS
        self._deliveries = deliveries
        self._planner = planner
        self._hand = hand
        self._announce = announce
        self._waiting: list[tuple[Item, Settlement]] = []
        self._filled = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()

    def put(self, item: Item, settlement: Settlement) -> None:
        """It will be in the record, however long the record is away."""
        if self._journal is not None:
            self._journal.ended(settlement)
        self._waiting.append((item, settlement))
        self._empty.clear()
        self._filled.set()

    async def flushed(self) -> None:
        """Returns when the record has everything put so far."""
        await self._empty.wait()

    async def run(self) -> None:
        """Records until cancelled."""
        while True:
            await self._filled.wait()
            await asyncio.sleep(self._gather)
            self._filled.clear()
            batch, self._waiting = self._waiting, []
            await self._record([settlement for _, settlement in batch])
            reach("notify.recorded")
            if self._journal is not None:
                self._journal.recorded([settlement.id for _, settlement in batch])
            for item, settlement in batch:
                self._hand.done(item.delivery.id)
                _count(item, settlement)
            self._announce.set()
            failed = {item.delivery.notification for item, settlement in batch if settlement.state == "failed"}
            if failed:
                await self._look_elsewhere(failed)
            if not self._waiting:
                self._empty.set()

    async def _record(self, settlements: list[Settlement]) -> None:
        """Returns when the record has them."""
        while True:
            try:
                await self._deliveries.record(settlements)
            except StoreAway:
                log.warning("The record is away; what was sent waits to be noted.", action="record_waits")
                await asyncio.sleep(_RETRY_SECONDS)
            else:
                return

    async def _look_elsewhere(self, notifications: set[str]) -> None:
        try:
            await self._planner.find_another_way(notifications)
        except StoreAway:
            log.debug("The sweep finds these failures again.", action="climb_left_to_sweep")


def _count(item: Item, settlement: Settlement) -> None:
    delivery, attempt = item.delivery, settlement.attempt
    if attempt is not None:
        for each in settlement.attempts:
            ATTEMPTS.labels(delivery.channel, each.provider, each.result, each.reason).inc()
    if settlement.segments and attempt is not None:
        SMS_SEGMENTS.labels(attempt.provider).inc(settlement.segments)
    if settlement.state in ("sent", "failed", "suppressed", "merged"):
        SETTLED.labels(delivery.channel, settlement.state).inc()
    if settlement.state == "sent":
        LAG.labels(delivery.channel).observe(max(0.0, (settlement.at - delivery.requested_at).total_seconds()))
    fields = {
        "case": str(delivery.case),
        "channel": delivery.channel,
        "recipient": delivery.recipient,
        "provider": attempt.provider if attempt else None,
        "reason": attempt.reason if attempt else None,
    }
    if settlement.state == "sent":
        log.info("A message was sent.", action="delivery_sent", **fields)
    elif settlement.state == "failed":
        log.error(
            "A message could not be delivered; another way is looked for.", action="delivery_failed", **fields
        )
    elif attempt is not None and attempt.result == Result.UNKNOWN:
        log.warning("Nobody knows whether a message arrived.", action="delivery_unknown", **fields)
    else:
        log.debug("A message waits.", action="delivery_waits", state=settlement.state, **fields)
