"""Deliveries this process has claimed and not settled: a line of them a channel, the worst grade in front."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from reeve.domain.case import Case
from reeve.domain.recipients import Recipient
from reeve.runtime.store.deliveries import Delivery
from services.notify.metrics import IN_HAND
from services.notify.pool.terms import WORST_RANKS
from services.notify.settling import Try

CLASSES = (0, 1, 2, 3, 4)
"""Each of these ranks has room of its own, the last one for all that are milder, too: what waits of one grade
keeps nothing of another out of the hand, neither the worse nor the milder."""
_WORST_ROOM = 1024
"""The two worst grades have so much more."""
_LOOKED_AHEAD = 32
_TURNS_BY_GRADE = 15
"""Of sixteen turns one is that of whoever has waited longest: the mild ones are late, but not for ever."""

_REMEMBERED = 4096
_REMEMBERED_SECONDS = 600.0
"""Longer than anything between a look into the record and the hand takes."""


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
    others: list[Item] = field(default_factory=list)
    """Those of its group that are due, too: they go out as one message."""
    barred: frozenset[str] = frozenset()
    """Providers that are not asked for it."""
    tries: list[Try] = field(default_factory=list)
    """Of this round: one of each provider that did not take it."""
    segments: int = 0
    """SMS segments handed to providers in these tries."""
    taken_at: float = 0.0
    """Loop time at which it came into the hand."""
    number: int = 0
    """Its place in the line: among equals the lower goes first."""

    @property
    def asked(self) -> frozenset[str]:
        """Providers that are not to be asked (again) in this round."""
        if not self.tries:
            return self.barred
        return self.barred | {each.outcome.provider for each in self.tries}

    @property
    def all(self) -> list[Item]:
        """It and those that go out with it."""
        return [self, *self.others]


class Line:
    """What waits for one channel."""

    def __init__(self) -> None:
        self.heaps: dict[int, list[tuple[int, int, Item]]] = {rank: [] for rank in CLASSES}
        self.changed = asyncio.Event()
        """Something came, or a provider is free again; whoever waits for it clears it."""
        self.choosing = asyncio.Lock()
        """One at a time chooses what goes next."""
        self._turns = itertools.cycle([False] * _TURNS_BY_GRADE + [True])

    def __len__(self) -> int:
        return sum(map(len, self.heaps.values()))

    def order(self) -> list[list[tuple[int, int, Item]]]:
        """The heaps with somebody in them, in the order in which they are looked at this time."""
        filled = [heap for heap in self.heaps.values() if heap]
        if len(filled) > 1 and next(self._turns):
            filled.sort(key=lambda heap: heap[0][2].taken_at)
        return filled

    def push(self, item: Item) -> None:
        rank = item.delivery.rank
        heapq.heappush(self.heaps[class_of(rank)], (rank, item.number, item))
        self.changed.set()


def class_of(rank: int) -> int:
    """The class whose room the rank shares."""
    return min(max(rank, CLASSES[0]), CLASSES[-1])


class Hand:
    """What is claimed and not settled yet. `limit` bounds what waits of one class for one channel."""

    def __init__(self, channels: Iterable[str], limit: int = 256) -> None:
        """`channels`: those this process sends on."""
        self._limit = limit
        self._lines: dict[str, Line] = {}
        self._served: tuple[str, ...] = ()
        self.serve(channels)
        self.low = asyncio.Event()
        """Of some class there is down to half of what may wait; whoever waits for it clears it."""
        self._items: dict[str, Item] = {}
        self._coming: set[str] = set()
        self._settled: dict[str, float] = {}
        """Id → loop time."""
        self.stray: set[str] = set()
        """Ids that may be claimed for us without being in hand: the record went away in between."""
        self._numbers = itertools.count()

    @property
    def channels(self) -> tuple[str, ...]:
        """The channels this process sends on."""
        return self._served

    def serve(self, channels: Iterable[str]) -> None:
        """These are the channels this process sends on from now on."""
        self._served = tuple(channels)
        for channel in self._served:
            self._lines.setdefault(channel, Line())
        for line in self._lines.values():
            line.changed.set()

    def line(self, channel: str) -> Line:
        """What waits for the channel."""
        return self._lines[channel]

    @property
    def ids(self) -> frozenset[str]:
        """Ids of everything claimed and not settled, also of what is being claimed."""
        return frozenset(self._items.keys() | self._coming)

    @contextmanager
    def expecting(self, ids: Iterable[str]) -> Iterator[None]:
        """These are being claimed inside: however long the record takes, this process leaves them to that.

        Where that raises those that are not in hand all the same are stray.
        """
        coming = set(ids)
        self._coming |= coming
        try:
            yield
        except BaseException:
            self.stray |= coming - self._items.keys()
            raise
        finally:
            self._coming -= coming

    def room(self, channel: str) -> dict[int, int]:
        """How many more of each class may wait for the channel; classes without room are left out."""
        return {rank: space for rank in CLASSES if (space := self._space(channel, rank)) > 0}

    def takes(self, channel: str, rank: int, already: int) -> bool:
        """Whether a delivery is claimed at once, with `already` others about to come in."""
        return channel in self._served and self._space(channel, class_of(rank)) > already

    def accept(self, items: Iterable[Item]) -> None:
        """They are claimed by this process and wait for their turn."""
        now = asyncio.get_running_loop().time()
        for item in items:
            if item.delivery.id in self._items:
                continue
            item.number = next(self._numbers)
            for each in item.all:
                each.taken_at = now
                self._items[each.delivery.id] = each
                IN_HAND.labels(each.delivery.channel).inc()
            self._lines[item.delivery.channel].push(item)

    def coming(self) -> list[Item]:
        """Some that are next, of every channel."""
        heaps = [heap for line in self._lines.values() for heap in line.heaps.values()]
        return [member for heap in heaps for entry in heap[:_LOOKED_AHEAD] for member in entry[2].all]

    def again(self, item: Item) -> None:
        """It waits for another provider, in the place it had."""
        self._lines[item.delivery.channel].push(item)

    def taken(self, channel: str, rank: int) -> None:
        """One of this rank has left the line: the feeder may fill it up."""
        if len(self._lines[channel].heaps[class_of(rank)]) == self._limit // 2:
            self.low.set()

    def without_known(self, items: Iterable[Item], since: float) -> list[Item]:
        """Those that are not in hand, and have not been settled since that loop time.

        What the record was asked from then on may be older than that, and would be sent twice. To be accepted
        at once, before anything else goes on.
        """
        return [
            item
            for item in items
            if item.delivery.id not in self._items and self._settled.get(item.delivery.id, -math.inf) < since
        ]

    def done(self, id: str) -> None:
        """It is settled in the record."""
        now = asyncio.get_running_loop().time()
        if len(self._settled) > _REMEMBERED:
            self._settled = {key: at for key, at in self._settled.items() if now - at < _REMEMBERED_SECONDS}
        self._settled[id] = now
        self.let_go(id)

    def let_go(self, id: str) -> None:
        """Somebody else may have it now."""
        item = self._items.pop(id, None)
        if item is not None:
            IN_HAND.labels(item.delivery.channel).dec()

    def take_back(self) -> list[Item]:
        """Everything whose turn has not come; it stays in `ids` until it is settled."""
        return self._taken_from(self._lines)

    def take_unserved(self) -> list[Item]:
        """The same of the channels that this process does not send on any more."""
        return self._taken_from(self._lines.keys() - set(self._served))

    def _taken_from(self, channels: Iterable[str]) -> list[Item]:
        waiting: list[Item] = []
        for channel in channels:
            for heap in self._lines[channel].heaps.values():
                waiting += [entry[2] for entry in heap]
                heap.clear()
        return waiting

    def _space(self, channel: str, rank: int) -> int:
        more = _WORST_ROOM if rank <= WORST_RANKS else 0
        return self._limit + more - len(self._lines[channel].heaps[rank])
