"""Every numbered fact of docs/domain.md is catalogued, and every one that rules can keep has its rules."""

from __future__ import annotations

import re
from collections import defaultdict
from functools import cache
from pathlib import Path

import pytest

from reeve.rulelang.citations import Citation, Rule, find_citations
from reeve.rulelang.facts import MANNER, FactShape
from reeve.rulelang.layout import lay_out
from reeve.rulelang.load import load_bundle, read_folder

ROOT = Path(__file__).parents[3]
DOMAIN = ROOT / "docs" / "domain.md"


@cache
def catalogue() -> dict[str, FactShape]:
    facts = load_bundle(read_folder(ROOT / "rules")).facts
    assert facts is not None
    return facts.facts


@cache
def citations() -> tuple[Citation, ...]:
    files = read_folder(ROOT / "rules")
    return find_citations(files, lay_out(files))


@cache
def rules_of() -> dict[str, list[Rule]]:
    rules: dict[str, list[Rule]] = defaultdict(list)
    for citation in citations():
        if citation.rule is not None:
            rules[citation.fact].append(citation.rule)
    return rules


def numbered() -> list[str]:
    return re.findall(r"^\| ([A-Z]+-\d+) \|", DOMAIN.read_text("utf-8"), re.MULTILINE)


def test_the_domain_page_has_its_facts() -> None:
    assert len(numbered()) >= 117
    assert len(set(numbered())) == len(numbered())


@pytest.mark.parametrize("fact", numbered())
def test_every_fact_is_catalogued_and_kept_by_a_rule_or_says_why_not(fact: str) -> None:
    entry = catalogue().get(fact)
    assert entry is not None, f"{fact} stands in docs/domain.md and not in rules/facts.yaml"
    assert set(entry.text) == {"en", "zh"}
    if entry.kind == MANNER:
        assert set(entry.reason) == {"en", "zh"}
    else:
        assert rules_of()[fact], f"no rule cites {fact}"


def test_the_catalogue_invents_nothing_and_rules_cite_nothing_else() -> None:
    assert set(catalogue()) == set(numbered())
    families = {fact.partition("-")[0] for fact in catalogue()}
    cited = {one.fact for one in citations() if one.fact.partition("-")[0] in families}
    assert cited <= set(catalogue())


@pytest.mark.parametrize(
    ("kind", "whats"),
    [
        ("grade", {"grade"}),
        ("score", {"score"}),
        ("schedule", {"duty", "step"}),
        ("limit", {"clock", "step", "setting", "duty"}),
    ],
)
def test_a_fact_is_kept_by_a_rule_of_its_kind(kind: str, whats: set[str]) -> None:
    """A limit only in a comment at the top of a file would be no limit."""
    for fact, entry in catalogue().items():
        if entry.kind == kind and not fact.startswith("GAP"):
            assert {rule.what for rule in rules_of()[fact]} & whats, fact


def test_few_facts_are_left_to_people() -> None:
    manners = [fact for fact, entry in catalogue().items() if entry.kind == MANNER]
    assert manners == [
        "COMPLAINT-05", "FOLLOWUP-08", "REPAIR-08", "PRIVACY-01", "PRIVACY-02", "PRIVACY-03", "PRIVACY-04",
        "FEE-01",
    ]  # fmt: skip
