"""facts.yaml and the comments that cite it: which rule a citation stands at, and what is said about wrong ones."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest
from typer.testing import CliRunner

from reeve.cli.rules.command import app
from reeve.rulelang.citations import find_citations
from reeve.rulelang.facts import without_rule
from reeve.rulelang.layout import lay_out
from reeve.rulelang.load import LoadResult, load_bundle

POLICY = """\
# Leaks / 漏水. Facts: LEAK-01, LEAK-02.
# LEAK-09: everything here is for leaks.
policy: leak
title: {en: Leak}
takes: ticket

# LEAK-08 stands alone
counts:
  leaks: {of: ticket.opened, same: item, within: 30d} # LEAK-07
grades: # LEAK-03
  - grade: bad # LEAK-01
    if: >
      loss_cny >= 100
      or title == "# LEAK-04"
  # LEAK-02: everything else
  - grade: other
clocks:
  respond: # LEAK-05
    start: ticket.opened
    stop: ticket.acknowledged
    limit: 5m # LEAK-06; GAP-5
steps:
  - {name: first, on: opened, notify: front_desk} # LEAK-01
  # --- later ---
  # LEAK-02
  - name: second
    on: respond breached
    notify: front_desk # LEAK-03, UTF-8
close: ticket.closed # LEAK-10
"""
FACTS = """\
LEAK-01: {kind: grade, text: {en: Bad from 100, zh: 一百起}}
LEAK-02: {kind: grade, text: Everything else}
LEAK-11: {kind: limit, text: Dry in a week}
LEAK-12: {kind: manner, text: Be kind, reason: {en: Nobody measures it, zh: 无法衡量}}
"""


def files(policy: str = POLICY, facts: str = FACTS, **more: str) -> dict[str, bytes]:
    texts = {"leak.yaml": policy, "facts.yaml": facts, "messages.yaml": "m: {en: {sms: x}}\n", **more}
    return {path: text.encode() for path, text in texts.items()}


def loaded(**parts: str) -> LoadResult:
    return load_bundle(files(**parts))


def cited(given: dict[str, bytes]) -> list[tuple[str, str]]:
    found = find_citations(given, lay_out(given))
    return [(one.fact, one.rule.name if one.rule is not None else "-") for one in found]


def test_a_citation_stands_at_the_rule_of_its_line_or_of_the_next() -> None:
    assert cited(files()) == [
        ("LEAK-01", "-"),
        ("LEAK-02", "-"),
        ("LEAK-09", "leak"),
        ("LEAK-08", "leak.counts"),
        ("LEAK-07", "leak.leaks"),
        ("LEAK-03", "leak.grades"),
        ("LEAK-01", "leak.bad"),
        ("LEAK-02", "leak.other"),
        ("LEAK-05", "leak.respond"),
        ("LEAK-06", "leak.respond"),
        ("GAP-5", "leak.respond"),
        ("LEAK-01", "leak.first"),
        ("LEAK-02", "leak.second"),
        ("LEAK-03", "leak.second"),
        ("UTF-8", "leak.second"),
        ("LEAK-10", "leak.close"),
    ]


def test_a_comment_above_an_empty_line_belongs_to_the_file() -> None:
    given = files(policy=POLICY.replace("# LEAK-08 stands alone\n", "# LEAK-08 stands alone\n\n"))
    assert ("LEAK-08", "leak") in cited(given)


def test_scores_cite_by_their_fact_and_messages_carry_nothing() -> None:
    score = "- {points: -2, on: leak.respond breached, to: department, fact: LEAK-11} # LEAK-01\n"
    given = files(**{"score.yaml": score, "messages.yaml": "second: # LEAK-02\n  en: {sms: x}\n"})
    rules = {(one.fact, one.rule.what if one.rule else None) for one in find_citations(given, lay_out(given))}
    assert {("LEAK-11", "score"), ("LEAK-01", "score"), ("LEAK-02", None)} <= rules


def test_a_fact_that_the_catalogue_does_not_have_is_a_warning_at_its_place() -> None:
    policy = POLICY.replace("# LEAK-05", "# LEAKE-01").replace("# LEAK-01\n    if", "# LEAK-1\n    if")
    found = [p for p in loaded(policy=policy).warnings if p.code == "uncatalogued_fact"]
    said = {p.particulars["found"]: (p.line, p.mend) for p in found}
    assert said["LEAKE-01"] == (18, "did you mean `LEAK-01`?")
    assert said["LEAK-1"] == (11, "did you mean `LEAK-01`?")
    assert "UTF-8" not in said
    assert "GAP-5" not in said  # not a prefix of this catalogue: a site may catalogue a part only
    assert "没有" in found[0].say("zh")[0]


def test_without_a_catalogue_nothing_is_said_about_citations() -> None:
    given = files()
    del given["facts.yaml"]
    assert not [p for p in load_bundle(given).problems if p.code == "uncatalogued_fact"]


@pytest.mark.parametrize(
    ("facts", "code", "place"),
    [
        ("LEAK-01: {kind: manner, text: x}", "fact_without_reason", (1, 1)),
        ("LEAK-01: {kind: limit, text: x, reason: y}", "fact_needs_no_reason", (1, 1)),
        ("leak-1: {kind: limit, text: x}", "bad_fact_id", (1, 9)),
        ("LEAK-01: {kind: limits, text: x}", "expected_choice", (1, 17)),
        ("LEAK-01: {text: x}", "missing_key", (1, 10)),
    ],
)
def test_a_wrong_catalogue_is_refused_where_it_is_wrong(facts: str, code: str, place: tuple[int, int]) -> None:
    found = [p for p in loaded(facts=facts + "\n").errors if p.file == "facts.yaml"]
    assert [(p.code, (p.line, p.column)) for p in found] == [(code, place)]
    assert found[0].say("zh")[0] != found[0].say("en")[0]


def test_the_catalogue_is_part_of_the_bundle_and_no_policy() -> None:
    result = loaded()
    assert set(result.require().policies) == {"leak"}
    assert result.facts is not None
    assert without_rule(result.facts, find_citations(files(), lay_out(files()))) == ["LEAK-11"]


# --- reeve rules facts ----------------------------------------------------------------------------------------


def folder(tmp_path: Path, **parts: str) -> Path:
    for path, data in files(**parts).items():
        (tmp_path / path).write_bytes(data)
    return tmp_path


def invoke(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["facts", *words])
    return result.exit_code, result.output


def test_each_fact_is_shown_with_its_rules_and_a_manner_with_its_reason(tmp_path: Path) -> None:
    code, said = invoke(str(folder(tmp_path)), "--lang", "en")
    assert code == 0
    assert (
        "LEAK-01  grade  Bad from 100\n    leak.yaml:11  grade leak.bad\n    leak.yaml:23  step leak.first" in said
    )
    assert "LEAK-11  limit  Dry in a week\n    no rule\n" in said
    assert "no rule, because: Nobody measures it" in said
    assert "4 facts: 2 carried in 4 places, 1 left to people, 1 missing." in said


def test_missing_facts_end_the_command_with_1(tmp_path: Path) -> None:
    code, said = invoke(str(folder(tmp_path)), "--missing", "--lang", "zh")
    assert code == 1
    assert "LEAK-11" in said
    assert "LEAK-12" not in said
    assert "有 1 条没有规则。" in said
    whole = folder(tmp_path, policy=POLICY.replace("# LEAK-10", "# LEAK-11"))
    assert invoke(str(whole), "--missing", "--lang", "en") == (0, "Every fact that a rule can keep has one.\n")


def test_as_json_there_is_one_object_a_line(tmp_path: Path) -> None:
    code, said = invoke(str(folder(tmp_path)), "--json")
    rows = [orjson.loads(line) for line in said.splitlines()]
    assert code == 0
    assert [row["fact"] for row in rows] == ["LEAK-01", "LEAK-02", "LEAK-11", "LEAK-12"]
    assert rows[0]["rules"][0] == {"file": "leak.yaml", "line": 11, "what": "grade", "name": "leak.bad"}
    assert rows[3]["reason"] == {"en": "Nobody measures it", "zh": "无法衡量"}


def test_without_a_folder_or_a_catalogue_the_command_says_what_to_do(tmp_path: Path) -> None:
    code, said = invoke(str(tmp_path / "nowhere"))
    assert (code, "Name the folder" in said) == (2, True)
    rules = folder(tmp_path)
    (rules / "facts.yaml").unlink()
    code, said = invoke(str(rules))
    assert (code, "has no facts.yaml" in said) == (2, True)
    (rules / "facts.yaml").write_text("LEAK-01: {kind: limits, text: x}\n")
    code, said = invoke(str(rules), "--lang", "en")
    assert (code, "facts.yaml:1:17: error:" in said) == (1, True)
