"""What happens to a case by itself, and when: breaches, shares, undated and offset steps, rounds of ladders."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal as OneOf

from reeve.domain import clocks, steps
from reeve.domain.bundle import ClockRule, StepRule, TimedAlternative
from reeve.domain.calendar import from_start, shift
from reeve.domain.case import ClockState, Due
from reeve.domain.expressions import OnClockOffset, OnFact, OnShare, OnUndated
from reeve.domain.facts import typed
from reeve.domain.turn import Turn


@dataclass(frozen=True, slots=True)
class Moment:
    """Something due. Sorted by `at`; at equal times breaches come first, then steps, in the file's order."""

    at: datetime
    rank: int
    kind: OneOf["breach", "step", "round"]
    name: str
    """Clock or step."""
    tag: str = ""
    due: Due | None = None
    """The step's own moment, which may lie before `at`."""

    @property
    def order(self) -> tuple[datetime, int]:
        return self.at, self.rank


def next_moment(turn: Turn) -> Moment | None:
    """The earliest thing still to happen to the case by itself; None if nothing will. Reads, changes nothing."""
    if not turn.case.open:
        return None
    return min(_moments(turn), key=lambda moment: moment.order, default=None)


def _moments(turn: Turn) -> Iterator[Moment]:
    rank = 0
    for name, rule in turn.policy.clocks.items():
        rank += 1
        state = turn.case.clocks.get(name)
        if state is not None and (at := _breach_at(state)) is not None:
            yield Moment(at, rank, "breach", rule.name)
    for step, tag, alternative in turn.policy.timed:
        rank += 1
        found = _step_moment(turn, step, tag, alternative)
        if found is not None:
            due, floor = found
            yield Moment(max(due.at, floor), rank, "step", step.name, tag, due)
    order = turn.policy.step_order
    for name, known in turn.case.steps.items():
        if known.ladder is not None and known.ladder.next_at is not None and name in order:
            yield Moment(known.ladder.next_at, rank + order[name], "round", name)


def _breach_at(state: ClockState) -> datetime | None:
    due = state.due
    if due is None or state.breached_at is not None or state.changed_at is None:
        return None
    if state.status == "running" or (state.status == "paused" and due.named):
        return max(due.at, state.changed_at)
    return None


def _step_moment(
    turn: Turn, step: StepRule, tag: str, alternative: TimedAlternative
) -> tuple[Due, datetime] | None:
    """A timed step's own moment, and the moment before which it can't act; None if it had its turn or has none."""
    if isinstance(alternative, OnFact):
        return _fact_moment(turn, step, tag, alternative)
    state = turn.case.clocks.get(alternative.clock)
    if state is None or tag in state.fired or state.started_at is None or state.changed_at is None:
        return None
    if state.status != "running" and not (state.live and state.due is not None and state.due.named):
        return None
    match alternative:
        case OnUndated(after=after):
            if state.due is not None:
                return None
            return from_start(state.started_at, after, turn.site), state.started_at
        case OnShare(percent=percent):
            if state.due is None:
                return None
            length = (state.due.at - state.started_at) // timedelta(microseconds=1)
            return Due(state.started_at + timedelta(microseconds=int(length * percent / 100))), state.changed_at
        case OnClockOffset(sign=sign, by=by):
            if state.due is None:
                return None
            return shift(state.due, sign, by, turn.site), state.changed_at


def _fact_moment(turn: Turn, step: StepRule, tag: str, alternative: OnFact) -> tuple[Due, datetime] | None:
    due = clocks.moment_of(turn, typed(alternative.fact, turn.case.facts.get(alternative.fact)))
    if due is None:
        return None
    if alternative.by is not None:
        due = shift(due, alternative.sign, alternative.by, turn.site)
    known = turn.case.steps.get(step.name)
    if known is not None and _had_its_turn(tag, due) in known.passed:
        return None
    told_at = turn.case.fact_times.get(alternative.fact, turn.case.opened_at)
    return due, max(told_at, turn.case.opened_at)


def _had_its_turn(tag: str, due: Due | None) -> str:
    """Marks a moment named by a fact as passed; a fact that names another moment later has that one as well."""
    return f"{tag}@{due.at.isoformat() if due else ''}"


def happen(turn: Turn, moment: Moment) -> None:
    """The moment's breach, step or round has happened, at `turn.at`."""
    match moment.kind:
        case "breach":
            rule: ClockRule = turn.policy.clocks[moment.name]
            turn.clock = rule.name
            clocks.breach(turn, rule, turn.clock_state(rule.name))
        case "step":
            _step_at_moment(turn, moment)
        case "round":
            step = _step(turn, moment.name)
            state = turn.step_state(step.name)
            turn.clock = state.ladder.clock if state.ladder else None
            steps.perform(turn, step, state)


def _step_at_moment(turn: Turn, moment: Moment) -> None:
    step, _, alternative = next(timed for timed in turn.policy.timed if timed[1] == moment.tag)
    late = moment.due is not None and moment.due.at < moment.at
    own = Due(moment.at) if late else moment.due
    if isinstance(alternative, OnFact):
        turn.step_state(step.name).passed.append(_had_its_turn(moment.tag, moment.due))
        clock = None
    else:
        turn.clock_state(alternative.clock).fired.append(moment.tag)
        clock = alternative.clock
    turn.clock = clock
    if turn.holds(alternative.when):
        steps.fire(turn, step, clock=clock, moment=own, late=late)


def _step(turn: Turn, name: str) -> StepRule:
    return next(step for step in turn.policy.steps if step.name == name)
