"""Duties in a working set: the next occurrence of each stands ready, and opens when its moment comes."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from reeve.domain.bundle import Bundle
from reeve.domain.case import FORGOTTEN, Case
from reeve.domain.duties import duty_of, next_case, runs_at
from reeve.domain.inputs import DutyOpening
from reeve.domain.recording import put_decision
from reeve.domain.workset import Workset, subject_key


def schedule_duty(workset: Workset, site: str, name: str, bundle: Bundle, now: datetime) -> None:
    """The duty has its next occurrence later than `now` at the site; nothing if it is none of that site."""
    duty = bundle.duties.get(name)
    if duty is not None and runs_at(duty, site):
        _put_next(workset, bundle, name, site, now)


def unschedule_duty(workset: Workset, case_id: str) -> None:
    """The occurrence does not come; the duty can be scheduled again. One that has come stays as it is."""
    case = workset.case(case_id)
    if case is not None and case.scheduled:
        _forget(workset, case)


def skip_duty(workset: Workset, case: Case, bundle: Bundle) -> None:
    """The scheduled occurrence does not come; the next one after it stands ready."""
    if case.next_due is not None:
        _put_next(workset, bundle, duty_of(case), case.key.site, case.next_due)
    _forget(workset, case)


def open_duty(workset: Workset, case: Case, bundle: Bundle, now: datetime) -> None:
    """The scheduled case is open as of its own moment, its successor stands ready, and evidence that came before
    has reached it. A duty that the rules no longer know is forgotten."""
    at, name, site = case.next_due, duty_of(case), case.key.site
    duty = bundle.duties.get(name)
    if at is None or duty is None or not runs_at(duty, site):
        _forget(workset, case)
        return
    successor = _put_next(workset, bundle, name, site, at)
    overtaken = successor is not None and successor.next_due is not None and successor.next_due <= now
    put_decision(workset, case, DutyOpening(at, overtaken), None, bundle, now)
    subject = subject_key(site, case.family, case.key.subject)
    for event in workset.take_waiting(subject):
        for known in workset.cases_of(subject):
            if known.open:
                put_decision(workset, known, event, event, bundle, now)


def revise_duty(workset: Workset, case: Case, bundle: Bundle, now: datetime) -> None:
    """The scheduled case is where the rules now say it comes; one that they say otherwise of gives way."""
    name, site = duty_of(case), case.key.site
    duty = bundle.duties.get(name)
    if duty is None or not runs_at(duty, site):
        _forget(workset, case)
        return
    coming = next_case(bundle, duty, site, now)
    if coming is None or coming.key != case.key:
        _forget(workset, case)
        _put_next(workset, bundle, name, site, now)
    elif (coming.next_due, coming.digest) != (case.next_due, case.digest):
        workset.put_case(replace(coming, version=case.version + 1))


def _put_next(workset: Workset, bundle: Bundle, name: str, site: str, after: datetime) -> Case | None:
    coming = next_case(bundle, bundle.duties[name], site, after)
    if coming is None:
        return None
    known = workset.case(str(coming.key))
    if known is None:
        workset.put_case(replace(coming, version=1))
    elif known.outcome == FORGOTTEN:
        workset.put_case(replace(coming, version=known.version + 1))
    return coming


def _forget(workset: Workset, case: Case) -> None:
    gone = case.copy()
    gone.scheduled, gone.next_due, gone.outcome = False, None, FORGOTTEN
    gone.version += 1
    workset.put_case(gone)
