"""The tables of the shipped duties, over a month of tickets: who is in which, and who is not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from reeve.contracts.events import parse_event
from reeve.domain.bundle import Bundle
from reeve.domain.case import Case, CaseKey
from reeve.domain.duties import period_start
from reeve.domain.reports import Table, tabulate
from reeve.domain.simulate import Simulation
from reeve.domain.workset import Workset
from reeve.rulelang.load import load_bundle, read_folder
from reeve.rulelang.titles import languages_for
from reeve.runtime.report_text import report_text
from tests.support.simulation import moment

RULES = Path(__file__).parents[3] / "rules"
SITE = "sunshine-garden"

Ticket = tuple[str, str, str, dict[str, Any]]


def repair(item: str) -> dict[str, Any]:
    return {"category": "repair", "repair_class": "ordinary", "item": item}


def answer(satisfaction: str) -> dict[str, Any]:
    return {"category": "survey", "item": "mail", "satisfaction": satisfaction}


MONTH: list[Ticket] = [
    ("2026-03-02 09:00", "ticket.opened", "C-1", {"category": "complaint", "loss_cny": 20000, "incident": "I-1",
                                                  "department": "engineering_supervisor"}),
    ("2026-03-03 09:00", "ticket.opened", "C-2", {"category": "complaint", "incident": "I-1",
                                                  "department": "engineering_supervisor"}),
    ("2026-03-03 09:30", "ticket.opened", "C-3", {"category": "complaint", "incident": "I-2"}),
    ("2026-03-03 10:00", "ticket.resolved", "C-2", {}),
    ("2026-03-03 10:00", "ticket.opened", "R-1", repair("lift")),
    ("2026-03-03 11:00", "ticket.resolved", "R-1", {}),
    ("2026-03-04 10:00", "ticket.followed_up", "R-1", {"satisfaction": "satisfied"}),
    ("2026-03-05 10:00", "ticket.opened", "R-2", repair("lift")),
    ("2026-03-09 10:00", "ticket.opened", "R-3", repair("lift")),
    ("2026-03-09 10:00", "ticket.opened", "R-4", repair("door")),
    ("2026-03-10 10:00", "ticket.opened", "S-1", answer("satisfied")),
    ("2026-03-10 10:00", "ticket.opened", "S-2", answer("satisfied")),
    ("2026-03-10 10:00", "ticket.opened", "S-3", answer("dissatisfied")),
    ("2026-03-10 10:00", "ticket.opened", "S-4", {"category": "survey"}),
    ("2026-03-11 10:00", "payment.billed", "B-1", {"item": "fee", "amount_cny": "100.50", "due_on": "2026-03-20"}),
    ("2026-03-11 10:00", "payment.billed", "B-2", {"item": "fee", "amount_cny": 200, "due_on": "2026-03-20"}),
    ("2026-03-12 10:00", "payment.paid", "B-2", {"paid_cny": 200}),
]  # fmt: skip
KEYS = ("complaint/C-1", "complaint/C-2", "complaint/C-3", "repair/R-1", "repair/R-2", "repair/R-3", "repair/R-4",
        "follow_up/R-1~follow_up", "survey/S-1", "survey/S-2", "survey/S-3", "survey/S-4", "arrears/B-1",
        "arrears/B-2")  # fmt: skip


@cache
def bundle() -> Bundle:
    return load_bundle(read_folder(RULES)).require()


@cache
def cases_until(until: str) -> tuple[Case, ...]:
    simulation = Simulation(bundle(), duties=False)
    for number, (at, type_, subject, data) in enumerate(MONTH):
        body: dict[str, Any] = {
            "specversion": "1.0",
            "id": f"e{number}",
            "source": "/test",
            "type": type_,
            "site": SITE,
        }
        body |= {"subject": subject, "time": moment(at).isoformat(), "data": data}
        list(simulation.feed(parse_event(json.dumps(body).encode())))
    list(simulation.finish(moment(until)))
    return tuple(_found(simulation._workset))


def _found(workset: Workset) -> Iterator[Case]:
    for key in KEYS:
        policy, subject = key.split("/")
        case = workset.case(str(CaseKey(SITE, policy, subject)))
        assert case is not None, key
        yield case


def table(duty: str, at: str) -> Table:
    """What the duty's message would show at that moment."""
    rule = bundle().duties[duty]
    assert rule.report is not None
    begins = period_start(rule, moment(at), bundle().site(SITE))
    counted = [
        case
        for case in cases_until(at)
        if case.key.policy in rule.report.cases and begins <= case.opened_at < moment(at)
    ]
    return tabulate(rule.report, counted, bundle().matcher)


