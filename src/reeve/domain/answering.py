"""What people answer to a message: they take the matter, want the next rung told now, or need more time.

All come as events of the case's family (`acknowledged`, `escalated`, `delayed`), whatever way the answer came.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from reeve.domain.bundle import Level, StepRule
from reeve.domain.case import Due, Ladder, StepState
from reeve.domain.durations import Elapsed
from reeve.domain.events import Event
from reeve.domain.recipients import roles_above
from reeve.domain.replies import MOST_MINUTES
from reeve.domain.steps import perform, tell
from reeve.domain.turn import Turn


def answer(turn: Turn, event: Event) -> None:
    """The case has taken the answer, if the event is one."""
    match event.verb:
        case "acknowledged":
            _acknowledge(turn, event)
        case "escalated":
            for step in _meant(turn, event, "escalated_step"):
                _escalate(turn, step)
        case "delayed":
            for step in _meant(turn, event, "delayed_step"):
                _delay(turn, step, event)


def _acknowledge(turn: Turn, event: Event) -> None:
    """A person has taken the case: repeats and what is queued end (rule-language, Acknowledging)."""
    turn.case.acknowledged_at = turn.at
    step = _named(turn, event, "acknowledged_step")
    if step is not None:
        turn.case.answered[step] = turn.at
    turn.emit("acknowledged", turn.policy.pos, {"step": step} if step else {})
    turn.happen("case", "acknowledged")


def _named(turn: Turn, event: Event, field: str) -> str | None:
    """Only a step's own name: what a site system writes there could be anything (PRIVACY-01)."""
    step = event.data.get(field)
    return step if isinstance(step, str) and step in turn.policy.step_order else None


def _meant(turn: Turn, event: Event, field: str) -> list[StepRule]:
    """The step that the answer names; where it names none, every step that is under way."""
    named = _named(turn, event, field)
    return [
        step
        for step in turn.policy.steps
        if (state := turn.case.steps.get(step.name)) is not None
        and (step.name == named if named else state.ladder is not None)
    ]


def _escalate(turn: Turn, step: StepRule) -> None:
    """The step's next rung acts now; above its last rung the site's ladder says who is told.

    A ladder that had ended stays ended: the rung is told once.
    """
    state = turn.step_state(step.name)
    ladder = state.ladder
    coming = _acted(state) + 1
    if coming < len(step.levels):
        clock, run = (ladder.clock, ladder.clock_run) if ladder is not None else (None, 0)
        state.ladder = Ladder(coming, Due(turn.at), 0, None, clock, run)
        perform(turn, step, state)
        if ladder is None:
            state.ladder = None
        return
    number = len(step.levels) - 1
    level = step.levels[number]
    above = roles_above(level.notify, turn.site.ladder, state.raised + 1)
    if not above:
        turn.emit("undeliverable", level.pos, {"to": list(level.notify), "step": step.name})
        return
    state.raised += 1
    state.fired += 1
    number += state.raised
    turn.emit("escalated", level.pos, {"step": step.name, "level": number})
    tell(turn, step, state, replace(level, notify=above), number=number)


def _acted(state: StepState) -> int:
    """The last rung that has acted: between two rungs the ladder is at the one that comes."""
    ladder = state.ladder
    if ladder is None:
        return state.rung
    return ladder.level if ladder.rounds else ladder.level - 1


def _delay(turn: Turn, step: StepRule, event: Event) -> None:
    """Rounds and rungs of the step that are to come wait so much longer. Limits stay where they are."""
    state = turn.step_state(step.name)
    asked = event.data.get("minutes")
    minutes = min(asked if isinstance(asked, int) else 0, MOST_MINUTES - state.delayed)
    if minutes <= 0:
        return
    state.delayed += minutes
    _move(step, state, timedelta(minutes=minutes))
    turn.emit("delayed", step.pos, {"step": step.name, "minutes": minutes})


def _move(step: StepRule, state: StepState, by: timedelta) -> None:
    ladder = state.ladder
    if ladder is None or ladder.next_at is None:
        return
    ladder.next_at += by
    if _elapses(step.levels, ladder.level):
        # What comes after counts from there; on working days and months it keeps its dates.
        ladder.base = replace(ladder.base, at=ladder.base.at + by, day=None)


def _elapses(levels: tuple[Level, ...], at: int) -> bool:
    repeat = levels[at].repeat
    following = levels[at + 1].after if at + 1 < len(levels) else None
    return isinstance(repeat.every if repeat is not None else following, Elapsed)
