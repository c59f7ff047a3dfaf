"""Clocks: started, paused, resumed, stopped, breached, recalculated. Source: COMPLAINT-08, REPAIR-02, MAIL-05."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from reeve.domain import scores
from reeve.domain.bundle import ClockRule
from reeve.domain.calendar import end_of, from_start, shift
from reeve.domain.case import ClockState, Due
from reeve.domain.events import OPENING_TYPE
from reeve.domain.expressions import ClockRef, Fact, LimitTerm
from reeve.domain.facts import typed, zone_of
from reeve.domain.turn import Turn
from reeve.domain.waiters import Happening

OPENED = Happening("case", "opened")
REOPENED = Happening("case", "reopened")


def due_of(turn: Turn, rule: ClockRule, state: ClockState, until: datetime | None = None) -> Due | None:
    """When the clock runs out as things stand; None while that is unknown.

    An open pause counts up to `until`, or not at all.
    """
    limit = rule.limits.get(turn.case.grade or "") or rule.limits.get("")
    if limit is None or state.started_at is None:
        return None
    pauses = [(a, end) for a, b in state.pauses if (end := b or until) is not None]
    for term in limit.terms:
        if term.base is None and term.by is not None:
            return from_start(state.started_at, term.by, turn.site, pauses)
        due = _named(turn, term)
        if due is not None:
            return due
    return None


def _named(turn: Turn, term: LimitTerm) -> Due | None:
    if isinstance(term.base, ClockRef):
        base = turn.clock_state(term.base.clock).due
    elif isinstance(term.base, Fact):
        base = moment_of(turn, typed(term.base.name, turn.case.facts.get(term.base.name)))
    else:
        base = None
    if base is None:
        return None
    due = base if term.by is None else shift(base, term.sign, term.by, turn.site)
    return Due(due.at, due.day, due.provisional, named=True)


def moment_of(turn: Turn, value: Any) -> Due | None:
    """A fact's value as a moment: a date is 24:00 of that day at the site; anything else is unknown."""
    if isinstance(value, datetime):
        return Due(value)
    if isinstance(value, date):
        return Due(end_of(value, zone_of(turn.site.zone)), value)
    return None


def on_happening(turn: Turn, happening: Happening) -> None:
    """Every clock that waits for this has stopped, paused, resumed or started."""
    waiters = turn.waiters(happening)
    for rule, whens in waiters.stops:
        if not _only_acknowledges(turn, rule) and turn.any_holds(whens):
            _stop_by(turn, rule, turn.clock_state(rule.name))
    for rule, whens in waiters.pauses:
        state = turn.clock_state(rule.name)
        if state.status == "running" and state.breached_at is None and turn.any_holds(whens):
            _pause(turn, rule, state)
    for rule, whens in waiters.resumes:
        state = turn.clock_state(rule.name)
        if state.status == "paused" and state.breached_at is None and turn.any_holds(whens):
            _resume(turn, rule, state)
    starts = waiters.starts
    if happening == REOPENED:  # a reopening stands for the event that opened the case
        opening = Happening("event", OPENING_TYPE[turn.policy.family])
        starts = [*starts, *turn.waiters(opening).starts, *turn.waiters(OPENED).starts]
    for rule, whens in starts:
        state = turn.clock_state(rule.name)
        if _may_start(turn, state) and turn.any_holds(whens):
            start(turn, rule, state)


def stop_late(turn: Turn, happening: Happening) -> None:
    """Clocks that this would have stopped while the case was open are stopped at its own time."""
    for rule, whens in turn.waiters(happening).stops:
        state = turn.clock_state(rule.name)
        if not _only_acknowledges(turn, rule) and turn.any_holds(whens):
            if state.live:
                stop(turn, rule, state, turn.at)
            elif state.status == "stopped":
                _stop_earlier(turn, rule, state)


def on_conditions(turn: Turn) -> None:
    """Clocks whose start or stop is a condition on its own follow it, as the facts are after the event."""
    for rule, whens in turn.listening.start_conditions:
        state = turn.clock_state(rule.name)
        if _may_start(turn, state) and turn.any_holds(whens):
            start(turn, rule, state)
    for rule, whens in turn.listening.stop_conditions:
        state = turn.clock_state(rule.name)
        if state.live and turn.any_holds(whens):
            stop(turn, rule, state, turn.at)


def _only_acknowledges(turn: Turn, rule: ClockRule) -> bool:
    """`resolve` is never stopped by an acknowledgement, whatever a file says (rule-language, Acknowledging)."""
    return rule.name == "resolve" and turn.event is not None and turn.event.verb == "acknowledged"


def _may_start(turn: Turn, state: ClockState) -> bool:
    """Once per run of the case; one still running from an earlier run gives way."""
    return state.case_run < turn.case.run or state.run == 0


def start(turn: Turn, rule: ClockRule, state: ClockState) -> None:
    """The clock runs from the moment in hand, in its next run."""
    early = state.early_stop_at
    state.run += 1
    state.status = "running"
    state.case_run = turn.case.run
    state.started_at = state.changed_at = turn.at
    state.breached_at = state.stopped_at = state.met = state.early_stop_at = None
    state.pauses, state.fired, state.scored = [], [], []
    state.due = due_of(turn, rule, state)
    _say_started(turn, rule, state)
    turn.happen("clock", "started", rule.name)
    if turn.late and early is not None and early >= turn.at:
        stop(turn, rule, state, early)


