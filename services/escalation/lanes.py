"""Which lanes this replica works on: leases taken, kept and given back.

While the record is away leases run out unnoticed; nobody can commit then, and afterwards versions decide.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from reeve.ports import Away
from reeve.runtime.store.leases import Leases
from reeve.runtime.telemetry import error_fields, get_log
from services.escalation.inbox import Inbox
from services.escalation.metrics import LANES

log = get_log(__name__)


class LaneKeeper:
    """Keeps the inbox's lanes in step with the leases."""

    def __init__(
        self,
        leases: Leases,
        inbox: Inbox,
        lease_seconds: float,
        settle: Callable[[], Awaitable[None]],
        gained: Callable[[], None],
    ) -> None:
        """`settle` returns when nothing in hand is unfinished; `gained` is told after a lane was opened."""
        self._leases = leases
        self._inbox = inbox
        self._seconds = lease_seconds
        self._settle = settle
        self._gained = gained

    async def run(self) -> None:
        """Three turns a lease, until cancelled."""
        while True:
            try:
                await self.turn()
            except Away as error:
                log.debug("Leases wait for a server.", action="leases_wait", **error_fields(error))
            await asyncio.sleep(self._seconds / 3)

    async def turn(self) -> None:
        """Lanes lost are closed, lanes gained are open, lanes due to a new replica are given up. Raises Away."""
        held = self._inbox.lanes
        shares = await self._leases.turn(held)
        for lane in sorted(held - shares.held):
            log.warning("A lane was lost to another replica.", action="lane_lost", lane=lane)
            await self._inbox.close_lane(lane)
        if shares.to_release:
            for lane in sorted(shares.to_release):
                await self._inbox.close_lane(lane)
            await self._settle()
            await self._leases.release(shares.to_release)
            log.info("Lanes were given to another replica.", action="lanes_given", lanes=len(shares.to_release))
        new = shares.held - shares.to_release - held
        if new and (left := await self._leases.end_abandoned()):
            log.info("What a dead replica left half done was undone.", action="sessions_ended", sessions=left)
        for lane in sorted(new):
            await self._inbox.open_lane(lane)
        LANES.set(len(self._inbox.lanes))
        if new:
            self._gained()
            log.info("Lanes were taken.", action="lanes_taken", lanes=sorted(new))

    async def leave(self) -> None:
        """Every lane is closed and free for others; what was in hand is finished. Raises Away."""
        for lane in sorted(self._inbox.lanes):
            await self._inbox.close_lane(lane)
        await self._settle()
        await self._leases.leave()
