"""Drafts to deliveries: what waits, goes another way or is hidden, with windows, days, silences and budgets read
from the record."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Literal as OneOf

from reeve.domain.bundle import Bundle
from reeve.domain.case import Case
from reeve.domain.facts import zone_of
from reeve.domain.flood.budget import month_of, usage
from reeve.domain.flood.digests import STAND_IN, next_digest
from reeve.domain.flood.settings import WORST_RANK
from reeve.domain.flood.silences import Silence
from reeve.domain.flood.tempering import EMAIL, SMS, Ledger, Planned, Verdict, held_group, temper
from reeve.domain.recipients import delivery_id
from reeve.domain.telling import owner_apart
from reeve.runtime.store.budgets import BudgetStore
from reeve.runtime.store.deliveries import Attempt, Delivery
from reeve.runtime.store.flood_slots import SlotStore
from reeve.runtime.store.silences import SilenceStore
from reeve.runtime.store.suppressed import AfterAll, SuppressedStore
from reeve.runtime.telemetry import get_log
from services.notify.channels.base import Reason
from services.notify.drafts import Draft
from services.notify.flood.metrics import TEMPERED

_SILENCES_SECONDS = 1.0
"""How old the known silences may be."""
_TRIES = 5

log = get_log(__name__)


class Tempering:
    """Raises StoreAway when the record can't be reached."""

    def __init__(
        self, slots: SlotStore, silences: SilenceStore, budgets: BudgetStore, suppressed: SuppressedStore
    ) -> None:
        self._suppressed = suppressed
        self._slots = slots
        self._silences = silences
        self._budgets = budgets
        self._active: list[Silence] = []
        self._read_at = float("-inf")

    async def temper(
        self,
        drafts: Sequence[Draft],
        bundle: Bundle,
        now: datetime,
        channels: Collection[str],
        dead: Collection[tuple[str, str, str]] = (),
    ) -> list[Draft]:
        """The same drafts, each held, hidden or on its way; one that goes another way has another beside it.

        `channels` are those this process sends on; `dead` are (notification, recipient, channel) that failed.
        Called again for what was planned before, it says the same as long as that still waits.
        """
        # The record keeps milliseconds: what is read back must be the moment that names a group.
        now = now.replace(microsecond=now.microsecond // 1000 * 1000)
        silences = await self._active_now(now)
        mild = [draft for draft in drafts if draft.delivery.rank > WORST_RANK]
        if not mild and not silences:
            return list(drafts)
        degraded = await self._degraded(mild, bundle, now)
        ways = _email_ways(drafts, channels, dead)
        failed = {notification for notification, _, _ in dead}
        planned = [_planned(draft, ways, failed) for draft in drafts]
        verdicts: list[Verdict] = []
        for _ in range(_TRIES):
            slots = await self._slots.load(_keys(planned, bundle, degraded))
            verdicts = [_verdict(each, bundle, slots.ledger, silences, degraded, now) for each in planned]
            if await self._slots.save(slots):
                break
        else:
            # Somebody may be told twice within a window; nobody is forgotten.
            log.warning("Windows were taken by others too often.", action="flood_slots_contended")
        return [
            one for draft, verdict in zip(drafts, verdicts, strict=True) for one in _applied(draft, verdict, now)
        ]

    async def after_all(self, spared: Sequence[tuple[Delivery, Case]], bundle: Bundle, now: datetime) -> None:
        """SMS that an email stood in for, which did not arrive, go with the next digest."""
        those = []
        for delivery, case in spared:
            site = bundle.site(case.key.site)
            due = next_digest(site.flood.digest or STAND_IN, now, zone_of(site.zone))
            group = held_group(delivery.place, delivery.recipient, delivery.channel, due)
            those.append(AfterAll(delivery.id, due, group, "budget"))
        await self._suppressed.send(those)

    async def _active_now(self, now: datetime) -> list[Silence]:
        clock = asyncio.get_running_loop().time()
        if clock - self._read_at >= _SILENCES_SECONDS:
            self._active = await self._silences.active(now)
            self._read_at = clock
        return [silence for silence in self._active if silence.active(now)]

    async def _degraded(self, mild: Sequence[Draft], bundle: Bundle, now: datetime) -> frozenset[str]:
        """Sites whose budget does not last, of those with something mild to send by SMS."""
        budgets: dict[str, int] = {}
        for draft in mild:
            site = draft.delivery.case.site
            budget = bundle.site(site).flood.sms_budget
            if budget is not None and draft.delivery.channel == SMS:
                budgets[site] = budget
        if not budgets:
            return frozenset()
        zones = {site: zone_of(bundle.site(site).zone) for site in budgets}
        used = await self._budgets.load([(site, month_of(now, zones[site])) for site in budgets])
        return frozenset(
            site
            for site, budget in budgets.items()
            if site in used and usage(used[site].segments, budget, now, zones[site]).degraded
        )


_Ways = dict[tuple[str, str], OneOf["planned", "possible"]]
"""(notification, recipient) → whether the person gets the same by email, or could."""


def _email_ways(
    drafts: Sequence[Draft], channels: Collection[str], dead: Collection[tuple[str, str, str]]
) -> _Ways:
    ways: _Ways = {}
    for draft in drafts:
        delivery, person = draft.delivery, draft.target.recipient
        pair = (delivery.notification, delivery.recipient)
        if delivery.channel == EMAIL:
            ways[pair] = "planned"
        elif EMAIL in channels and person.addresses.get(EMAIL) and (*pair, EMAIL) not in dead:
            ways.setdefault(pair, "possible")
    return ways


def _planned(draft: Draft, ways: _Ways, failed: Collection[str]) -> Planned:
    delivery, case = draft.delivery, draft.case
    return Planned(
        id=delivery.id,
        notification=delivery.notification,
        site=delivery.case.site,
        family=case.family,
        policy=delivery.case.policy,
        subject=delivery.case.subject,
        root=case.root or delivery.case.subject,
        grade=draft.wanted.grade,
        rank=delivery.rank,
        place=delivery.place,
        recipient=delivery.recipient,
        channel=delivery.channel,
        role=delivery.role,
        message=delivery.message,
        not_before=draft.target.not_before,
        email=ways.get((delivery.notification, delivery.recipient), "none"),
        instead=delivery.notification in failed or delivery.rung > 0,
    )


def _keys(planned: Sequence[Planned], bundle: Bundle, degraded: Collection[str]) -> set[str]:
    """Of every slot that the verdicts may look at."""
    keys: set[str] = set()
    for each in planned:
        if each.rank <= WORST_RANK:
            continue
        flood = bundle.site(each.site).flood
        if flood.merge is not None:
            keys.add(each.window_key(each.channel))
            if each.site in degraded and each.channel == SMS:
                keys.add(each.window_key(EMAIL))
        if flood.payment_reminders and each.reminds_of_payment:
            keys.add(each.days_key)
    return keys


def _verdict(
    each: Planned,
    bundle: Bundle,
    ledger: Ledger,
    silences: Sequence[Silence],
    degraded: Collection[str],
    now: datetime,
) -> Verdict:
    return temper(each, bundle.site(each.site), ledger, silences, each.site in degraded, now)


def _applied(draft: Draft, verdict: Verdict, now: datetime) -> list[Draft]:
    """The draft as the verdict has it, and the one by email that stands in for it, if one does."""
    delivery = draft.delivery
    if verdict.silence is not None:
        TEMPERED.labels("silence").inc()
        return [_not_sent(draft, Reason.SILENCED, now, verdict.silence)]
    if verdict.over_budget and verdict.channel == delivery.channel:
        TEMPERED.labels("budget").inc()
        return [_not_sent(draft, Reason.OVER_BUDGET, now)]
    if verdict.hold:
        TEMPERED.labels(verdict.hold).inc()
    key = delivery.id
    if verdict.over_budget:
        apart = owner_apart(draft.wanted)
        key = delivery_id(delivery.notification, draft.target, verdict.channel, owner_apart=apart)
    goes = replace(
        delivery, id=key, channel=verdict.channel, due_at=verdict.due_at, hold=verdict.hold, group=verdict.group
    )
    if not verdict.over_budget:
        return [replace(draft, delivery=goes)]
    TEMPERED.labels("budget").inc()
    return [_not_sent(draft, Reason.OVER_BUDGET, now), replace(draft, delivery=goes)]


def spared_for_email(delivery: Delivery) -> bool:
    """Whether it is an SMS that an email stands in for."""
    last = delivery.attempts[-1] if delivery.attempts else None
    return delivery.state == "suppressed" and last is not None and last.reason == Reason.OVER_BUDGET


def _not_sent(draft: Draft, reason: Reason, now: datetime, silence: str | None = None) -> Draft:
    attempts = [Attempt(now, "suppressed", reason.value)]
    return replace(
        draft, delivery=replace(draft.delivery, state="suppressed", due_at=now, silence=silence, attempts=attempts)
    )
