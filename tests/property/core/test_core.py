"""What must hold of the core whatever happens: late ticks, repeats, replays, storing and reading back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from reeve.domain.advance import apply_event, apply_tick
from reeve.domain.bundle import Bundle
from reeve.domain.case import Case
from reeve.domain.effects import Decision, Effect
from reeve.domain.events import Event
from reeve.domain.stored import dump_case, load_case
from reeve.domain.workset import Workset
from tests.support.simulation import bundle_of, event, moment
from tests.unit.domain.test_language_example import COMPLAINT

RULES: Bundle = bundle_of(COMPLAINT)
START = moment("2026-02-12 08:00")
LAST = START + timedelta(days=12)
VERBS = ["updated", "acknowledged", "assigned", "waiting", "resumed", "resolved", "informed", "followed_up"]
VERBS += ["reopened", "closed", "regraded"]
SENT = {"to": ["general_manager"], "via": ["sms", "email"], "message": "complaint_reported", "step": "report_up"}
LEFT = {"to": ["general_manager"], "step": "report_up", "once_per": "incident"}

offsets = st.integers(min_value=0, max_value=5 * 24 * 60)
data = st.fixed_dictionaries(
    {},
    optional={
        "loss_cny": st.sampled_from([0, "1999.99", 2000, 10000, "100000.00"]),
        "injury": st.sampled_from(["none", "minor", "serious"]),
        "satisfaction": st.sampled_from(["satisfied", "dissatisfied"]),
        "due_at": st.sampled_from(["2026-02-13T12:00:00+08:00", "2026-02-20T12:00:00+08:00", None]),
        "incident": st.sampled_from(["I-1", "I-2"]),
    },
)


@st.composite
def stories(draw: st.DrawFn) -> list[Event]:
    """A few tickets and what becomes of them, in order of arrival; some arrive late."""
    events: list[Event] = []
    for number in range(draw(st.integers(1, 4))):
        fields: dict[str, Any] = {"category": "complaint", "customer": f"C-{number}", **draw(data)}
        at = START + timedelta(minutes=draw(st.integers(0, 600)))
        events.append(event(f"{at:%Y-%m-%d %H:%M}", "ticket.opened", f"T-{number}", id=f"o{number}", **fields))
        for step in range(draw(st.integers(0, 5))):
            verb = draw(st.sampled_from(VERBS))
            extra: dict[str, Any] = dict(draw(data))
            if verb == "regraded":
                extra = {"grade": draw(st.sampled_from(["ordinary", "major"])), "by": "u", "reason": "r"}
            later = f"{at + timedelta(minutes=draw(offsets)):%Y-%m-%d %H:%M}"
            events.append(event(later, f"ticket.{verb}", f"T-{number}", id=f"n{number}-{step}", **extra))
    order = draw(st.permutations(range(len(events)))) if draw(st.booleans()) else None
    return [events[index] for index in order] if order else sorted(events, key=lambda one: one.at)


def due_cases(workset: Workset, until: datetime) -> list[str]:
    found = [
        (case.next_due, case_id)
        for case_id, case in workset._cases.items()
        if case.open and case.next_due is not None and case.next_due <= until
    ]
    return [case_id for _, case_id in sorted(found)]


def play(events: list[Event], ticks: list[datetime]) -> Watched:
    """Events in order of arrival; before each, ticks at the given moments up to its time, then one at the end."""
    workset = Watched()
    now = START
    for one in events:
        for tick in [t for t in ticks if now < t < one.at]:
            for case_id in due_cases(workset, tick):
                apply_tick(workset, case_id, RULES, tick)
        now = max(now, one.at)
        apply_event(workset, one, RULES, now)
    for tick in [t for t in ticks if t > now] + [LAST]:
        while due := due_cases(workset, tick):
            apply_tick(workset, due[0], RULES, tick)
    return workset


def timeline(workset: Workset) -> dict[str, list[Effect]]:
    """What happened to each case; which rounds were not sent is a matter of when one looked."""
    lines: dict[str, list[Effect]] = {}
    for decided in workset.decisions:
        told = [effect for effect in decided.effects if not effect.key.endswith("~suppressed")]
        lines.setdefault(str(decided.key), []).extend(told)
    return lines


@dataclass(frozen=True)
class Firing:
    """One firing of `report_up`, which the cases of an incident share: one sends, the others leave it to it."""

    case: str
    run: int
    at: datetime
    incident: object
    grade: str
    what: str
    details: Mapping[str, Any]


class Watched(Workset):
    """A complete working set that notes the shared firings in the order in which they were decided."""

    def __init__(self) -> None:
        super().__init__(complete=True)
        self.firings: list[Firing] = []
        self._grades: dict[str, str] = {}
        self._runs: dict[str, int] = {}

    def record(self, decision: Decision, event: Event | None) -> None:
        """As it is; a firing belongs to the incident that the case named then."""
        case = str(decision.case.key)
        before = self._cases.get(case)
        super().record(decision, event)
        for effect in decision.effects:
            if effect.what == "graded":
                self._grades[case] = effect.details["grade"]
            elif effect.what == "reopened":
                self._runs[case] = effect.details["run"]
            elif shared(effect):
                by_event = event is not None and effect.because.event == event.id
                facts = decision.case.facts if by_event or before is None else before.facts
                run, grade = self._runs.get(case, 1), self._grades[case]
                self.firings.append(
                    Firing(case, run, effect.at, facts.get("incident"), grade, effect.what, effect.details)
                )


def shared(effect: Effect) -> bool:
    """Whether it is a firing of the step that several cases share."""
    return effect.details.get("step") == "report_up" and not effect.key.endswith("~suppressed")


def said(effects: list[Effect]) -> list[tuple[object, ...]]:
    """What a case says of itself, all of it. Of the shared step only that it fired, when and why: which of several
    cases sends depends on which is looked at first, and `check_shared` says what must hold of that."""
    return [("report_up", e.at, e.because) if shared(e) else (e.what, e.at, e.details, e.because) for e in effects]


def check_shared(firings: list[Firing]) -> None:
    """The first case of an incident sends, and a later one only in a graver grade than any that was sent."""
    order = RULES.policies["complaint"].grade_order
    told: dict[object, int] = {}
    rounds: Counter[tuple[str, int]] = Counter()
    for firing in firings:
        rank = order.index(firing.grade)
        sends = firing.incident is None or rank < told.get(firing.incident, len(order))
        if sends:
            told[firing.incident] = rank
            rounds[firing.case, firing.run] += 1
            expected: Mapping[str, Any] = {**SENT, "round": rounds[firing.case, firing.run]}
        else:
            expected = LEFT
        assert (firing.what, firing.details) == ("notify" if sends else "suppressed", expected), firing


def fired(firings: list[Firing]) -> Counter[tuple[object, ...]]:
    """Each incident's firings, whichever case sent."""
    return Counter((one.case, one.run, one.at, one.incident, one.grade) for one in firings)


