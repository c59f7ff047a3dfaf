"""One payment reminder a day also after an outage: what is late is held against the days as they are now.

Days are given when a reminder is planned. One that goes out on a later day than its own (nobody was there to send
it, or no provider took it) may meet another reminder there: then it waits for the first day that is free.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from reeve.domain.bundle import SiteSettings
from reeve.domain.calendar import local_day
from reeve.domain.facts import zone_of
from reeve.domain.flood.days import late
from reeve.domain.flood.settings import WORST_RANK
from reeve.domain.flood.tempering import PAYMENT, days_key, held_group, held_until
from reeve.domain.recipients import OWNER
from reeve.ports import StoreAway
from reeve.runtime.store.flood_slots import SlotStore
from reeve.runtime.store.waiting_deliveries import WaitingDeliveries
from reeve.runtime.telemetry import get_log
from services.notify.case_reader import BundleSource
from services.notify.flood.metrics import TEMPERED
from services.notify.hand import Hand, Item

_TRIES = 5

log = get_log(__name__)


class OneADay:
    """Asked right before a message goes out."""

    def __init__(self, slots: SlotStore, waiting: WaitingDeliveries, bundles: BundleSource, hand: Hand) -> None:
        self._slots = slots
        self._waiting = waiting
        self._bundles = bundles
        self._hand = hand

    async def keep(self, together: list[Item], now: datetime) -> list[Item]:
        """Those of one message that go now; the others are queued for another day, and no more in hand.

        Where the record is away all of them go: better once too often than silence.
        """
        reminders = [each for each in together if reminds_of_payment(each)]
        if not reminders:
            return together
        try:
            return await self._keep(together, reminders, now)
        except StoreAway:
            return together

    async def _keep(self, together: list[Item], reminders: Sequence[Item], now: datetime) -> list[Item]:
        bundle = await self._bundles.current()
        site = bundle.site(reminders[0].delivery.case.site)
        those = [each for each in reminders if is_late(each, site, now)]
        if not those or not site.flood.payment_reminders:
            return together
        # The record keeps milliseconds: what is read back must be the moment that names a group.
        due = await self._day_of(those, site, now.replace(microsecond=now.microsecond // 1000 * 1000))
        if due <= now:
            return together
        first = those[0].delivery
        group = held_group(first.place, first.recipient, first.channel, due)
        await self._waiting.put_off([each.delivery for each in those], due, "daily", group)
        for each in those:
            self._hand.done(each.delivery.id)
        TEMPERED.labels("daily").inc(len(those))
        log.info("Late payment reminders wait for a free day.", action="reminders_put_off", count=len(those))
        ids = {each.delivery.id for each in those}
        return [each for each in together if each.delivery.id not in ids]

    async def _day_of(self, those: Sequence[Item], site: SiteSettings, now: datetime) -> datetime:
        """When they go; the day is theirs."""
        key = days_key(those[0].delivery.place, those[0].delivery.recipient)
        keys = [each.delivery.notification for each in those]
        due = now
        for _ in range(_TRIES):
            slots = await self._slots.load([key])
            days, due = late(slots.ledger.days.get(key, {}), keys, now, site)
            slots.ledger.days[key] = days
            slots.ledger.changed.add(key)
            if await self._slots.save(slots):
                return due
        log.warning("Days were taken by others too often.", action="flood_slots_contended")
        return due


def reminds_of_payment(item: Item) -> bool:
    """Whether days are given to it: an owner's payment reminder that nobody has asked to be sent again."""
    delivery = item.delivery
    mild = delivery.rank > WORST_RANK and delivery.resend_of is None
    return mild and delivery.role == OWNER and item.case.family == PAYMENT


def is_late(item: Item, site: SiteSettings, now: datetime) -> bool:
    """Whether the day for which it was planned is over at the site."""
    zone = zone_of(site.zone)
    planned = held_until(item.delivery.group) or item.delivery.requested_at
    return local_day(planned, zone) < local_day(now, zone)
