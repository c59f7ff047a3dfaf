"""Messages go onto the wire one after the other where that costs next to nothing.

Of a message that a provider may have, and whose answer has not come, nobody knows after a kill -9 whether it
arrived: it goes out again. So the next one waits for the answer of the one before it, but not for long: a mail
server in the next room answers in a millisecond or two; for a slow provider the wait would cost more than a repeat.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from functools import partial

from services.notify.journal import Journal

_PATIENCE_SECONDS = 0.005
"""So slow providers are still given 200 messages a second."""


class OnWire:
    """One attempt."""

    def __init__(self, enter: Callable[[OnWire], Awaitable[None]], note: Callable[[], None]) -> None:
        """`enter` waits for its turn; `note` says on disk that it goes out."""
        self._enter = enter
        self._note = note
        self.answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def begin(self) -> None:
        """Its turn has come, and the journal says so."""
        await self._enter(self)
        self._note()

    def end(self) -> None:
        """It has its answer, or gets none."""
        if not self.answer.done():
            self.answer.set_result(None)


class WireTurns:
    """Of all messages of this process."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._choosing = asyncio.Lock()
        self._last: OnWire | None = None

    def attempt(self, ids: Collection[str]) -> OnWire:
        """For one attempt at the deliveries of these ids."""
        return OnWire(self._enter, partial(self._journal.begun, ids))

    async def _enter(self, entering: OnWire) -> None:
        async with self._choosing:
            if self._last is not None and not self._last.answer.done():
                await asyncio.wait((self._last.answer,), timeout=_PATIENCE_SECONDS)
            self._last = entering
