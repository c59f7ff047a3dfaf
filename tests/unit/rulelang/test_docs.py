"""The examples of the documentation, in both languages, are rules that load."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from reeve.rulelang.load import load_bundle

DOCS = Path(__file__).parents[3] / "docs"


@pytest.mark.parametrize("page", ["rule-language.md", "rule-language.zh.md"])
def test_the_examples_of_a_page_load(page: str) -> None:
    blocks = re.findall(r"```yaml\n# rules/(\S+)\n(.*?)```", (DOCS / page).read_text(encoding="utf-8"), re.DOTALL)
    result = load_bundle({path: text.encode() for path, text in blocks})
    assert len(blocks) == 5
    assert {found.code for found in result.problems} == {"no_site_file", "no_messages_file"}
    assert len(result.scenarios[0].scenarios) == 1
