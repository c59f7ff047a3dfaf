"""A duty's message carries the table of its report, made of the cases in the record."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest

from reeve.domain.bundle import Bundle
from reeve.domain.case import Case, CaseKey
from reeve.domain.duties import next_case, occurrences
from reeve.runtime.store.cases import case_document
from services.notify.reports import Reports
from tests.integration.notify.world import SITE, World
from tests.support.simulation import bundle_of

pytestmark = pytest.mark.integration

COMPLAINT = """
takes: ticket
grades: [{grade: major, title: {zh: 重大投诉}, if: loss_cny >= 10000}, {grade: ordinary, title: {zh: 一般投诉}}]
close: ticket.closed
"""
DUTIES = """
- duty: summary
  title: {zh: 投诉月报}
  every: month on 30 at 09:00
  who: front_desk
  report: {cases: complaint, period: month, by: [grade]}
- {duty: meeting, every: day, who: front_desk}
"""
NOVEMBER = datetime(2026, 11, 30, 1, 0, tzinfo=UTC)


def coming(bundle: Bundle, duty: str) -> Case:
    case = next_case(bundle, bundle.duties[duty], SITE, NOVEMBER - timedelta(days=2))
    assert case is not None
    return case


async def test_the_table_is_about_the_period_and_the_site(here: World) -> None:
    bundle = bundle_of(COMPLAINT, duties=DUTIES)
    reports = Reports(here.database)
    (_, before), *_ = islice(
        occurrences(bundle.duties["summary"].schedule, NOVEMBER - timedelta(days=40), bundle.site(SITE)), 1
    )
    opened = [
        (SITE, "T-1", "major", before),
        (SITE, "T-2", "ordinary", NOVEMBER - timedelta(days=3)),
        (SITE, "T-3", "ordinary", NOVEMBER - timedelta(seconds=1)),
        (SITE, "T-4", "major", before - timedelta(seconds=1)),
        (SITE, "T-5", "major", NOVEMBER),
        ("elsewhere", "T-6", "major", NOVEMBER - timedelta(days=3)),
    ]
    for site, subject, grade, at in opened:
        case = Case(CaseKey(site, "complaint", subject), "ticket", "d", at, version=1, grade=grade, root=subject)
        await here.database["cases"].insert_one(case_document(case))
    words = await reports.words(bundle, coming(bundle, "summary"), "zh")
    assert words["duty_title"] == "投诉月报"
    assert words["report"].splitlines() == ["等级 | 件数", "一般投诉 | 2", "重大投诉 | 1", "合计 3 件"]
    assert words["report_to"] == NOVEMBER
    assert words["report_from"] == before


async def test_other_cases_and_duties_without_a_report_have_no_table(here: World) -> None:
    bundle = bundle_of(COMPLAINT, duties=DUTIES)
    reports = Reports(here.database)
    assert await reports.words(bundle, coming(bundle, "meeting"), "zh") == {"duty_title": "meeting"}
    complaint = Case(CaseKey(SITE, "complaint", "T-1"), "ticket", "d", NOVEMBER)
    assert await reports.words(bundle, complaint, "zh") == {}
