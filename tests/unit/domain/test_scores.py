"""Points for what happens: on which line of the timeline, for whom, and only where the score says so."""

from __future__ import annotations

from typing import Any

from reeve.domain.bundle import Bundle
from reeve.domain.simulate import Simulation
from reeve.rulelang.load import load_bundle
from tests.support.simulation import CALENDAR_YAML, SITE_YAML, bundle_of, event, moment

COMPLAINT = """
takes: ticket
if: category == "complaint"
grades: [{grade: major, if: loss_cny >= 10000}, {grade: ordinary}]
clocks:
  resolve: {start: ticket.opened, stop: ticket.resolved, limit: 5h}
steps:
  - {name: unhappy, on: ticket.followed_up, if: event.satisfaction == "dissatisfied", reopen: true}
close: ticket.closed
"""
SCORES = """
- {points: -2, on: complaint.resolve breached, to: department, fact: SCORE-01}
- {points: -3, on: complaint.resolve breached, if: grade == "major", to: service_supervisor, fact: SCORE-01}
- {points: -1, on: complaint.reopened, to: department}
- {points: 5, on: ticket.updated if event.praise == "customer", to: assignee, fact: SCORE-05}
"""


def rules(scores: str = SCORES) -> Bundle:
    return bundle_of(COMPLAINT, score=scores)


def points(bundle: Bundle, *events: Any, until: str = "2026-03-02 20:00") -> list[tuple[Any, ...]]:
    simulation = Simulation(bundle)
    effects = [effect for one in events for effect in simulation.feed(one)]
    effects += simulation.finish(moment(until))
    return [
        (
            e.details["points"],
            e.details["to"],
            e.details.get("fact"),
            e.because.rule,
            e.at == moment("2026-03-02 14:00"),
        )
        for e in effects
        if e.what == "scored"
    ]


def opened(**data: Any) -> Any:
    return event("2026-03-02 09:00", "ticket.opened", category="complaint", **data)


def test_a_breach_costs_points_and_says_by_which_rule() -> None:
    assert points(rules(), opened(department="engineering_supervisor")) == [
        (-2, "engineering_supervisor", "SCORE-01", "score.yaml:2", True)
    ]


def test_a_condition_decides_and_a_role_stands_for_itself() -> None:
    assert points(rules(), opened(department="finance", loss_cny=20000)) == [
        (-2, "finance", "SCORE-01", "score.yaml:2", True),
        (-3, "service_supervisor", "SCORE-01", "score.yaml:3", True),
    ]


def test_points_without_a_department_are_nobodys_but_on_record() -> None:
    assert points(rules(), opened()) == [(-2, None, "SCORE-01", "score.yaml:2", True)]


def test_what_does_not_happen_does_not_score() -> None:
    assert points(rules(), opened(), event("2026-03-02 10:00", "ticket.resolved")) == []


def test_reopening_and_praise() -> None:
    praised = event("2026-03-02 11:00", "ticket.updated", praise="customer", assignee="u-4")
    unhappy = event("2026-03-02 12:00", "ticket.followed_up", satisfaction="dissatisfied", department="finance")
    found = points(rules(), opened(), event("2026-03-02 10:00", "ticket.resolved"), praised, unhappy,
                   until="2026-03-02 12:00")  # fmt: skip
    assert [line[:2] for line in found] == [(5, "u-4"), (-1, "finance")]


def test_points_of_a_breach_that_was_none_are_given_back() -> None:
    simulation = Simulation(rules())
    effects = list(simulation.feed(opened(department="finance")))
    effects += simulation.advance(moment("2026-03-02 16:00"))
    late = event("2026-03-02 13:00", "ticket.resolved", department="admin_office")
    effects += simulation.feed(late)
    scored = [(e.details["points"], e.details["to"], e.because.rule) for e in effects if e.what == "scored"]
    assert scored == [(-2, "finance", "score.yaml:2"), (2, "finance", "score.yaml:2")]
    again = list(simulation.feed(event("2026-03-02 13:30", "ticket.resolved")))
    assert [e.what for e in again if e.what == "scored"] == []


def problems(score: str) -> list[tuple[int, str]]:
    files = {"site.yaml": SITE_YAML, "calendars/cn.yaml": CALENDAR_YAML, "complaint.yaml": COMPLAINT}
    files |= {"score.yaml": score}
    result = load_bundle({path: text.encode() for path, text in files.items()})
    return [(problem.line, problem.code) for problem in result.errors]


def test_what_cannot_score_is_refused_where_it_stands() -> None:
    assert problems("- {points: -2, on: complain.resolve breached, to: x}") == [(1, "unknown_policy")]
    assert problems("- {points: -2, on: complaint.resolv breached, to: x}") == [(1, "unknown_clock")]
    assert problems("- {points: -2, on: complaint.resolve 80%, to: x}") == [(1, "score_on")]
    assert problems("- {points: -2, on: graded, to: x}") == [(1, "score_on")]
    assert problems("- {points: -2, on: complaint.reopened, to: room}") == [(1, "score_to")]


def test_a_score_reads_counts_as_they_are() -> None:
    counts = "counts: {times: {of: ticket.opened, same: incident, within: 90d}}\n"
    bundle = bundle_of(
        COMPLAINT + counts, score="- {points: -5, on: complaint.opened, if: times >= 2, to: finance}"
    )
    again = event("2026-03-02 09:30", "ticket.opened", "T-2", category="complaint", incident="I-1")
    assert [line[:2] for line in points(bundle, opened(incident="I-1"), again)] == [(-5, "finance")]
