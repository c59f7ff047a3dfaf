"""Steps: who is told what when, the rounds of a repeat, the rungs of a ladder. Source: COMPLAINT-07, FEE-05…08.

A step fires on a happening or at a moment; its first level acts at once and the ladder remembers what comes next.
"""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Any

from reeve.domain.bundle import Level, StepRule
from reeve.domain.calendar import after_quiet, next_opening, shift, times
from reeve.domain.case import Case, Due, Ladder, StepState
from reeve.domain.effects import ChildRequest, Notification
from reeve.domain.expressions import OnCase
from reeve.domain.facts import zone_of
from reeve.domain.grading import raise_grade
from reeve.domain.sampling import in_sample
from reeve.domain.turn import Turn
from reeve.domain.waiters import Happening

OWNER = "owner"
"""The role of the resident customer, whose messages may keep to opening hours."""

ACKNOWLEDGED = Happening("case", "acknowledged")

_VALUE = json.JSONEncoder(sort_keys=True)
"""What `json.dumps` would make anew for each value."""


def on_happening(turn: Turn, happening: Happening) -> None:
    """Every step that waits for this has fired; every ladder that it ends has ended."""
    waiters = turn.waiters(happening)
    _end_ladders(turn, happening)
    for step, whens in waiters.untils:
        state = turn.case.steps.get(step.name)
        if state is not None and state.ladder is not None and turn.any_holds(whens):
            _end(turn, step.name, state, "until")
    for step, whens in waiters.steps:
        if turn.any_holds(whens):
            moment = _breach_due(turn, happening) if happening.kind == "clock" else None
            fire(turn, step, clock=happening.clock or None, moment=moment)


def _breach_due(turn: Turn, happening: Happening) -> Due | None:
    """The due that has just run out, if that is what happened to the clock. Where it is 24:00 of a day, repeats
    count from that day, not from the next."""
    if happening.what != "breached":
        return None
    due = turn.clock_state(happening.clock).due
    return due if due is not None and due.at == turn.at else None


def on_conditions(turn: Turn) -> None:
    """Steps whose condition has become true have fired, once per run; `until` conditions end their ladders."""
    for step, tag, when in turn.listening.step_conditions:
        state = turn.step_state(step.name)
        if tag not in state.passed and turn.holds(when):
            state.passed.append(tag)
            fire(turn, step)
    for step, whens in turn.listening.until_conditions:
        found = turn.case.steps.get(step.name)
        if found is not None and found.ladder is not None and turn.any_holds(whens):
            _end(turn, step.name, found, "until")


def _end_ladders(turn: Turn, happening: Happening) -> None:
    """An acknowledgement ends those it may; a clock that stops ends those that hang on it."""
    if happening.what not in ("acknowledged", "stopped"):
        return
    acknowledged = happening == ACKNOWLEDGED
    for name, state in turn.case.steps.items():
        if state.ladder is None:
            continue
        stopped = happening.kind == "clock" and happening.clock == state.ladder.clock
        if stopped or (acknowledged and _may_be_acknowledged(turn, name)):
            _end(turn, name, state, happening.what)


def _end(turn: Turn, name: str, state: StepState, what: str) -> None:
    state.ladder = None
    turn.note(name, "ended", what)


def _may_be_acknowledged(turn: Turn, name: str) -> bool:
    return any(step.name == name and step.ack_ends for step in turn.policy.steps)


def fire(
    turn: Turn, step: StepRule, *, clock: str | None = None, moment: Due | None = None, late: bool = False
) -> None:
    """The step's first level has acted, if its conditions hold and nobody else has the sending."""
    case = turn.case
    if step.grades and case.grade not in step.grades:
        turn.note(step.name, "grade", case.grade)
        return
    if not turn.holds(step.when):
        return
    if step.sample is not None and not in_sample(turn.case.key, step.sample):
        turn.note(step.name, "sample")
        return
    state = turn.step_state(step.name)
    if _claimed_elsewhere(turn, step):
        level = step.levels[0]
        _act(turn, step, level)
        if level.notify:
            details = {"step": step.name, "to": list(level.notify), "once_per": step.once_per}
            turn.emit("suppressed", step.pos, details)
        return
    run = turn.clock_state(clock).run if clock else 0
    state.ladder = Ladder(0, moment or Due(turn.at), 0, None, clock, run)
    perform(turn, step, state, late=late)


def _claimed_elsewhere(turn: Turn, step: StepRule) -> bool:
    """Whether the one sending for this value is taken; if not, this case takes it now.

    A step on `graded` has one sending for each grade: a matter told as major is told again when one of its cases
    makes it extraordinary, and not when another is major as well.
    """
    if step.once_per is None:
        return False
    value = turn.case.facts.get(step.once_per)
    if value is None:
        return False
    key, grade = turn.case.key, turn.case.grade
    digest = hashlib.sha256(_VALUE.encode(value).encode()).hexdigest()[:32]
    claim = f"{key.site}/{key.policy}/{step.name}/{digest}"
    as_grave = [claim]
    if grade is not None and any(isinstance(a, OnCase) and a.what == "graded" for a in step.on.alternatives):
        order = turn.policy.grade_order
        as_grave = [f"{claim}/{each}" for each in order[: order.index(grade) + 1]]
        claim = as_grave[-1]
    for each in as_grave:
        holder = "" if each in turn.claims else turn.facts.claim_holder(each)
        if holder is not None:
            turn.note(step.name, "claimed", "" if holder == str(key) else holder)
            return True
    turn.claims.append(claim)
    return False


