"""`reeve answers list --outcome`: takes what the documents name, and says what there is."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from typer.testing import CliRunner

from reeve.cli.answers.command import Outcome, app
from reeve.cli.answers.reading import show_row
from reeve.cli.answers.texts import OUTCOMES

DOCS = Path(__file__).parents[4] / "docs"


@pytest.mark.parametrize("page", ["answers.md", "answers.zh.md"])
def test_the_outcomes_are_those_of_the_documents(page: str) -> None:
    table = re.split(r"\| (?:outcome|结果) \| (?:means|含义) \|\n", (DOCS / page).read_text("utf-8"))[1].split(
        "\n\n"
    )[0]
    assert {each for row in table.splitlines() for each in re.findall(r"`(\w+)`", row.split("|")[1])} == {*Outcome}


def test_an_outcome_that_there_is_not_is_wrong_usage() -> None:
    ran = CliRunner().invoke(app, ["list", "--outcome", "lost"])
    assert (ran.exit_code, "not_understood" in ran.output) == (2, True)


def test_there_are_words_for_every_outcome() -> None:
    assert set(OUTCOMES) == {*Outcome, "waiting"}


@pytest.mark.parametrize(
    ("lang", "line"),
    [
        ("en", "1f0c  2026-11-20 09:00:00  aliyun        delayed 30 min   gm-1  garden/complaint/T-1 report_up\n"),
        ("zh", "1f0c  2026-11-20 09:00:00  aliyun        已延后 30 分钟   gm-1  garden/complaint/T-1 report_up\n"),
    ],
)
def test_a_reply_on_one_line_at_its_site(capsys: pytest.CaptureFixture[str], lang: str, line: str) -> None:
    answer = {"recipient": "gm-1", "case": "garden/complaint/T-1", "step": "report_up"}
    row = {"provider": "aliyun", "outcome": "delayed", "minutes": 30, "answers": [answer]}
    show_row(datetime(2026, 11, 20, 1, tzinfo=UTC), row, {"garden": ZoneInfo("Asia/Shanghai")}, lang, "1f0c  ")
    assert capsys.readouterr().out == line


def test_an_id_too_short_is_refused_in_the_language_asked_for() -> None:
    ran = CliRunner().invoke(app, ["show", "1f", "--lang", "zh"])
    assert (ran.exit_code, "至少前 4 位" in ran.output) == (2, True)
