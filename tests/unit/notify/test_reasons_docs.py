"""Every reason is explained to operators in both languages, and what a file may say is what the guide says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from reeve.cli.channels.texts import HINTS
from reeve.cli.notifications.texts import REASONS
from reeve.runtime.providers.judging import SaidReason
from reeve.runtime.providers.reasons import Reason
from services.notify.channels.base import Outcome, Result
from services.notify.pool.health import fault_of

DOCS = Path(__file__).parents[3] / "docs"


def explained(guide: str, title: str) -> list[set[str]]:
    """The reasons of each table of the section, each row with all its columns."""
    text = (DOCS / guide).read_text("utf-8")
    section = text.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    tables = [table for table in section.split("\n\n") if table.startswith("|")]
    rows = [[row.split("|") for row in table.splitlines()[2:]] for table in tables]
    for row in (each for table in rows for each in table):
        assert len(row) == 5, row
        assert row[2].strip(), row
    return [{name for row in table for name in re.findall(r"`(\w+)`", row[1])} for table in rows]


@pytest.mark.parametrize(("guide", "title"), [("providers.md", "Reasons"), ("providers.zh.md", "原因")])
def test_the_guide_explains_every_reason(guide: str, title: str) -> None:
    said, our_own = explained(guide, title)
    assert said == set(get_args(SaidReason))
    assert said | our_own == {each.value for each in Reason}
    assert not said & our_own


def test_whoever_looks_at_a_notification_reads_words_for_each() -> None:
    assert REASONS.keys() == {each.value for each in Reason}


def test_what_speaks_against_a_provider_comes_with_a_hint() -> None:
    faults = {each for each in Reason if fault_of(Outcome(Result.TRANSIENT, each))}
    assert faults - set(HINTS) == {Reason.PROVIDER_ERROR, Reason.DISCONNECTED}, "nobody here can do anything"
