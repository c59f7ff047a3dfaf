"""A policy file changes while its cases run: `pin`, `adopt`, `recompute`, and a person's choice."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reeve.domain.advance import apply_event, apply_revision, apply_tick
from reeve.domain.bundle import Bundle
from reeve.domain.errors import PolicyMissing
from reeve.domain.inputs import Revise
from reeve.domain.simulate import Simulation
from reeve.domain.workset import Workset
from tests.support.simulation import bundle_of, event, moment

FILE = """
takes: ticket
if: category == "complaint"
on_change: {on_change}
grades:
  - {{grade: serious, if: loss_cny >= {bound}}}
  - {{grade: ordinary}}
clocks:
  respond: {{start: ticket.opened, stop: ticket.acknowledged, limit: {limit}}}
steps:
  - {{name: nearly, on: respond {share}%, notify: front_desk}}
close: ticket.closed
"""
CASE = "s/complaint/T-1"


def rules(on_change: str, *, bound: int = 2000, limit: str = "10h", share: int = 80) -> Bundle:
    return bundle_of(FILE.format(on_change=on_change, bound=bound, limit=limit, share=share))


def changed(before: Bundle, after: Bundle) -> Bundle:
    return replace(after, archive={policy.digest: policy for policy in before.policies.values()})


def opened(bundle: Bundle) -> Workset:
    workset = Workset(complete=True)
    opening = event("2026-03-02 09:00", "ticket.opened", category="complaint", loss_cny=1500)
    apply_event(workset, opening, bundle, moment("2026-03-02 09:00"))
    workset.forget_saved()
    return workset


def lines(workset: Workset) -> list[tuple[str, str, Any]]:
    keys = ("on_change", "grade", "due", "to", "by")
    return [
        (f"{effect.at.astimezone(moment('2026-03-02').tzinfo):%H:%M}", effect.what,
         next((effect.details[key] for key in keys if key in effect.details), None))
        for decided in workset.decisions for effect in decided.effects
    ]  # fmt: skip


def test_a_pinned_case_does_not_notice() -> None:
    before = rules("pin")
    workset = opened(before)
    apply_revision(workset, CASE, changed(before, rules("pin", bound=1000, limit="5h")), moment("2026-03-02 10:00"))
    assert workset.decisions == []
    case = workset.case(CASE)
    assert case is not None
    assert (case.digest, case.grade) == (before.policies["complaint"].digest, "ordinary")


def test_an_adopting_case_says_so_and_learns_its_next_moment_by_the_new_file() -> None:
    before = rules("adopt")
    workset = opened(before)
    after = changed(before, rules("adopt", bound=1000, share=50))
    apply_revision(workset, CASE, after, moment("2026-03-02 10:00"))
    assert lines(workset) == [("10:00", "adopted", "adopt")]
    case = workset.case(CASE)
    assert case is not None
    assert case.grade == "ordinary", "adopt does not grade anew"
    assert case.next_due == moment("2026-03-02 14:00")
    apply_tick(workset, CASE, after, moment("2026-03-02 14:00"))
    assert lines(workset)[1:] == [("14:00", "notify", ["front_desk"])]


def test_a_recomputed_case_is_graded_and_timed_anew() -> None:
    before = rules("recompute")
    workset = opened(before)
    after = changed(before, rules("recompute", bound=1000, limit="4h"))
    apply_revision(workset, CASE, after, moment("2026-03-02 10:00"))
    assert lines(workset) == [
        ("10:00", "adopted", "recompute"),
        ("10:00", "graded", "serious"),
        ("10:00", "clock_started", moment("2026-03-02 13:00")),
    ]


def test_what_is_past_under_the_new_file_happens_at_the_change() -> None:
    before = rules("recompute")
    workset = opened(before)
    after = changed(before, rules("recompute", limit="30m"))
    apply_revision(workset, CASE, after, moment("2026-03-02 10:00"))
    assert ("10:00", "breached", moment("2026-03-02 09:30")) in lines(workset)


def test_a_second_look_changes_nothing() -> None:
    before = rules("recompute")
    workset = opened(before)
    after = changed(before, rules("recompute", limit="4h"))
    apply_revision(workset, CASE, after, moment("2026-03-02 10:00"))
    workset.forget_saved()
    apply_revision(workset, CASE, after, moment("2026-03-02 10:05"))
    assert workset.decisions == []


def test_a_person_puts_a_pinned_case_on_another_file_and_it_stays_there() -> None:
    before = rules("pin")
    workset = opened(before)
    after = changed(before, rules("pin", limit="4h"))
    to = after.policies["complaint"].digest
    at = moment("2026-03-02 10:00")
    apply_revision(workset, CASE, after, at, Revise(at, to=to, by="u-7", recompute=True))
    assert [line[1:] for line in lines(workset)] == [
        ("adopted", "person"),
        ("clock_started", moment("2026-03-02 13:00")),
    ]
    assert workset.decisions[0].effects[0].details["by"] == "u-7"
    apply_tick(workset, CASE, after, moment("2026-03-02 13:00"))
    case = workset.case(CASE)
    assert case is not None
    assert case.digest == to


def test_an_older_file_that_a_person_chose_survives_adopt() -> None:
    before = rules("adopt")
    workset = opened(before)
    after = changed(before, rules("adopt", share=50))
    at = moment("2026-03-02 10:00")
    apply_revision(workset, CASE, after, at)
    older = before.policies["complaint"].digest
    apply_revision(workset, CASE, after, at, Revise(at, to=older, by="u-7"))
    apply_event(workset, event("2026-03-02 10:05", "ticket.updated", title="x"), after, moment("2026-03-02 10:05"))
    case = workset.case(CASE)
    assert case is not None
    assert (case.digest, case.kept) == (older, True)
    current = after.policies["complaint"].digest
    apply_revision(workset, CASE, after, moment("2026-03-02 10:10"), Revise(at, to=current))
    case = workset.case(CASE)
    assert case is not None
    assert (case.digest, case.kept) == (current, False)


def test_a_file_that_nobody_has_is_refused() -> None:
    before = rules("pin")
    at = moment("2026-03-02 10:00")
    with pytest.raises(PolicyMissing):
        apply_revision(opened(before), CASE, before, at, Revise(at, to="0" * 16))


def test_a_simulation_switches_rules_at_a_moment() -> None:
    before = rules("adopt", share=80)
    simulation = Simulation(before)
    opening = event("2026-03-02 09:00", "ticket.opened", category="complaint", loss_cny=1500)
    told = [effect.what for effect in simulation.feed(opening)]
    assert told[0] == "opened"
    after = list(simulation.switch(rules("adopt", share=90), moment("2026-03-02 17:30")))
    assert [(effect.what, effect.details.get("to")) for effect in after] == [
        ("notify", ["front_desk"]),
        ("adopted", None),
    ]
    rest = [(effect.what, effect.at) for effect in simulation.finish()]
    assert rest == [("breached", moment("2026-03-02 19:00"))]


def test_a_simulation_goes_on_from_loaded_cases() -> None:
    before = rules("pin")
    case = opened(before).case(CASE)
    assert case is not None
    simulation = Simulation(before)
    simulation.load([case])
    stopped = list(simulation.feed(event("2026-03-02 09:05", "ticket.acknowledged")))
    assert [(effect.what, effect.details.get("met")) for effect in stopped][-1] == ("clock_stopped", True)
