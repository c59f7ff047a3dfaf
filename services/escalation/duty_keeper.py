"""Keeps every duty's next occurrence in the record: for new sites, new duties, and duties that have changed.

Once it stands there it is a deadline like any other, and leaves its successor behind when it comes. One that a rota
tells instead (`unless: rota`) is taken back before its hour, and stands there again when the rota has gone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from datetime import datetime
from typing import Protocol

from reeve.domain.bundle import Bundle
from reeve.domain.duties import POLICY, next_case, runs_at, told_by_rota
from reeve.domain.schedules import Duty
from reeve.ports import Away, TimeSource
from reeve.runtime.bus.lanes import lane_of
from reeve.runtime.store.scheduled_duties import ComingDuty
from reeve.runtime.telemetry import error_fields, get_log
from services.escalation.inbox import Inbox
from services.escalation.work import ReviseWork, ScheduleWork, UnscheduleWork, Work

_LOOK_SECONDS = 5.0
"""A site is found this long after its first case, at most."""

log = get_log(__name__)


class Scheduled(Protocol):
    """The record, as far as this needs it."""

    async def sites(self) -> set[str]:
        """Every site that has ever had a case."""
        ...

    async def coming(self, lanes: Collection[int] | None = None) -> list[ComingDuty]:
        """Every scheduled occurrence, or those of some lanes."""
        ...


class Shifts(Protocol):
    """The rotas, in hand."""

    async def refresh(self, now: datetime) -> None:
        """What is in hand is as in the record, or a few seconds older. Raises StoreAway."""
        ...

    def hands_over(self, place: str, role: str, at: datetime) -> bool:
        """Whether a rota tells the hand-overs of that role and place then."""
        ...


class DutyKeeper:
    """Looks every few seconds, and at once when other rules become active."""

    def __init__(
        self,
        inbox: Inbox,
        scheduled: Scheduled,
        bundle: Callable[[], Bundle],
        shifts: Shifts,
        time_source: TimeSource,
    ) -> None:
        self._inbox = inbox
        self._scheduled = scheduled
        self._bundle = bundle
        self._shifts = shifts
        self._time = time_source
        self._wanted = asyncio.Event()

    def look(self) -> None:
        """Other rules are active, or lanes were gained: look now."""
        self._wanted.set()

    async def run(self) -> None:
        """Looks until cancelled."""
        while True:
            self._wanted.clear()
            try:
                await self.keep()
            except Away as error:
                log.debug("Duties wait for the record.", action="duties_wait", **error_fields(error))
            try:
                # Not wait_for: Python 3.11's loses a cancellation that comes together with the news.
                async with asyncio.timeout(_LOOK_SECONDS):
                    await self._wanted.wait()
            except TimeoutError:
                log.debug("Looking for duties to schedule.", action="duties_look")

    async def keep(self) -> int:
        """What is missing or outdated in this replica's lanes is in the loop's hands; how much that was.

        A site belongs to the replica that has the lane of its duties.
        """
        bundle, lanes = self._bundle(), self._inbox.lanes
        if not lanes:
            return 0
        now = self._time.now()
        if any(duty.by_rota for duty in bundle.duties.values()):
            await self._shifts.refresh(now)
        coming = await self._scheduled.coming()
        policy = bundle.policies.get(POLICY)
        digest = policy.digest if policy is not None else ""
        works: list[Work] = [
            ReviseWork(each.case_id, each.lane) for each in coming if each.digest != digest and each.lane in lanes
        ]
        works += [
            UnscheduleWork(each.case_id)
            for each in coming
            if each.lane in lanes and self._told_by_rota(bundle, each.duty, each.site, each.at)
        ]
        if bundle.duties:
            known = {(each.site, each.duty) for each in coming}
            sites = {*bundle.sites, *await self._scheduled.sites()}
            works += [
                ScheduleWork(site, duty.name)
                for site in sorted(sites)
                if lane_of(site, POLICY) in lanes
                for duty in bundle.duties.values()
                if runs_at(duty, site) and (site, duty.name) not in known
                if not self._told_by_rota(bundle, duty.name, site, _next_moment(bundle, duty, site, now))
            ]
        if works:
            log.info("Duties are scheduled or taken back.", action="duties_scheduled", count=len(works))
            self._inbox.put(works)
        return len(works)

    def _told_by_rota(self, bundle: Bundle, name: str, site: str, at: datetime | None) -> bool:
        """See `duties.told_by_rota`."""
        return at is not None and told_by_rota(bundle.duties.get(name), site, at, self._shifts.hands_over)


def _next_moment(bundle: Bundle, duty: Duty, site: str, now: datetime) -> datetime | None:
    """When it comes next; None where that does not matter."""
    if not duty.by_rota:
        return None
    coming = next_case(bundle, duty, site, now)
    return coming.next_due if coming is not None else None
