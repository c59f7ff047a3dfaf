"""Keeps the hand filled from the record, and what is in hand ours."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta

from reeve.ports import StoreAway, TimeSource
from reeve.runtime.store.deliveries import Delivery, DeliveryStore
from reeve.runtime.store.recipients import RecipientStore
from reeve.runtime.telemetry import get_log
from services.notify.case_reader import CaseReader
from services.notify.channels.base import Reason
from services.notify.hand import Hand, Item
from services.notify.links import AckLinks
from services.notify.metrics import INTERRUPTED
from services.notify.pool.choice import ProviderPool
from services.notify.settling import barred, given_up

_POLL_SECONDS = 0.5
_STRANDED_SECONDS = 30.0
_STRANDED_FOR = timedelta(minutes=15)
"""A process with the channel would have taken it by then: its provider's file is gone."""
_STRANDED_AT_ONCE = 500

log = get_log(__name__)


class Feeder:
    """`run`, `run_leases` and `run_stranded` once each, until cancelled."""

    def __init__(
        self,
        deliveries: DeliveryStore,
        recipients: RecipientStore,
        cases: CaseReader,
        links: AckLinks,
        hand: Hand,
        pools: Mapping[str, ProviderPool],
        time_source: TimeSource,
        claim: str,
        lease: timedelta,
    ) -> None:
        self._deliveries = deliveries
        self._recipients = recipients
        self._cases = cases
        self._links = links
        self._hand = hand
        self._pools = pools
        self._time = time_source
        self._claim = claim
        self._lease = lease
        self._renewed_at = 0.0

    async def run(self) -> None:
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
        room = {name: space for name in self._hand.channels if (space := self._hand.room(name))}
        if not room:
            return 0
        now, begun = self._time.now(), asyncio.get_running_loop().time()
        await self._take_stray(begun)
        claimed = await self._deliveries.claim_due(now, self._lease, self._claim, room, self._hand.ids)
        if not claimed:
            return 0
        INTERRUPTED.inc(sum(_just_interrupted(each) for each in claimed))
        return await self._accept(claimed, begun)

    async def _take_stray(self, begun: float) -> None:
        """What was claimed for us when the record went away comes into the hand. Raises StoreAway."""
        stray = frozenset(self._hand.stray)
        if lost := stray - self._hand.ids:
            await self._accept(await self._deliveries.held_by(self._claim, lost), begun)
        self._hand.stray -= stray

    async def _accept(self, claimed: Sequence[Delivery], begun: float) -> int:
        """They are in hand, with all that is needed to send them; how many. Raises StoreAway.

        The record was first looked at for them at the loop time `begun`.
        """
        with self._hand.expecting(each.id for each in claimed):
            items = self._hand.without_known(await self._items(claimed), begun)
            self._hand.accept(_together(items))
        return len(items)

    async def _items(self, claimed: Sequence[Delivery]) -> list[Item]:
        people = await self._recipients.by_id({(each.place, each.recipient) for each in claimed})
        cases = await self._cases.load({str(each.case) for each in claimed})
        items = [
            Item(each, people.get((each.place, each.recipient)), case, barred=self._barred(each))
            for each in claimed
            if (case := cases.get(str(each.case))) is not None
        ]
        await self._links.add(items)
        return items

    async def run_stranded(self) -> None:
        """What waits for a channel that nobody sends on any more goes another way."""
        while True:
            await asyncio.sleep(_STRANDED_SECONDS)
            try:
                await self.give_up_stranded()
            except StoreAway:
                log.debug("The record is away; what is stranded waits.", action="stranded_wait")

    async def give_up_stranded(self) -> int:
        """One round of it; how many. Raises StoreAway."""
        now = self._time.now()
        stranded = await self._deliveries.claim_stranded(
            now, self._lease, self._claim, self._hand.channels, now - _STRANDED_FOR, _STRANDED_AT_ONCE
        )
        await self._deliveries.record([given_up(each, Reason.UNREACHABLE, now) for each in stranded])
        for channel in sorted({each.channel for each in stranded}):
            log.error(
                "Messages waited for a channel without a provider; another way is looked for.",
                action="channel_gone",
                channel=channel,
            )
        return len(stranded)

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

    def lost(self, item: Item) -> bool:
        """Whether another replica may have it by now: what stands in the record decides then, not we."""
        held_for = asyncio.get_running_loop().time() - max(item.taken_at, self._renewed_at)
        return held_for > self._lease.total_seconds() * 0.75

    def _barred(self, delivery: Delivery) -> frozenset[str]:
        terms = [each.terms for each in self._pools[delivery.channel].members]
        return barred(delivery, terms, self._time.now())


def _together(items: Sequence[Item]) -> list[Item]:
    """Those of one group to one person as one, led by the worst and among equals the oldest of them."""
    leaders: list[Item] = []
    groups: dict[tuple[str, ...], list[Item]] = {}
    for item in items:
        delivery = item.delivery
        if delivery.group:
            key = (delivery.group, delivery.place, delivery.recipient, delivery.channel)
            groups.setdefault(key, []).append(item)
        else:
            leaders.append(item)
    return leaders + [led(members) for members in groups.values()]


def led(members: Sequence[Item]) -> Item:
    """The one of them that leads, with the rest as its others."""
    leader, *others = sorted(members, key=lambda each: (each.delivery.rank, each.delivery.at, each.delivery.id))
    leader.others = others
    for each in others:
        each.others = []
    return leader


def _just_interrupted(delivery: Delivery) -> bool:
    return bool(delivery.attempts) and delivery.attempts[-1].reason == Reason.INTERRUPTED
