"""One decision, put on record in the working set, and the children that it opens."""

from __future__ import annotations

from datetime import datetime

from reeve.domain.bundle import Bundle
from reeve.domain.case import Case, CaseKey
from reeve.domain.decide import decide
from reeve.domain.effects import Decision
from reeve.domain.events import Event
from reeve.domain.inputs import ChildOpening, Input
from reeve.domain.workset import Workset, subject_key


def put_decision(
    workset: Workset, case: Case | None, given: Input, event: Event | None, bundle: Bundle, now: datetime
) -> Decision:
    """The case after `given` is part of the set, and so are the children it asks for. `event`: what caused it."""
    decision = decide(case, given, workset, bundle, now)
    workset.record(decision, event)
    parent = decision.case
    for request in decision.children:
        if request.policy not in bundle.policies:
            continue
        key = CaseKey(parent.key.site, request.policy, request.subject)
        child = _known(workset, parent, key)
        if child is not None and child.open:
            continue
        opening = ChildOpening(key, parent, parent.decided_until or parent.opened_at, event)
        put_decision(workset, child, opening, event, bundle, now)
    return decision


def _known(workset: Workset, parent: Case, key: CaseKey) -> Case | None:
    subject = subject_key(parent.key.site, parent.family, parent.root or parent.key.subject)
    return next((case for case in workset.cases_of(subject) if case.key == key), None)
