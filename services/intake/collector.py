"""Posts that arrive together become one write: takes what is there, never waits for more."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

from reeve.domain.events import Event
from reeve.ports import StoreAway, TimeSource
from reeve.runtime.crash import reach
from reeve.runtime.store.events import EventStore, Outgoing, Stored

_MOST_AT_ONCE = 1000
"""Events of one write, give or take the last post."""


class Overloaded(Exception):
    """Too many events wait for the record already; nothing was taken."""


class _Post(NamedTuple):
    events: Sequence[Event]
    answer: asyncio.Future[list[Stored]]


class EventCollector:
    """Accepted events on their way into the record."""

    def __init__(
        self, store: EventStore, time: TimeSource, stored: Callable[[list[Outgoing]], None], most_waiting: int
    ) -> None:
        """`stored` is told what is new in the record, before the posters are."""
        self._store = store
        self._time = time
        self._stored = stored
        self._most_waiting = most_waiting
        self._posts: deque[_Post] = deque()
        self._waiting = 0
        self._wake = asyncio.Event()
        self._ended = False

    async def add(self, events: Sequence[Event]) -> list[Stored]:
        """All are in the record now, an answer for each in order.

        Raises StoreAway (some may be there: post again and be told) or Overloaded (none is).
        """
        if self._ended:
            raise StoreAway("intake is stopping")
        if self._waiting and self._waiting + len(events) > self._most_waiting:
            raise Overloaded
        answer: asyncio.Future[list[Stored]] = asyncio.get_running_loop().create_future()
        self._posts.append(_Post(events, answer))
        self._waiting += len(events)
        self._wake.set()
        return await answer

    async def run(self) -> None:
        """Writes until cancelled. Whoever still waits then is told StoreAway: nothing is acknowledged unstored."""
        taken: list[_Post] = []
        try:
            while True:
                await self._wake.wait()
                taken = self._take()
                if not taken:
                    self._wake.clear()
                    continue
                await self._write(taken)
                taken = []
        finally:
            self._ended = True
            for post in [*taken, *self._posts]:
                if not post.answer.done():
                    post.answer.set_exception(StoreAway("intake is stopping"))

    def _take(self) -> list[_Post]:
        taken: list[_Post] = []
        size = 0
        while self._posts and size < _MOST_AT_ONCE:
            post = self._posts.popleft()
            taken.append(post)
            size += len(post.events)
        self._waiting -= size
        return taken

    async def _write(self, posts: list[_Post]) -> None:
        events = [event for post in posts for event in post.events]
        try:
            answers = await self._store.insert(events, self._time.now())
        except StoreAway as away:
            for post in posts:
                if not post.answer.done():
                    post.answer.set_exception(away)
            return
        reach("intake.stored")
        self._stored([answer.outgoing for answer in answers if answer.outgoing is not None])
        start = 0
        for post in posts:
            end = start + len(post.events)
            if not post.answer.done():
                post.answer.set_result(answers[start:end])
            start = end
