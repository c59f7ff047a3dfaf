"""Runs events through the decision core under a virtual clock: behind `rules test` and `rules simulate`.

Events are taken in the order given, which is the order of their arrival; between two events every deadline has its
turn at its own moment, over all cases in order of time. An event older than the one before is late news.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, MutableMapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from reeve.domain.advance import apply_event, apply_tick
from reeve.domain.bundle import Bundle
from reeve.domain.effects import Effect
from reeve.domain.events import Event
from reeve.domain.workset import Shelf, Workset

Reachable = Callable[[str, str], bool]
"""Whether anybody can be reached: (site, role) → bool."""


LONGEST = timedelta(days=366)
"""How far a simulation without an end runs on: a reminder that repeats until somebody pays never ends by itself."""


class Simulation:
    """One run. A `shelf` that spills to disk keeps memory bounded however many events there are."""

    def __init__(
        self,
        bundle: Bundle,
        reachable: Reachable | None = None,
        *,
        shelf: Shelf | None = None,
    ) -> None:
        self._bundle = bundle
        self._reachable = reachable
        self._workset = Workset(complete=True, shelf=shelf) if shelf else Workset(complete=True)
        self._seen: MutableMapping[str, bool] = shelf("seen") if shelf else {}
        self._due: list[tuple[datetime, str]] = []
        self._now: datetime | None = None

    def feed(self, event: Event) -> Iterator[Effect]:
        """Everything due before the event's time, then what the event does. A repeat of an event does nothing."""
        if event.key in self._seen:
            return
        self._seen[event.key] = True
        if self._now is None or event.at > self._now:
            yield from self._run(event.at, inclusive=False)
            self._now = event.at
        apply_event(self._workset, event, self._bundle, self._now)
        yield from self._collect()

    def finish(self, until: datetime | None = None) -> Iterator[Effect]:
        """Everything due up to and including `until`; None: all that follows within `LONGEST` of the last event."""
        if until is None and self._now is not None:
            until = self._now + LONGEST
        if until is not None and (self._now is None or until >= self._now):
            yield from self._run(until, inclusive=True)
            self._now = until

    def _run(self, until: datetime, *, inclusive: bool) -> Iterator[Effect]:
        while self._due and (self._due[0][0] < until or (inclusive and self._due[0][0] == until)):
            at, case_id = heapq.heappop(self._due)
            case = self._workset.case(case_id)
            if case is None or not case.open or case.next_due != at:
                continue
            apply_tick(self._workset, case_id, self._bundle, at)
            yield from self._collect()

    def _collect(self) -> Iterator[Effect]:
        workset = self._workset
        for case_id, case in workset.changed_cases.items():
            if case.next_due is not None:
                heapq.heappush(self._due, (case.next_due, case_id))
        decisions = list(workset.decisions)
        workset.forget_saved()
        for decided in decisions:
            for effect in decided.effects:
                yield from self._told(effect)

    def _told(self, effect: Effect) -> Iterator[Effect]:
        """The effect; and where nobody of a role can be reached, who is told instead, up the ladder."""
        yield effect
        notification = effect.notification
        if self._reachable is None or notification is None or effect.what != "notify":
            return
        site = self._bundle.site(effect.case.site)
        level = notification.level
        for role in notification.to:
            tried = {role}
            while not self._reachable(effect.case.site, role):
                yield _line(effect, "undeliverable", {"to": [role], "step": notification.step})
                above = site.ladder.get(role)
                if above is None or above in tried:
                    break
                level += 1
                tried.add(above)
                yield _line(effect, "escalated", {"step": notification.step, "level": level})
                details = {"to": [above], "via": list(notification.via), "message": "unreachable"}
                yield _line(effect, "notify", details | {"step": notification.step})
                role = above


def _line(effect: Effect, what: Any, details: dict[str, Any]) -> Effect:
    key = f"{effect.key}~{what}~{details.get('level', '')}{''.join(details.get('to', ()))}"
    return replace(effect, what=what, key=key, details=details, notification=None)
