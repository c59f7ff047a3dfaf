"""The case that an opening begins with: a new one, a closed one in its next run, a duty that has become due."""

from __future__ import annotations

from dataclasses import replace

from reeve.domain import steps
from reeve.domain.bundle import Policy
from reeve.domain.case import Case
from reeve.domain.inputs import ChildOpening, DutyOpening, Opening


def opening_case(case: Case | None, given: Opening | ChildOpening, policy: Policy) -> Case:
    """A new case, or the closed one in its next run: same facts and account, no grade yet, nothing under way."""
    at = given.event.at if isinstance(given, Opening) else given.at
    if case is None:
        parent = given.parent if isinstance(given, ChildOpening) else None
        case = Case(given.key, policy.family, policy.digest, at, root=given.key.subject)
        if parent is not None:
            case.root, case.parent = parent.root or parent.key.subject, str(parent.key)
            case.facts, case.fact_times = dict(parent.facts), dict(parent.fact_times)
            case.account = replace(parent.account) if parent.account else None
        return case
    case = case.copy()
    case.digest, case.kept, case.opened_at = policy.digest, False, at
    case.open, case.closed_at, case.outcome, case.acknowledged_at = True, None, None, None
    case.answered = {}
    case.run += 1
    case.grade = case.grade_was = case.held = None
    case.steps = {}
    steps.end_clocks(case)
    return case


def due_duty(case: Case, given: DutyOpening, policy: Policy) -> Case:
    """The scheduled case, open."""
    case = case.copy()
    case.scheduled, case.open = False, True
    case.digest, case.opened_at = policy.digest, given.at
    return case
