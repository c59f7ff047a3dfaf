"""How explanations read: every reason has a sentence in both languages, and nothing is left unfilled."""

from __future__ import annotations

import re
from typing import Any

import pytest

from reeve.cli.cases import explain_texts as texts
from reeve.cli.cases.explain_page import Page
from reeve.domain.effects import EffectName
from tests.support.explaining import Desk
from tests.support.simulation import bundle_of, event
from tests.unit.domain.test_language_example import COMPLAINT
from tests.unit.explaining.test_steps import MESSAGES, STEPS
from tests.unit.explaining.test_versions import switched

ALL = {**texts.GRADE, **texts.REASONS, **texts.OUTCOMES, **texts.EFFECTS, **texts.WORDS, **texts.HEADINGS}


@pytest.mark.parametrize("code", sorted(ALL))
def test_both_languages_take_the_same_particulars(code: str) -> None:
    english, chinese = ALL[code]
    assert set(re.findall(r"{(\w+)}", english)) == set(re.findall(r"{(\w+)}", chinese))
    assert english != chinese or code == "is_closed_list"


def test_every_effect_has_a_sentence() -> None:
    from typing import get_args

    assert set(texts.EFFECTS) == set(get_args(EffectName))


async def story(desk: Desk) -> dict[str, Any]:
    await desk.take(
        event("2026-02-12 10:00", "ticket.updated", title="before"),
        event("2026-02-12 10:00", "ticket.opened", category="complaint", loss_cny=99),
        event("2026-02-12 10:01", "ticket.assigned", stage="site"),
        event("2026-02-12 10:02", "ticket.updated", department="engineering"),
    )
    await desk.until("2026-02-12 14:00")
    return desk.explain("s/complaint/T-1")


@pytest.mark.parametrize("lang", ["en", "zh"])
async def test_a_whole_page_has_no_gaps(lang: str, capsys: pytest.CaptureFixture[str]) -> None:
    for rules in (bundle_of(COMPLAINT), bundle_of(STEPS, messages=MESSAGES)):
        Page(lang).case(await story(Desk(rules)))
    page = capsys.readouterr().out
    assert "{" not in page
    assert "None" not in page
    assert not re.search(r"(was|due|为|期限) -(\s|$)", page.replace("(was -)", "").replace("（原为 -）", ""))
    assert ("Why this grade" in page) is (lang == "en")
    assert ("为什么是这个等级" in page) is (lang == "zh")


async def test_a_condition_of_one_part_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    desk = Desk(bundle_of(STEPS, messages=MESSAGES))
    await desk.take(
        event("2026-02-12 10:00", "ticket.opened", category="complaint"),
        event("2026-02-12 10:02", "ticket.updated", department="engineering"),
    )
    Page("en").case(desk.explain("s/complaint/T-1"))
    page = capsys.readouterr().out
    assert '- event.department == "finance"  did not hold: event.department was engineering' in page
    assert page.count('event.department == "finance"') == 2, "as the trigger, and as the part that failed"


async def test_decisions_from_before_are_said_to_be(capsys: pytest.CaptureFixture[str]) -> None:
    desk = Desk(bundle_of(COMPLAINT))
    await desk.take(event("2026-02-12 10:00", "ticket.opened", category="complaint", loss_cny=12000))
    desk.forget_what_was_looked_at()
    Page("en").case(desk.explain("s/complaint/T-1"))
    assert "decided before explanations were kept" in capsys.readouterr().out


async def test_nobody_is_said_to_be_told_instead_where_nobody_was(capsys: pytest.CaptureFixture[str]) -> None:
    desk = Desk(bundle_of(COMPLAINT))
    await desk.take(event("2026-02-12 10:00", "ticket.opened", category="complaint", loss_cny=12000))
    found = desk.explain("s/complaint/T-1")
    told = next(told for step in found["steps"] for told in step["told"])
    first = {"role": "technician", "recipient": None, "state": "undeliverable", "last_reason": "nobody"}
    told |= {"outcome": "undeliverable", "next_role": "front_desk", "deliveries": [first]}
    Page("en").case(found)
    assert "NOBODY of the role can be reached; front_desk is told instead" in capsys.readouterr().out
    told["deliveries"] = [first, {**first, "role": "front_desk"}]
    Page("en").case(found)
    page = capsys.readouterr().out
    assert "NOBODY was told: nobody of the role can be reached, nor of those above it" in page
    assert "front_desk: nobody can be reached" in page
    Page("zh").case(found)
    assert "front_desk：无人可通知\n" in capsys.readouterr().out


async def test_before_a_case_was_opened_moments_are_the_sites_too() -> None:
    desk = Desk(bundle_of(COMPLAINT))
    await desk.take(event("2026-02-12 10:00", "ticket.opened", category="complaint", loss_cny=12000))
    found = desk.explain("s/complaint/T-1", at="2026-02-12 09:00")
    assert found["state"] == "not opened yet"
    assert found["at"] == "2026-02-12T09:00:00+08:00"


async def test_a_step_that_a_clock_would_have_set_off_names_no_dash_as_its_cause(
    capsys: pytest.CaptureFixture[str],
) -> None:
    desk = Desk(bundle_of(COMPLAINT))
    await desk.take(event("2026-02-12 10:00", "ticket.opened", category="complaint", loss_cny=2500))
    await desk.until("2026-02-14 14:00")
    Page("en").case(desk.explain("s/complaint/T-1"))
    assert "because of -" not in capsys.readouterr().out


async def test_what_a_change_of_rules_did_names_no_dash_as_its_cause(capsys: pytest.CaptureFixture[str]) -> None:
    rules = COMPLAINT.replace("on_change: pin", "on_change: recompute")
    desk = Desk(bundle_of(rules))
    await desk.take(event("2026-02-12 10:00", "ticket.opened", category="complaint", loss_cny=5000))
    switched(desk, rules.replace("loss_cny >= 10000", "loss_cny >= 4000"))
    await desk.follow("s/complaint/T-1", "2026-02-12 10:02")
    Page("zh").case(desk.explain("s/complaint/T-1"))
    page = capsys.readouterr().out
    assert "改用另一版本的规则（重新定级和计时）" in page
    assert "自 2026-02-12 10:02:00 起为 major" in page
    assert not re.search(r"(原因：|, |，)-(,|$)", page, re.MULTILINE)


def test_a_role_has_no_roles_and_who_is_nobody_is_said_to_be(capsys: pytest.CaptureFixture[str]) -> None:
    page = Page("en")
    page.about("general_manager", None, concerned=True)
    assert capsys.readouterr().out == ""
    page.about("gm-1", ["general_manager"], concerned=True)
    assert "gm-1 has for this case, as recipients stand now: general_manager" in capsys.readouterr().out
    page.about("gm-1", [], concerned=False)
    assert "No step of this case concerns gm-1 (roles" in capsys.readouterr().out
    page.about("general_manger", None, concerned=False)
    assert "nobody at the site or above has that id" in capsys.readouterr().out
