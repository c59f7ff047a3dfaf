"""Reports: cases of a period counted by what they have in common."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from reeve.domain.case import Account, Case, CaseKey, ClockState
from reeve.domain.reports import Table, tabulate
from reeve.domain.schedules import Report
from reeve.rulelang.closures import Closures
from reeve.rulelang.parse import parse_condition
from reeve.runtime.report_text import report_text
from tests.support.simulation import bundle_of, moment

COMPLAINT = """
takes: ticket
grades:
  - {grade: major, title: {en: Major complaint, zh: 重大投诉}, if: loss_cny >= 10000}
  - {grade: ordinary}
close: ticket.closed
"""
SITE = "language: 1\nzone: Asia/Shanghai\nlocale: zh\nvocabulary: {部门: department}\n"


def case(number: int, grade: str | None = "ordinary", *, breached: tuple[str, ...] = (), **facts: Any) -> Case:
    at = moment("2026-03-02 09:00")
    clocks = {
        name: ClockState(1, breached_at=at if name in breached else None) for name in ("resolve", "follow_up")
    }
    key = CaseKey("s", "complaint", f"T-{number}")
    return Case(key, "ticket", "d", at, grade=grade, facts=facts, clocks=clocks)


def table(cases: list[Case], by: tuple[str, ...] = (), **keys: Any) -> Table:
    conditions: dict[str, Any] = {
        name: parse_condition(keys.pop(name)) for name in ("when", "having") if name in keys
    }
    return tabulate(Report(("complaint",), "month", by, **conditions, **keys), cases, Closures())


def test_rows_by_grade_and_department_the_most_cases_first() -> None:
    cases = [case(1, department="finance"), case(2, "major"), case(3, department="finance")]
    assert table(cases, ("grade", "department")) == Table(
        ("grade", "department", "count"), (("ordinary", "finance", 2), ("major", None, 1)), 3
    )


def test_without_by_there_is_one_row_and_without_cases_none() -> None:
    assert table([case(1), case(2)]).rows == ((2,),)
    assert table([]).rows == ()


def test_if_chooses_cases_and_having_chooses_rows() -> None:
    cases = [
        case(n, incident="I-1" if n < 3 else "I-2", breached=("follow_up",) if n != 1 else ()) for n in range(4)
    ]
    assert table(cases, ("incident",), having="count >= 2").rows == (("I-1", 3),)
    found = table(cases, ("incident",), when='breached contains "follow_up"')
    assert (found.rows, found.cases) == ((("I-1", 2), ("I-2", 1)), 3)
    assert table(cases, ("incident",), having='count >= 1 and incident == "I-2"').rows == (("I-2", 1),)


def test_a_field_may_hold_anything_json_can() -> None:
    cases = [case(1, place={"b": 1, "a": 2}), case(2, place={"a": 2, "b": 1}), case(3, place=[{"a": 1}]), case(4)]
    assert table(cases, ("place",)).rows == (('{"a": 2, "b": 1}', 2), (None, 1), ("{'a': 1}", 1))


def test_money_is_added_up_exactly() -> None:
    bills = [case(1, None, item="water"), case(2, None, item="water"), case(3, None, item="heat")]
    for bill, amount in zip(bills, ("0.10", "0.20", "7"), strict=True):
        bill.account = Account(Decimal(amount))
    assert table(bills, ("item",), sum=("owed_cny",)).rows == (
        ("water", 2, Decimal("0.30")),
        ("heat", 1, Decimal(7)),
    )


def test_a_sample_is_the_same_cases_every_time() -> None:
    cases = [case(n) for n in range(500)]
    sampled = table(cases, ("case",), sample=Decimal("0.2"))
    assert 60 < sampled.cases < 140
    assert sampled == table(list(reversed(cases)), ("case",), sample=Decimal("0.2"))


def test_the_text_speaks_the_readers_language() -> None:
    bundle = bundle_of(COMPLAINT, site=SITE)
    report = Report(("complaint",), "month", ("grade", "department"))
    found = tabulate(report, [case(1, "major", department="finance"), case(2)], Closures())
    text = report_text(found, report, bundle, bundle.site("s"), ("zh", "en"))
    assert text.splitlines() == ["等级 | 部门 | 件数", "重大投诉 | 财务部 | 1", "ordinary | - | 1", "合计 2 件"]
    assert "Major complaint | finance" in report_text(found, report, bundle, bundle.site("s"), ("en",))
    empty = tabulate(report, [], Closures())
    assert report_text(empty, report, bundle, bundle.site("s"), ("zh",)) == "本期没有。"
