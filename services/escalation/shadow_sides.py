"""The shadow's evaluation itself: live events under the active rules and under the candidate, a slice at a time.

All of it runs in one thread of its own, in slices of milliseconds; nothing here knows servers or the event loop.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from time import perf_counter
from typing import Any

import orjson

from reeve.domain.bundle import Bundle, Policy
from reeve.domain.stored import load_case, load_count
from reeve.runtime.backtest.findings import Findings, case_findings, findings
from reeve.runtime.backtest.side_by_side import SideBySide
from reeve.runtime.spill import Spill
from reeve.runtime.store.shadows import Accepted, StoredCase

_HOT = 500
"""Entries of one map in memory: few, because the rest of the process is at work."""
_AT_ONCE = 50


class ShadowSides:
    """Both sides from the moment the shadow started. Create, use and `close` it in one and the same thread."""

    def __init__(
        self, active: Bundle, candidate: Bundle, archive: dict[str, Policy], since: datetime, delay: timedelta
    ) -> None:
        """`archive` is filled with the files that open cases are pinned to before anything is evaluated.

        `delay`: virtual time stays so far behind an event's publication, so that an event that took a moment to
        arrive is no late news. What happens depends on the events and their publication alone, never on when it
        is evaluated: a restart comes to the same.
        """
        self._spill = Spill(_HOT)
        self._since = since
        self._delay = delay
        self._sides = SideBySide(replace(active, archive=archive), candidate, self._spill, since=since)
        self._bundle = active
        self._work: Iterator[None] = iter(())
        self._activations: list[tuple[datetime, Bundle]] = []
        self.until = since

    def close(self) -> None:
        """Nothing is left on the disk."""
        self._spill.__exit__(None, None, None)

    def load(self, cases: Iterable[StoredCase], counts: Iterable[str]) -> None:
        """The evaluation starts from these; before anything is given."""
        self._sides.load((load_case(case.state) for case in cases), (load_count(count) for count in counts))

    def give(
        self, accepted: Sequence[Accepted], activations: Sequence[tuple[datetime, Bundle]], until: datetime | None
    ) -> None:
        """These are next, in order; then time passes until `until` less the delay.

        `activations` are other rules that became active meanwhile, in order of time: each has its turn when time
        comes to it.
        """
        self._activations += activations
        self._work = self._all(accepted, until)

    def work(self, seconds: float) -> bool:
        """At most about so long is spent on what was given; whether any is left."""
        end = perf_counter() + seconds
        return any(perf_counter() >= end for _ in self._work)

    def _all(self, accepted: Sequence[Accepted], until: datetime | None) -> Iterator[None]:
        yield from self._sides.begin()
        for each in accepted:
            yield from self._pass(each.published_at)
            yield from self._sides.feed(each.event)
            yield
        if until is not None:
            yield from self._pass(until)

    def _pass(self, moment: datetime) -> Iterator[None]:
        """Time has come to `moment` less the delay."""
        now = moment - self._delay
        while self._activations and self._activations[0][0] <= now:
            at, bundle = self._activations.pop(0)
            yield from self._sides.switch_active(bundle, at)
        if now > self.until:
            self.until = now
            yield from self._sides.advance(now)

    @property
    def events(self) -> int:
        """Events evaluated."""
        return self._sides.events

    def found(self) -> Findings:
        """The sums so far."""
        return _plain(findings(self._sides.comparison, self._bundle))

    def taken(self) -> tuple[list[dict[str, Any]], list[str]]:
        """Cases whose difference is another than when this was last asked, and ids of those that differ no more.

        At most _AT_ONCE of them together: ask until there are none.
        """
        comparison = self._sides.comparison
        changed: list[dict[str, Any]] = []
        unchanged: list[str] = []
        for case_id in heapq.nsmallest(_AT_ONCE, comparison.touched):
            difference = comparison.difference(case_id)
            if difference is None:
                unchanged.append(case_id)
            else:
                changed.append(_plain(case_findings(difference, self._bundle)))
            comparison.touched.discard(case_id)
        return changed, unchanged


def _plain(found: Findings) -> Findings:
    """JSON values and nothing else: the record knows no Decimal."""
    plain: Findings = orjson.loads(orjson.dumps(found, default=str))
    return plain
