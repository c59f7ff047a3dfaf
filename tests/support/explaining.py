"""Stories for explanations, from escalation's own batches on the in-memory record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from reeve.domain.bundle import Bundle
from reeve.domain.case import Case
from reeve.domain.events import Event
from reeve.ports import NO_CASE
from reeve.runtime.explaining.conditions import Shows, everything
from reeve.runtime.explaining.events import without_case
from reeve.runtime.explaining.explanation import explain_case
from reeve.runtime.explaining.record import decision_of
from reeve.runtime.explaining.story import DecisionRead, Story
from reeve.runtime.store.cases import decision_document
from reeve.runtime.store.deliveries import Delivery
from reeve.runtime.store.memory import MemoryCaseRecord
from reeve.runtime.store.notifications import requested_document, requested_of
from services.escalation.batch import decide_batch
from services.escalation.work import EventWork, Item, ReviseWork, ScheduleWork, TickWork
from tests.support.simulation import moment


class Desk:
    """Decides events and ticks as escalation does, keeps them as it does, and reads them as an explanation does."""

    def __init__(self, bundle: Bundle) -> None:
        self.record = MemoryCaseRecord()
        self.bundle = bundle
        self.known = {bundle.version: bundle}
        self.deliveries: dict[str, list[Delivery]] = {}

    async def take(self, *events: Event) -> None:
        """Each event is decided at its own time, the cases' moments before it at theirs."""
        for event in events:
            await self.until(event.at)
            self.record.accept(event, event.at)
            await self._decide(EventWork(event), event.at)

    async def until(self, at: datetime | str) -> None:
        """Everything due up to that moment has been decided, each at its own time."""
        end = moment(at) if isinstance(at, str) else at
        while due := [
            (case.next_due, str(case.key))
            for case in self.record.cases()
            if case.next_due is not None and case.next_due <= end
        ]:
            when, case_id = min(due)
            await self._decide(TickWork(case_id), when)

    async def tick(self, case_id: str, now: str) -> None:
        """One tick at that moment, however late."""
        await self._decide(TickWork(case_id), moment(now))

    async def follow(self, case_id: str, now: str) -> None:
        """The sweep after an activation reaches the case at that moment."""
        await self._decide(ReviseWork(case_id, lane=-1), moment(now))

    async def schedule(self, site: str, duty: str, now: str) -> None:
        """The duty's next occurrence is on record."""
        await self._decide(ScheduleWork(site, duty), moment(now))

    async def _decide(self, item: Item, now: datetime) -> None:
        outcome = await decide_batch(self.record, [item], self.bundle, now)
        assert not outcome.failures, outcome.failures
        await self.record.commit(outcome.changes)

    def forget_what_was_looked_at(self) -> None:
        """The decisions are as releases wrote them that kept no explanations."""
        for key, row in self.record.decisions.items():
            self.record.decisions[key] = replace(row, trace=b"", facts=b"")

    def case(self, case_id: str) -> Case:
        return next(case for case in self.record.cases() if str(case.key) == case_id)

    def decisions(self, case: str) -> list[DecisionRead]:
        """As they are read from the record."""
        return [decision_of(decision_document(row)) for row in self.record.decisions.values() if row.case == case]

    def story(self, case_id: str, case: Case | None = None) -> Story:
        """All there is about a case."""
        case = case or self.case(case_id)
        effects = [effect for effect in self.record.notifications.values() if str(effect.case) == case_id]
        policies = {policy.digest: policy for bundle in self.known.values() for policy in bundle.policies.values()}
        return Story(
            case,
            self.decisions(case_id),
            {key: stored.event for key, stored in self.record.events.items()},
            {effect.key: requested_of(requested_document(effect, effect.at)) for effect in effects},
            self.deliveries,
            policies,
            self.known,
            self.decisions(f"{case.key.site}/{NO_CASE}/{case.key.subject}"),
        )

    def without_case(self, event: Event) -> Story:
        """What there is about the subject of an event that no case took."""
        case = without_case(event)
        return self.story(str(case.key), case)

    def explain(self, case_id: str, at: str | None = None, shows: Shows = everything) -> dict[str, Any]:
        """The explanation, as `--json` prints it."""
        return explain_case(self.story(case_id), None if at is None else moment(at), shows)


def step_of(found: Mapping[str, Any], name: str) -> dict[str, Any]:
    """What an explanation says of one step."""
    steps: Sequence[dict[str, Any]] = found["steps"]
    return next(step for step in steps if step["step"] == name)


def why_not(found: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The one answer an explanation gives for a step that told nobody."""
    step = step_of(found, name)
    assert step["told"] == []
    (answer,) = step["not"]
    return dict(answer)
