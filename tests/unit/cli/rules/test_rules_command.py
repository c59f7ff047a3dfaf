"""`reeve rules`: what is printed where, and the exit codes of contracts.md §4."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from reeve.cli.rules.command import app
from tests.support.simulation import CALENDAR_YAML, SITE_YAML

POLICY = """policy: complaint
takes: ticket
if: category == "complaint"
grades:
  - {grade: major, if: loss_cny >= 10000}
  - {grade: ordinary}
clocks:
  respond: {start: ticket.opened, stop: ticket.acknowledged, limit: {major: 5m, ordinary: 10m}}
steps:
  - {name: late, on: respond breached, notify: front_desk, message: late}
close: ticket.closed
"""
MESSAGES = "\n".join(
    f'{name}: {{en: {{email: {{subject: "{name}", body: "{{{{ case }}}}"}}}}}}' for name in ("late", "unreachable")
)
TEST = """
- test: ten thousand is GRADE
  site: s
  events: [{at: 2026-02-13 17:50, type: ticket.opened, subject: T-1, data: {category: complaint, loss_cny: 10000}}]
  expect: [{effect: graded, grade: GRADE}]
"""


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    folder = tmp_path / "rules"
    (folder / "calendars").mkdir(parents=True)
    (folder / "tests").mkdir()
    (folder / "site.yaml").write_text(SITE_YAML, encoding="utf-8")
    (folder / "calendars/cn.yaml").write_text(CALENDAR_YAML, encoding="utf-8")
    (folder / "messages.yaml").write_text(MESSAGES, encoding="utf-8")
    (folder / "complaint.yaml").write_text(POLICY, encoding="utf-8")
    (folder / "tests/grades.test.yaml").write_text(TEST.replace("GRADE", "major"), encoding="utf-8")
    return folder


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG", "REEVE_RULES", "REEVE_MATCHER", "GITHUB_ACTIONS"):
        monkeypatch.delenv(name, raising=False)


def run(*arguments: object, stdin: str | bytes | None = None) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments], input=stdin)


def posted(number: int = 1, **changes: Any) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": f"e{number}",
        "source": "/pms",
        "type": "ticket.opened",
        "site": "s",
        "subject": f"T-{number}",
        "time": "2026-02-13T17:50:00+08:00",
        "data": {"category": "complaint", "loss_cny": 12000},
        **changes,
    }


def rows(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_check_of_good_rules(rules: Path) -> None:
    result = run("check", rules)
    assert result.exit_code == 0
    assert "Version" in result.stdout


def test_check_names_the_place_and_the_mend(rules: Path) -> None:
    (rules / "complaint.yaml").write_text(POLICY.replace("limit:", "limt:"), encoding="utf-8")
    result = run("check", rules)
    assert result.exit_code == 1
    assert "complaint.yaml:8:" in result.stdout
    assert "limit" in result.stdout
    assert "\x1b[" not in result.stdout
    chinese = run("check", rules, "--lang", "zh")
    assert "错误" in chinese.stdout
    as_json = rows(run("check", rules, "--json"))
    assert {"complaint.yaml", "site.yaml"} >= {row["file"] for row in as_json}
    assert any(row["severity"] == "error" and row["line"] == 8 for row in as_json)


def test_check_speaks_the_language_of_the_locale(rules: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    assert "版本" in run("check", rules).stdout


def test_check_says_what_the_chosen_matcher_cannot_take(rules: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (rules / "complaint.yaml").write_text(POLICY.replace("10000", "100000000000"), encoding="utf-8")
    assert run("check", rules).exit_code == 0
    monkeypatch.setenv("REEVE_MATCHER", "durable-rules")
    result = run("check", rules)
    assert result.exit_code == 1
    assert "complaint.yaml:5:" in result.stdout
    assert "durable-rules" in result.stdout


@pytest.mark.parametrize("command", ["check", "test"])
def test_a_folder_that_is_not_there_is_wrong_usage(command: str, tmp_path: Path) -> None:
    result = run(command, tmp_path / "none")
    assert result.exit_code == 2
    assert "no such folder" in result.stderr
    assert result.stdout == ""


def test_an_unknown_language_is_wrong_usage(rules: Path) -> None:
    assert run("check", rules, "--lang", "fr").exit_code == 2


def test_scenarios_pass_or_fail(rules: Path) -> None:
    good = run("test", rules)
    assert good.exit_code == 0
    assert "1 passed, 0 failed." in good.stdout
    (rules / "tests/grades.test.yaml").write_text(TEST.replace("GRADE", "ordinary"), encoding="utf-8")
    bad = run("test", rules)
    assert bad.exit_code == 1
    assert "FAILED" in bad.stdout
    assert "grade: major" in bad.stdout
    chinese = run("test", rules, "--lang", "zh").stdout
    assert chinese.startswith("不成立  tests/grades.test.yaml:")
    assert "应当发生而没有发生: " in chinese
    assert "最接近: " in chinese
    assert chinese.endswith("0 个成立，1 个不成立。\n")
    (row,) = rows(run("test", rules, "--json", "--lang", "zh"))
    assert row["passed"] is False
    assert row["failures"][0]["what"] == "missing"


@pytest.mark.parametrize("command", [("test",), ("simulate", "-")])
def test_rules_with_errors_are_not_run(rules: Path, command: tuple[str, ...]) -> None:
    (rules / "complaint.yaml").write_text(POLICY.replace("limit:", "limt:"), encoding="utf-8")
    result = run(command[0], rules, *command[1:])
    assert result.exit_code == 1
    assert "complaint.yaml:8:" in result.stderr


def test_simulate_prints_the_timeline(rules: Path, tmp_path: Path) -> None:
    file = tmp_path / "events.json"
    file.write_text(json.dumps(posted()), encoding="utf-8")
    result = run("simulate", rules, file, "--until", "2026-02-13 18:00", "--json")
    assert result.exit_code == 0
    lines = rows(result)
    assert [line["effect"] for line in lines] == ["opened", "graded", "clock_started", "breached", "notify"]
    assert lines[1] == {
        "at": "2026-02-13T17:50:00+08:00",
        "case": "T-1",
        "policy": "complaint",
        "effect": "graded",
        "grade": "major",
        "was": None,
        "because": {"rule": "complaint.yaml:5", "event": "e1"},
    }
    assert lines[3]["at"] == "2026-02-13T17:55:00+08:00"
    assert lines[3]["because"] == {"rule": "complaint.yaml:8", "clock": "respond"}
    chinese = run("simulate", rules, file, "--lang", "zh")
    assert "定级为 " in chinese.stdout
    assert "个事件，时间线 " in chinese.stderr
    words = run("simulate", rules, file)
    assert "graded major" in words.stdout
    assert "2026-02-13 17:55:00" in words.stdout, "without an end the clocks run on until nothing is due"
    early = run("simulate", rules, file, "--until", "2026-02-13 17:54")
    assert "17:55:00" not in early.stdout


def test_lines_come_in_order_of_time_whatever_the_order_of_the_file(rules: Path, tmp_path: Path) -> None:
    first = posted(1, time="2026-02-13T17:50:00+08:00")
    second = posted(2, time="2026-02-13T17:40:00+08:00")
    file = tmp_path / "events.ndjson"
    file.write_text(json.dumps(first) + "\n" + json.dumps(second), encoding="utf-8")
    lines = rows(run("simulate", rules, file, "--json"))
    assert [line["at"] for line in lines] == sorted(line["at"] for line in lines)
    assert {line["case"] for line in lines} == {"T-1", "T-2"}


def test_a_bad_event_is_named_and_the_good_ones_run(rules: Path) -> None:
    stdin = "\n".join([json.dumps(posted(1)), '{"bad', json.dumps(posted(2, time="2026-02-13T18:00:00"))])
    result = run("simulate", rules, "-", "--json", stdin=stdin + "\n" + json.dumps(posted(3)) + "\n")
    assert result.exit_code == 1
    assert {line["case"] for line in rows(result)} == {"T-1", "T-3"}
    assert "line 2: " in result.stderr
    assert "line 3: $.time" in result.stderr


def test_a_repeat_changes_nothing(rules: Path) -> None:
    once = run("simulate", rules, "-", "--json", stdin=json.dumps([posted()]))
    twice = run("simulate", rules, "-", "--json", stdin=json.dumps([posted(), posted()]))
    assert once.stdout == twice.stdout


PERSON = {"id": "li", "place": "s", "roles": ["service_supervisor"], "email": "li@example.org"}
PEOPLE = [
    ("people.csv", "id,place,roles,email\nli,s,service_supervisor,li@example.org\n"),
    ("people.json", json.dumps([PERSON])),
]


@pytest.mark.parametrize(("name", "content"), PEOPLE)
def test_recipients_say_who_is_reachable(rules: Path, tmp_path: Path, name: str, content: str) -> None:
    file = tmp_path / name
    file.write_text(content, encoding="utf-8")
    arguments = ("simulate", rules, "-", "--until", "2026-02-14", "--recipients", file, "--json")
    result = run(*arguments, stdin=json.dumps(posted()))
    assert (result.exit_code, result.stderr) == (0, "")
    told = [(line["effect"], line.get("to")) for line in rows(result)][-3:]
    assert told == [("undeliverable", ["front_desk"]), ("escalated", None), ("notify", ["service_supervisor"])]


ROTA = """
- place: s
  role: front_desk
  start: 2026-02-01
  groups: {A: li}
  every: day at 08:00
  turns: [A]
