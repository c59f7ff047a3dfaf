"""`reeve rules check`: people on a terminal, programs, GitHub's pages, and roles held against people."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from reeve.cli.excerpts import excerpt
from reeve.cli.rules.checking import github_line
from reeve.cli.rules.command import app

SITE = """language: 1
zone: Asia/Shanghai
locale: en
channels: {default: [email, sms]}
ladder: {guard: front_desk, front_desk: property_manager}
"""
POLICY = """policy: complaint
takes: ticket
clocks:
  respond: {start: ticket.opened, stop: ticket.acknowledged, limit: 5m}
steps:
  - {name: late, on: respond breached, notify: [guard, owner], message: late}
close: ticket.closed
"""
MESSAGES = 'late: {en: {sms: "{{ case }}", email: {subject: "late", body: "{{ case }}"}}}\n'
GUARD = {"id": "r1", "place": "river-park", "role": "guard", "email": "guard@example.org"}
DESK = {"id": "r2", "place": "sunshine-garden", "role": "front_desk", "sms": "+8613800138000"}


@pytest.fixture
def rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG", "REEVE_RULES", "REEVE_MATCHER", "GITHUB_ACTIONS"):
        monkeypatch.delenv(name, raising=False)
    folder = tmp_path / "rules"
    (folder / "sites").mkdir(parents=True)
    (folder / "site.yaml").write_text(SITE, encoding="utf-8")
    (folder / "sites" / "sunshine-garden.yaml").write_text("title: Sunshine Garden\n", encoding="utf-8")
    (folder / "messages.yaml").write_text(MESSAGES, encoding="utf-8")
    (folder / "complaint.yaml").write_text(POLICY, encoding="utf-8")
    return folder


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["check", *(str(argument) for argument in arguments)])


def misspell(rules: Path) -> None:
    (rules / "complaint.yaml").write_text(POLICY.replace("stop:", "stpo:"), encoding="utf-8")


def test_github_gets_a_command_for_each_problem_and_a_summary(rules: Path) -> None:
    misspell(rules)
    result = run(rules, "--format", "github")
    assert result.exit_code == 1
    first = result.stdout.splitlines()[0]
    assert first.startswith(
        f"::error file={rules.as_posix()}/complaint.yaml,line=4,col=35,title=reeve unknown_key::"
    )
    assert first.endswith("did you mean `stop`?")
    assert "1 error," in result.stdout.splitlines()[-1]


def test_on_github_it_is_the_default_and_json_stays_json(rules: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    misspell(rules)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    assert run(rules).stdout.startswith("::error file=")
    assert run(rules, "--format", "text").stdout.startswith("complaint.yaml:4:35: error:")
    assert json.loads(run(rules, "--json").stdout.splitlines()[0])["code"] == "unknown_key"
    assert run(rules, "--json", "--format", "github").exit_code == 2


def test_what_steers_github_is_escaped() -> None:
    row: dict[str, str | int] = {
        "file": "a,b:c%.yaml", "line": 0, "column": 0, "severity": "warning", "code": "x",
        "message": "50%\nnext::error", "mend": "",
    }  # fmt: skip
    assert github_line(row, Path("rules")) == (
        "::warning file=rules/a%2Cb%3Ac%25.yaml,title=reeve x::50%25%0Anext::error"
    )


def test_json_is_one_object_a_line_in_the_language_asked_for(rules: Path) -> None:
    misspell(rules)
    result = run(rules, "--json", "--lang", "zh")
    (row,) = [json.loads(line) for line in result.stdout.splitlines()]
    assert (row["file"], row["line"], row["column"], row["severity"]) == ("complaint.yaml", 4, 35, "error")
    assert "stop" in row["mend"]
    assert row["message"].encode("ascii", "ignore") != row["message"].encode()


def test_a_terminal_sees_the_line_with_a_mark_under_the_word(rules: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    misspell(rules)
    assert "^" not in run(rules).stdout
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    lines = re.sub("\x1b\\[[0-9;]*m", "", run(rules).stdout).splitlines()
    assert lines[1] == "    4 |   respond: {start: ticket.opened, stpo: ticket.acknowledged, limit: 5m}"
    assert lines[2] == " " * (8 + 34) + "^^^^"


def test_the_mark_stands_under_the_word_after_chinese_letters_and_in_long_lines() -> None:
    assert excerpt("if: 损失 >= 十万 and x\n".encode(), 1, 11) == (
        "    1 | if: 损失 >= 十万 and x",
        " " * (8 + 12) + "^^^^",
    )
    assert excerpt("if: 损失 >= 1\n".encode("gb18030"), 1, 5) == ("    1 | if: 损失 >= 1", " " * (8 + 4) + "^^^^")
    shown = excerpt(b"x" * 500 + b" wrong " + b"y" * 500, 1, 502)
    assert shown is not None
    text, mark = shown
    assert len(text) <= 8 + 100
    assert text[mark.index("^") : mark.rindex("^") + 1] == "wrong"
    assert excerpt(b"one line", 2, 1) is None
    assert excerpt(b"one line", 1, 0) is None
    assert excerpt(b"\x1b[31mred", 1, 1) == ("    1 | \N{REPLACEMENT CHARACTER}[31mred", " " * 8 + "^")


def test_roles_are_held_against_people_site_by_site(rules: Path, tmp_path: Path) -> None:
    people = tmp_path / "people.json"
    people.write_text(json.dumps([GUARD, DESK]), encoding="utf-8")
    result = run(rules, "--recipients", people)
    assert result.exit_code == 0
    (said,) = result.stdout.splitlines()[:-1]
    assert said.startswith("complaint.yaml:6:5: warning: at sunshine-garden nobody can be reached as `guard`: ")
    assert "`front_desk` is told" in said
    people.write_text(json.dumps([GUARD]), encoding="utf-8")
    (row,) = [json.loads(line) for line in run(rules, "--recipients", people, "--json").stdout.splitlines()]
    assert row["code"] == "role_nobody"
    assert "sunshine-garden" in row["message"]
    assert "river-park" not in row["message"]


def test_people_of_the_organisation_above_count_and_addresses_must_be_there(rules: Path, tmp_path: Path) -> None:
    (rules / "sites" / "sunshine-garden.yaml").write_text("parent: org\n", encoding="utf-8")
    people = tmp_path / "people.json"
    people.write_text(json.dumps([GUARD | {"place": "org"}]), encoding="utf-8")
    assert "no problems" in run(rules, "--recipients", people).stdout


def test_a_file_of_people_that_can_not_be_read_is_wrong_usage(rules: Path, tmp_path: Path) -> None:
    missing = run(rules, "--recipients", tmp_path / "none.csv")
    assert missing.exit_code == 2
    assert "none.csv" in missing.output
