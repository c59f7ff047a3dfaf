"""The in-memory twin of escalation's record, for tests that need no server; one suite runs on both."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime

from reeve.domain.case import Case
from reeve.domain.effects import Effect
from reeve.domain.events import Event
from reeve.domain.stored import dump_case, dump_count, load_case, load_count
from reeve.ports import Changes, Conflict, DecisionRow, Loaded, Needs, OutboxRow
from reeve.runtime.bus.lanes import lane_of_case, lane_of_event, routes_of
from reeve.runtime.store.outbox import outbox_rows


@dataclass(slots=True)
class StoredEvent:
    """An accepted event and what became of it."""

    event: Event
    received_at: datetime
    applied_at: datetime | None = None
    waiting: bool = False
    refused: str | None = None


@dataclass(slots=True)
class StoredOutbox:
    """Messages, and which server process has acknowledged them."""

    row: OutboxRow
    server_id: str | None = None
    published_at: datetime | None = None


@dataclass
class MemoryCaseRecord:
    """A `reeve.ports.CaseRecord`. States are kept as text, so that nothing is shared with the caller."""

    events: dict[str, StoredEvent] = field(default_factory=dict)
    decisions: dict[str, DecisionRow] = field(default_factory=dict)
    outbox: dict[str, StoredOutbox] = field(default_factory=dict)
    claims: dict[str, str] = field(default_factory=dict)
    notifications: dict[str, Effect] = field(default_factory=dict)
    _cases: dict[str, str] = field(default_factory=dict)
    _counts: dict[str, tuple[int, str]] = field(default_factory=dict)

    def accept(self, event: Event, received_at: datetime) -> None:
        """The event is in the record, as intake puts it there."""
        self.events.setdefault(event.key, StoredEvent(event, received_at))

    def cases(self) -> list[Case]:
        """Every case, in order of ids."""
        return [load_case(text) for _, text in sorted(self._cases.items())]

    async def load(self, needs: Needs) -> Loaded:
        """Everything asked for."""
        loaded = Loaded()
        cases = {case_id: load_case(text) for case_id, text in self._cases.items()}
        for key in needs.get("subject", ()):
            named = [case_id for case_id, case in cases.items() if key in routes_of(case)]
            loaded.subjects[key] = sorted(named)
            loaded.cases.update({case_id: cases[case_id] for case_id in named})
            waiting = [
                stored.event
                for stored in self.events.values()
                if stored.waiting and f"{stored.event.site}/{stored.event.family}/{stored.event.subject}" == key
            ]
            loaded.waiting[key] = sorted(waiting, key=lambda event: (event.at, event.key))
        for key in needs.get("case", ()):
            loaded.cases[key] = cases.get(key)
        for key in needs.get("count", ()):
            version, text = self._counts.get(key, (0, ""))
            loaded.counts[key] = load_count(text) if version else None
            loaded.count_versions[key] = version
        for key in needs.get("counted", ()):
            named = [case_id for case_id, case in cases.items() if case.open and key in case.count_keys]
            loaded.counted[key] = sorted(named)
            loaded.cases.update({case_id: cases[case_id] for case_id in named})
        for key in needs.get("claim", ()):
            loaded.claims[key] = self.claims.get(key)
        return loaded

    async def applied(self, keys: Collection[str]) -> dict[str, bool]:
        """Whether each event was decided before; unknown ones are not in the answer."""
        return {key: self.events[key].applied_at is not None for key in keys if key in self.events}

    async def commit(self, changes: Changes) -> None:
        """All of it or Conflict."""
        self._check(changes)
        for case, _ in changes.cases:
            self._cases[str(case.key)] = dump_case(case)
        for count, was in changes.counts:
            self._counts[count.key] = (was + 1, dump_count(count))
        self.claims.update(changes.claims)
        for row in changes.decisions:
            self.decisions[row.id] = row
            self.notifications.update({effect.key: effect for effect in row.requested})
        self.outbox.update({row.id: StoredOutbox(row) for row in outbox_rows(changes.decisions)})
        for event in changes.applied:
            stored = self.events.setdefault(event.key, StoredEvent(event, changes.now))
            stored.applied_at = changes.now
            stored.refused = changes.refused.get(event.key)
        for key in changes.waiting_added:
            self.events[key].waiting = True
        for key in changes.waiting_taken:
            self.events[key].waiting = False

    def _check(self, changes: Changes) -> None:
        for case, was in changes.cases:
            text = self._cases.get(str(case.key))
            if (load_case(text).version if text else 0) != was:
                raise Conflict(f"case {case.key} had changed")
        for count, was in changes.counts:
            if self._counts.get(count.key, (0, ""))[0] != was:
                raise Conflict(f"count {count.key} had changed")
        if self.claims.keys() & changes.claims.keys():
            raise Conflict("a claim was taken")
        if self.decisions.keys() & {row.id for row in changes.decisions}:
            raise Conflict("a decision was made")
        if self.events.keys() & changes.unknown:
            raise Conflict("an event came into the record")

    async def unpublished(
        self, lanes: Collection[int], server_id: str, before: datetime, most: int
    ) -> list[OutboxRow]:
        """Rows decided before that moment that this server process has not acknowledged, oldest first."""
        found: list[OutboxRow] = []
        for stored in sorted(self.outbox.values(), key=lambda stored: stored.row.at):
            if stored.server_id == server_id or stored.row.lane not in lanes or stored.row.at >= before:
                continue
            found.append(stored.row)
            if sum(len(row.messages) for row in found) >= most:
                break
        return found

    async def mark_published(self, ids: Collection[str], server_id: str, now: datetime) -> None:
        """The server process has acknowledged every message of these rows."""
        for each in self.outbox.keys() & set(ids):
            self.outbox[each].server_id, self.outbox[each].published_at = server_id, now

    async def confirm(self, server_id: str, before: datetime) -> int:
        """Rows acknowledged by this very process before that moment are dropped; how many."""
        done = [
            row_id
            for row_id, stored in self.outbox.items()
            if stored.server_id == server_id and stored.published_at is not None and stored.published_at < before
        ]
        for row_id in done:
            del self.outbox[row_id]
        return len(done)

    async def overdue(self, lanes: Collection[int], before: datetime, most: int) -> list[str]:
        """Ids of open cases whose next moment lies before that, longest overdue first."""
        found = [
            (case.next_due, str(case.key))
            for case in self.cases()
            if case.next_due is not None and case.next_due < before and lane_of_case(case) in lanes
        ]
        return [case_id for _, case_id in sorted(found)[:most]]

    async def unapplied(self, lanes: Collection[int], before: datetime, most: int) -> list[Event]:
        """Events accepted before that moment and not decided yet, oldest first."""
        found = [
            stored
            for stored in self.events.values()
            if stored.applied_at is None and stored.received_at < before and lane_of_event(stored.event) in lanes
        ]
        return [stored.event for stored in sorted(found, key=lambda stored: stored.received_at)[:most]]
