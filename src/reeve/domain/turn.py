"""One decision in the making: the case being changed, the moment in hand, what has happened, what it caused.

A Turn is private to `decide`: it is made, filled and read within one call, so the decision stays pure.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from typing import Literal as OneOf

from reeve.domain.bundle import Bundle, CountRule, Policy, SiteSettings
from reeve.domain.case import Case, ClockState, StepState
from reeve.domain.effects import Because, ChildRequest, Effect, EffectName, Notification
from reeve.domain.events import Event
from reeve.domain.expressions import Condition, Position
from reeve.domain.facts import scope_of
from reeve.domain.inputs import Facts
from reeve.domain.trace import NoteKind, Scene
from reeve.domain.waiters import ALWAYS, Happening, Waiters, Whens, listening


class Turn:
    """The working state of one decision."""

    def __init__(self, case: Case, policy: Policy, bundle: Bundle, facts: Facts, now: datetime) -> None:
        self.case = case
        self.case_id = str(case.key)
        self.policy = policy
        self.listening = listening(policy)
        self.bundle = bundle
        self.site: SiteSettings = bundle.site(case.key.site)
        self.facts = facts
        self.now = now
        self.at = now
        self.event: Event | None = None
        self.clock: str | None = None
        self.fresh = True
        """The case is still as it was saved, under the same rule file: its `next_due` is right."""
        self.late = False
        """The event in hand is older than what was already decided."""
        self.effects: list[Effect] = []
        self.claims: list[str] = []
        self.children: list[ChildRequest] = []
        self.happenings: deque[Happening] = deque()
        self.seen: list[Happening] = []
        self.changed_facts: set[str] = set()
        """Names of facts that the event in hand changed."""
        self.ever_changed: set[str] = set()
        """The same over the whole decision."""
        self.recount = False
        """A count crossed a value that a grade compares it with."""
        self.graded = False
        self.reopened = False
        self.ran_by_time: list[int] = []
        """Indices of the notify effects that the passing of time caused."""
        self.scenes: list[Scene] = []
        """What was looked at, for the record."""
        self._scope: dict[str, Any] | None = None
        self._scene: Scene | None = None

    def begin(self, at: datetime, *, event: Event | None = None, clock: str | None = None) -> None:
        """Turn to the next moment: nothing has happened in it yet."""
        self.at, self.event, self.clock = at, event, clock
        self.fresh = False
        self.happenings.clear()
        self.seen.clear()
        self.changed_facts = set()
        self.graded = self.reopened = False
        self._scope = self._scene = None

    def happen(self, kind: OneOf["event", "case", "clock"], what: str, clock: str = "") -> None:
        """Queue something for the clocks and steps that wait for it."""
        happening = Happening(kind, what, clock)
        self.happenings.append(happening)
        self.seen.append(happening)

    def facts_changed(self, names: set[str]) -> None:
        """Facts have other values now: what conditions see is made anew."""
        self.changed_facts = names
        self.ever_changed |= names
        self._scope = self._scene = None

    def grade_changed(self) -> None:
        """The grade is another one: conditions see it."""
        self.graded = True
        read = [name for name in ("grade", "grade_was") if name in self.policy.reads]
        if self._scope is None or not read:
            return
        # A new one: the scene before keeps what its conditions saw.
        self._scope, self._scene = dict(self._scope), None
        for name in read:
            self._scope.pop(name, None)
            if (value := getattr(self.case, name)) is not None:
                self._scope[name] = value

    @property
    def scope(self) -> dict[str, Any]:
        """What conditions see at this moment."""
        if self._scope is None:
            self._scope = scope_of(
                self.policy.scope_reads, self.case, self.event, self.at, self.site.zone, self.count
            )
            if self._scene is not None:
                self._scene.scope = self._scope
        return self._scope

    @property
    def scene(self) -> Scene:
        """Where what is looked at now is noted."""
        if self._scene is None:
            self._scene = Scene(self.at, self.event is not None, self.clock, self._scope)
            self.scenes.append(self._scene)
        return self._scene

    def note(self, name: str, kind: NoteKind, what: str | None = None) -> None:
        """Put on record why a step did not act, or goes on no longer."""
        (self._scene or self.scene).notes.append((name, kind, what))

    def count(self, rule: CountRule) -> int:
        """The count's value for this case at this moment."""
        return self.facts.count(self.policy, rule, self.case, self.event, self.at)

    def holds(self, condition: Condition | None) -> bool:
        """Whether a condition holds now; none at all always does."""
        if condition is None:
            return True
        held = self.bundle.matcher.holds(condition, self.scope)
        (self._scene or self.scene).tests.append((condition, held))
        return held

    def any_holds(self, whens: Whens) -> bool:
        """Whether one of the conditions holds."""
        return whens == ALWAYS or any(map(self.holds, whens))

    def waiters(self, happening: Happening) -> Waiters:
        """The rules that wait for this."""
        return self.listening.waiters(happening)

    def because(self, pos: Position) -> Because:
        """The rule's line with the event or clock in hand."""
        return Because(str(pos), self.event.id if self.event else None, None if self.event else self.clock)

    def emit(
        self,
        what: EffectName,
        pos: Position,
        details: Mapping[str, Any],
        *,
        at: datetime | None = None,
        key: str | None = None,
        notification: Notification | None = None,
    ) -> None:
        """Add a line to the timeline, at the moment in hand unless another is given."""
        self.case.effects += 1
        self.effects.append(
            Effect(
                what,
                self.case.key,
                at or self.at,
                key or f"{self.case_id}#{self.case.effects}",
                self.because(pos),
                details,
                notification,
            )
        )

    def clock_state(self, name: str) -> ClockState:
        """The clock's state, idle if it never started."""
        state = self.case.clocks.get(name)
        if state is None:
            state = self.case.clocks[name] = ClockState()
        return state

    def step_state(self, name: str) -> StepState:
        """The step's state, empty if it never fired."""
        state = self.case.steps.get(name)
        if state is None:
            state = self.case.steps[name] = StepState()
        return state
