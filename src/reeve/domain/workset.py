"""The working set of a batch: cases, waiting events, counts and claims in memory, and what became of them.

`advance` changes it; the shell loads it before and saves it afterwards. What was never loaded raises NotLoaded,
whereupon the shell loads that too and runs the batch again on a fresh copy. A complete set (simulation, tests)
holds all there is, so that nothing is ever missing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, MutableMapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from reeve.domain.bundle import CountRule, Policy
from reeve.domain.case import Case, CaseKey
from reeve.domain.counts import Count, count_key, value_at
from reeve.domain.effects import Decision, Effect
from reeve.domain.errors import NotLoaded
from reeve.domain.events import Event
from reeve.domain.trace import Considered, Trace


@dataclass(frozen=True, slots=True)
class Decided:
    """One decision as it goes on record."""

    key: CaseKey
    version: int
    event: Event | None
    """The event that caused it; None for a tick."""
    effects: tuple[Effect, ...]
    trace: Trace | None = None


def subject_key(site: str, family: str, subject: str) -> str:
    """What everything about one subject is loaded by."""
    return f"{site}/{family}/{subject}"


Shelf = Callable[[str], MutableMapping[str, Any]]
"""Makes the map for one kind of thing; what was just read from it may be changed in place."""


def _in_memory(kind: str) -> MutableMapping[str, Any]:
    return {}


class Workset:
    """See the module. Keys are texts: case ids, `subject_key`, count keys, claim keys."""

    def __init__(self, *, complete: bool = False, shelf: Shelf = _in_memory) -> None:
        self._complete = complete
        self._cases: MutableMapping[str, Case] = shelf("cases")
        self._absent: set[str] = set()
        self._subjects: MutableMapping[str, set[str]] = shelf("subjects")
        self._waiting: MutableMapping[str, list[Event]] = shelf("waiting")
        self._counts: MutableMapping[str, Count | None] = shelf("counts")
        self._counted: MutableMapping[str, set[str]] = shelf("counted")
        self._claims: MutableMapping[str, str | None] = shelf("claims")
        self.decisions: list[Decided] = []
        self.changed_cases: dict[str, Case] = {}
        self.changed_counts: dict[str, Count] = {}
        self.changed_claims: dict[str, str] = {}
        self.waiting_added: dict[str, Event] = {}
        """Events no case takes yet, by event key."""
        self.waiting_taken: set[str] = set()
        """Keys of waiting events whose case has opened now."""
        self.applied: set[str] = set()
        """Keys of every event handled, the waiting ones included."""
        self.considered: dict[str, Considered] = {}
        """By event key: events that might have opened a case, and those that no case takes."""

    # --- loading (the shell) --------------------------------------------------------------------------------

    def load_subject(self, key: str, cases: Iterable[Case], waiting: Iterable[Event]) -> None:
        """All cases whose root or subject is this one, open or closed, and the events that wait for it."""
        ids = self._subjects.setdefault(key, set())
        for case in cases:
            self.load_case(case)
            ids.add(str(case.key))
        self._waiting[key] = list(waiting)

    def load_case(self, case: Case) -> None:
        """One case by its id; a state changed in this working set is not overwritten."""
        self._cases.setdefault(str(case.key), case)

    def load_absent(self, case_id: str) -> None:
        """There is no such case."""
        self._absent.add(case_id)

    def load_count(self, key: str, count: Count | None) -> None:
        """A count document, or that there is none."""
        self._counts.setdefault(key, count)

    def load_counted(self, key: str, cases: Iterable[Case]) -> None:
        """All open cases that take part in a count."""
        ids = self._counted.setdefault(key, set())
        for case in cases:
            self.load_case(case)
            ids.add(str(case.key))

    def load_claim(self, key: str, holder: str | None) -> None:
        """Who holds a `once_per` sending; None: nobody."""
        self._claims.setdefault(key, holder)

    # --- reading --------------------------------------------------------------------------------------------

    def case(self, case_id: str) -> Case | None:
        """The case as it is now; None if there is none."""
        found = self._cases.get(case_id)
        if found is None and not self._complete and case_id not in self._absent:
            raise NotLoaded("case", case_id)
        return found

    def cases_of(self, subject: str) -> list[Case]:
        """Every case that an event of this subject may concern, in the order of their ids."""
        ids = self._subjects.get(subject)
        if ids is None and not self._complete:
            raise NotLoaded("subject", subject)
        return [self._cases[case_id] for case_id in sorted(ids or ())]

    def waiting_for(self, subject: str) -> list[Event]:
        """Events that wait for a case of this subject, in order of time."""
        if subject not in self._waiting and not self._complete:
            raise NotLoaded("subject", subject)
        return sorted(self._waiting.get(subject, ()), key=lambda event: event.at)

    def count_of(self, key: str) -> Count | None:
        """The count document."""
        if key not in self._counts and not self._complete:
            raise NotLoaded("count", key)
        return self._counts.get(key)

    def counted(self, key: str) -> list[Case]:
        """Open cases that take part in a count, in the order of their ids."""
        ids = self._counted.get(key)
        if ids is None and not self._complete:
            raise NotLoaded("counted", key)
        return [case for case_id in sorted(ids or ()) if (case := self._cases[case_id]).open]

    def count(self, policy: Policy, rule: CountRule, case: Case | None, event: Event | None, at: datetime) -> int:
        """`inputs.Facts`: the count's value for the case's facts, or the event's where there is no case yet."""
        facts = case.facts if case is not None else (event.data if event is not None else {})
        site = case.key.site if case is not None else (event.site if event is not None else "")
        key = count_key(site, rule, facts)
        return 0 if key is None else value_at(self.count_of(key), rule, at)

    def claim_holder(self, claim: str) -> str | None:
        """`inputs.Facts`: who holds a `once_per` sending."""
        if claim not in self._claims and not self._complete:
            raise NotLoaded("claim", claim)
        return self._claims.get(claim)

    # --- changing (advance) -----------------------------------------------------------------------------------

    def record(self, decision: Decision, event: Event | None) -> None:
        """The decision stands: its case, its claims and its effects are part of the set and to be saved."""
        if not decision.changed:
            return
        case = decision.case
        case_id = str(case.key)
        self.take_case(case)
        self.changed_cases[case_id] = case
        for claim in decision.claims:
            self._claims[claim] = self.changed_claims[claim] = case_id
        self.decisions.append(Decided(case.key, case.version, event, decision.effects, decision.trace))

    def put_case(self, case: Case) -> None:
        """A case as it stands now, to be saved without a decision: nothing has happened to it yet."""
        self.take_case(case)
        self.changed_cases[str(case.key)] = case

    def take_case(self, case: Case) -> None:
        """The case is part of the set as it stands, found by its subjects and counts."""
        case_id = str(case.key)
        self._cases[case_id] = case
        for subject in {case.root or case.key.subject, case.key.subject}:
            known = subject_key(case.key.site, case.family, subject)
            # A subject that was not loaded stays so: this case alone would pass for all there are.
            if self._complete or known in self._subjects:
                self._subjects.setdefault(known, set()).add(case_id)
        for key in case.count_keys:
            if self._complete or key in self._counted:
                self._counted.setdefault(key, set()).add(case_id)

    def live_cases(self) -> list[tuple[str, str, str]]:
        """Id, policy and policy file (digest) of every open and scheduled case, in the order of their ids."""
        cases = self._cases.items()
        return sorted({(key, case.key.policy, case.digest) for key, case in cases if case.open or case.scheduled})

    def put_count(self, count: Count) -> None:
        """The count as it is now, to be saved."""
        self._counts[count.key] = self.changed_counts[count.key] = count

    def put_waiting(self, subject: str, event: Event) -> None:
        """The event waits for a case to open."""
        self._waiting.setdefault(subject, []).append(event)
        self.waiting_added[event.key] = event

    def take_waiting(self, subject: str) -> list[Event]:
        """The waiting events, in order of time; they wait no longer."""
        events = self.waiting_for(subject)
        self._waiting[subject] = []
        for event in events:
            if self.waiting_added.pop(event.key, None) is None:
                self.waiting_taken.add(event.key)
        return events

    def forget_saved(self) -> None:
        """What was to be saved has been: a simulation calls this to stay small."""
        self.decisions.clear()
        self.changed_cases.clear()
        self.changed_counts.clear()
        self.changed_claims.clear()
        self.waiting_added.clear()
        self.waiting_taken.clear()
        self.applied.clear()
        self.considered.clear()
