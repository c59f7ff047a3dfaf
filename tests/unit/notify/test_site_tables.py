"""The tables of a site: what is open, mail still here, duties not entered; in the reader's language."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from reeve.domain.bundle import Bundle
from reeve.domain.case import Case, CaseKey, ClockState, Due
from reeve.rulelang.fact_titles import COLUMN_TITLES, VALUE_TITLES
from reeve.rulelang.load import load_bundle, read_folder
from reeve.rulelang.message_context import OF_SITES, TABLES
from reeve.runtime.site_tables import MOST_ROWS, duties_text, mail_text, open_cases_text
from services.notify.site_state import words_named

AT = datetime(2026, 11, 20, 16, 30, tzinfo=UTC)
SITE = "sunshine-garden"


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    loaded = load_bundle(read_folder(Path(__file__).parents[3] / "rules"))
    assert loaded.bundle is not None
    return loaded.bundle


def case(policy: str, subject: str, grade: str | None = None, **facts: object) -> Case:
    family = "mail" if policy in ("letter", "parcel") else "ticket"
    return Case(CaseKey(SITE, policy, subject), family, "", AT, grade=grade, facts=facts)


def test_open_cases_say_grade_number_matter_and_the_next_limit(bundle: Bundle) -> None:
    one = case("complaint", "T-1", "major", title="ceiling\nleak")
    one.clocks = {
        "respond": ClockState(1, "running", due=Due(AT + timedelta(minutes=5)), started_at=AT),
        "resolve": ClockState(1, "running", due=Due(AT + timedelta(days=5)), started_at=AT),
    }
    late = case("complaint", "T-2", "ordinary", title="x" * 200)
    due = Due(AT - timedelta(hours=1))
    late.clocks = {"respond": ClockState(1, "running", due=due, started_at=AT, breached_at=due.at)}
    undated = case("notice", "N-1")
    site = bundle.site(SITE)
    text = open_cases_text([one, late, undated], 3, bundle, site, ("en",))
    assert text.split("\n") == [
        "grade | case | matter | next due",
        "Major complaint | T-1 | ceiling leak | Response by 2026-11-21 00:35",
        f"Ordinary complaint | T-2 | {'x' * 60} | Response over since 2026-11-20 23:30",
        f"{bundle.policies['notice'].title['en']} | N-1 | - | no date",
    ]
    chinese = open_cases_text([one], 9, bundle, site, ("zh", "en"))
    assert chinese.split("\n") == [
        "等级 | 单号 | 内容 | 下一时限",
        "重大投诉 | T-1 | ceiling leak | 响应 限 2026-11-21 00:35",
        "… 另有 8 件",
    ]
    burst = open_cases_text([case("repair", "R-1", "emergency", title="爆管")], 1, bundle, site, ("zh", "en"))
    assert burst.split("\n")[1] == "紧急报修 | R-1 | 爆管 | 无时限"


def test_nothing_is_said_to_be_nothing_and_what_is_too_much_is_counted(bundle: Bundle) -> None:
    site = bundle.site(SITE)
    assert open_cases_text([], 0, bundle, site, ("en",)) == "None."
    assert mail_text([], 0, site, ("zh",)) == "无。"
    many = [case("parcel", f"P-{number}", kind="parcel") for number in range(MOST_ROWS + 5)]
    lines = mail_text(many, len(many), site, ("en",)).split("\n")
    assert len(lines) == MOST_ROWS + 2
    assert lines[-1] == "… 5 more"


def test_mail_and_duties(bundle: Bundle) -> None:
    site = bundle.site(SITE)
    parcel = case("parcel", "P-1", kind="express", count=2, room="12-3")
    text = mail_text([parcel], 1, site, ("zh",))
    assert text == "种类 | 单号 | 件数 | 收件时间\n快件 | P-1 | 2 | 2026-11-21 00:30"
    assert "12-3" not in text
    duty = case("duty", "ledger_check/2026-11-20", scheduled_at="2026-11-20T17:00:00+08:00", duty="ledger_check")
    assert duties_text([duty], 1, bundle, site, ("en",)) == (
        "duty | case | came\nFront-desk ledger check | ledger_check/2026-11-20 | 2026-11-20 17:00"
    )


def test_only_what_a_message_names_is_looked_up(bundle: Bundle) -> None:
    counts = {f"{table}_count" for table in TABLES}
    assert words_named(bundle, "shift_handover") == {*TABLES, *counts}
    assert words_named(bundle, "no_relief") == {"shift_role_title"}
    assert words_named(bundle, "complaint_reported") == frozenset()
    assert words_named(bundle, "no such message") == frozenset()
    assert {*TABLES, *counts, "shift_role_title"} == OF_SITES


def test_whatever_has_a_title_has_one_in_both_languages() -> None:
    """Else an English reader at a Chinese site would get the Chinese one: the site's language comes second."""
    titles = [*COLUMN_TITLES.values(), *(each for values in VALUE_TITLES.values() for each in values.values())]
    assert [each for each in titles if not each.keys() >= {"zh", "en"}] == []
