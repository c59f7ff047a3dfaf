"""Deliveries this process has claimed: one heap per channel, the worst grade on top."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from reeve.domain.case import Case
from reeve.domain.recipients import Recipient
from reeve.runtime.store.deliveries import Delivery
from services.notify.buckets import TokenBucket
from services.notify.metrics import IN_HAND

_WORST_RANKS = 1
_WORST_ROOM = 1024
"""Grades of this rank and worse have so much more room: a bulk run of milder ones never holds them up."""


@dataclass(slots=True)
class Item:
    """A delivery in hand with what is needed to send it."""

    delivery: Delivery
    person: Recipient | None
    """None: gone from the record."""
    case: Case
    ack_url: str = ""
    reply_code: str = ""
    """Names this message in an SMS reply; empty: it awaits no answer."""
    reply_to: str = ""
    """Where an answer by mail goes; empty: nowhere."""
    taken_at: float = field(default=0.0)
    """Loop time at which it came into the hand."""


class Hand:
    """What is claimed and not settled yet. `limit` bounds what waits for each channel."""

    def __init__(self, rates: dict[str, float], limit: int = 256) -> None:
        """`rates`: channel → deliveries a second at most, 0 for no limit; also the channels there are."""
        self._limit = limit
        self._heaps: dict[str, list[tuple[int, int, Item]]] = {channel: [] for channel in rates}
        self._buckets = {channel: TokenBucket(rate) for channel, rate in rates.items()}
        self._filled = {channel: asyncio.Event() for channel in rates}
        self._turns = {channel: asyncio.Lock() for channel in rates}
        self.low = asyncio.Event()
        """Some channel is down to half of what may wait for it; whoever waits for it clears it."""
        self._items: dict[str, Item] = {}
        self._coming: set[str] = set()
        self._numbers = itertools.count()

    @property
    def channels(self) -> tuple[str, ...]:
        """The channels this process sends on."""
        return tuple(self._heaps)

    @property
    def ids(self) -> frozenset[str]:
        """Ids of everything claimed and not settled, also of what is being claimed."""
        return frozenset(self._items.keys() | self._coming)

    @contextmanager
    def expecting(self, ids: Iterable[str]) -> Iterator[None]:
        """These are being claimed inside: however long the record takes, this process leaves them to that."""
        coming = set(ids)
        self._coming |= coming
        try:
            yield
        finally:
            self._coming -= coming

    def room(self, channel: str) -> int:
        """How many more may wait for the channel."""
        return self._limit - len(self._heaps[channel])

    def takes(self, channel: str, rank: int, already: int) -> bool:
        """Whether a delivery is claimed at once, with `already` others about to come in."""
        more = _WORST_ROOM if rank <= _WORST_RANKS else 0
        return self.room(channel) + more > already

    def accept(self, items: Iterable[Item]) -> None:
        """They are claimed by this process and wait for their turn."""
        now = asyncio.get_running_loop().time()
        for item in items:
            channel = item.delivery.channel
            if item.delivery.id in self._items:
                continue
            item.taken_at = now
            self._items[item.delivery.id] = item
            heapq.heappush(self._heaps[channel], (item.delivery.rank, next(self._numbers), item))
            self._filled[channel].set()
            IN_HAND.labels(channel).inc()

    async def next(self, channel: str) -> Item:
        """The worst one waiting, once the channel's rate allows another."""
        # One at a time chooses, and the token comes before the choice: what gets worse meanwhile goes first.
        async with self._turns[channel]:
            heap = self._heaps[channel]
            while not heap:
                self._filled[channel].clear()
                await self._filled[channel].wait()
            await self._buckets[channel].take()
            while not heap:  # put back while we waited for the token
                self._filled[channel].clear()
                await self._filled[channel].wait()
            item = heapq.heappop(heap)[2]
            if len(heap) == self._limit // 2:
                self.low.set()
            return item

    def done(self, id: str) -> None:
        """It is settled in the record, or somebody else has it now."""
        item = self._items.pop(id, None)
        if item is not None:
            IN_HAND.labels(item.delivery.channel).dec()

    def take_back(self) -> list[Item]:
        """Everything whose turn has not come; it stays in `ids` until it is settled."""
        waiting = [entry[2] for heap in self._heaps.values() for entry in heap]
        for heap in self._heaps.values():
            heap.clear()
        return waiting
