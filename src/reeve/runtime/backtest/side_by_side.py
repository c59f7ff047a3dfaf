"""The same events under the active rules and under a candidate, both in virtual time, compared as they go."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, MutableMapping
from datetime import datetime
from typing import Any

from reeve.domain.bundle import Bundle
from reeve.domain.case import Case
from reeve.domain.comparison import ACTIVE, CANDIDATE, Comparison, Side
from reeve.domain.counts import Count
from reeve.domain.duties import HandsOver
from reeve.domain.effects import Effect
from reeve.domain.events import Event
from reeve.domain.facts import zone_of
from reeve.domain.recipients import OnShift, Recipient
from reeve.domain.simulate import Simulation, Told
from reeve.domain.workset import Shelf
from reeve.runtime.backtest.tellings import Tellings
from reeve.runtime.spill import Spill


class SideBySide:
    """Two simulations in step. What happens before `since` is only there to make the cases what they were then;
    at `since` the candidate becomes active on its own side, so that a pinned case keeps its file on both.

    Everything yields now and then and is done when it is exhausted. Memory is bounded by `spill`.
    """

    def __init__(
        self,
        active: Bundle,
        candidate: Bundle,
        spill: Spill,
        people: Iterable[Recipient] | None = None,
        since: datetime | None = None,
        public_url: str = "",
        on_shift: OnShift | None = None,
        hands_over: HandsOver | None = None,
    ) -> None:
        """`since` None: the candidate is active on its side from the start, and everything is compared."""
        self.comparison = Comparison(_shelf(spill, "compared"))
        self.events = 0
        """Events from `since` on."""
        self.earlier = 0
        """Events before it."""
        self._since = since
        self._candidate = candidate
        # One for each side: a renderer keeps what it knows of one bundle.
        self._tellings = (Tellings(public_url), Tellings(public_url))
        self._comparing = since is None
        held = tuple(people) if people is not None else None
        self._sides = (
            Simulation(
                active,
                held,
                shelf=_shelf(spill, "active"),
                told=self._hears(ACTIVE),
                on_shift=on_shift,
                hands_over=hands_over,
            ),
            Simulation(
                active if since is not None else candidate,
                held,
                shelf=_shelf(spill, "candidate"),
                told=self._hears(CANDIDATE),
                on_shift=on_shift,
                hands_over=hands_over,
            ),
        )

    def load(self, cases: Iterable[Case], counts: Iterable[Count]) -> None:
        """Both sides start with these, before the first event."""
        known, counted = list(cases), list(counts)
        for side in self._sides:
            side.load(known, counted)

    def feed(self, event: Event) -> Iterator[None]:
        """The next event, in order of acceptance. A repeat does nothing."""
        if self._since is not None and not self._comparing:
            if event.at >= self._since:
                yield from self.begin()
            else:
                self.earlier += 1
        self.events += self._comparing
        active, candidate = self._sides
        yield from self._run(active.feed(event), candidate.feed(event))

    def begin(self) -> Iterator[None]:
        """The candidate is active on its side, from `since` on; nothing if it is already."""
        if self._comparing or self._since is None:
            return
        active, candidate = self._sides
        yield from self._run(active.advance(self._since), candidate.advance(self._since))
        self._comparing = True
        yield from self._run((), candidate.switch(self._candidate, self._since))

    def advance(self, until: datetime) -> Iterator[None]:
        """Everything due before `until`."""
        active, candidate = self._sides
        yield from self._run(active.advance(until), candidate.advance(until))

    def switch_active(self, bundle: Bundle, at: datetime) -> Iterator[None]:
        """Other rules became the active ones at that moment; the candidate's side goes on as it is."""
        active, candidate = self._sides
        yield from self._run(active.switch(bundle, at), candidate.advance(at))

    def finish(self, until: datetime | None = None) -> Iterator[None]:
        """Everything due up to and including `until`; None: as `Simulation.finish` has it."""
        yield from self.begin()
        active, candidate = self._sides
        yield from self._run(active.finish(until), candidate.finish(until))

    def _run(self, active: Iterable[Effect], candidate: Iterable[Effect]) -> Iterator[None]:
        if self._comparing:
            yield from self.comparison.hold(active, candidate)
            return
        for side in (active, candidate):
            for _ in side:
                yield

    def _hears(self, side: Side) -> Callable[[Told], None]:
        def hear(told: Told) -> None:
            if self._comparing:
                zone = zone_of(told.bundle.site(told.asked.case.site).zone)
                day = told.at.astimezone(zone).date()
                self.comparison.tell(side, day, told.roles, self._tellings[side].of(told))

        return hear


def _shelf(spill: Spill, side: str) -> Shelf:
    def shelf(kind: str) -> MutableMapping[str, Any]:
        return spill(f"{side}_{kind}")

    return shelf
