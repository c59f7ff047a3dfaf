"""Why this grade: the condition that held, the parts of those that did not, and what else can set a grade."""

from __future__ import annotations

import pytest

from tests.support.explaining import Desk
from tests.support.simulation import bundle_of, event
from tests.unit.domain.test_language_example import COMPLAINT

RULES = bundle_of(COMPLAINT)
OPENED = "2026-02-12 10:00"


@pytest.fixture
def desk() -> Desk:
    return Desk(RULES)


async def test_the_condition_that_held_is_named_with_its_part_its_facts_and_its_line(desk: Desk) -> None:
    await desk.take(event(OPENED, "ticket.opened", id="e1", category="complaint", loss_cny=12000, injury="minor"))
    grade = desk.explain("s/complaint/T-1")["grade"]
    assert (grade["reason"], grade["grade"], grade["was"]) == ("condition", "major", None)
    assert grade["rule"] == "complaint.yaml:13"
    assert (grade["cause"]["event"], grade["cause"]["type"]) == ("e1", "ticket.opened")
    assert grade["cause"]["version"] == RULES.version
    assert grade["condition"]["agrees"]
    assert grade["condition"]["parts"] == [
        {"text": "loss_cny >= 10000", "held": True, "facts": {"loss_cny": "12000"}, "words": {}}
    ]


async def test_each_worse_grade_says_which_parts_failed_and_what_they_saw(desk: Desk) -> None:
    await desk.take(event(OPENED, "ticket.opened", category="complaint", loss_cny="2000.50", incident="I-1"))
    grade = desk.explain("s/complaint/T-1")["grade"]
    assert [worse["grade"] for worse in grade["not_worse"]] == ["extraordinary", "major"]
    first = {part["text"]: part["facts"] for part in grade["not_worse"][0]["condition"]["parts"]}
    assert first["loss_cny >= 100000"] == {"loss_cny": "2000.50"}
    assert first["people_on_incident >= 10"] == {"people_on_incident": 0}
    assert first["deaths >= 1"] == {"deaths": None}
    promise = grade["not_worse"][1]["condition"]["parts"][-2:]
    assert [part["text"] for part in promise] == ["broken_promise", "times_raised >= 10"]


async def test_a_part_that_held_is_not_blamed_for_an_and_that_failed(desk: Desk) -> None:
    await desk.take(event(OPENED, "ticket.opened", category="complaint", broken_promise=True, times_raised=9))
    (_, major, _) = desk.explain("s/complaint/T-1")["grade"]["not_worse"]
    texts = [part["text"] for part in major["condition"]["parts"]]
    assert "times_raised >= 10" in texts
    assert "broken_promise" not in texts


async def test_the_facts_are_those_of_then_and_not_of_now(desk: Desk) -> None:
    await desk.take(
        event(OPENED, "ticket.opened", category="complaint", loss_cny=100),
        event("2026-02-12 10:05", "ticket.updated", loss_cny=50000),
    )
    then = desk.explain("s/complaint/T-1", "2026-02-12 10:04")["grade"]
    now = desk.explain("s/complaint/T-1")["grade"]
    assert (then["grade"], now["grade"]) == ("ordinary", "major")
    seen = [worse["condition"]["parts"][0]["facts"] for worse in then["not_worse"]]
    assert seen == [{"loss_cny": "100"}] * 3


async def test_a_person_set_it(desk: Desk) -> None:
    await desk.take(
        event(OPENED, "ticket.opened", category="complaint", loss_cny=12000),
        event("2026-02-12 10:01", "ticket.regraded", id="r1", grade="ordinary", by="u-1", reason="not so bad"),
    )
    grade = desk.explain("s/complaint/T-1")["grade"]
    assert (grade["reason"], grade["grade"], grade["was"]) == ("person", "ordinary", "major")
    assert grade["cause"]["event"] == "r1"


