"""What must hold of every decision on record: its conditions, looked at again over its facts, answer the same."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from reeve.domain.bundle import Policy
from reeve.domain.events import Event
from reeve.domain.expressions import Condition
from reeve.domain.workset import Workset
from reeve.rulelang.closures import Closures
from reeve.runtime.explaining.conditions import weigh
from reeve.runtime.explaining.places import places
from reeve.runtime.traces import TraceRead, read_trace, stored_trace
from tests.property.core.test_core import RULES, in_order, play, stories, tick_times
from tests.support.explaining import Desk
from tests.support.simulation import bundle_of, event, moment

POLICY: Policy = RULES.policies["complaint"]
PLACES = places(POLICY)
Answered = tuple[Condition, dict[str, Any], bool]


def traces(workset: Workset) -> Iterator[TraceRead]:
    """Every decision's trace as it is read from the record."""
    for decided in workset.decisions:
        considered = workset.considered.get(decided.event.key) if decided.event is not None else None
        read = read_trace(*stored_trace(decided.trace, considered))
        assert read is not None
        yield read


def answers(trace: TraceRead) -> Iterator[Answered]:
    """Every condition that a decision looked at, the facts, and the answer on record."""
    for scene in trace.scenes:
        facts = dict(scene.facts or {})
        for test in scene.tests:
            yield PLACES[test.line, test.column].condition, facts, test.held
        if scene.grades is not None:
            first = len(POLICY.grades) if scene.grades < 0 else scene.grades
            for index, rule in enumerate(POLICY.grades[: first + 1]):
                if rule.when is not None:
                    yield rule.when, facts, index == first
    if trace.considered is not None:
        for names, held in ((trace.considered.opened, True), (trace.considered.refused, False)):
            for name in names:
                when = RULES.policies[name].when
                if when is not None:
                    yield when, dict(trace.considered.seen_by(name)), held


@settings(max_examples=80, deadline=None)
@given(stories(), tick_times)
def test_every_stored_answer_is_that_of_the_stored_condition_over_the_stored_facts(
    events: list[Event], ticks: list[datetime]
) -> None:
    workset = play(events, ticks)
    looked_at = [answer for trace in traces(workset) for answer in answers(trace)]
    assert len(looked_at) >= len({one.subject for one in events})
    for condition, facts, held in looked_at:
        assert Closures().holds(condition, facts) is held
        assert weigh(condition, facts, held, {}).agrees


@settings(max_examples=50, deadline=None)
@given(stories())
def test_the_parts_that_are_named_are_what_the_answer_rests_on(events: list[Event]) -> None:
    for trace in traces(play(events, [])):
        for condition, facts, held in answers(trace):
            weighed = weigh(condition, facts, held, {})
            assert weighed.parts
            names = {name for part in weighed.parts for name in part.facts}
            assert all(part.facts[name] == facts.get(name) for part in weighed.parts for name in part.facts)
            # Forgetting every other fact changes nothing.
            kept = {name: value for name, value in facts.items() if name in names}
            assert Closures().holds(condition, kept) is held


@settings(max_examples=40, deadline=None)
@given(in_order)
def test_every_event_has_a_decision_on_record(events: list[Event]) -> None:
    workset = play(events, [])
    decided = {one.event.key for one in workset.decisions if one.event is not None}
    untaken = {key for key, considered in workset.considered.items() if not considered.taken}
    assert {one.key for one in events} <= decided | untaken


KINDS = bundle_of(
    """
policy: complaint
takes: ticket
grades:
  - {grade: extraordinary, if: ends_at > starts_at + 2d and expires_at != due_at}
  - {grade: major, if: today >= 2026-02-13 or site == "elsewhere"}
  - {grade: ordinary}
clocks: {resolve: {start: ticket.opened, stop: ticket.resolved, limit: 90m}}
steps:
  - {name: a, on: resolve breached, if: open_for > 90m and grade == "ordinary", notify: front_desk, message: m}
  - name: b
    on: ticket.updated
    if: title matches "^水" or description contains "x" or complainants in [1, 2] or open_for >= 3h
    notify: front_desk
    message: m
close: ticket.closed
""",
    messages="m: {en: {email: {subject: s, body: b}}}",
)
moments = st.sampled_from(["2026-02-12T10:00:00+08:00", "2026-02-15T10:00:00.123456Z", "no date", None])
fields = st.fixed_dictionaries(
    {},
    optional={
        "starts_at": moments,
        "ends_at": moments,
        "due_at": moments,
        "title": st.sampled_from(["水漏", "x"]),
        "description": st.text(max_size=5).filter(lambda text: "\0" not in text),
        "complainants": st.integers(0, 3),
        "loss_cny": st.sampled_from(["0.10", 7]),
    },
)


@settings(max_examples=40, deadline=None)
@given(fields, st.lists(fields, max_size=3))
async def test_facts_of_every_kind_read_back_as_conditions_saw_them(
    first: dict[str, Any], later: list[dict[str, Any]]
) -> None:
    desk = Desk(KINDS)
    await desk.take(event("2026-02-12 10:00", "ticket.opened", category="complaint", **first))
    for number, data in enumerate(later):
        await desk.take(event(f"2026-02-12 1{number + 1}:10", "ticket.updated", **data))
    await desk.until(moment("2026-02-14 10:00"))
    found = desk.explain("s/complaint/T-1")
    grade = found["grade"]
    assert all(worse["condition"]["agrees"] for worse in grade["not_worse"])
    assert grade.get("condition") is None or grade["condition"]["agrees"]
    reasons = [reason for step in found["steps"] for reason in step["not"] if reason["reason"] == "condition"]
    assert all(reason["condition"]["agrees"] for reason in reasons)
