"""A token bucket: so many a second over time, and a short burst at once. Pure: the caller tells the time."""

from __future__ import annotations

import math

_ALMOST = 1e-9
"""A token that rounding keeps from being whole counts as whole: who waits for it would wait again for nothing."""


class TokenBucket:
    """Full at first. `now` is any clock's seconds that never go back; `per_second` 0: there is no limit."""

    def __init__(self, per_second: float, burst: float = 0.0) -> None:
        """`burst` 0: as many as a second's, and one at least."""
        self._rate = per_second
        self._burst = max(1.0, burst or per_second)
        self._tokens = self._burst
        self._filled_at = -math.inf

    def ready_in(self, now: float) -> float:
        """Seconds until another may go; 0: now."""
        if not self._rate:
            return 0.0
        missing = 1 - self._level(now)
        return missing / self._rate if missing > _ALMOST else 0.0

    def take(self, now: float) -> None:
        """One more goes now. Only when `ready_in` is 0."""
        if self._rate:
            self._tokens, self._filled_at = max(0.0, self._level(now) - 1), now

    def give_back(self, now: float) -> None:
        """One that was taken did not go."""
        if self._rate:
            self._tokens, self._filled_at = min(self._burst, self._level(now) + 1), now

    def _level(self, now: float) -> float:
        if self._filled_at == -math.inf:
            return self._tokens
        return min(self._burst, self._tokens + max(0.0, now - self._filled_at) * self._rate)
