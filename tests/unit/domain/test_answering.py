"""What people answer to a message: taken, the next rung now, more time."""

from __future__ import annotations

from typing import Any

import pytest

from reeve.domain.events import Event
from reeve.domain.recipients import Recipient, roles_above
from tests.support.simulation import SITE_YAML, brief, bundle_of, event, run

POLICY = """
policy: complaint
takes: ticket
grades: [{grade: major, if: loss_cny >= 10000}, {grade: ordinary}]
clocks:
  respond: {start: ticket.opened, stop: ticket.acknowledged, limit: 10m}
  resolve: {start: ticket.opened, stop: ticket.resolved, limit: 2 working days}
steps:
  - {name: tell, on: graded, notify: front_desk}
  - name: unanswered
    on: respond breached
    notify: service_supervisor
    repeat: {every: 5m, times: 3}
    then: {notify: property_manager}
  - {name: yearly, on: resolve breached, notify: service_supervisor, repeat: {every: 1 working day, times: 3}}
close: ticket.closed
"""
RULES = bundle_of(POLICY)

OPENED = event("2026-03-02 09:00", "ticket.opened")


def answer(at: str, verb: str, step: str | None = None, **data: Any) -> Event:
    return event(at, f"ticket.{verb}", **({f"{verb}_step": step} if step else {}), **data)


def told(*events: Event, until: str = "2026-03-02 12:00", people: list[Recipient] | None = None) -> list[str]:
    effects = ("notify", "escalated", "delayed", "undeliverable", "suppressed")
    return brief(run(RULES, list(events), until, people), *effects)


USUAL = [
    "03-02 09:00 notify tell front_desk",
    "03-02 09:10 notify unanswered service_supervisor",
    "03-02 09:15 notify unanswered service_supervisor",
    "03-02 09:20 notify unanswered service_supervisor",
    "03-02 09:25 escalated unanswered",
    "03-02 09:25 notify unanswered property_manager",
]


def test_without_an_answer_the_ladder_goes_its_way() -> None:
    assert told(OPENED) == USUAL


@pytest.mark.parametrize("step", ["unanswered", None, "no step of ours"])
def test_escalate_now_tells_the_next_rung_at_once(step: str | None) -> None:
    assert told(OPENED, answer("2026-03-02 09:12", "escalated", step)) == [
        *USUAL[:2],
        "03-02 09:12 escalated unanswered",
        "03-02 09:12 notify unanswered property_manager",
    ]


def test_between_two_rungs_escalate_now_tells_the_coming_one() -> None:
    assert told(OPENED, answer("2026-03-02 09:22", "escalated", "unanswered")) == [
        *USUAL[:4],
        "03-02 09:22 escalated unanswered",
        "03-02 09:22 notify unanswered property_manager",
    ]


def test_after_somebody_took_it_escalate_now_tells_the_next_rung_once() -> None:
    taken, up = (
        answer("2026-03-02 09:12", "acknowledged", "unanswered"),
        answer("2026-03-02 09:13", "escalated", "unanswered"),
    )
    ladder = [*POLICY.splitlines()]
    at = ladder.index("    then: {notify: property_manager}")
    ladder[at] = (
        "    then: {notify: property_manager, repeat: {every: 5m, times: 3}, then: {notify: general_manager}}"
    )
    lines = brief(run(bundle_of("\n".join(ladder)), [OPENED, taken, up], "2026-03-02 12:00"), "notify", "escalated")
    assert lines[2:] == [
        "03-02 09:13 escalated unanswered",
        "03-02 09:13 notify unanswered property_manager",
    ]


def test_above_the_last_rung_the_sites_ladder_says_who() -> None:
    first, second = (answer(f"2026-03-02 09:0{minute}", "escalated", "tell") for minute in (1, 2))
    assert told(OPENED, first, second)[:5] == [
        "03-02 09:00 notify tell front_desk",
        "03-02 09:01 escalated tell",
        "03-02 09:01 notify tell service_supervisor",
        "03-02 09:02 escalated tell",
        "03-02 09:02 notify tell property_manager",
    ]


def test_at_the_top_it_says_that_there_is_nobody_above() -> None:
    rules = bundle_of(POLICY, site=SITE_YAML.replace("front_desk: service_supervisor, ", ""))
    lines = run(rules, [OPENED, answer("2026-03-02 09:01", "escalated", "tell")], "2026-03-02 09:05")
    assert brief(lines, "undeliverable") == ["03-02 09:01 undeliverable tell"]


def test_the_same_answer_twice_changes_nothing() -> None:
    once = answer("2026-03-02 09:12", "escalated", "unanswered")
    assert told(OPENED, once, once) == told(OPENED, once)


def test_more_time_moves_what_is_to_come_and_no_limit() -> None:
    asked = answer("2026-03-02 09:12", "delayed", "unanswered", minutes=30)
    assert told(OPENED, asked) == [
        *USUAL[:2],
        "03-02 09:12 delayed unanswered",
        "03-02 09:45 notify unanswered service_supervisor",
        "03-02 09:50 notify unanswered service_supervisor",
        "03-02 09:55 escalated unanswered",
        "03-02 09:55 notify unanswered property_manager",
    ]
    dues = brief(run(RULES, [OPENED, asked], "2026-03-05 12:00"), "breached")
    assert dues == brief(run(RULES, [OPENED], "2026-03-05 12:00"), "breached")


def test_more_time_has_an_end() -> None:
    asked = [answer(f"2026-03-02 09:1{minute}", "delayed", "unanswered", minutes=100) for minute in (1, 2, 3)]
    found = told(OPENED, *asked)
    assert [line for line in found if "delayed" in line] == [
        "03-02 09:11 delayed unanswered",
        "03-02 09:12 delayed unanswered",
    ]
    lines = run(RULES, [OPENED, *asked], "2026-03-02 12:00")
    assert [line["minutes"] for line in lines if line["effect"] == "delayed"] == [100, 20]
    assert "03-02 11:15 notify unanswered service_supervisor" in found


def test_days_keep_their_dates() -> None:
    until = "2026-03-10 12:00"
    usual = [line for line in told(OPENED, until=until) if "yearly" in line]
    asked = answer("2026-03-05 01:00", "delayed", "yearly", minutes=30)
    moved = [line for line in told(OPENED, asked, until=until) if "yearly" in line and "delayed" not in line]
    assert len(usual) == len(moved) == 3
    assert (moved[0], moved[2]) == (usual[0], usual[2])
    assert (usual[1][6:11], moved[1][6:11]) == ("00:00", "00:30")


def test_an_answer_to_one_step_leaves_what_others_say() -> None:
    taken = event("2026-03-02 09:12", "ticket.acknowledged", acknowledged_step="unanswered")
    assert told(OPENED, taken) == USUAL[:2]


def test_who_stands_above() -> None:
    ladder = {"a": "b", "b": "c", "x": "c"}
    assert roles_above(["a"], ladder, 1) == ("b",)
    assert roles_above(["a", "x"], ladder, 2) == ("c",)
    assert roles_above(["a"], ladder, 9) == ("c",)
    assert roles_above(["c"], ladder, 1) == ()
