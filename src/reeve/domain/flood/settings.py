"""What a site says about how much its people are told at once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Digest:
    """When messages that may wait go out, all of a person's in one. Either `at` or `every` is set."""

    grades: tuple[str, ...] = ()
    """Grades whose messages wait for it."""
    at: tuple[int, ...] = ()
    """Minutes since local midnight, ascending."""
    every: timedelta | None = None
    """Counted from local midnight, anew each day."""


@dataclass(frozen=True, slots=True)
class Flood:
    """A site's settings; as they are here nothing waits."""

    merge: timedelta | None = None
    """What is said of one matter to one person on one channel within so long becomes one message."""
    digest: Digest | None = None
    payment_reminders: bool = False
    """An owner gets at most one payment reminder a local day, across all bills."""
    sms_budget: int | None = None
    """SMS segments of a calendar month in the site's zone; None: no budget."""


DEFAULT_MERGE = timedelta(minutes=5)
"""Where no site file says anything."""

UPKEEP = "upkeep"
"""Policy and category of what Reeve itself has to say: no silence hides that it ends."""

DIGEST = "digest"
"""The message that says several others at once."""

WORST_RANK = 1
"""Grades of this rank and worse are told at once, always."""
