"""Who may post for which site, and how fast."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

ALL_SITES = "*"
_ENTRY = re.compile(r"(\*|[a-z0-9-]{1,64})=([\x21-\x2b\x2d-\x7e]{8,})")


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever stands behind a request."""

    name: str
    """A digest of the key: what the rate is counted by."""
    sites: frozenset[str]

    def may(self, site: str) -> bool:
        """Whether the caller's key is good for the site."""
        return ALL_SITES in self.sites or site in self.sites


ANYBODY = Caller("", frozenset({ALL_SITES}))
"""Everybody, where no keys are set."""


@dataclass(frozen=True, slots=True)
class ApiKeys:
    """The known keys, only as digests."""

    callers: Mapping[bytes, Caller]

    @classmethod
    def read(cls, text: str) -> ApiKeys:
        """The keys in `site=key,site=key`. Raises ValueError, never quoting a key."""
        sites: dict[bytes, set[str]] = {}
        for number, entry in enumerate(filter(None, (part.strip() for part in text.split(","))), 1):
            match = _ENTRY.fullmatch(entry)
            if match is None:
                raise ValueError(f"entry {number} is not site=key with a key of at least 8 characters")
            sites.setdefault(_digest(match[2]), set()).add(match[1])
        return cls({key: Caller(key.hex()[:16], frozenset(names)) for key, names in sites.items()})

    @property
    def open(self) -> bool:
        """Whether no key is needed."""
        return not self.callers

    def caller(self, key: str | None) -> Caller | None:
        """Whose key it is; None: nobody's. Takes the same time for every wrong key."""
        if self.open:
            return ANYBODY
        digest = _digest(key or "")
        found = None
        for known, caller in self.callers.items():
            if hmac.compare_digest(known, digest):
                found = caller
        return found


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "replace")).digest()


@dataclass(slots=True)
class Rate:
    """A token bucket per caller: `per_second` events, bursts of twice that."""

    per_second: int
    clock: Callable[[], float]
    """Seconds, monotonic."""
    _buckets: dict[str, tuple[float, float]] = field(default_factory=dict)

    def take(self, caller: Caller, events: int) -> float:
        """0 if the caller may post now, and the events are counted; else the seconds to wait.

        A post larger than the bucket passes when the bucket is full, and is paid off afterwards.
        """
        burst = 2.0 * self.per_second
        now = self.clock()
        level, since = self._buckets.get(caller.name, (burst, now))
        level = min(burst, level + (now - since) * self.per_second)
        if level < min(events, burst):
            self._buckets[caller.name] = (level, now)
            return (min(events, burst) - level) / self.per_second
        self._buckets[caller.name] = (level - events, now)
        return 0.0
