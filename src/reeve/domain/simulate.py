"""Runs events through the decision core under a virtual clock: behind `rules test` and `rules simulate`.

Events are taken in the order given, which is the order of their arrival; between two events every deadline has its
turn at its own moment, over all cases in order of time. An event older than the one before is late news.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, MutableMapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from reeve.domain.advance import apply_event, apply_revision, apply_tick
from reeve.domain.bundle import Bundle
from reeve.domain.case import Case
from reeve.domain.counts import Count
from reeve.domain.duties import HandsOver, duty_of, told_by_rota
from reeve.domain.effects import Effect
from reeve.domain.events import Event
from reeve.domain.facts import UTC
from reeve.domain.recipients import OnShift, Recipient, Resolution, climb_effects, said_once
from reeve.domain.recurring import schedule_duty, skip_duty
from reeve.domain.telling import (
    WAITED,
    People,
    due_roles,
    moment_of,
    moot,
    next_hour,
    owner_apart,
    resolve_for,
    suppressed,
)
from reeve.domain.workset import Shelf, Workset

LONGEST = timedelta(days=366)
"""How far a simulation without an end runs on: a reminder that repeats until somebody pays never ends by itself."""


@dataclass(frozen=True, slots=True)
class Told:
    """A notification at the moment its people would be told, or of those roles whose hour has come."""

    asked: Effect
    at: datetime
    """The later of the moment it was asked for and the hour it waited for."""
    roles: tuple[str, ...]
    case: Case
    """As it stands then."""
    bundle: Bundle
    """The rules then active: their messages and site settings count."""
    resolution: Resolution | None
    """Who is told; None: no recipients were given."""


class Simulation:
    """One run. A `shelf` that spills to disk keeps memory bounded however many events there are.

    With `people`, the timeline also has what notify would add: roles of which nobody can be reached, who is told
    instead up the ladder, and reminders that were moot before their hour came. Every sending is taken to arrive.
    """

    def __init__(
        self,
        bundle: Bundle,
        people: Iterable[Recipient] | None = None,
        *,
        shelf: Shelf | None = None,
        told: Callable[[Told], None] | None = None,
        duties: bool = True,
        on_shift: OnShift | None = None,
        hands_over: HandsOver | None = None,
    ) -> None:
        """`told` is called for every notification that is not moot, with or without `people`. `duties` False: no
        recurring duty comes. `on_shift` says who of the people is on the rota of a role, `hands_over` which duties
        don't come because a rota tells them."""
        self._bundle = bundle
        self._tell = told
        self._people = People(people) if people is not None else None
        self._workset = Workset(complete=True, shelf=shelf) if shelf else Workset(complete=True)
        self._seen: MutableMapping[str, bool] = shelf("seen") if shelf else {}
        self._due: list[tuple[datetime, str]] = []
        self._later: list[tuple[datetime, int, Effect, frozenset[str]]] = []
        """Notifications that wait for an hour, in the order asked for; and the roles told already."""
        self._asked = 0
        self._now: datetime | None = None
        self.due: tuple[datetime, str] = (datetime.min.replace(tzinfo=UTC), "")
        """The moment and the case, by its id, of the deadline whose turn came last."""
        self._duties = duties
        self._on_shift = on_shift
        self._hands_over = hands_over
        self._sites: set[str] = set()
        """Sites whose duties run."""

    @property
    def now(self) -> datetime | None:
        """The latest moment that an event or `advance` has brought; None before the first."""
        return self._now

    def start(self, site: str, at: datetime) -> None:
        """The site's duties run from `at` on; those of a site in an event do from its first event."""
        if self._duties and self._bundle.duties and site not in self._sites:
            self._sites.add(site)
            self._schedule(site, self._bundle.duties, at)

    def feed(self, event: Event) -> Iterator[Effect]:
        """Everything due before the event's time, then what the event does. A repeat of an event does nothing."""
        if event.key in self._seen:
            return
        self._seen[event.key] = True
        if self._now is None or event.at > self._now:
            yield from self._run(event.at, inclusive=False)
            self._now = event.at
        self.start(event.site, event.at)
        apply_event(self._workset, event, self._bundle, self._now)
        yield from self._collect()

    def load(self, cases: Iterable[Case], counts: Iterable[Count] = ()) -> None:
        """The run starts with these cases, open or closed, as they stand; before the first event."""
        for count in counts:
            self._workset.load_count(count.key, count)
        for case in cases:
            self._workset.take_case(case)
            if case.next_due is not None:
                heapq.heappush(self._due, (case.next_due, str(case.key)))
            if case.scheduled:
                self._sites.add(case.key.site)

    def switch(self, bundle: Bundle, at: datetime) -> Iterator[Effect]:
        """Other rules are active from `at` on: what is due before happens under the old ones, and every open case
        follows as its policy's `on_change` says; a pinned one keeps its file."""
        yield from self._run(at, inclusive=False)
        self._now = at if self._now is None else max(at, self._now)
        policies = self._bundle.policies.values()
        archive = {**self._bundle.archive, **{policy.digest: policy for policy in policies}}
        before = self._bundle.duties.keys()
        self._bundle = replace(bundle, archive=archive)
        current = self._bundle.policies
        for case_id, name, digest in self._workset.live_cases():
            policy = current.get(name)
            if policy is not None and policy.digest != digest and policy.on_change != "pin":
                apply_revision(self._workset, case_id, self._bundle, self._now)
                yield from self._collect()
        for site in sorted(self._sites):
            self._schedule(site, self._bundle.duties.keys() - before, self._now)

    def advance(self, until: datetime) -> Iterator[Effect]:
        """Everything due before `until`; a moment that is past does nothing."""
        if self._now is None or until > self._now:
            yield from self._run(until, inclusive=False)
            self._now = until

    def finish(self, until: datetime | None = None) -> Iterator[Effect]:
        """Everything due up to and including `until`; None: all that follows within `LONGEST` of the last event,
        and no further duty comes (they would for ever)."""
        if until is None and self._now is not None:
            until = self._now + LONGEST
            self._due = [(at, case_id) for at, case_id in self._due if not self._is_scheduled(case_id)]
            heapq.heapify(self._due)
        if until is not None and (self._now is None or until >= self._now):
            yield from self._run(until, inclusive=True)
            self._now = until

    def _run(self, until: datetime, *, inclusive: bool) -> Iterator[Effect]:
        def comes(heap: list[tuple[datetime, str]] | list[tuple[datetime, int, Effect, frozenset[str]]]) -> bool:
            return bool(heap) and (heap[0][0] < until or (inclusive and heap[0][0] == until))

        while (due := comes(self._due)) or comes(self._later):
            if self._later and not (due and self._due[0][0] <= self._later[0][0]):
                hour, _, asked, told = heapq.heappop(self._later)
                yield from self._told(asked, hour, told)
                continue
            at, case_id = self.due = heapq.heappop(self._due)
            case = self._workset.case(case_id)
            if case is None or case.next_due != at:
                continue
            if case.scheduled and self._told_by_rota(case, at):
                skip_duty(self._workset, case, self._bundle)
            else:
                apply_tick(self._workset, case_id, self._bundle, at)
            yield from self._collect()

    def _schedule(self, site: str, duties: Iterable[str], at: datetime) -> None:
        for duty in sorted(duties):
            schedule_duty(self._workset, site, duty, self._bundle, at)
        self._note_due()

    def _told_by_rota(self, case: Case, at: datetime) -> bool:
        duty = self._bundle.duties.get(duty_of(case))
        return self._hands_over is not None and told_by_rota(duty, case.key.site, at, self._hands_over)

    def _is_scheduled(self, case_id: str) -> bool:
        case = self._workset.case(case_id)
        return case is not None and case.scheduled

    def _note_due(self) -> None:
        for case_id, case in self._workset.changed_cases.items():
            if case.next_due is not None:
                heapq.heappush(self._due, (case.next_due, case_id))
        self._workset.changed_cases.clear()

    def _collect(self) -> Iterator[Effect]:
        workset = self._workset
        self._note_due()
        decisions = list(workset.decisions)
        workset.forget_saved()
        for decided in decisions:
            yield from decided.effects
            for effect in decided.effects:
                if effect.what == "notify":
                    yield from self._told(effect, max(effect.at, self._now or effect.at), frozenset())

    def _told(self, asked: Effect, now: datetime, told: frozenset[str]) -> Iterator[Effect]:
        """What notify adds to the timeline when it takes up a notification at `now`."""
        wanted, case = asked.notification, self._workset.case(str(asked.case))
        if (self._people is None and self._tell is None) or wanted is None or case is None:
            return
        if now - asked.at > WAITED and moot(case, asked.at, wanted):
            yield suppressed(asked, wanted, now)
            return
        site, roles = self._bundle.site(asked.case.site), due_roles(wanted, told, now)
        resolution = None
        if self._people is not None:
            on_shift = self._on_shift
            people = self._people.who_matter(roles, case.facts, site, asked.case.site, now, on_shift)
            resolution = resolve_for(wanted, roles, case, people, site, at=now, on_shift=on_shift)
            for climb, tells in said_once(resolution.climbs, owner_apart=owner_apart(wanted)):
                yield from climb_effects(climb, asked, moment_of(asked, wanted, climb.role), tells=tells)
        if self._tell is not None and roles:
            at = max(moment_of(asked, wanted, role) for role in roles)
            self._tell(Told(asked, at, roles, case, self._bundle, resolution))
        if (hour := next_hour(wanted, told, now)) is not None:
            self._asked += 1
            heapq.heappush(self._later, (hour, self._asked, asked, told | {*roles}))
