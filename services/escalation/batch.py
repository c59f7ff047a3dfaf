"""Decides a batch: loads what it needs, lets the core decide, and says what is to be saved and sent.

What the core will surely ask for is loaded first. What it asks for besides, by raising NotLoaded, is loaded after
a pass over the batch that only goes on to learn what else is missing; then all is decided again on fresh copies.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial

from reeve.domain.advance import apply_event, apply_revision, apply_tick
from reeve.domain.bundle import Bundle
from reeve.domain.case import Case
from reeve.domain.counts import count_key
from reeve.domain.errors import NotLoaded
from reeve.domain.events import Event
from reeve.domain.recurring import schedule_duty, unschedule_duty
from reeve.domain.workset import Workset, subject_key
from reeve.ports import CaseRecord, Loaded, Needs
from reeve.runtime.verdicts import Failure, attempt
from services.escalation.metrics import RELOADS
from services.escalation.outcome import Outcome, outcome_of
from services.escalation.supposing import SupposingWorkset
from services.escalation.work import EventWork, Item, ScheduleWork, TickWork, UnscheduleWork, check

MOST_PASSES = 40
"""Each pass loads at least one thing more, so this many mean a mistake in the core."""


async def decide_batch(record: CaseRecord, items: list[Item], bundle: Bundle, now: datetime) -> Outcome:
    """Every item decided in order, against the record as it is now. Nothing is written.

    One item's failure leaves the others untouched. Raises StoreAway.
    """
    return await _Batch(record, items, bundle, now).run()


class _Batch:
    def __init__(self, record: CaseRecord, items: list[Item], bundle: Bundle, now: datetime) -> None:
        self._record = record
        self._items = items
        self._bundle = bundle
        self._now = now
        self._have = Loaded()
        self._failures: dict[int, Failure] = {}
        self._repeats: set[int] = set()
        self._unknown: set[str] = set()
        self._in_record: set[str] = set()

    async def run(self) -> Outcome:
        await self._sort_out_repeats()
        await self._load(self._first_needs())
        await self._load(self._neighbours())
        for _ in range(MOST_PASSES):
            workset = self._fresh()
            missing, failed = self._pass(workset)
            if missing:
                RELOADS.inc()
                await self._load(missing)
                await self._load(self._neighbours())
            elif failed:
                # What failed may have left traces in the set: decide the others without it.
                self._failures.update(failed)
            else:
                await self._load(workset.supposed)
                if not workset.wrong(self._have):
                    return self._outcome(workset)
                RELOADS.inc()
        raise RuntimeError("the core asks for ever more")

    # --- what to load

    async def _sort_out_repeats(self) -> None:
        keys = {item.event.key for item in self._items if isinstance(item, EventWork)}
        if not keys:
            return
        known = await self._record.applied(keys)
        self._in_record = set(known)
        for index, item in enumerate(self._items):
            if not isinstance(item, EventWork):
                continue
            applied = known.get(item.event.key)
            if applied:
                self._repeats.add(index)
            elif applied is None:
                checked = attempt(partial(check, item), reading=True)
                if isinstance(checked, Failure):
                    self._failures[index] = checked
                else:
                    self._unknown.add(item.event.key)

    def _active(self) -> Iterable[tuple[int, Item]]:
        for index, item in enumerate(self._items):
            if index not in self._repeats and index not in self._failures:
                yield index, item

    def _first_needs(self) -> Needs:
        """What the core will surely ask for: subjects, cases of ticks, counts that the events belong to."""
        needs: Needs = {"subject": set(), "case": set(), "count": set()}
        rules = [rule for policy in self._bundle.policies.values() for rule in policy.counts]
        for _, item in self._active():
            if not isinstance(item, EventWork):
                needs["case"].add(item.case_id)
                continue
            event = item.event
            needs["subject"].add(_subject_of(event))
            for rule in rules:
                if (key := count_key(event.site, rule, event.data)) is not None:
                    needs["count"].add(key)
        return needs

    def _neighbours(self) -> Needs:
        """A case by itself is not enough: it may open a child, or its grade may read a count."""
        needs: Needs = {"subject": set(), "count": set()}
        for case in self._have.cases.values():
            if case is not None:
                subject = subject_key(case.key.site, case.family, case.root or case.key.subject)
                needs["subject"].add(subject)
                if case.open:
                    needs["count"].update(case.count_keys)
        return needs

    async def _load(self, needs: Needs) -> None:
        have = self._have
        known: dict[str, Mapping[str, object]] = {
            "subject": have.subjects,
            "case": have.cases,
            "count": have.counts,
            "counted": have.counted,
            "claim": have.claims,
        }
        lacking = {kind: left for kind, keys in needs.items() if (left := keys - known[kind].keys())}
        if not lacking:
            return
        loaded = await self._record.load(lacking)
        for case_id, case in loaded.cases.items():
            # A case read earlier stays as it was: the batch rests on one version of it.
            if have.cases.get(case_id) is None:
                have.cases[case_id] = case
        have.subjects.update(loaded.subjects)
        have.waiting.update(loaded.waiting)
        have.counts.update(loaded.counts)
        have.count_versions.update(loaded.count_versions)
        have.counted.update(loaded.counted)
        have.claims.update(loaded.claims)

    # --- deciding

    def _fresh(self) -> SupposingWorkset:
        """A working set with all that is loaded; the core never changes what it is given."""
        have = self._have
        workset = SupposingWorkset()
        for key, ids in have.subjects.items():
            workset.load_subject(key, self._named(ids), have.waiting[key])
        for case_id, case in have.cases.items():
            if case is None:
                workset.load_absent(case_id)
            else:
                workset.load_case(case)
        for key, count in have.counts.items():
            workset.load_count(key, count)
        for key, ids in have.counted.items():
            workset.load_counted(key, self._named(ids))
        for key, holder in have.claims.items():
            workset.load_claim(key, holder)
        return workset

    def _named(self, ids: Iterable[str]) -> list[Case]:
        return [case for case_id in ids if (case := self._have.cases[case_id]) is not None]

    def _pass(self, workset: Workset) -> tuple[Needs, dict[int, Failure]]:
        missing: Needs = {}
        failed: dict[int, Failure] = {}
        for index, item in self._active():
            try:
                result = attempt(partial(self._apply, workset, item))
            except NotLoaded as question:
                missing.setdefault(question.kind, set()).add(question.key)
                continue
            # Once something is missing, a failure may only be its consequence.
            if isinstance(result, Failure) and not missing:
                failed[index] = result
                break
        if not missing and not failed:
            return self._joined(workset), failed
        return missing, failed

    def _apply(self, workset: Workset, item: Item) -> None:
        if isinstance(item, EventWork):
            apply_event(workset, item.event, self._bundle, self._now)
        elif isinstance(item, TickWork):
            apply_tick(workset, item.case_id, self._bundle, self._now)
        elif isinstance(item, ScheduleWork):
            schedule_duty(workset, item.site, item.duty, self._bundle, self._now)
        elif isinstance(item, UnscheduleWork):
            unschedule_duty(workset, item.case_id)
        else:
            revise = replace(item.revise, at=self._now) if item.revise is not None else None
            apply_revision(workset, item.case_id, self._bundle, self._now, revise)

    def _joined(self, workset: Workset) -> Needs:
        """Counts that a changed case newly takes part in and that are not loaded yet."""
        keys = {key for case in workset.changed_cases.values() for key in case.count_keys}
        lacking = keys - self._have.counts.keys()
        return {"count": lacking} if lacking else {}

    def _outcome(self, workset: Workset) -> Outcome:
        outcome = outcome_of(workset, [item for _, item in self._active()], self._have, self._bundle, self._now)
        outcome.failures, outcome.repeats, outcome.in_record = self._failures, self._repeats, self._in_record
        outcome.changes.unknown = self._unknown & {event.key for event in outcome.changes.applied}
        return outcome


def _subject_of(event: Event) -> str:
    return subject_key(event.site, event.family, event.subject)