async def test_a_step_made_it_worse(desk: Desk) -> None:
    await desk.take(event(OPENED, "ticket.opened", category="complaint", loss_cny=2000))
    await desk.until("2026-02-14 10:01")
    grade = desk.explain("s/complaint/T-1")["grade"]
    assert (grade["reason"], grade["step"], grade["grade"]) == ("step", "late", "major")
    assert grade["cause"]["clock"] == "resolve"
    assert [worse["grade"] for worse in grade["not_worse"]] == ["extraordinary"]


async def test_a_reopening_made_it_worse(desk: Desk) -> None:
    await desk.take(
        event(OPENED, "ticket.opened", category="complaint"),
        event("2026-02-12 11:00", "ticket.closed"),
        event("2026-02-12 12:00", "ticket.reopened"),
    )
    grade = desk.explain("s/complaint/T-1")["grade"]
    assert (grade["reason"], grade["grade"]) == ("reopened", "serious")


async def test_the_fact_that_is_the_grade_is_named() -> None:
    desk = Desk(
        bundle_of("""
policy: complaint
takes: ticket
grades: from repair_class
clocks: {resolve: {start: ticket.opened, stop: ticket.resolved, limit: {emergency: 1h, major: 2h, ordinary: 3h}}}
close: ticket.closed
""")
    )
    await desk.take(event(OPENED, "ticket.opened", category="repair", repair_class="major"))
    grade = desk.explain("s/complaint/T-1")["grade"]
    assert (grade["reason"], grade["fact"], grade["value"]) == ("fact", "repair_class", "major")


async def test_facts_that_call_for_a_milder_grade_by_now_are_told(desk: Desk) -> None:
    await desk.take(
        event(OPENED, "ticket.opened", category="complaint", loss_cny=12000),
        event("2026-02-12 10:05", "ticket.updated", loss_cny=2000),
    )
    grade = desk.explain("s/complaint/T-1")["grade"]
    assert (grade["grade"], grade["facts_call_for"]) == ("major", "serious")


async def test_what_may_be_personal_is_hidden_unless_asked_for() -> None:
    from reeve.contracts.personal import may_show

    rules = COMPLAINT.replace("loss_cny >= 2000 or", 'loss_cny >= 2000 or room == "7-2-1401" or')
    desk = Desk(bundle_of(rules))
    await desk.take(event(OPENED, "ticket.opened", category="complaint", room="7-2-1401"))
    (shown,) = desk.explain("s/complaint/T-1", shows=may_show)["grade"]["condition"]["parts"]
    (asked,) = desk.explain("s/complaint/T-1")["grade"]["condition"]["parts"]
    assert shown["facts"] == {"room": "(hidden)"}
    assert asked["facts"] == {"room": "7-2-1401"}


async def test_facts_go_by_the_sites_words_where_it_has_some() -> None:
    site = "language: 1\nzone: Asia/Shanghai\nlocale: zh\ncalendar: cn\nvocabulary: {损失: loss_cny}\n"
    desk = Desk(bundle_of(COMPLAINT, site=site + "channels: {default: [email]}\n"))
    await desk.take(event(OPENED, "ticket.opened", category="complaint", loss_cny=12000))
    from reeve.runtime.explaining.conditions import everything
    from reeve.runtime.explaining.explanation import explain_case

    found = explain_case(desk.story("s/complaint/T-1"), None, everything, in_words=True)
    (part,) = found["grade"]["condition"]["parts"]
    assert (part["text"], part["words"]) == ("损失 >= 10000", {"loss_cny": "损失"})


async def test_decisions_from_before_explanations_were_kept_still_read(desk: Desk) -> None:
    await desk.take(event(OPENED, "ticket.opened", id="e1", category="complaint", loss_cny=12000))
    desk.forget_what_was_looked_at()
    found = desk.explain("s/complaint/T-1")
    assert (found["kept"], found["grade"]["reason"], found["grade"]["grade"]) == (False, "not_kept", "major")
    assert (found["grade"]["rule"], found["grade"]["cause"]["event"]) == ("complaint.yaml:13", "e1")
