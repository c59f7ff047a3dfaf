"""Which rules an explanation goes by: those that each decision was made by, whatever is active by now."""

from __future__ import annotations

from dataclasses import replace

from reeve.domain.bundle import Bundle
from tests.support.explaining import Desk, step_of, why_not
from tests.support.simulation import bundle_of, event
from tests.unit.domain.test_language_example import COMPLAINT

OPENED = "2026-02-12 10:00"
CASE = "s/complaint/T-1"
LONGER = "\n# a line more\n" + COMPLAINT.replace("loss_cny >= 10000 or", "loss_cny >= 90000 or")


def switched(desk: Desk, rules: str) -> Bundle:
    """Other rules are active; cases that are pinned keep the file they have."""
    before, after = desk.bundle, bundle_of(rules)
    desk.bundle = replace(after, archive={policy.digest: policy for policy in before.policies.values()})
    desk.known[after.version] = desk.bundle
    return after


async def test_a_pinned_case_is_explained_by_its_own_file() -> None:
    desk = Desk(bundle_of(COMPLAINT))
    await desk.take(event(OPENED, "ticket.opened", category="complaint", loss_cny=12000))
    before, after = desk.bundle.version, switched(desk, LONGER).version
    await desk.take(event("2026-02-12 10:10", "ticket.updated", loss_cny=20000))
    found = desk.explain(CASE)
    assert (found["grade"]["rule"], found["grade"]["cause"]["version"]) == ("complaint.yaml:13", before)
    assert found["version"] == after, "of the latest decision: messages and site settings are the current ones"
    assert found["grade"]["condition"]["text"].startswith("loss_cny >= 10000 or")
    assert step_of(found, "report_up")["rule"] == "complaint.yaml:34"


async def test_a_case_that_followed_is_explained_by_each_file_at_its_time() -> None:
    follows = COMPLAINT.replace("on_change: pin", "on_change: adopt")
    desk = Desk(bundle_of(follows))
    await desk.take(event(OPENED, "ticket.opened", category="complaint", loss_cny=12000))
    switched(desk, LONGER.replace("on_change: pin", "on_change: adopt"))
    await desk.follow(CASE, "2026-02-12 10:02")
    await desk.take(event("2026-02-12 10:03", "ticket.updated", loss_cny=20000))
    then, now = desk.explain(CASE, "2026-02-12 10:01"), desk.explain(CASE)
    assert step_of(then, "report_up")["rule"] == "complaint.yaml:34"
    assert step_of(now, "report_up")["rule"] == "complaint.yaml:36"
    assert now["grade"]["rule"] == "complaint.yaml:13", "as it was graded"
    assert now["grade"]["facts_call_for"] == "serious", "by the file it has now"
    assert why_not(now, "report_serious")["reason"] == "grade"


async def test_rules_that_are_not_on_record_leave_what_the_timeline_says() -> None:
    desk = Desk(bundle_of(COMPLAINT))
    await desk.take(event(OPENED, "ticket.opened", id="e1", category="complaint", loss_cny=12000))
    desk.known.clear()
    found = desk.explain(CASE)
    assert (found["readable"], found["steps"]) == (False, [])
    assert (found["grade"]["grade"], found["grade"]["rule"]) == ("major", "complaint.yaml:13")
    assert found["now"][0]["cause"]["event"] == "e1"


async def test_a_duty_is_explained_like_any_case() -> None:
    duties = """
- duty: ledger_check
  every: day at 17:00
  who: service_supervisor
  limit: 1h
  late: {notify: property_manager}
"""
    desk = Desk(bundle_of(COMPLAINT, duties=duties))
    await desk.schedule("s", "ledger_check", OPENED)
    await desk.until("2026-02-12 17:30")
    (duty,) = [str(case.key) for case in desk.record.cases() if case.key.policy == "duty" and not case.scheduled]
    found = desk.explain(duty)
    (told,) = step_of(found, "ledger_check")["told"]
    assert told["to"] == ["service_supervisor"]
    assert told["rule"].startswith("duties.yaml:")
    late = why_not(found, "ledger_check_late")
    assert (late["reason"], late["due"]) == ("clock_running", "2026-02-12T18:00:00+08:00")