def perform(turn: Turn, step: StepRule, state: StepState, *, late: bool = False) -> None:
    """The next round of the ladder's level has acted, and the ladder knows its next moment, or is over."""
    ladder = state.ladder
    if ladder is None:
        return
    level = step.levels[ladder.level]
    if ladder.rounds == 0:
        if ladder.level > 0:
            turn.emit("escalated", level.pos, {"step": step.name, "level": ladder.level})
        _act(turn, step, level)
        state.ladder = ladder  # a reopening has cleared it
        state.rung = ladder.level
    ladder.rounds += 1
    state.fired += 1
    if level.notify:
        tell(turn, step, state, level, number=ladder.level, late=late)
    state.ladder = _next(turn, step, level, ladder)


def _act(turn: Turn, step: StepRule, level: Level) -> None:
    if level.raise_grade:
        raise_grade(turn, level.raise_grade, level.pos)
    if level.reopen:
        reopen(turn, step)
    if level.open_policy is not None:
        subject = f"{turn.case.root or turn.case.key.subject}~{level.open_policy}"
        turn.emit("child_opened", level.pos, {"child": subject, "step": step.name})
        turn.children.append(ChildRequest(level.open_policy, subject, turn.because(level.pos)))


def _next(turn: Turn, step: StepRule, level: Level, ladder: Ladder) -> Ladder | None:
    repeat = level.repeat
    if repeat is not None and (repeat.times is None or ladder.rounds < repeat.times):
        ladder.next_at = shift(ladder.base, 1, times(repeat.every, ladder.rounds), turn.site).at
        return ladder
    if ladder.level + 1 >= len(step.levels):
        return None
    if repeat is not None:
        base = shift(ladder.base, 1, times(repeat.every, ladder.rounds), turn.site)
    else:
        after = step.levels[ladder.level + 1].after
        if after is None:
            return None
        base = shift(ladder.base, 1, after, turn.site)
    return Ladder(ladder.level + 1, base, 0, base.at, ladder.clock, ladder.clock_run)


def tell(turn: Turn, step: StepRule, state: StepState, level: Level, *, number: int, late: bool = False) -> None:
    """The roles of this level are told as rung `number`, with the key of the step's latest round."""
    case, site = turn.case, turn.site
    via = level.via or site.channels.get(case.grade or "default") or site.channels.get("default", ("email",))
    details: dict[str, Any] = {"to": list(level.notify), "via": list(via), "message": level.message}
    details |= {"step": step.name, "round": state.fired}
    if number:
        details["level"] = number
    if late:
        details["late"] = True
    keeps_hours = site.owner_messages == "opening hours" and OWNER in level.notify
    owner_at = next_opening(turn.at, site) if keeps_hours else None
    notification = Notification(
        step=step.name,
        level=number,
        round=state.fired,
        run=case.run,
        to=level.notify,
        via=tuple(via),
        message=level.message,
        grade=case.grade,
        ack_ends=step.ack_ends,
        reminds=len(step.levels) > 1 or step.levels[0].repeat is not None,
        late=late,
        not_before=None if step.any_hour else _after_quiet(turn),
        owner_not_before=owner_at if owner_at and owner_at > turn.at else None,
    )
    if turn.event is None:
        turn.ran_by_time.append(len(turn.effects))
    key = f"{turn.case_id}|{case.run}|{step.name}|{state.fired}"
    turn.emit("notify", level.pos, details, key=key, notification=notification)


def _after_quiet(turn: Turn) -> datetime | None:
    quiet = turn.site.quiet
    if quiet is None or turn.case.grade in quiet.except_grades:
        return None
    return after_quiet(turn.at, quiet, zone_of(turn.site.zone))


def end_clocks(case: Case) -> None:
    """Clocks that ran when the case was closed run no more: a next run of the case starts its own."""
    for state in case.clocks.values():
        if state.live:
            state.status = "idle"


def reopen(turn: Turn, step: StepRule | None = None) -> None:
    """The case is open in its next run; clocks that start on the opening start anew.

    One grade worse (GAP-7), but where the policy keeps grades: they say there what a case is, not how grave it has
    become. Once per event, whoever asks for it. Moments named by facts that had their turn are not told again.
    """
    case = turn.case
    if turn.reopened:
        return
    turn.reopened = True
    if not case.open:
        end_clocks(case)
    case.open, case.closed_at, case.outcome = True, None, None
    case.run += 1
    for name, state in case.steps.items():
        if state.ladder is not None:
            turn.note(name, "ended", "reopened")
        state.fired, state.ladder, state.raised, state.delayed, state.rung = 0, None, 0, 0, 0
        state.passed = [tag for tag in state.passed if "@" in tag]
    pos = step.pos if step else turn.policy.pos
    turn.emit("reopened", pos, {"run": case.run, **({"step": step.name} if step else {})})
    turn.happen("case", "reopened")
    if turn.policy.on_reopen == "raise_grade":
        raise_grade(turn, 1, pos)
