"""Grades: how grave a case is. By itself a grade only gets worse; a person may set it. Source: COMPLAINT-01…04."""

from __future__ import annotations

from reeve.domain.expressions import Position
from reeve.domain.turn import Turn


def grade_case(turn: Turn) -> None:
    """The case has the grade its facts call for, if that is worse than the one it has.

    After a person's regrading the grade stands until a grading fact changes.
    """
    case, policy = turn.case, turn.policy
    if not policy.grade_order:
        return
    if case.held is not None:
        if all(case.facts.get(name) == case.held.get(name) for name in policy.grading_facts):
            return
        case.held = None
    elif case.grade is not None and _cannot_change(turn):
        return
    grade, pos = _called_for(turn)
    if grade is not None and policy.worse(grade, case.grade):
        set_grade(turn, grade, pos)


def _cannot_change(turn: Turn) -> bool:
    """Whether the event in hand touches nothing that a grade depends on: then the grade need not be looked at.

    Counts that cross a compared value because of other cases come as a recount, which always looks.
    """
    policy, event = turn.policy, turn.event
    if event is None or turn.recount or not policy.grades_read_only_facts:
        return False
    return event.type not in policy.counted_types and not turn.changed_facts & policy.grading_facts


def _called_for(turn: Turn) -> tuple[str | None, Position]:
    policy = turn.policy
    if policy.grade_from is not None:
        value = turn.case.facts.get(policy.grade_from)
        known = isinstance(value, str) and value in policy.grade_order
        turn.note(policy.grade_from, "grade_from", value if isinstance(value, str) else None)
        return (str(value) if known else policy.grade_order[-1]), policy.pos
    found = turn.bundle.matcher.first(tuple(rule.when for rule in policy.grades), turn.scope)
    turn.scene.grades = -1 if found is None else found
    if found is None:
        return None, policy.pos
    return policy.grades[found].grade, policy.grades[found].pos


def set_grade(turn: Turn, grade: str, pos: Position) -> None:
    """The case has this grade, and says so; steps on `graded` hear of it if it is worse than before."""
    case = turn.case
    was = case.grade
    if grade == was:
        return
    worse = turn.policy.worse(grade, was)
    case.grade, case.grade_was = grade, was
    turn.grade_changed()
    turn.emit("graded", pos, {"grade": grade, "was": was})
    if worse:
        turn.happen("case", "graded")


def raise_grade(turn: Turn, by: int, pos: Position) -> None:
    """The case is that many grades worse, at most the worst there is. Source: GAP-7."""
    grade = turn.policy.raised(turn.case.grade, by)
    if grade is not None:
        set_grade(turn, grade, pos)


def regrade(turn: Turn) -> None:
    """A person's regrading, the event in hand, stands until a grading fact changes; unknown grades do nothing."""
    event = turn.event
    grade = event.data.get("grade") if event else None
    if isinstance(grade, str) and grade in turn.policy.grade_order:
        set_grade(turn, grade, turn.policy.pos)
        turn.case.held = {name: turn.case.facts.get(name) for name in turn.policy.grading_facts}
