"""Marks in the record how far notifications have come, many at a time.

Nobody waits for a mark: deliveries stand before it is made, and a notification whose mark a crash lost is planned
again, which adds nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from reeve.ports import StoreAway
from reeve.runtime.store.notifications import NotificationStore, Progress
from reeve.runtime.telemetry import get_log

_GATHER_SECONDS = 0.1
_RETRY_SECONDS = 0.5

log = get_log(__name__)


class ProgressMarks:
    """`run` once, until cancelled."""

    def __init__(self, notifications: NotificationStore) -> None:
        self._notifications = notifications
        self._waiting: dict[str, Progress] = {}
        self._filled = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()

    def __contains__(self, key: str) -> bool:
        """Whether the notification's mark is still to be made: the record shows it as it was before."""
        return key in self._waiting

    def told(self, key: str) -> tuple[str, ...]:
        """Roles of the notification that its mark will name as resolved."""
        return self._waiting[key].told if key in self._waiting else ()

    def put(self, changes: Iterable[Progress]) -> None:
        """They will be in the record soon."""
        self._waiting |= {each.key: each for each in changes}
        if self._waiting:
            self._empty.clear()
            self._filled.set()

    async def flushed(self) -> None:
        """Returns when the record has everything put so far."""
        await self._empty.wait()

    async def run(self) -> None:
        """Marks until cancelled; a record that is away is waited for."""
        while True:
            await self._filled.wait()
            await asyncio.sleep(_GATHER_SECONDS)
            self._filled.clear()
            batch = dict(self._waiting)
            try:
                await self._notifications.progress(batch.values())
            except StoreAway:
                log.debug("The record is away; what was planned is marked later.", action="progress_waits")
                self._filled.set()
                await asyncio.sleep(_RETRY_SECONDS)
                continue
            for key, change in batch.items():
                if self._waiting[key] is change:
                    del self._waiting[key]
            if not self._waiting:
                self._empty.set()
