"""`reeve answers list --outcome`: takes what the documents name, and says what there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from reeve.cli.answers.command import Outcome, app

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
