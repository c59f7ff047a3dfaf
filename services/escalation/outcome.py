"""What a decided batch comes to: the cases, counts, decisions and messages to save, and the schedules to set."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from zoneinfo import ZoneInfo

import orjson

from reeve.contracts.outgoing import told_of
from reeve.domain.bundle import Bundle
from reeve.domain.case import Case
from reeve.domain.counts import Count
from reeve.domain.facts import zone_of
from reeve.domain.trace import Considered
from reeve.domain.workset import Decided, Workset
from reeve.ports import NO_CASE, Changes, DecisionRow, Loaded, Message
from reeve.runtime.bus.lanes import lane_of_case, lane_of_event
from reeve.runtime.traces import stored_trace
from reeve.runtime.verdicts import Failure
from services.escalation.timers import Alarm
from services.escalation.work import EventWork, Item, TickWork


@dataclass(slots=True)
class Outcome:
    """What became of a batch."""

    changes: Changes
    alarms: list[Alarm] = field(default_factory=list)
    """Cases whose schedule on the bus must be set anew."""
    failures: dict[int, Failure] = field(default_factory=dict)
    """Index in the batch → why that one is not part of `changes`."""
    repeats: set[int] = field(default_factory=set)
    """Indices of events that were decided before."""
    stale: int = 0
    """Ticks that changed nothing."""
    lateness: list[float] = field(default_factory=list)
    """Seconds from a case's moment to now, for each tick that changed something."""
    lanes: dict[str, int] = field(default_factory=dict)
    """Lane of each changed case."""
    effects: Counter[str] = field(default_factory=Counter)
    """How often each effect happened."""
    in_record: set[str] = field(default_factory=set)
    """Keys of the batch's events that intake put in the record."""


def outcome_of(workset: Workset, items: Sequence[Item], have: Loaded, bundle: Bundle, now: datetime) -> Outcome:
    """What the set holds after all of these items were decided in it; `have` is the record as it was before."""
    return _Settling(items, have, bundle, now).outcome(workset)


class _Settling:
    def __init__(self, items: Sequence[Item], have: Loaded, bundle: Bundle, now: datetime) -> None:
        self._items = items
        self._have = have
        self._bundle = bundle
        self._now = now

    def outcome(self, workset: Workset) -> Outcome:
        changes = Changes(self._now)
        outcome = Outcome(changes)
        for case_id, case in workset.changed_cases.items():
            before = self._have.cases.get(case_id)
            changes.cases.append((case, before.version if before is not None else 0))
            outcome.lanes[case_id] = lane_of_case(case)
        changes.counts = self._changed_counts(workset)
        changes.claims = dict(workset.changed_claims)
        changes.decisions = self._rows(workset, outcome)
        taken: set[str] = set()
        for item in self._items:
            if isinstance(item, EventWork) and item.event.key not in taken:
                taken.add(item.event.key)
                changes.applied.append(item.event)
        changes.waiting_added = sorted(workset.waiting_added)
        changes.waiting_taken = sorted(workset.waiting_taken)
        self._set_alarms(workset, outcome)
        return outcome

    def _changed_counts(self, workset: Workset) -> list[tuple[Count, int]]:
        """Counts with another event, and counts that a case has joined.

        The latter are written unchanged so that two replicas collide: one that makes a count cross must see
        every case that takes part in it, and one that lets a case join must see the crossing.
        """
        versions = self._have.count_versions
        changed = dict(workset.changed_counts)
        for case_id, case in workset.changed_cases.items():
            before = self._have.cases.get(case_id)
            known = set(before.count_keys) if before is not None else set()
            for key in case.count_keys:
                if key not in known and key not in changed:
                    changed[key] = self._have.counts.get(key) or Count(key)
        return [(count, versions.get(key, 0)) for key, count in sorted(changed.items())]

    def _rows(self, workset: Workset, outcome: Outcome) -> list[DecisionRow]:
        rows = []
        grades: dict[str, str | None] = {}
        considered = dict(workset.considered)
        for decided in workset.decisions:
            case_id = str(decided.key)
            case = workset.changed_cases[case_id]
            before = self._have.cases.get(case_id)
            grade = grades.setdefault(case_id, before.grade if before is not None else None)
            for effect in decided.effects:
                outcome.effects[effect.what] += 1
                if effect.what == "graded":
                    grade = effect.details["grade"]
            grades[case_id] = grade
            if case.grade != grade:
                case = replace(case, grade=grade)
            zone = zone_of(self._bundle.site(decided.key.site).zone)
            # Which policies looked at an event stands with the first decision it caused, or by itself.
            looked = considered.get(decided.event.key) if decided.event is not None else None
            if looked is not None and looked.taken:
                del considered[looked.event.key]
            else:
                looked = None
            rows.append(self._row(decided, case, zone, outcome.lanes[case_id], looked))
        return rows + [self._untaken_row(each) for each in considered.values() if not each.taken]

    def _untaken_row(self, considered: Considered) -> DecisionRow:
        event = considered.event
        trace, facts = stored_trace(None, considered)
        return DecisionRow(
            case=f"{event.site}/{NO_CASE}/{event.subject}",
            version=0,
            at=self._now,
            event=event.id,
            event_key=event.key,
            bundle=self._bundle.version,
            lines=b"[]",
            messages=(),
            requested=(),
            lane=lane_of_event(event),
            key=event.key,
            trace=trace,
            facts=facts,
            taken=False,
        )

    def _row(
        self, decided: Decided, case: Case, zone: ZoneInfo, lane: int, considered: Considered | None
    ) -> DecisionRow:
        event_key = decided.event.key if decided.event is not None else None
        trace, facts = stored_trace(decided.trace, considered)
        told = [told_of(effect, case, zone, event_key=event_key) for effect in decided.effects]
        return DecisionRow(
            case=str(decided.key),
            version=decided.version,
            at=self._now,
            event=decided.event.id if decided.event is not None else None,
            event_key=event_key,
            bundle=self._bundle.version,
            lines=orjson.dumps([each.line for each in told]),
            messages=tuple(
                Message(each.message.subject, each.message.id, each.message.body)
                for each in told
                if each.message is not None
            ),
            requested=tuple(
                effect
                for effect in decided.effects
                # A round that a newer one has overtaken keeps its line and asks for nothing.
                if effect.what == "notify" and effect.notification is not None
            ),
            lane=lane,
            trace=trace,
            facts=facts,
        )

    def _set_alarms(self, workset: Workset, outcome: Outcome) -> None:
        ticked: dict[str, None] = {}
        for item in self._items:
            if isinstance(item, TickWork):
                ticked[item.case_id] = None
        for case_id, case in workset.changed_cases.items():
            before = self._have.cases.get(case_id)
            moved = before is None or before.next_due != case.next_due
            if case.next_due is not None and (moved or case_id in ticked):
                outcome.alarms.append(Alarm.of(case, outcome.lanes[case_id]))
        for case_id in ticked:
            before = self._have.cases.get(case_id)
            if case_id in workset.changed_cases:
                if before is not None and before.next_due is not None:
                    outcome.lateness.append(max(0.0, (self._now - before.next_due).total_seconds()))
                continue
            outcome.stale += 1
            # The schedule is spent, though nothing was due yet (the bus's clock is ahead of ours): set it again.
            if before is not None and before.open and before.next_due is not None:
                outcome.alarms.append(Alarm.of(before, lane_of_case(before), again_at=self._now))