def test_complaints_of_the_month_by_grade_and_department() -> None:  # COMPLAINT-14
    rows = table("complaint_summary", "2026-03-30 09:00").rows
    assert ("ordinary", "engineering_supervisor", 1) in rows
    assert sum(row[-1] for row in rows) == 3
    assert table("complaint_summary", "2026-04-30 09:00").rows == ()


def test_only_follow_ups_that_failed() -> None:  # FOLLOWUP-11
    assert table("failed_follow_ups", "2026-03-31 09:00").rows == (("complaint", "C-2", 1),)


def test_matters_raised_twice_and_things_repaired_three_times() -> None:  # FOLLOWUP-11
    assert table("raised_again", "2026-03-31 09:00").rows == (("I-1", 2),)
    assert table("repaired_again", "2026-03-31 09:00").rows == (("lift", 3),)


def test_answers_of_the_half_year_by_aspect() -> None:  # SURVEY-02
    assert table("survey_figures", "2026-07-01 09:00").rows == (
        ("mail", "satisfied", 2),
        ("mail", "dissatisfied", 1),
    )


def test_what_is_owed_and_what_came_in() -> None:  # FEE-09, FEE-14
    [row] = table("collection_check", "2026-03-27 09:00").rows
    assert [str(value) for value in row] == ["fee", "pay", "1", "100.50"]
    rows = {tuple(str(value) for value in row) for row in table("collection_report", "2026-04-01 09:00").rows}
    assert rows == {("fee", "open", "1", "100.50", "100.50"), ("fee", "closed", "1", "200", "0")}


@pytest.mark.parametrize(
    ("at", "cases"),
    [
        ("2026-03-03 08:30", ["C-1"]),  # Tuesday: Monday's
        ("2026-03-04 08:30", ["C-2", "C-3"]),
        ("2026-03-05 08:30", []),
    ],
)
def test_yesterdays_complaints_are_on_the_directors_desk(at: str, cases: list[str]) -> None:  # DUTY-03
    assert sorted(row[0] for row in table("read_complaints", at).rows) == cases


def test_on_the_first_day_after_days_off_there_is_all_since_the_last_working_day() -> None:  # DUTY-03
    duty, site = bundle().duties["read_complaints"], bundle().site(SITE)
    monday = period_start(duty, moment("2026-03-09 08:30"), site)
    assert monday == moment("2026-03-06 08:30")
    after_spring_festival = period_start(duty, moment("2026-02-24 08:30"), site)
    assert after_spring_festival == moment("2026-02-14 08:30")  # a worked Saturday


def test_a_table_reads_in_the_readers_language() -> None:
    rule, site = bundle().duties["complaint_summary"].report, bundle().site(SITE)
    assert rule is not None
    found = table("complaint_summary", "2026-03-30 09:00")
    chinese = report_text(found, rule, bundle(), site, languages_for("zh", site))
    assert chinese.splitlines()[-1] == "合计 3 件"
    assert "工程主管" in chinese
    assert "3 cases" in report_text(found, rule, bundle(), site, languages_for("en", site))


def test_a_chinese_table_has_no_english_in_it() -> None:
    site, latin = bundle().site(SITE), set("abcdefghijklmnopqrstuvwxyz")
    for duty, at in (
        ("collection_report", "2026-04-01 09:00"),
        ("month_figures", "2026-04-01 09:00"),
        ("repair_targets", "2026-04-01 09:00"),
        ("follow_up_table", "2026-04-01 09:00"),
        ("failed_follow_ups", "2026-03-31 09:00"),
    ):
        rule = bundle().duties[duty].report
        assert rule is not None
        text = report_text(table(duty, at), rule, bundle(), site, languages_for("zh", site))
        head, *rows = text.splitlines()
        assert rows, duty
        assert not latin & set(head), text
        assert not latin & set(text.replace("fee", "").replace("lift", "").replace("door", "")), text


def test_nothing_in_a_table_is_personal() -> None:
    shown = {name for duty in bundle().duties.values() if duty.report for name in duty.report.by}
    assert not shown & {"customer", "room", "title", "description", "assignee"}  # PRIVACY-01
