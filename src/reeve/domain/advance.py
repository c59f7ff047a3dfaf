"""What an event or the passing of time does to a whole working set: routing, counting, waking, opening children.

Pure like `decide`, on top of it: given the same set and input the same decisions come out, in the same order.
"""

from __future__ import annotations

from datetime import datetime

from reeve.domain.bundle import Bundle, CountRule, Policy
from reeve.domain.case import CaseKey
from reeve.domain.counts import Count, CountEntry, count_key, crossings, distinct_value, entered
from reeve.domain.events import OPENING_TYPE, Event
from reeve.domain.expressions import Alternative, OnEvent
from reeve.domain.facts import scope_of
from reeve.domain.inputs import Opening, Recount, Revise, Tick
from reeve.domain.recording import put_decision
from reeve.domain.recurring import open_duty, revise_duty
from reeve.domain.trace import Considered
from reeve.domain.workset import Workset, subject_key


def apply_event(workset: Workset, event: Event, bundle: Bundle, now: datetime) -> None:
    """The event has reached every case it concerns, opened those it opens, and woken those whose counts crossed.

    An event that concerns no case waits for one. One already in `workset.applied` does nothing.
    """
    if event.key in workset.applied:
        return
    workset.applied.add(event.key)
    crossed = _count(workset, event, bundle)
    touched = _route(workset, event, bundle, now)
    if not touched:
        workset.considered.setdefault(event.key, Considered(event))
        workset.put_waiting(subject_key(event.site, event.family, event.subject), event)
    for at, key in crossed:
        for case in workset.counted(key):
            if at > event.at or str(case.key) not in touched:
                put_decision(workset, case, Recount(event, at), event, bundle, now)


def apply_tick(workset: Workset, case_id: str, bundle: Bundle, now: datetime) -> None:
    """Everything due on the case up to `now` has happened. A stale tick changes nothing."""
    case = workset.case(case_id)
    if case is None or case.next_due is None or case.next_due > now:
        return
    if case.scheduled:
        open_duty(workset, case, bundle, now)
    elif case.open:
        put_decision(workset, case, Tick(now), None, bundle, now)


def apply_revision(
    workset: Workset, case_id: str, bundle: Bundle, now: datetime, revise: Revise | None = None
) -> None:
    """The case follows the rules that are active since `now`, or a person's choice (`revise`).

    A case that is closed, or whose policy file is the one it should have, is left alone. Raises PolicyMissing.
    """
    case = workset.case(case_id)
    if case is not None and case.scheduled:
        revise_duty(workset, case, bundle, now)
    elif case is not None and case.open:
        put_decision(workset, case, revise or Revise(now), None, bundle, now)


def _route(workset: Workset, event: Event, bundle: Bundle, now: datetime) -> set[str]:
    """Ids of the cases the event reached: those open, those it reopens, those it opens."""
    subject = subject_key(event.site, event.family, event.subject)
    touched: set[str] = set()
    known = workset.cases_of(subject)
    for case in known:
        if case.never_opened:
            continue
        reopens = event.verb == "reopened" and case.parent is None
        late = case.closed_at is not None and case.opened_at <= event.at <= case.closed_at
        if case.open or reopens or late:
            put_decision(workset, case, event, event, bundle, now)
            touched.add(str(case.key))
    if event.type != OPENING_TYPE[event.family]:
        return touched
    considered = workset.considered[event.key] = Considered(event)
    closed = {case.key: case for case in known if not case.open and not case.never_opened}
    for policy in bundle.policies_for(event.family):
        key = CaseKey(event.site, policy.name, event.subject)
        if touched and str(key) in touched:
            considered.running.append(policy.name)
            continue
        if not _opens(workset, policy, event, bundle, considered):
            continue
        put_decision(workset, closed.get(key), Opening(key, event), event, bundle, now)
        touched.add(str(key))
    considered.taken = bool(touched)
    if considered.opened:
        for waiting in workset.take_waiting(subject):
            for case in workset.cases_of(subject):
                if case.open:
                    put_decision(workset, case, waiting, waiting, bundle, now)
    return touched


def _opens(workset: Workset, policy: Policy, event: Event, bundle: Bundle, considered: Considered) -> bool:
    if policy.child_only:
        return False
    if policy.when is None:
        considered.opened.append(policy.name)
        return True

    if (only := policy.opens_on) is not None:
        # What most files say; with it the cost follows the policies that can match, not those that there are.
        name, wanted = only
        value = event.data.get(name)
        held = bool(value == wanted)
        considered.compared(policy, name, value, held)
        return held

    def count(rule: CountRule) -> int:
        return workset.count(policy, rule, None, event, event.at)

    scope = scope_of(policy.opening_reads, None, event, event.at, bundle.site(event.site).zone, count)
    held = bundle.matcher.holds(policy.when, scope)
    considered.looked_at(policy, scope, held)
    return held


# --- counts ---------------------------------------------------------------------------------------------------


def _count(workset: Workset, event: Event, bundle: Bundle) -> list[tuple[datetime, str]]:
    """The event is in every count it belongs to; moments and keys of those that crossed a compared value.

    An event that comes out of order raises the count at later moments as well, so those are looked at too.
    """
    crossed: set[tuple[datetime, str]] = set()
    done: dict[str, tuple[Count | None, Count]] = {}
    for policy in bundle.policies_counting(event.type):
        for rule in policy.counts:
            if not any(_counts(policy, rule, a, event, bundle) for a in rule.of.alternatives):
                continue
            key = count_key(event.site, rule, event.data)
            if key is None:
                continue
            if key not in done:
                before = workset.count_of(key)
                entry = CountEntry(event.at, event.key, distinct_value(rule, event.data))
                after = entered(before, key, rule, entry)
                workset.put_count(after)
                done[key] = (before, after)
            crossed.update((at, key) for at in crossings(rule, *done[key], event.at))
    return sorted(crossed)


def _counts(policy: Policy, rule: CountRule, alternative: Alternative, event: Event, bundle: Bundle) -> bool:
    if not isinstance(alternative, OnEvent) or alternative.type != event.type:
        return False
    if alternative.when is None:
        return True
    scope = scope_of(policy.counting_reads, None, event, event.at, bundle.site(event.site).zone, lambda _: 0)
    return bundle.matcher.holds(alternative.when, scope)
