"""Tells the bus how deliveries went. The deliveries are the outbox: what is not acknowledged is told again."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from reeve.contracts.deliveries import delivery_message
from reeve.contracts.outgoing import OutMessage
from reeve.domain.facts import zone_of
from reeve.ports import Publisher, StoreAway, TimeSource
from reeve.runtime.delivery_life import Outcome, for_nobody, outcomes
from reeve.runtime.store.deliveries import Delivery
from reeve.runtime.store.delivery_news import DeliveryNews, News
from reeve.runtime.store.short_ids import short_id
from reeve.runtime.telemetry import get_log
from services.notify.case_reader import BundleSource

_BATCH = 500
_SWEEP_SECONDS = 2.0
_GATHER_SECONDS = 0.2

REPUBLISHED = timedelta(minutes=11)
"""How far back outcomes are told again to a bus that came back as another process: its store may be older.

Shorter than the duplicate window of 12 minutes, so that one which lost nothing recognises every repeat."""

log = get_log(__name__)


class Announcer:
    """Publishes what became of deliveries on notifications.>: ids only (PRIVACY-01)."""

    def __init__(
        self,
        news: DeliveryNews,
        publisher: Publisher,
        bundles: BundleSource,
        time_source: TimeSource,
        something: asyncio.Event,
        bus_changed: asyncio.Event,
    ) -> None:
        """`something`: there is news. `bus_changed`: another server process answers now."""
        self._news = news
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
                    await self._news.tell_again(self._time.now() - REPUBLISHED)
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
        while found := await self._news.untold(_BATCH):
            bundle = await self._bundles.current()
            messages: list[tuple[str, str, bytes, None]] = []
            about: list[tuple[str, str]] = []
            for each in found:
                zone = zone_of(bundle.site(each.delivery.case.site).zone)
                for message, key in messages_of_news(each, zone):
                    messages.append((message.subject, message.id, message.body, None))
                    about.append((each.delivery.id, key))
            failures = await self._publisher.publish_all(messages) if messages else ()
            waiting = {about[failure.index][0] for failure in failures}
            told: dict[str, list[str]] = {}
            for delivery, key in about:
                told.setdefault(delivery, []).append(key)
            heard = [each.delivery for each in found if each.delivery.id not in waiting]
            done = [(each, told.get(each.id, ())) for each in heard]
            await self._news.mark_told(done, self._time.now())
            if waiting:
                return False
            if len(found) < _BATCH:
                break
        return True


def messages_of_news(news: News, zone: ZoneInfo) -> Iterator[tuple[OutMessage, str]]:
    """What the bus has not been told of the delivery, in order of time, each with the outcome's key."""
    delivery = news.delivery
    for each in outcomes(delivery):
        if each.key not in news.told:
            message = delivery_message(
                each.what,
                id=_message_id(delivery, each.key),
                case=delivery.case,
                at=each.happening.at,
                zone=zone,
                data=_data(delivery, each),
            )
            yield message, each.key


def _message_id(delivery: Delivery, key: str) -> str:
    """The same for the same outcome; a digest, because recipients' and cases' ids hold any character."""
    return hashlib.sha256(f"{delivery.id}\0{key}".encode()).hexdigest()[:32]


def _data(delivery: Delivery, outcome: Outcome) -> dict[str, Any]:
    somebody = not for_nobody(delivery)
    happening = outcome.happening
    return {
        "notification": delivery.notification,
        "delivery": delivery.short,
        "policy": delivery.case.policy,
        "step": delivery.step,
        "level": delivery.level,
        "round": delivery.round,
        "message": delivery.message,
        "recipient": delivery.recipient if somebody else None,
        "role": delivery.role,
        "channel": delivery.channel if somebody else None,
        "provider": happening.provider or None,
        "attempt": happening.attempt if somebody else None,
        "reason": happening.reason,
        "resent": happening.resent,
        "resend_of": short_id(delivery.resend_of) if delivery.resend_of is not None else None,
        "merged": delivery.merged,
        "into": happening.into,
        "segments": (happening.segments if outcome.what == "sent" else delivery.segments) or None,
        "answer": happening.answer,
        "answered_by": happening.how,
        "minutes": happening.minutes,
        "next_role": delivery.next_role,
    }