def cases_of(workset: Workset) -> dict[str, Case]:
    return dict(workset._cases)


in_order = stories().map(lambda events: sorted(events, key=lambda one: one.at))
tick_times = st.lists(st.integers(0, 12 * 24 * 60), max_size=40).map(
    lambda minutes: sorted(START + timedelta(minutes=m, seconds=30) for m in minutes)
)


@settings(max_examples=150, deadline=None)
@given(in_order, tick_times)
def test_one_late_tick_is_many_on_time_ticks(events: list[Event], ticks: list[datetime]) -> None:
    late, timely = play(events, []), play(events, ticks)
    assert {k: said(v) for k, v in timeline(late).items()} == {k: said(v) for k, v in timeline(timely).items()}
    for each in (late, timely):
        check_shared(each.firings)
    assert fired(late.firings) == fired(timely.firings)


@settings(max_examples=100, deadline=None)
@given(stories(), st.randoms(use_true_random=False))
def test_duplicates_change_nothing(events: list[Event], random: Any) -> None:
    doubled = list(events)
    for one in events:
        index = next(i for i, other in enumerate(doubled) if other.key == one.key)
        doubled.insert(random.randint(index + 1, len(doubled)), one)
    once, twice = play(events, []), play(doubled, [])
    assert cases_of(once) == cases_of(twice)
    assert timeline(once) == timeline(twice)


@settings(max_examples=100, deadline=None)
@given(stories(), tick_times)
def test_a_replay_gives_the_same_state_and_keys(events: list[Event], ticks: list[datetime]) -> None:
    first, second = play(events, ticks), play(events, ticks)
    assert cases_of(first) == cases_of(second)
    assert [d.effects for d in first.decisions] == [d.effects for d in second.decisions]


@settings(max_examples=100, deadline=None)
@given(stories())
def test_every_effect_has_its_own_key(events: list[Event]) -> None:
    keys = [effect.key for decided in play(events, []).decisions for effect in decided.effects]
    assert len(keys) == len(set(keys))


@settings(max_examples=100, deadline=None)
@given(stories())
def test_a_stored_case_reads_back_equal(events: list[Event]) -> None:
    for case in cases_of(play(events, [])).values():
        assert load_case(dump_case(case)) == case


@settings(max_examples=100, deadline=None)
@given(stories())
def test_a_grade_gets_better_only_by_a_person(events: list[Event]) -> None:
    order = RULES.policies["complaint"].grade_order
    for effects in timeline(play(events, [])).values():
        people = {one.id for one in events if one.verb == "regraded"}
        for effect in effects:
            if effect.what == "graded" and effect.details["was"] is not None and effect.because.event not in people:
                assert order.index(effect.details["grade"]) < order.index(effect.details["was"])


@settings(max_examples=100, deadline=None)
@given(stories())
def test_an_open_case_with_a_running_clock_knows_its_next_moment(events: list[Event]) -> None:
    for case in cases_of(play(events, [])).values():
        waiting = [c for c in case.clocks.values() if c.status == "running" and c.due and c.breached_at is None]
        assert (case.next_due is not None) or not waiting or not case.open
