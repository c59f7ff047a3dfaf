"""After an activation: open cases of changed `adopt` and `recompute` policies go on with the new file.

The record is the truth about what is left to do: a case is found by the file it runs on, and once it was decided on
the new one it is found no more. So a crash, another replica or another activation in between costs nothing. A case
that gets an event meanwhile follows by itself; the sweep is for those that hear nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from time import monotonic
from typing import Protocol

from reeve.domain.bundle import Bundle
from reeve.ports import Away
from reeve.runtime.bundles import following
from reeve.runtime.store.running_cases import OutdatedCase
from reeve.runtime.telemetry import error_fields, get_log
from services.escalation.metrics import REVISED, REVISIONS_LEFT
from services.escalation.work import ReviseWork

_LOOK_SECONDS = 60.0
"""Between two looks nobody asked for: for cases that another replica left, and those that could not be decided."""
_AGAIN_SECONDS = 1.0
"""Pause before looking whether a sweep has left any; twice as long each time it has."""
_TELL_SECONDS = 10.0

log = get_log(__name__)


class Spare(Protocol):
    """The inbox, as far as this needs it."""

    @property
    def lanes(self) -> frozenset[int]:
        """Lanes being read."""
        ...

    async def put_spare(self, work: ReviseWork) -> None:
        """Work that can wait for everything else; returns once there is room for it."""
        ...

    async def spare_done(self) -> None:
        """Everything that could wait has been taken."""
        ...


class Outdated(Protocol):
    """The open cases, as far as this needs them."""

    async def count_outdated(self, current: Mapping[str, str], lanes: Collection[int] | None = None) -> int:
        """How many open cases of these policies run on another file."""
        ...

    def outdated(
        self, current: Mapping[str, str], lanes: Collection[int] | None = None
    ) -> AsyncIterator[OutdatedCase]:
        """Those cases one by one."""
        ...


class Reviser:
    """Hands outdated cases of this replica's lanes to the loop, behind everything else."""

    def __init__(self, inbox: Spare, cases: Outdated, bundle: Callable[[], Bundle]) -> None:
        self._inbox = inbox
        self._cases = cases
        self._bundle = bundle
        self._wanted = asyncio.Event()
        self._left = 0
        self._told_at = 0.0

    def look(self) -> None:
        """Other rules are active, or lanes were gained: look now."""
        self._wanted.set()

    async def run(self) -> None:
        """Looks when asked, and once a minute, until cancelled."""
        again = _AGAIN_SECONDS / 2
        while True:
            self._wanted.clear()
            try:
                if await self.sweep():
                    again = min(again * 2, _LOOK_SECONDS)
                    pause = again
                else:
                    again, pause = _AGAIN_SECONDS / 2, _LOOK_SECONDS
            except Away as error:
                log.debug("Revising waits for a server.", action="revise_waits", **error_fields(error))
                pause = _AGAIN_SECONDS
            try:
                # Not wait_for: Python 3.11's loses a cancellation that comes together with the news.
                async with asyncio.timeout(pause):
                    await self._wanted.wait()
                again = _AGAIN_SECONDS / 2
            except TimeoutError:
                log.debug("Looking for cases to revise.", action="revise_look")

    async def sweep(self) -> int:
        """Every outdated case has been in the loop's hands once; how many there were to begin with. Raises Away.

        Ends early when other rules become active. What could not be decided is in the log, and found again.
        """
        bundle, lanes = self._bundle(), self._inbox.lanes
        current = following(bundle)
        self._left = await self._cases.count_outdated(current, lanes) if lanes and current else 0
        REVISIONS_LEFT.set(self._left)
        if not self._left:
            return 0
        begun, found = monotonic(), self._left
        log.info("Cases go on with other rules.", action="revise_begun", bundle=bundle.version, cases=found)
        async for case in self._cases.outdated(current, lanes):
            if self._bundle().version != bundle.version:
                self.look()
                return found
            await self._inbox.put_spare(ReviseWork(case.case_id, case.lane))
            self._tell(bundle)
        await self._inbox.spare_done()
        log.info(
            "Cases have gone on with other rules.",
            action="revise_done",
            bundle=bundle.version,
            cases=found,
            seconds=round(monotonic() - begun, 1),
        )
        return found

    def _tell(self, bundle: Bundle) -> None:
        self._left = max(0, self._left - 1)
        REVISED.inc()
        REVISIONS_LEFT.set(self._left)
        if monotonic() - self._told_at > _TELL_SECONDS:
            self._told_at = monotonic()
            log.info("Cases are revised.", action="revise_goes_on", bundle=bundle.version, left=self._left)
