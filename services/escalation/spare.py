"""Work that can wait for everything else: a batch takes only as much of it as keeps the batch short.

How much that is depends on the machine and on what else it does, so it is found out: more while batches stay short,
half as much when one did not.
"""

from __future__ import annotations

import asyncio
from collections import deque
from time import perf_counter

from services.escalation.work import ReviseWork

_LEAST, _MOST = 8, 256
"""Of it in one batch."""
_SHORT_SECONDS, _LONG_SECONDS = 0.05, 0.12
"""An event that comes while a batch is decided waits for its end; far below a second, also on a busy machine."""
_BESIDE = 4
"""Beside events a batch takes a share of one in so many."""
_LOW = 256
"""With less than this left there is room for more."""


class SpareWork:
    """A queue behind all others."""

    def __init__(self) -> None:
        self._queue: deque[ReviseWork] = deque()
        self._room = asyncio.Event()
        self._room.set()
        self._size = _LEAST * 2
        self._taken_at: float | None = None

    def __len__(self) -> int:
        return len(self._queue)

    async def room(self) -> None:
        """There is room for more."""
        await self._room.wait()

    def put(self, work: ReviseWork) -> None:
        """It is taken some time."""
        self._queue.append(work)
        if len(self._queue) >= 2 * _LOW:
            self._room.clear()

    def drop_lane(self, lane: int) -> None:
        """Nothing of the lane is left."""
        self._queue = deque(work for work in self._queue if work.lane != lane)
        self._make_room()

    async def done(self) -> None:
        """Everything that was put has been taken."""
        while self._queue:
            self._room.clear()
            await self._room.wait()

    def batch_ended(self) -> None:
        """The batch that took some before is committed; how long that was decides how much the next one takes."""
        if self._taken_at is None:
            return
        seconds, self._taken_at = perf_counter() - self._taken_at, None
        if seconds > _LONG_SECONDS:
            self._size = max(_LEAST, self._size // 2)
        elif seconds < _SHORT_SECONDS:
            self._size = min(_MOST, self._size + self._size // 2)

    def take(self, most: int, *, beside: bool) -> list[ReviseWork]:
        """Some of it, first come first; `beside`: the batch has events as well."""
        wanted = max(_LEAST, self._size // _BESIDE) if beside else self._size
        taken = [self._queue.popleft() for _ in range(min(wanted, most, len(self._queue)))]
        if taken:
            self._taken_at = perf_counter()
            self._make_room()
        return taken

    def _make_room(self) -> None:
        if len(self._queue) < _LOW:
            self._room.set()
