"""Tells the bus how deliveries went. The deliveries are the outbox: what is not acknowledged is told again."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import timedelta
from typing import Any

from reeve.contracts.deliveries import delivery_message
from reeve.domain.facts import zone_of
from reeve.ports import Publisher, StoreAway, TimeSource
from reeve.runtime.store.deliveries import NOBODY, Delivery, DeliveryStore
from reeve.runtime.telemetry import get_log
from services.notify.case_reader import BundleSource

_BATCH = 500
_SWEEP_SECONDS = 2.0
_GATHER_SECONDS = 0.05

REPUBLISHED = timedelta(minutes=11)
"""How far back outcomes are told again to a bus that came back as another process: its store may be older.

Shorter than the duplicate window of 12 minutes, so that one which lost nothing recognises every repeat."""

log = get_log(__name__)


class Announcer:
    """Publishes sent, failed, suppressed and undeliverable on notifications.>: ids only."""

    def __init__(
        self,
        deliveries: DeliveryStore,
        publisher: Publisher,
        bundles: BundleSource,
        time_source: TimeSource,
        something: asyncio.Event,
        bus_changed: asyncio.Event,
    ) -> None:
        """`something`: there is news. `bus_changed`: another server process answers now."""
        self._deliveries = deliveries
        self._publisher = publisher
        self._bundles = bundles
        self._time = time_source
        self._something = something
        self._bus_changed = bus_changed

    async def run(self) -> None:
        """Publishes until cancelled; a bus or record that is away is waited for."""
        while True:
            self._something.clear()
            complete = True
            try:
                if self._bus_changed.is_set():
                    await self._deliveries.publish_again(self._time.now() - REPUBLISHED)
                    self._bus_changed.clear()
                complete = await self.publish()
            except StoreAway:
                log.debug("The record is away; outcomes wait.", action="announce_waits")
            try:
                # Not wait_for: Python 3.11's loses a cancellation that comes together with the event.
                async with asyncio.timeout(_SWEEP_SECONDS):
                    await self._something.wait()
            except TimeoutError:
                continue
            # Outcomes that end together are told together; while the bus is away nothing spins on new ones.
            await asyncio.sleep(_GATHER_SECONDS if complete else _SWEEP_SECONDS)

    async def publish(self) -> bool:
        """Whether the bus has acknowledged everything there was to tell. Raises StoreAway."""
        while found := await self._deliveries.unpublished(_BATCH):
            bundle = await self._bundles.current()
            messages = []
            for each in found:
                zone = zone_of(bundle.site(each.case.site).zone)
                message = delivery_message(
                    _what(each), id=_message_id(each), case=each.case, at=each.due_at, zone=zone, data=_data(each)
                )
                messages.append((message.subject, message.id, message.body, None))
            unpublished = {failure.index for failure in await self._publisher.publish_all(messages)}
            told = [each.id for index, each in enumerate(found) if index not in unpublished]
            await self._deliveries.mark_published(told, self._time.now())
            if unpublished:
                return False
            if len(found) < _BATCH:
                break
        return True


def _what(delivery: Delivery) -> Any:
    return delivery.state


def _message_id(delivery: Delivery) -> str:
    """The same for the same outcome; a digest, because recipients' and cases' ids hold any character."""
    return hashlib.sha256(f"{delivery.id}\0{delivery.state}".encode()).hexdigest()[:32]


def _data(delivery: Delivery) -> dict[str, Any]:
    last = delivery.attempts[-1] if delivery.attempts else None
    somebody = delivery.recipient != NOBODY
    return {
        "notification": delivery.notification,
        "policy": delivery.case.policy,
        "step": delivery.step,
        "level": delivery.level,
        "round": delivery.round,
        "message": delivery.message,
        "recipient": delivery.recipient if somebody else None,
        "role": delivery.role,
        "channel": delivery.channel if somebody else None,
        "attempt": len(delivery.attempts) if somebody else None,
        "reason": last.reason if last is not None and delivery.state != "sent" else None,
        "resent": last is not None and last.result == "resent",
        "next_role": delivery.next_role,
    }
