"""Who goes next on a channel, and through which provider."""

from __future__ import annotations

import asyncio
import heapq
import math
from collections.abc import Mapping

from services.notify.hand import Hand, Item, Line
from services.notify.pool.choice import ProviderPool, Turn

_LOOKED_PAST = 32
"""Deliveries that wait for one certain provider keep those behind them from going; so many are stepped over."""
_LOOK_AGAIN_SECONDS = 1.0
"""At the latest, while something waits."""


class Turns:
    """Gives the worst delivery in hand to a provider that can take it now."""

    def __init__(self, hand: Hand, pools: Mapping[str, ProviderPool]) -> None:
        self._hand = hand
        self._pools = pools

    async def next(self, channel: str) -> tuple[Item, Turn]:
        """The next one of the channel once a provider may send it; it is out of the line."""
        line = self._hand.line(channel)
        # One at a time chooses, and only when a provider is free: what gets worse meanwhile goes first.
        async with line.choosing:
            loop = asyncio.get_running_loop()
            while True:
                line.changed.clear()
                now = loop.time()
                if (found := self._found(channel, line, now)) is not None:
                    return found
                try:
                    async with asyncio.timeout(self._wait(channel, line, now)):
                        await line.changed.wait()
                except TimeoutError:
                    continue

    def freed(self, channel: str) -> None:
        """A provider of the channel has ended something."""
        self._hand.line(channel).changed.set()

    def _found(self, channel: str, line: Line, now: float) -> tuple[Item, Turn] | None:
        pool = self._pools[channel]
        for heap in line.order():
            stepped_over: list[tuple[int, int, Item]] = []
            try:
                while heap and len(stepped_over) < _LOOKED_PAST:
                    item = heap[0][2]
                    turn = pool.choose(item.delivery.rank, item.asked, now)
                    if turn is not None:
                        heapq.heappop(heap)
                        self._hand.taken(channel, item.delivery.rank)
                        return item, turn
                    if not item.asked:
                        break  # who may go through anybody can't go: nobody else of this rank can
                    stepped_over.append(heapq.heappop(heap))
            finally:
                for entry in stepped_over:
                    heapq.heappush(heap, entry)
        return None

    def _wait(self, channel: str, line: Line, now: float) -> float | None:
        """Seconds after which a provider may be free though nothing has changed; None: something has to come."""
        waiting = [heap[0][2] for heap in line.heaps.values() if heap]
        if not waiting:
            return None
        pool = self._pools[channel]
        soonest = min((pool.ready_in(item.asked, now) for item in waiting), default=math.inf)
        return min(max(soonest, 0.001), _LOOK_AGAIN_SECONDS)