"""
HAND_OVER = """
- duty: hand_over
  every: day at 08:00
  who: front_desk
  unless: rota
  message: late
"""


def test_a_rota_says_who_is_on_shift_and_which_duties_do_not_come(rules: Path, tmp_path: Path) -> None:
    (rules / "duties.yaml").write_text(HAND_OVER, encoding="utf-8")
    people, shifts = tmp_path / "people.json", tmp_path / "rota.yaml"
    people.write_text(json.dumps([PERSON]), encoding="utf-8")
    shifts.write_text(ROTA, encoding="utf-8")
    arguments = ("simulate", rules, "-", "--until", "2026-02-15", "--recipients", people, "--json")
    without, result = (run(*arguments, *more, stdin=json.dumps(posted())) for more in ((), ("--shifts", shifts)))
    assert (result.exit_code, result.stderr) == (0, "")
    assert {line["policy"] for line in rows(without)} == {"complaint", "duty"}
    assert {line["policy"] for line in rows(result)} == {"complaint"}
    assert "undeliverable" in {line["effect"] for line in rows(without)}
    assert "undeliverable" not in {line["effect"] for line in rows(result)}, "li does not hold the role, but is on"


def test_a_rota_with_a_mistake_is_not_run(rules: Path, tmp_path: Path) -> None:
    shifts = tmp_path / "rota.yaml"
    shifts.write_text(ROTA.replace("turns: [A]", "turns: [B]"), encoding="utf-8")
    result = run("simulate", rules, "-", "--shifts", shifts, stdin=json.dumps(posted()))
    assert (result.exit_code, result.stdout) == (1, "")
    assert "rota.yaml:7:" in result.stderr
    assert run("simulate", rules, "-", "--shifts", tmp_path / "none.yaml", stdin="").exit_code == 2


def test_a_bad_recipient_is_told_and_left_out(rules: Path, tmp_path: Path) -> None:
    file = tmp_path / "people.json"
    file.write_text(json.dumps([PERSON, {"id": "no place"}]), encoding="utf-8")
    result = run("simulate", rules, "-", "--recipients", file, "--json", stdin=json.dumps(posted()))
    assert result.exit_code == 1
    assert "row 2" in result.stderr
    assert rows(result)
    file.write_text("{", encoding="utf-8")
    assert run("simulate", rules, "-", "--recipients", file, stdin="").exit_code == 2


@pytest.mark.parametrize("option", [("--until", "tomorrow"), ("--recipients", "none.csv")])
def test_wrong_options(rules: Path, option: tuple[str, str]) -> None:
    result = run("simulate", rules, "-", *option, stdin="")
    assert result.exit_code != 0
    assert result.exit_code == 2 or isinstance(result.exception, OSError)


@pytest.mark.parametrize("command", ["check", "test", "simulate"])
def test_help_has_examples(command: str) -> None:
    said = run(command, "--help").stdout
    assert "Examples:" in said
    assert "Exit codes:" in said
