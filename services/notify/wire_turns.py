"""Messages go onto the wire one after the other where that costs next to nothing.

Of a message that a provider may have, and whose answer has not come, nobody knows after a kill -9 whether it
arrived: it goes out again. So the next one waits for the answer to the one before it, but not for long: a mail
server in the next room answers in a millisecond or two; for a slow provider the wait would cost more than a repeat.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Collection
from functools import partial

from services.notify.journal import Journal

_PATIENCE_SECONDS = 0.005
"""So slow providers are still given 200 messages a second."""


class OnWire:
    """One attempt."""

    def __init__(self, turns: WireTurns, note: Callable[[], None]) -> None:
        """`note` says on disk that it goes out."""
        self._turns = turns
        self._note = note
        self.turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done as soon as it may go."""

    async def begin(self) -> None:
        """Its turn has come, and the journal says so."""
        self._turns.ask(self)
        await self.turn
        self._note()

    def end(self) -> None:
        """It has its answer, or gets none."""
        self._turns.left(self)


class WireTurns:
    """Of all messages of this process."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._out: set[OnWire] = set()
        self._waiting: deque[OnWire] = deque()
        self._timer: asyncio.TimerHandle | None = None

    def attempt(self, ids: Collection[str]) -> OnWire:
        """For one attempt at the deliveries of these ids."""
        return OnWire(self, partial(self._journal.begun, ids))

    def ask(self, entering: OnWire) -> None:
        """Its turn comes when nothing is out there, or when the first in line has waited long enough."""
        self._waiting.append(entering)
        self._go_on()

    def left(self, leaving: OnWire) -> None:
        """Whether it went out or not, it is there no more."""
        self._out.discard(leaving)
        self._go_on()

    def _go_on(self) -> None:
        while self._waiting and not self._out:
            self._let_out()
        if not self._waiting and self._timer is not None:
            self._timer.cancel()
            self._timer = None
        elif self._waiting and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_PATIENCE_SECONDS, self._lose_patience)

    def _lose_patience(self) -> None:
        self._timer = None
        if self._waiting:
            self._let_out()
        self._go_on()

    def _let_out(self) -> None:
        first = self._waiting.popleft()
        if not first.turn.done():  # cut while it waited
            self._out.add(first)
            first.turn.set_result(None)
