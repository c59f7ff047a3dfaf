"""`reeve budget`: what a person and a script get where there is a budget, and where there is none."""

from __future__ import annotations

import json
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from reeve.cli.flood import budget
from reeve.cli.flood.texts import TEXTS

ROW = {"site": "garden", "month": "2026-11", "used": 90, "budget": 100, "percent": 90, "forecast": 120}
ROW |= {"degraded": True, "grades": ["ordinary"]}


def said(monkeypatch: pytest.MonkeyPatch, rows: list[dict[str, Any]], *arguments: str) -> tuple[int, str, str]:
    async def of_record(*_: Any) -> list[dict[str, Any]]:
        return rows

    monkeypatch.setattr(budget, "_rows", of_record)
    app = typer.Typer()
    app.command()(budget.budget)
    ran = CliRunner().invoke(app, arguments)
    return ran.exit_code, ran.stdout, ran.stderr


@pytest.mark.parametrize(
    ("lang", "part"),
    [
        ("en", "No site has an SMS budget. To set one, write in site.yaml: sms_budget: {segments: 5000}"),
        ("zh", "没有站点设置短信额度。如需设置，在 site.yaml 中写：sms_budget: {segments: 5000}"),
    ],
)
def test_without_a_budget_a_person_is_told_how_to_set_one(
    monkeypatch: pytest.MonkeyPatch, lang: str, part: str
) -> None:
    code, out, err = said(monkeypatch, [], "--lang", lang)
    assert (code, out) == (0, "")
    assert part in err


def test_without_a_budget_a_script_gets_no_line_and_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    assert said(monkeypatch, [], "--json") == (0, "", "")
    assert said(monkeypatch, [], "--site", "garden", "--json") == (0, "", "")


def test_a_budget_is_a_line_for_each(monkeypatch: pytest.MonkeyPatch) -> None:
    code, out, _ = said(monkeypatch, [ROW], "--lang", "zh")
    assert (code, out.splitlines()[0]) == (0, "garden  2026-11 已用 90/100 条（90 %），预计月底 120 条")
    code, out, _ = said(monkeypatch, [ROW], "--json", "--lang", "zh")
    assert (code, json.loads(out)) == (0, ROW)


def test_a_site_that_nobody_knows_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    budget.check_site("garden", {"garden"}, TEXTS["en"])
    for lang, hint in (("en", "did you mean garden?"), ("zh", "是不是想写 garden？")):
        with pytest.raises(typer.Exit) as ended:
            budget.check_site("gardn", {"garden", "castle"}, TEXTS[lang])
        assert ended.value.exit_code == 2
        assert hint in capsys.readouterr().err
