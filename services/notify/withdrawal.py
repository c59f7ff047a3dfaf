"""What a case wants no more is withdrawn while it still waits: people see it at once, not when it would be due.

Retries, windows and digests wait as deliveries; what waits for quiet hours to end is a notification without any.
Nothing depends on this: right before a send, and when its hour comes, the case is looked at anyhow. So the bus is
only listened to, and what was missed while it was away is made up for by looking at everything that waits.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from nats.aio.msg import Msg

from reeve.contracts.subjects import cases_filter, parse_cases
from reeve.domain.case import Case
from reeve.ports import StoreAway, TimeSource
from reeve.runtime.bus.connection import BusConnection
from reeve.runtime.store.deliveries import Attempt, Delivery
from reeve.runtime.store.notifications import Requested
from reeve.runtime.store.waiting_deliveries import WaitingDeliveries
from reeve.runtime.store.waiting_notifications import WaitingNotifications
from reeve.runtime.telemetry import get_log
from services.notify.case_reader import CaseReader
from services.notify.flood.groups import moot_when_held
from services.notify.metrics import SETTLED
from services.notify.settling import unwanted

_ENDINGS = ("acknowledged", "closed")
"""What makes a message unwanted that was asked for."""
_GATHER_SECONDS = 0.3
"""Cases that end within so long are looked at together."""
_MOST_HEARD = 10_000
"""Cases that are remembered one by one; when there are more, all that waits is looked at."""
_AT_ONCE = 500
_RETRY_SECONDS = 2.0

log = get_log(__name__)


class Plans(Protocol):
    """What turns notifications into deliveries, or suppresses them."""

    async def plan(self, requested: Sequence[Requested]) -> None:
        """See `planner.Planner.plan`."""
        ...


class Withdrawal:
    """`run` until cancelled; any number of replicas."""

    def __init__(
        self,
        bus: BusConnection,
        waiting: WaitingDeliveries,
        requested: WaitingNotifications,
        planner: Plans,
        cases: CaseReader,
        announce: asyncio.Event,
        time_source: TimeSource,
    ) -> None:
        """`announce` is set whenever there is something the bus should hear of."""
        self._bus = bus
        self._waiting = waiting
        self._requested = requested
        self._planner = planner
        self._cases = cases
        self._announce = announce
        self._time = time_source
        self._heard: set[str] = set()
        self._missed = True
        """Cases may have ended without our hearing of it."""
        self._something = asyncio.Event()

    async def run(self) -> None:
        """Listens and withdraws until cancelled; a record that is away is waited for."""
        self._bus.on_reconnect(lambda same_server: self._look_at_all())
        for what in _ENDINGS:
            await self._bus.client.subscribe(cases_filter(what), cb=self._hear)
        self._look_at_all()
        while True:
            await self._something.wait()
            await asyncio.sleep(_GATHER_SECONDS)
            try:
                await self.withdraw()
            except StoreAway:
                log.debug("The record is away; what waits is looked at later.", action="withdrawal_waits")
                await asyncio.sleep(_RETRY_SECONDS)

    async def withdraw(self) -> int:
        """What waits for cases that have ended is suppressed; how many deliveries. Raises StoreAway: it is looked
        at again."""
        self._something.clear()
        missed, self._missed = self._missed, False
        heard, self._heard = sorted(self._heard), set()
        now = self._time.now()
        gone = 0
        try:
            if missed:
                async for batch in self._waiting.all(now):
                    gone += await self._look(batch, now)
                async for asked in self._requested.all(now):
                    await self._look_at_hours(asked)
            for first in range(0, len(heard), _AT_ONCE):
                those = heard[first : first + _AT_ONCE]
                gone += await self._look(await self._waiting.of_cases(those, now), now)
                await self._look_at_hours(await self._requested.of_cases(those, now))
        except StoreAway:
            self._missed |= missed
            self._heard.update(heard)
            self._something.set()
            raise
        return gone

    async def _look(self, waiting: Sequence[Delivery], now: datetime) -> int:
        if not waiting:
            return 0
        cases = await self._cases.load({str(each.case) for each in waiting})
        those = [
            (delivery, Attempt(now, "suppressed", reason)) for delivery, reason in no_longer_wanted(waiting, cases)
        ]
        gone = await self._waiting.withdraw(those)
        if count := gone.total():
            for channel, of_channel in gone.items():
                SETTLED.labels(channel, "suppressed").inc(of_channel)
            log.info("What waited was withdrawn.", action="deliveries_withdrawn", count=count)
            self._announce.set()
        return count

    async def _look_at_hours(self, asked: Sequence[Requested]) -> None:
        """The planner suppresses those that are unwanted, as it would when their hour comes, and says so once."""
        if not asked:
            return
        cases = await self._cases.load({str(each.effect.case) for each in asked})
        if ended := hours_no_longer_wanted(asked, cases):
            await self._planner.plan(ended)

    def _look_at_all(self) -> None:
        self._missed = True
        self._something.set()

    async def _hear(self, message: Msg) -> None:
        try:
            case = parse_cases(message.subject).case
        except ValueError:
            return
        self._heard.add(str(case))
        if len(self._heard) > _MOST_HEARD:
            self._heard.clear()
            self._missed = True
        self._something.set()


def no_longer_wanted(waiting: Collection[Delivery], cases: Mapping[str, Case]) -> Iterator[tuple[Delivery, str]]:
    """Those that their cases don't want any more, and why. Cases that are not there want what they asked for."""
    for delivery in waiting:
        case = cases.get(str(delivery.case))
        if case is None:
            continue
        reason = unwanted(case, delivery.at, delivery) or moot_when_held(delivery, case)
        if reason is not None:
            yield delivery, reason.value


def hours_no_longer_wanted(asked: Collection[Requested], cases: Mapping[str, Case]) -> list[Requested]:
    """The notifications, waiting for their hour, that their cases don't want any more."""
    return [
        each
        for each in asked
        if (case := cases.get(str(each.effect.case))) and unwanted(case, each.effect.at, each.wanted)
    ]
