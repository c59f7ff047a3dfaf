"""Why there is a case, and why there is none: which policies looked at an event, and what they saw."""

from __future__ import annotations

from typing import Any

from reeve.cli.cases.explain_page import Page
from reeve.domain.events import Event
from reeve.runtime.explaining.conditions import everything
from reeve.runtime.explaining.events import explain_event
from tests.support.explaining import Desk
from tests.support.simulation import bundle_of, event

LEAK = """
policy: leak
takes: ticket
if: category == "complaint" and (loss_cny >= 100 or times >= 2)
counts: {times: {of: ticket.opened, same: room, within: 7d}}
clocks: {resolve: {start: ticket.opened, stop: ticket.resolved, limit: 1h}}
close: ticket.closed
"""
REPAIR = """
policy: repair
takes: ticket
if: category == "repair"
clocks: {resolve: {start: ticket.opened, stop: ticket.resolved, limit: 1h}}
close: ticket.closed
"""
RULES = bundle_of({"leak": LEAK, "repair": REPAIR})


def about(desk: Desk, one: Event, **stored: Any) -> dict[str, Any]:
    taken = [
        (case_id, decision)
        for case_id in {str(case.key) for case in desk.record.cases()}
        for decision in desk.decisions(case_id)
        if decision.event_key == one.key
    ]
    return explain_event(one, {"applied_at": one.at, **stored}, desk.without_case(one), taken, everything)


async def test_no_policy_takes_it_and_each_says_why_with_the_facts_as_posted() -> None:
    desk = Desk(RULES)
    one = event("2026-02-12 10:00", "ticket.opened", category="complaint", loss_cny=99, room="r1")
    await desk.take(one)
    found = about(desk, one)
    assert (found["state"], found["cases"]) == ("waits", [])
    leak, repair = found["untaken"]["refused_by"]
    assert (leak["policy"], leak["condition"]["rule"]) == ("leak", "leak.yaml:4")
    assert [(part["text"], part["facts"]) for part in leak["condition"]["parts"]] == [
        ("loss_cny >= 100", {"loss_cny": "99"}),
        ("times >= 2", {"times": 1}),
    ]
    assert repair["condition"]["parts"][0]["facts"] == {"category": "complaint"}
    assert found["untaken"]["version"] == RULES.version


async def test_one_decision_record_for_an_event_without_a_case_under_its_own_key() -> None:
    desk = Desk(RULES)
    one = event("2026-02-12 10:00", "ticket.updated", "T-9", title="x")
    await desk.take(one)
    row = desk.record.decisions[f"-#{one.key}"]
    assert (row.case, row.event, row.messages, row.requested) == ("s/-/T-9", one.id, (), ())
    found = about(desk, one)
    assert found["state"] == "waits"
    assert (found["untaken"]["opens"], found["untaken"]["refused_by"]) == (False, [])


async def test_an_event_that_waited_is_taken_when_its_case_opens_and_both_are_told() -> None:
    desk = Desk(RULES)
    early = event("2026-02-12 10:00", "ticket.updated", title="x")
    await desk.take(early, event("2026-02-12 10:01", "ticket.opened", category="repair"))
    found = about(desk, early)
    assert found["state"] == "taken"
    assert [each["case"] for each in found["cases"]] == ["s/repair/T-1"]
    assert found["untaken"]["event"] == early.id
    (waited,) = desk.explain("s/repair/T-1")["waited"]
    assert (waited["event"], waited["taken_since"]) == (early.id, True)


async def test_a_case_says_which_if_opened_it_and_which_policies_did_not_take_it() -> None:
    desk = Desk(RULES)
    await desk.take(event("2026-02-12 10:00", "ticket.opened", category="repair"))
    opening = desk.explain("s/repair/T-1")["opening"]
    assert opening["condition"]["parts"][0]["facts"] == {"category": "repair"}
    assert opening["refused_by"] == ["leak"]


async def test_accepted_and_not_decided_yet_or_never_to_be() -> None:
    desk = Desk(RULES)
    one = event("2026-02-12 10:00", "ticket.opened", category="repair")
    assert about(desk, one, applied_at=None)["state"] == "undecided"
    refused = about(desk, one, refused="it breaks a rule")
    assert (refused["state"], refused["why"]) == ("refused", "it breaks a rule")


async def test_before_it_was_opened_there_is_nothing_yet() -> None:
    desk = Desk(RULES)
    await desk.take(event("2026-02-12 10:00", "ticket.opened", category="repair"))
    found = desk.explain("s/repair/T-1", "2026-02-12 09:59")
    assert (found["state"], found["opening"], found["now"]) == ("not opened yet", None, [])
    assert found["grade"]["reason"] == "no_grades"
    Page("en").case(found)
