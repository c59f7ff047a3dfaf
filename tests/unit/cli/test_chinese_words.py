"""One Chinese word for one thing, in commands, messages, rules and guides: those of docs/glossary.md."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
TEXTS = sorted(
    path
    for pattern in ("docs/*.zh.md", "src/**/*.py", "services/**/*.py", "rules/**/*.yaml")
    for path in ROOT.glob(pattern)
)
NOT_SAID = {
    "时钟": ("时限", r"时钟必须准确|把时钟拨到"),  # those of machines
    "案件": ("工单", None),
    "立案": ("开立", None),
    "静默规则": ("静默", None),
    "预算": ("额度", None),
    "通道": ("服务商", None),
}
"""Another word for a thing of the glossary → the glossary's, and where the other word means something else."""


def test_the_glossary_has_these_words() -> None:
    rows = [line.split(" | ") for line in (ROOT / "docs/glossary.md").read_text("utf-8").splitlines()]
    said = {cells[1] for cells in rows if len(cells) > 3}
    for word, _ in NOT_SAID.values():
        assert word in said or word == "开立"


@pytest.mark.parametrize("other", NOT_SAID)
def test_a_thing_has_one_word(other: str) -> None:
    word, elsewhere = NOT_SAID[other]
    assert len(TEXTS) > 100
    for path in TEXTS:
        text = path.read_text("utf-8")
        if elsewhere is not None:
            text = re.sub(elsewhere, "", text)
        lines = [line.strip() for line in text.splitlines() if other in line]
        assert not lines, f"{path.relative_to(ROOT)}: {word}, not {other}: {lines[0]}"
