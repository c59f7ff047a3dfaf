"""Everything on record about one case, read and in order, and the rules its decisions were made by."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from reeve.domain.bundle import Bundle, Policy, SiteSettings
from reeve.domain.case import Case
from reeve.domain.events import Event
from reeve.runtime.explaining.places import Place, Use, places
from reeve.runtime.store.deliveries import Delivery
from reeve.runtime.store.notifications import Requested
from reeve.runtime.traces import SceneRead, Test, TraceRead


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the timeline."""

    at: datetime
    effect: str
    keys: Mapping[str, Any]
    """The line as stored."""
    decision: DecisionRead

    @property
    def rule(self) -> str:
        """`<file>:<line>` of the rule."""
        return str(self.keys["because"]["rule"])


@dataclass(eq=False, slots=True)
class DecisionRead:
    """One stored decision."""

    id: str
    decided_at: datetime
    """By the clock of the machine; `lines` have the logical moments."""
    event: str | None
    event_key: str | None
    bundle: str
    trace: TraceRead | None
    """None: decided before explanations were kept, or a line that notify added."""
    added: bool = False
    """Notify wrote it: what became of a notification."""
    lines: list[Line] = field(default_factory=list)


@dataclass(eq=False, slots=True)
class Story:
    """One case as the record has it."""

    case: Case
    decisions: list[DecisionRead]
    """In the order they were made."""
    events: Mapping[str, Event]
    """Event key → event, of those that a decision names."""
    requested: Mapping[str, Requested]
    """Notification key → notification."""
    deliveries: Mapping[str, list[Delivery]]
    """Notification key → its deliveries, oldest first."""
    policies: Mapping[str, Policy]
    """Policy digest → file, as far as it is on record and can be read."""
    bundles: Mapping[str, Bundle]
    """Bundle version → bundle, of the latest decision and of those that weighed whether to open the case."""
    waited: list[DecisionRead] = field(default_factory=list)
    """Decisions on events of the same subject that no case took."""
    _places: dict[str, dict[tuple[int, int], Place]] = field(default_factory=dict)

    def until(self, at: datetime | None) -> Story:
        """The story up to and including `at`: what comes later is not known in it."""
        if at is None:
            return self
        decisions = []
        for decision in self.decisions:
            trace = decision.trace
            if trace is not None:
                trace = replace(trace, scenes=tuple(scene for scene in trace.scenes if scene.at <= at))
            copy = DecisionRead(
                decision.id,
                decision.decided_at,
                decision.event,
                decision.event_key,
                decision.bundle,
                trace,
                decision.added,
            )
            copy.lines = [replace(line, decision=copy) for line in decision.lines if line.at <= at]
            if copy.lines or (trace is not None and trace.scenes) or self.moment_of(decision) <= at:
                decisions.append(copy)
        waited = [decision for decision in self.waited if self.moment_of(decision) <= at]
        return replace(self, decisions=decisions, waited=waited)

    def moment_of(self, decision: DecisionRead) -> datetime:
        """The logical moment a decision was about: its event's, else that of its first line."""
        event = self.events.get(decision.event_key or "")
        if event is not None:
            return event.at
        if decision.lines:
            return decision.lines[0].at
        scenes = decision.trace.scenes if decision.trace else ()
        return scenes[0].at if scenes else decision.decided_at

    @property
    def lines(self) -> list[Line]:
        """The whole timeline, in order of time."""
        lines = [line for decision in self.decisions for line in decision.lines]
        return sorted(lines, key=lambda line: line.at)

    def scenes(self) -> Iterator[tuple[DecisionRead, SceneRead]]:
        """Every moment looked at, in order of time."""
        found = [
            (decision, scene)
            for decision in self.decisions
            for scene in (decision.trace.scenes if decision.trace else ())
        ]
        yield from sorted(found, key=lambda pair: pair[1].at)

    def policy_of(self, decision: DecisionRead | None) -> Policy | None:
        """The file a decision was made by; None if no bundle on record has it, or it can't be read."""
        digest = decision.trace.policy if decision is not None and decision.trace is not None else self.case.digest
        return self.policies.get(digest or "")

    def place_of(self, decision: DecisionRead, test: Test) -> Place | None:
        """The condition that was looked at."""
        policy = self.policy_of(decision)
        if policy is None or test.file is not None:
            return None
        if policy.digest not in self._places:
            self._places[policy.digest] = places(policy)
        return self._places[policy.digest].get((test.line, test.column))

    def failed(self, use: Use, name: str) -> tuple[DecisionRead, SceneRead, Place] | None:
        """The latest look at a condition of that use and name that did not hold."""
        found = None
        for decision, scene in self.scenes():
            for test in scene.tests:
                place = None if test.held else self.place_of(decision, test)
                if place is not None and (place.use, place.name) == (use, name):
                    found = decision, scene, place
        return found

    @property
    def last(self) -> DecisionRead | None:
        """The latest of escalation's own decisions."""
        return next((decision for decision in reversed(self.decisions) if not decision.added), None)

    @property
    def policy(self) -> Policy | None:
        """The file the case runs on, at the end of the story."""
        return self.policy_of(self.last)

    @property
    def site(self) -> SiteSettings | None:
        """The site's settings at the end of the story; before its beginning those of rules that decided later."""
        if self.last is None:
            bundle = next(iter(self.bundles.values()), None)
        else:
            bundle = self.bundles.get(self.last.bundle)
        return None if bundle is None else bundle.site(self.case.key.site)

    @property
    def vocabulary(self) -> Mapping[str, str]:
        """The site's own words for facts."""
        return self.site.vocabulary if self.site is not None else {}

    @property
    def traced(self) -> bool:
        """Whether every decision says what it looked at."""
        return all(decision.trace is not None for decision in self.decisions if not decision.added)
