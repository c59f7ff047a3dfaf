"""How urgent a case's messages are beside others'."""

from __future__ import annotations

from reeve.domain.bundle import Bundle
from reeve.domain.case import Case
from reeve.runtime.rendering import policy_of


def rank_of(bundle: Bundle, case: Case, grade: str | None) -> int:
    """0 for the worst grade of the case's policy, more for milder ones; cases without grades come last."""
    policy = policy_of(bundle, case)
    if policy is None or grade not in policy.grade_order:
        return 99
    return policy.grade_order.index(grade)
