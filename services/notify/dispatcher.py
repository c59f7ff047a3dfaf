"""Sends what is in hand: the worst first, from its case as it is now, through a provider that can take it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from reeve.ports import StoreAway, TimeSource
from reeve.rulelang.sms_segments import segments
from reeve.runtime.crash import reach
from reeve.runtime.store.deliveries import Settlement
from reeve.runtime.telemetry import get_log
from services.notify.case_reader import FreshCases
from services.notify.channels.base import Outcome, Provider, Reason, Result, Text
from services.notify.composing import Composer
from services.notify.feeder import Feeder, led
from services.notify.flood.groups import moot_when_held
from services.notify.flood.one_a_day import OneADay
from services.notify.hand import Hand, Item
from services.notify.journal import Journal
from services.notify.metrics import ATTEMPT_SECONDS, PROVIDER_QUALITY, SET_ASIDE
from services.notify.pool.choice import ProviderPool, Turn
from services.notify.pool.terms import WORST_RANKS
from services.notify.recorder import Recorder
from services.notify.settling import (
    RetryPlan,
    Try,
    another_may_take,
    cancelled,
    crashes_us,
    follow,
    given_up,
    put_back,
    receipt_is_overdue,
    settle,
    unwanted,
)
from services.notify.turns import Turns
from services.notify.wire_turns import WireTurns

log = get_log(__name__)


class Dispatcher:
    """`run_channel` for every channel and connection, until cancelled."""

    def __init__(
        self,
        pools: Mapping[str, ProviderPool],
        hand: Hand,
        feeder: Feeder,
        recorder: Recorder,
        cases: FreshCases,
        composer: Composer,
        time_source: TimeSource,
        plan: RetryPlan,
        one_a_day: OneADay,
        journal: Journal | None = None,
    ) -> None:
        self._pools = pools
        self._hand = hand
        self._feeder = feeder
        self._recorder = recorder
        self._cases = cases
        self._composer = composer
        self._time = time_source
        self._plan = plan
        self._one_a_day = one_a_day
        self._journal = journal
        self._wire = WireTurns(journal) if journal is not None else None
        self._turns = Turns(hand, pools)
        self._busy = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self.draining = False

    async def run_channel(self, name: str) -> None:
        """Sends one after the other; as many of these run as may be sent at a time."""
        pool = self._pools[name]
        while True:
            item, turn = await self._turns.next(name)
            self._busy += 1
            self._idle.clear()
            try:
                if self.draining:
                    self._put_back(item)
                elif self._feeder.lost(item):
                    self._forget(item)
                elif (leader := await self._wanted(item)) is not None:
                    await self._send(leader, pool, turn)
                    continue
                pool.not_sent(turn, asyncio.get_running_loop().time())
            finally:
                self._turns.freed(name)
                self._busy -= 1
                if not self._busy:
                    self._idle.set()

    async def drain(self, seconds: float) -> None:
        """What has not begun is put back; what is being sent has so long to end. Then all of it is recorded."""
        self.draining = True
        for item in self._hand.take_back():
            self._put_back(item)
        try:
            async with asyncio.timeout(seconds):
                await self._idle.wait()
                await self._recorder.flushed()
        except TimeoutError:
            log.warning("Some messages were still being sent; they are repeated later.", action="drain_cut_short")

    async def _wanted(self, item: Item) -> Item | None:
        """Who leads what is still to be sent of it, with the cases as they are now; None: nothing is."""
        try:
            cases = await self._cases.of(each.case for each in item.all)
        except StoreAway:
            cases = {}  # better once too often than silence
        now = self._time.now()
        left = []
        for each in item.all:
            each.case = cases.get(str(each.case.key), each.case)
            if (settlement := _dropped(each, now)) is not None:
                self._recorder.put(each, settlement)
            else:
                left.append(each)
        if not item.tries:
            left = await self._one_a_day.keep(left, now)
        if not left or len(left) == len(item.all):
            return item if left else None
        leader = led(left)
        leader.tries, leader.segments, leader.number = item.tries, item.segments, item.number
        leader.taken_at, leader.barred = item.taken_at, item.barred
        return leader

    async def _send(self, item: Item, pool: ProviderPool, turn: Turn) -> None:
        """One attempt at it. Never raises for a provider, the network, a template, or a record that is away."""
        loop = asyncio.get_running_loop()
        provider = turn.member.provider
        text: Text | None = None
        started = loop.time()
        outcome = turn.withheld
        if outcome is None:
            try:
                text = await self._text(item)
            except StoreAway:
                pool.not_sent(turn, loop.time())
                self._put_back(item)
                return
            started = loop.time()
            reach("notify.sending")
            outcome = await self._given(item, text, provider)
            reach("notify.sent")
        seconds = loop.time() - started
        if pool.ended(turn, outcome, seconds, loop.time()):
            SET_ASIDE.labels(provider.channel, turn.member.name).inc()
            log.error(
                "A provider does not accept our credentials; it is set aside and asked once a minute.",
                action="provider_set_aside",
                provider=turn.member.name,
                channel=provider.channel,
            )
        if text is not None:
            ATTEMPT_SECONDS.labels(provider.channel, turn.member.name).observe(seconds)
            PROVIDER_QUALITY.labels(provider.channel, turn.member.name).set(pool.quality(turn.member, loop.time()))
        self._ended(item, pool, turn, outcome, text)

    async def _given(self, item: Item, text: Text, provider: Provider) -> Outcome:
        if self._wire is None:
            return await provider.send(text)
        attempt = self._wire.attempt([each.delivery.id for each in item.all])
        try:
            return await provider.send(replace(text, on_wire=attempt.begin))
        finally:
            attempt.end()

    async def _text(self, item: Item) -> Text:
        """Raises StoreAway."""
        delivery, person = item.delivery, item.person
        address = person.addresses.get(delivery.channel, "") if person is not None else ""
        return await self._composer.text(item.all, address, self._time.now())

    def _ended(self, item: Item, pool: ProviderPool, turn: Turn, outcome: Outcome, text: Text | None) -> None:
        """The attempt is settled, or the next provider is asked at once."""
        delivery, loop = item.delivery, asyncio.get_running_loop()
        now = self._time.now()
        item.tries.append(Try(now, outcome))
        if text is not None and delivery.channel == "sms" and outcome.result in (Result.SENT, Result.UNKNOWN):
            item.segments += segments(text.body)
        if another_may_take(outcome) and pool.another(item.asked, loop.time()) and not self.draining:
            if self._journal is not None:
                self._journal.refused(each.delivery.id for each in item.all)
            self._hand.again(item)
            return
        paused = turn.withheld is not None and outcome.reason is Reason.BUSY
        if paused and delivery.rank > WORST_RANKS and len(item.tries) == 1:
            # Nobody was asked: it costs the message nothing to wait as long as the provider wants it.
            wait = outcome.retry_after or timedelta(0)
            self._settled(item, put_back(delivery, now, wait=wait * (1 + 0.25 * random.random())))
            return
        settlement = settle(delivery, item.tries, turn.member.terms, self._plan, random.random(), item.segments)
        self._settled(item, settlement)

    def _settled(self, item: Item, settlement: Settlement) -> None:
        """So is it, and so are those that go out with it."""
        if item.others and settlement.state in ("sent", "unknown"):
            settlement = replace(settlement, merged=len(item.others))
        self._recorder.put(item, settlement)
        for each in item.others:
            self._recorder.put(each, follow(each.delivery, settlement))

    def _put_back(self, item: Item) -> None:
        now = self._time.now()
        self._recorder.put(item, put_back(item.delivery, now, item.tries))
        for each in item.others:
            self._recorder.put(each, put_back(each.delivery, now))

    def _forget(self, item: Item) -> None:
        """Another replica may have it by now: what stands in the record decides, not we."""
        for each in item.all:
            self._hand.let_go(each.delivery.id)


def _dropped(item: Item, now: datetime) -> Settlement | None:
    """How it is settled without being sent; None: it is sent."""
    delivery = item.delivery
    if crashes_us(delivery):
        return given_up(delivery, Reason.INTERRUPTED, now)
    if reason := unwanted(item.case, delivery.at, delivery) or moot_when_held(delivery, item.case):
        return cancelled(delivery, reason, now, item.tries)
    if receipt_is_overdue(delivery):
        return given_up(delivery, Reason.NO_RECEIPT, now)
    if item.person is None or not item.person.addresses.get(delivery.channel):
        return given_up(delivery, Reason.NO_ADDRESS, now)
    return None