def _say_started(turn: Turn, rule: ClockRule, state: ClockState, **extra: Any) -> None:
    details = {"clock": rule.name, "due": state.due.at if state.due else None, "run": state.run, **extra}
    if state.due is not None and state.due.provisional:
        details["provisional"] = True
    turn.emit("clock_started", rule.pos, details)


def _stop_by(turn: Turn, rule: ClockRule, state: ClockState) -> None:
    if state.live:
        if stop(turn, rule, state, turn.at) and rule.restart:
            start(turn, rule, state)
    elif state.status == "stopped" and turn.late:
        _stop_earlier(turn, rule, state)
    elif state.status == "idle":
        state.early_stop_at = max(turn.at, state.early_stop_at or turn.at)


def stop(turn: Turn, rule: ClockRule, state: ClockState, at: datetime) -> bool:
    """The clock is stopped at `at`, met if that is not after its due; a breach that was wrong is corrected.

    A stop from before the clock started belongs to an earlier run and changes nothing (False).
    """
    if state.started_at is None or at < state.started_at:
        return False
    due = state.due
    if state.status == "paused":
        state.pauses[-1] = (state.pauses[-1][0], max(at, state.pauses[-1][0]))
        due = due_of(turn, rule, state)
    state.status = "stopped"
    state.stopped_at, state.due = at, due
    state.met = due is None or at <= due.at
    turn.emit("clock_stopped", rule.pos, {"clock": rule.name, "met": state.met}, at=at)
    _correct(turn, rule, state, at)
    turn.happen("clock", "stopped", rule.name)
    return True


def _stop_earlier(turn: Turn, rule: ClockRule, state: ClockState) -> None:
    """Late news of an earlier stop: told only if it turns a miss into a met clock."""
    if state.started_at is None or state.stopped_at is None or not state.started_at <= turn.at < state.stopped_at:
        return
    state.stopped_at = turn.at
    if state.met is False and state.due is not None and turn.at <= state.due.at:
        state.met = True
        turn.emit("clock_stopped", rule.pos, {"clock": rule.name, "met": True})
        _correct(turn, rule, state, turn.at)


def _correct(turn: Turn, rule: ClockRule, state: ClockState, at: datetime) -> None:
    if state.breached_at is not None and state.met:
        state.breached_at = None
        turn.emit("corrected", rule.pos, {"clock": rule.name}, at=at)
        scores.take_back(turn, state)


def _pause(turn: Turn, rule: ClockRule, state: ClockState) -> None:
    if state.started_at is None or turn.at < state.started_at:
        return
    state.status = "paused"
    state.pauses.append((turn.at, None))
    left = (state.due.at - turn.at).total_seconds() if state.due else None
    turn.emit("clock_paused", rule.pos, {"clock": rule.name, "left": _number(left)})
    turn.happen("clock", "paused", rule.name)


def _number(seconds: float | None) -> float | int | None:
    return int(seconds) if seconds is not None and seconds == int(seconds) else seconds


def _resume(turn: Turn, rule: ClockRule, state: ClockState) -> None:
    since = state.pauses[-1][0]
    if turn.at < since:
        return
    state.pauses[-1] = (since, turn.at)
    state.status = "running"
    state.due = due_of(turn, rule, state)
    state.changed_at = turn.at
    details = {"clock": rule.name, "due": state.due.at if state.due else None, "run": state.run}
    turn.emit("clock_resumed", rule.pos, details)
    turn.happen("clock", "resumed", rule.name)


def breach(turn: Turn, rule: ClockRule, state: ClockState) -> None:
    """The clock has run out, once for this run."""
    due = state.due
    if due is None:
        return
    state.breached_at = turn.at
    details: dict[str, Any] = {"clock": rule.name, "due": due.at}
    if due.at < turn.at and state.started_at == state.changed_at:
        details["late"] = True
    turn.emit("breached", rule.pos, details)
    turn.happen("clock", "breached", rule.name)


def recalculate(turn: Turn, *, force: bool = False) -> None:
    """Running clocks have the due that the grade and facts now call for, reckoned from their own start.

    A breached clock keeps its limit. A changed due is told as `clock_started` of the same run, `changed: true`.
    """
    limit_facts = turn.policy.limit_facts
    refers = any(name.startswith("clock:") for name in limit_facts)
    affected = force or turn.graded or refers or bool(turn.changed_facts & limit_facts)
    for rule in turn.policy.clocks.values():
        state = turn.clock_state(rule.name)
        provisional = state.due is not None and state.due.provisional
        if not state.live or state.breached_at is not None or not (affected or provisional):
            continue
        due = due_of(turn, rule, state)
        if due == state.due:
            continue
        moved = (due.at if due else None) != (state.due.at if state.due else None)
        state.due = due
        if moved:
            state.changed_at = turn.at
            if state.status == "running":
                _say_started(turn, rule, state, changed=True)
