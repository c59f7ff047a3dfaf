"""A token bucket: so many a second over time, and a short burst at once."""

from __future__ import annotations

import asyncio


class TokenBucket:
    """`take` waits until another may go. `per_second` 0: there is no limit."""

    def __init__(self, per_second: float) -> None:
        self._rate = per_second
        self._burst = max(1.0, per_second)
        self._tokens = self._burst
        self._filled_at: float | None = None
        self._turn = asyncio.Lock()

    async def take(self) -> None:
        """One more may go now; those who wait go in the order in which they came."""
        if not self._rate:
            return
        loop = asyncio.get_running_loop()
        async with self._turn:
            now = loop.time()
            if self._filled_at is not None:
                self._tokens = min(self._burst, self._tokens + (now - self._filled_at) * self._rate)
            self._filled_at = now
            if self._tokens < 1:
                await asyncio.sleep((1 - self._tokens) / self._rate)
                self._tokens, self._filled_at = 1.0, loop.time()
            self._tokens -= 1
