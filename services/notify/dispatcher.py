"""Sends what is in hand, a bounded number at a time on each channel, and keeps the hand filled from the record."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping
from datetime import timedelta

from reeve.domain.bundle import Bundle
from reeve.ports import StoreAway, TimeSource
from reeve.rulelang.reply_hints import reply_words
from reeve.rulelang.titles import languages_for
from reeve.runtime.crash import reach
from reeve.runtime.rendering import MessageRenderer
from reeve.runtime.store.deliveries import Delivery, DeliveryStore, Settlement
from reeve.runtime.store.recipients import RecipientStore
from reeve.runtime.telemetry import get_log
from services.notify.case_reader import BundleSource, CaseReader
from services.notify.channels.base import Channel, Reason, Text
from services.notify.hand import Hand, Item
from services.notify.links import AckLinks
from services.notify.metrics import FALLBACK_TEXTS, INTERRUPTED
from services.notify.recorder import Recorder
from services.notify.reports import Reports
from services.notify.settling import RetryPlan, cancelled, crashes_us, given_up, put_back, settle, unwanted

_POLL_SECONDS = 0.5
_LONG_IN_HAND_SECONDS = 5.0
"""After so long in hand the case is read again: it may have been acknowledged meanwhile."""

log = get_log(__name__)


class Dispatcher:
    """`run_channel` for every channel and place, `run_feeder` and `run_leases` once; all until cancelled."""

    def __init__(
        self,
        channels: Mapping[str, Channel],
        deliveries: DeliveryStore,
        recipients: RecipientStore,
        cases: CaseReader,
        bundles: BundleSource,
        reports: Reports,
        links: AckLinks,
        hand: Hand,
        recorder: Recorder,
        time_source: TimeSource,
        plan: RetryPlan,
        claim: str,
        lease: timedelta,
    ) -> None:
        self._channels = channels
        self._deliveries = deliveries
        self._recipients = recipients
        self._cases = cases
        self._bundles = bundles
        self._reports = reports
        self._links = links
        self._hand = hand
        self._recorder = recorder
        self._time = time_source
        self._plan = plan
        self._claim = claim
        self._lease = lease
        self._renewed_at = 0.0
        self._renderer = MessageRenderer()
        self._busy = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self.draining = False

    async def run_channel(self, name: str) -> None:
        """Sends one after the other; as many of these run as may be sent at a time."""
        while True:
            item = await self._hand.next(name)
            if self.draining:
                self._recorder.put(item, put_back(item.delivery, self._time.now()))
                continue
            if self._lost(item):
                # Another replica may have it by now: what stays in the record decides, not we.
                self._hand.done(item.delivery.id)
                continue
            self._busy += 1
            self._idle.clear()
            try:
                self._recorder.put(item, await self._deliver(item))
            finally:
                self._busy -= 1
                if not self._busy:
                    self._idle.set()

    async def run_feeder(self) -> None:
        """What is due in the record comes into the hand: retries, what waited for room, what a crash left."""
        while True:
            self._hand.low.clear()
            found = 0
            try:
                found = await self.feed()
            except StoreAway:
                log.debug("The record is away; nothing can be claimed.", action="feed_waits")
            if not found:
                await asyncio.sleep(_POLL_SECONDS)
                continue
            try:  # there may be more: as soon as there is room
                async with asyncio.timeout(_POLL_SECONDS):  # wait_for of Python 3.11 may lose a cancellation
                    await self._hand.low.wait()
            except TimeoutError:
                continue

    async def feed(self) -> int:
        """One round of it; how many came into the hand. Raises StoreAway."""
        room = {name: space for name in self._hand.channels if (space := self._hand.room(name)) > 0}
        if self.draining or not room:
            return 0
        now = self._time.now()
        claimed = await self._deliveries.claim_due(now, self._lease, self._claim, room, self._hand.ids)
        if not claimed:
            return 0
        INTERRUPTED.inc(sum(_just_interrupted(each) for each in claimed))
        people = await self._recipients.by_id({(each.place, each.recipient) for each in claimed})
        cases = await self._cases.load({str(each.case) for each in claimed})
        items = [
            Item(each, people.get((each.place, each.recipient)), case)
            for each in claimed
            if (case := cases.get(str(each.case))) is not None
        ]
        await self._links.add(items)
        self._hand.accept(items)
        return len(items)

    async def run_leases(self) -> None:
        """What is in hand stays ours while we live."""
        while True:
            await asyncio.sleep(self._lease.total_seconds() / 4)
            started = asyncio.get_running_loop().time()
            ids = self._hand.ids
            try:
                if ids:
                    await self._deliveries.renew(ids, [self._claim], self._time.now() + self._lease)
            except StoreAway:
                log.warning("Leases could not be renewed.", action="lease_not_renewed")
            else:
                self._renewed_at = started

    async def drain(self, seconds: float) -> None:
        """What has not begun is put back; what is being sent has so long to end. Then all of it is recorded."""
        self.draining = True
        now = self._time.now()
        for item in self._hand.take_back():
            self._recorder.put(item, put_back(item.delivery, now))
        try:
            async with asyncio.timeout(seconds):
                await self._idle.wait()
                await self._recorder.flushed()
        except TimeoutError:
            log.warning("Some messages were still being sent; they are repeated later.", action="drain_cut_short")

    def _lost(self, item: Item) -> bool:
        held_for = asyncio.get_running_loop().time() - max(item.taken_at, self._renewed_at)
        return held_for > self._lease.total_seconds() * 0.75

    async def _deliver(self, item: Item) -> Settlement:
        """One attempt at it. Never raises for a provider, the network, a template, or a record that is away."""
        delivery = item.delivery
        if crashes_us(delivery):
            return given_up(delivery, Reason.INTERRUPTED, self._time.now())
        if reason := await self._unwanted(item):
            return cancelled(delivery, reason, self._time.now())
        address = item.person.addresses.get(delivery.channel) if item.person else None
        if item.person is None or not address:
            return given_up(delivery, Reason.NO_ADDRESS, self._time.now())
        try:
            bundle = await self._bundles.current()
            more = await self._reports.words(bundle, item.case, item.person.language)
        except StoreAway:
            return put_back(delivery, self._time.now())
        now = self._time.now()
        rendered = self._renderer.render(
            bundle,
            item.case,
            delivery.message,
            delivery.channel,
            item.person.language,
            delivery.role,
            now,
            item.ack_url,
            more | _reply_words(bundle, item, item.person.language),
        )
        if rendered.fault is not None:
            FALLBACK_TEXTS.labels(delivery.message).inc()
            log.error(
                "A message's template failed; the built-in text was sent.",
                action="template_failed",
                message=delivery.message,
                channel=delivery.channel,
                fault=rendered.fault,
            )
        reach("notify.sending")
        text = Text(
            delivery.id,
            address,
            rendered.subject,
            rendered.body,
            now,
            message=delivery.message,
            language=rendered.language,
            values=rendered.values,
            reply_to=item.reply_to,
        )
        outcome = await self._channels[delivery.channel].send(text)
        reach("notify.sent")
        return settle(delivery, outcome, self._plan, self._time.now(), random.random())

    async def _unwanted(self, item: Item) -> Reason | None:
        """Why it is not sent any more, for what was queued: tried before, or long in hand."""
        delivery = item.delivery
        long_in_hand = asyncio.get_running_loop().time() - item.taken_at > _LONG_IN_HAND_SECONDS
        if not delivery.attempts and not long_in_hand:
            return None
        if long_in_hand:
            try:
                item.case = (await self._cases.load([str(delivery.case)])).get(str(delivery.case), item.case)
            except StoreAway:
                return None  # better once too often than silence
        return unwanted(item.case, delivery.at, delivery)


def _reply_words(bundle: Bundle, item: Item, language: str) -> dict[str, str]:
    languages = languages_for(language, bundle.site(item.delivery.case.site))
    return reply_words(languages, item.reply_code, bool(item.reply_code or item.reply_to))


def _just_interrupted(delivery: Delivery) -> bool:
    return bool(delivery.attempts) and delivery.attempts[-1].reason == Reason.INTERRUPTED
