"""Counts over the events of a site: `times_on_incident: {of: ticket.opened, same: incident, within: 90d}`.

A count is one document per site, rule and value. Only its identity and its arithmetic live here.
"""

from __future__ import annotations

import hashlib
import json
from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from reeve.domain.bundle import CountRule

LATE_GRACE = timedelta(days=7)
"""Entries are kept this much longer than the window, so that late news is still counted rightly."""


@dataclass(frozen=True, slots=True)
class CountEntry:
    """One counted event: when, which (its key), and the distinct value if the rule counts those."""

    at: datetime
    event: str
    value: str | None = None


@dataclass(slots=True)
class Count:
    """The events one count has seen for one value of its `same` facts, in order of time."""

    key: str
    entries: list[CountEntry] = field(default_factory=list)

    def copy(self) -> Count:
        return Count(self.key, list(self.entries))


def count_key(site: str, rule: CountRule, facts: Mapping[str, Any]) -> str | None:
    """Identity of the count an event or case belongs to; None if it lacks one of the `same` facts.

    A digest: facts may be personal (PRIVACY-01). Policies that count alike share one document.
    """
    values = tuple([facts.get(name) for name in rule.same])
    if None in values:
        return None
    identity = (site, rule.of.text, rule.same, rule.distinct, rule.within.seconds, values)
    for value in values:
        if type(value) is not str:
            return _digest(identity)
    return _cached_digest(identity)


_IDENTITY = json.JSONEncoder(sort_keys=True, default=str)
"""What `json.dumps` would make anew for each identity."""


def _digest(identity: tuple[Any, ...]) -> str:
    return hashlib.sha256(_IDENTITY.encode(identity).encode()).hexdigest()[:32]


_cached_digest = lru_cache(maxsize=65536)(_digest)


def _moment(entry: CountEntry) -> datetime:
    return entry.at


def value_at(count: Count | None, rule: CountRule, at: datetime) -> int:
    """How many in (at − within, at]: events, or different values."""
    if count is None:
        return 0
    first = bisect_right(count.entries, at - rule.within.timedelta, key=_moment)
    last = bisect_right(count.entries, at, key=_moment)
    if rule.distinct is None:
        return last - first
    return len({entry.value for entry in count.entries[first:last] if entry.value is not None})


def entered(count: Count | None, key: str, rule: CountRule, entry: CountEntry) -> Count:
    """The count with one more event; the same event again changes nothing. Entries long out of reach go."""
    if count is None:
        return Count(key, [entry])
    first = bisect_left(count.entries, entry.at, key=_moment)
    last = bisect_right(count.entries, entry.at, key=_moment)
    if any(known.event == entry.event for known in count.entries[first:last]):
        return count
    entries = [*count.entries[:last], entry, *count.entries[last:]]
    oldest = entries[-1].at - rule.within.timedelta - LATE_GRACE
    return Count(key, entries[bisect_right(entries, oldest, key=_moment) :])


def distinct_value(rule: CountRule, facts: Mapping[str, Any]) -> str | None:
    """The value a distinct count takes from an event, as text; None where the event has none."""
    if rule.distinct is None:
        return None
    value = facts.get(rule.distinct)
    return None if value is None else json.dumps(value, sort_keys=True)


def crossings(rule: CountRule, before: Count | None, after: Count, since: datetime) -> list[datetime]:
    """Moments from `since` on at which one more event took the count past a value that a grade compares it with.

    For an event in order that is its own moment or none; one that came late counts at the moments of those
    behind it, as far as the window reaches.
    """
    if not rule.thresholds:
        return []
    first = bisect_left(after.entries, since, key=_moment)
    last = bisect_left(after.entries, since + rule.within.timedelta, key=_moment)
    moments = sorted({entry.at for entry in after.entries[first:last]})
    return [at for at in moments if _crosses(rule, value_at(before, rule, at), value_at(after, rule, at))]


def _crosses(rule: CountRule, before: int, after: int) -> bool:
    return any(before < threshold <= after for threshold in rule.thresholds)
