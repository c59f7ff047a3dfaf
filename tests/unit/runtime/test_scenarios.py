"""`rules test` passes what holds, and shows what does not beside what happened instead."""

from __future__ import annotations

import pytest

from reeve.rulelang.load import load_bundle
from reeve.runtime.run_scenarios import Outcome, run_scenarios
from tests.support.simulation import CALENDAR_YAML, SITE_YAML

POLICY = """
policy: complaint
takes: ticket
if: category == "complaint"
grades:
  - {grade: major, if: loss_cny >= 10000}
  - {grade: ordinary}
clocks:
  respond: {start: ticket.opened, stop: ticket.acknowledged, limit: {major: 5m, ordinary: 10m}}
steps:
  - {name: late, on: respond breached, notify: [front_desk, service_supervisor], message: late}
close: ticket.closed
"""
MESSAGES = 'late: {en: {email: {subject: "late", body: "{{ case }} is late"}}}\n'


def outcome(body: str) -> Outcome:
    test = f"- test: t\n  site: s\n{body}"
    files = {
        "site.yaml": SITE_YAML,
        "calendars/cn.yaml": CALENDAR_YAML,
        "messages.yaml": MESSAGES,
        "complaint.yaml": POLICY,
        "tests/a.test.yaml": test,
    }
    result = load_bundle({path: text.encode() for path, text in files.items()})
    assert result.bundle is not None, [problem.render() for problem in result.problems]
    (only,) = run_scenarios(result.bundle, result.scenarios)
    return only


OPENED = (
    "  events:\n"
    "    - {at: 2026-02-13 17:50, type: ticket.opened, subject: T-1, data: {category: complaint, loss_cny: LOSS}}\n"
)


@pytest.mark.parametrize(
    "body",
    [
        "  expect: [{at: 2026-02-13 17:55, effect: breached, clock: respond, due: 2026-02-13 17:55}]\n",
        "  expect: [{effect: notify, to: [front_desk, service_supervisor], message: late}]\n  until: 2026-02-14\n",
        "  expect: [{at: 2026-02-13T09:50:00Z, effect: graded, grade: major, was: null}]\n",
        "  expect: [{effect: clock_started, run: 1, because: {event: e1}}]\n",
        # The first could take either line; the second only one: both must find a line of their own.
        "  expect: [{case: T-1}, {effect: opened}, {effect: graded}]\n",
        "  never: [{effect: closed}, {effect: breached}]\n  until: 2026-02-13 17:54\n",
        "  expect: [{effect: graded, late: false}]\n  policy: complaint\n",
    ],
)
def test_what_holds_passes(body: str) -> None:
    assert outcome(OPENED.replace("LOSS", '"12000.50"') + body).failures == ()
    assert outcome(OPENED.replace("LOSS", "12000") + body).passed


def test_what_did_not_happen_is_shown_beside_what_did() -> None:
    found = outcome(
        OPENED.replace("LOSS", "500") + "  expect:\n    - {at: 2026-02-13 17:50, effect: graded, grade: major}\n"
    )
    (failure,) = found.failures
    said = failure.render()
    assert said.startswith("tests/a.test.yaml:6:")
    assert "expected, but did not happen: 2026-02-13 17:50 graded grade: major" in said
    assert "nearest: 2026-02-13 17:50 graded T-1 policy: complaint grade: ordinary was: null" in said
    assert failure.as_json()["what"] == "missing"


def test_what_must_never_happen_and_did_is_shown() -> None:
    found = outcome(OPENED.replace("LOSS", "500") + "  never: [{effect: breached}]\n  until: 2026-02-14\n")
    (failure,) = found.failures
    assert "must never happen, but did: breached" in failure.render()
    assert "happened: 2026-02-13 18:00 breached T-1" in failure.render()
    assert "不应发生却发生了: breached" in failure.render("zh")
    assert "实际发生: 2026-02-13 18:00 breached T-1" in failure.render("zh")


def test_two_expectations_need_two_lines() -> None:
    twice = "{effect: graded, grade: major}"
    found = outcome(OPENED.replace("LOSS", "20000") + f"  expect: [{twice}, {twice}]\n")
    assert len(found.failures) == 1


def test_lists_match_as_lists() -> None:
    found = outcome(
        OPENED.replace("LOSS", "500") + "  expect: [{effect: notify, to: [front_desk]}]\n  until: 2026-02-14\n"
    )
    assert not found.passed


def test_nothing_like_it_is_said() -> None:
    found = outcome("  events: []\n  expect: [{effect: closed}]\n")
    assert "nothing like it happened" in found.failures[0].render()
    assert "没有发生类似的事" in found.failures[0].render("zh")


def test_an_event_that_intake_would_refuse_fails_the_test() -> None:
    found = outcome(
        "  events: [{at: 2026-02-13 17:50, type: ticket.opened, subject: T-1, data: {category: nonsense}}]\n"
    )
    assert [failure.what for failure in found.failures] == ["event"]
    assert "$.data.category" in found.failures[0].expected


DUTIES = "- {duty: ledger_check, every: day at 17:00, who: front_desk, limit: same day, late: {notify: guard}}\n"


def _duty_outcomes(scenario: str) -> list[bool]:
    texts = {"site.yaml": SITE_YAML, "calendars/cn.yaml": CALENDAR_YAML, "complaint.yaml": POLICY}
    texts |= {"messages.yaml": MESSAGES, "duties.yaml": DUTIES, "tests/duties.test.yaml": scenario}
    result = load_bundle({path: text.encode() for path, text in texts.items()})
    assert not result.errors, [str(each) for each in result.errors]
    return [outcome.passed for outcome in run_scenarios(result.require(), result.scenarios)]


def test_a_scenario_without_events_runs_the_duties_of_its_day() -> None:
    assert _duty_outcomes("""
- test: nobody checked the ledger
  site: s
  expect:
    - {at: 2026-03-02 17:00, effect: opened, policy: duty, case: ledger_check/2026-03-02}
    - {at: 2026-03-02 17:00, effect: notify, to: [front_desk], message: ledger_check}
    - {at: 2026-03-03 00:00, effect: breached, clock: ledger_check, case: ledger_check/2026-03-02}
  never: [{effect: closed}]
  until: 2026-03-03 00:00
""") == [True]


def test_duties_come_only_in_scenarios_that_mention_one() -> None:
    assert _duty_outcomes("""
- test: only the ticket
  site: s
  events: [{at: 2026-03-02 09:00, type: ticket.updated, subject: T-1}]
  never: [{policy: nothing, effect: opened}, {effect: opened}]
  until: 2026-03-04
- test: evidence
  site: s
  from: 2026-03-02 12:00
  events: [{at: 2026-03-02 17:30, type: ticket.resolved, subject: ledger_check/2026-03-02}]
  expect: [{at: 2026-03-02 17:30, effect: closed, outcome: resolved}]
  until: 2026-03-02 18:00
""") == [True, True]
