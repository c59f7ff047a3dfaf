"""`reeve rules backtest --events`: without any server, as people, programs and pipelines see it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from reeve.cli.rules.command import app
from reeve.runtime.backtest.plots import bars, days
from reeve.runtime.backtest.texts import TEXTS, beside
from tests.support.changing_rules import rule_files, write_rules
from tests.support.waiting import PATIENCE, until


def posted(at: str, type: str, subject: str, **data: Any) -> str:
    row = {"specversion": "1.0", "id": f"{type}-{subject}-{at}", "source": "/t", "type": type, "site": "s"}
    return json.dumps({**row, "subject": subject, "time": at, "data": data})


@pytest.fixture
def events(tmp_path: Path) -> Path:
    rows = [
        posted("2026-03-01T09:00:00+08:00", "ticket.opened", "OLD", category="complaint", loss_cny=1500),
        posted("2026-03-02T09:00:00+08:00", "ticket.opened", "NEW", category="complaint", loss_cny=1500),
        posted("2026-03-02T16:00:00+08:00", "ticket.acknowledged", "NEW"),
    ]
    file = tmp_path / "events.ndjson"
    file.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return file


@pytest.fixture
def active(tmp_path: Path) -> Path:
    return write_rules(tmp_path / "active", rule_files())


@pytest.fixture
def candidate(tmp_path: Path) -> Path:
    return write_rules(tmp_path / "candidate", rule_files(bound=1000, serious="6h"))


def run(candidate: Path, active: Path, events: Path, *arguments: str) -> Result:
    given = ["backtest", str(candidate), "--against", str(active), "--events", str(events), *arguments]
    return CliRunner().invoke(app, given, env={"LC_ALL": "C.UTF-8"})


def rows(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_a_whole_file_is_compared(candidate: Path, active: Path, events: Path) -> None:
    result = run(candidate, active, events, "--json")
    assert result.exit_code == 0, result.stderr
    sums, *cases = rows(result)
    assert sums["row"] == "sums"
    assert sums["grades"] == [{"policy": "complaint", "from": "ordinary", "to": "serious", "cases": 2}]
    assert (sums["events"], sums["earlier"]) == (3, 0)
    (respond,) = [row for row in sums["breaches"] if row["policy"] == "complaint"]
    assert (respond["before"], respond["after"], respond["gained"], respond["moved"]) == (1, 2, 1, 1)
    assert [each["case"] for each in cases] == ["s/complaint/OLD", "s/complaint/NEW"]


def test_a_duty_that_a_rota_tells_comes_on_neither_side(events: Path, tmp_path: Path) -> None:
    duty = "- {duty: hand_over, every: day at 08:00, who: front_desk, unless: rota, message: late}\n"
    rota = "- {place: s, role: front_desk, start: 2026-02-01, groups: {A: li}, every: day at 08:00, turns: [A]}\n"
    first, second = (write_rules(tmp_path / name, rule_files(duties=duty)) for name in ("a", "b"))
    shifts = tmp_path / "rota.yaml"
    shifts.write_text(rota, encoding="utf-8")
    until_then = ("--until", "2026-03-04", "--json")
    found = [run(first, second, events, *until_then, *more) for more in ((), ("--shifts", str(shifts)))]
    opened = [
        {row["policy"]: (row["before"], row["after"]) for row in rows(result)[0]["cases_opened"]}
        for result in found
    ]
    assert opened[0] == opened[1] | {"duty": (2, 2)}
    assert "duty" not in opened[1]


@pytest.mark.parametrize("since", ["1d", "24h", "2026-03-02", "2026-03-01 16:00"])
def test_what_lies_before_only_sets_the_scene(candidate: Path, active: Path, events: Path, since: str) -> None:
    sums, *cases = rows(run(candidate, active, events, "--since", since, "--json"))
    assert (sums["events"], sums["earlier"]) == (2, 1)
    assert [each["case"] for each in cases] == ["s/complaint/NEW"]


def test_people_read_a_report(candidate: Path, active: Path, events: Path) -> None:
    result = run(candidate, active, events)
    assert "3 events compared." in result.stdout
    assert "2 cases differ." in result.stdout
    lines = [line.split() for line in result.stdout.splitlines()]
    assert ["complaint", "ordinary", "serious", "2"] in lines
    assert ["complaint", "respond", "1", "2", "1", "0", "1"] in lines
    assert "s/complaint/NEW  ordinary → serious" in result.stdout
    late = next(line for line in result.stdout.splitlines() if "breached respond" in line and " │ " in line)
    before, after = late.split(" │ ")
    assert ("03-01 19:00" in before, "03-01 15:00" in after) == (True, True), late


def test_and_in_chinese(candidate: Path, active: Path, events: Path) -> None:
    result = run(candidate, active, events, "--lang", "zh")
    assert "2 张工单有变化。" in result.stdout
    assert "变化最大的工单" in result.stdout
    assert "超时 respond" in result.stdout


def test_the_same_rules(active: Path, events: Path) -> None:
    result = run(active, active, events, "--fail-on", "any", "--max-changed", "0", "--max-sms", "0")
    assert result.exit_code == 0
    assert "Nothing differs." in result.stdout


@pytest.mark.parametrize(
    ("bounds", "code"),
    [
        (["--fail-on", "any"], 1),
        (["--fail-on", "breaches"], 1),
        (["--fail-on", "worse"], 1),
        (["--fail-on", "sms"], 0),
        (["--fail-on", "sms", "--fail-on", "notifications"], 1),
        (["--max-changed", "1"], 1),
        (["--max-changed", "2", "--max-breaches", "1"], 0),
        (["--max-breaches", "0"], 1),
    ],
)
def test_bounds(candidate: Path, active: Path, events: Path, bounds: list[str], code: int) -> None:
    result = run(candidate, active, events, *bounds)
    assert result.exit_code == code
    assert ("Beyond bounds" in result.stderr) is bool(code)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--since", "soon"], "30d, 12h or 4w"),
        (["--since", "2026-04-01", "--until", "2026-03-01"], "Nothing lies between"),
        (["--fail-on", "nothing"], "one of any, grades"),
        (["--against", "0123"], "--against DIR"),
    ],
)
def test_wrong_usage(candidate: Path, active: Path, events: Path, arguments: list[str], says: str) -> None:
    result = run(candidate, active, events, *arguments)
    assert result.exit_code == 2
    assert says in result.stderr


def test_a_bad_event_is_told_with_its_line(candidate: Path, active: Path, events: Path) -> None:
    events.write_text("{}\n" + events.read_text(encoding="utf-8"), encoding="utf-8")
    result = run(candidate, active, events, "--json")
    assert result.exit_code == 1
    assert "line 1:" in result.stderr
    assert rows(result)[0]["refused"] == 1


async def test_ctrl_c_leaves_nothing_behind(candidate: Path, active: Path, tmp_path: Path) -> None:
    many = tmp_path / "many.ndjson"
    start = datetime(2026, 3, 2, tzinfo=UTC)
    with many.open("w", encoding="utf-8") as out:
        for number in range(15_000):
            at = (start + timedelta(seconds=number)).isoformat()
            out.write(posted(at, "ticket.opened", f"T-{number}", category="complaint") + "\n")
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    process = await asyncio.create_subprocess_exec(
        *[sys.executable, "-m", "reeve.cli.main", "rules", "backtest", str(candidate)],
        *["--against", str(active), "--events", str(many)],
        env={**os.environ, "TMPDIR": str(scratch)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    # Not before its database: an interrupted `mkdtemp` or a file with which Python tries the place would stay.
    await until("it works on disk", lambda: any(scratch.glob("reeve-*/*.sqlite")))
    process.send_signal(signal.SIGINT)
    _, err = await asyncio.wait_for(process.communicate(), PATIENCE)
    assert process.returncode == 130, err.decode()
    assert "Traceback" not in err.decode()
    assert list(scratch.iterdir()) == []


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: dict[str, int] = {}
        self.fetched: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen[tag] = self.seen.get(tag, 0) + 1
        self.fetched += [str(value) for name, value in attrs if name in ("src", "href", "data", "action")]
        if tag not in ("meta", "br", "rect", "line") or tag == "svg":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen[tag] = self.seen.get(tag, 0) + 1

    def handle_endtag(self, tag: str) -> None:
        if tag == "rect":
            return
        assert self.open.pop() == tag


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_page_is_one_file_with_plots(
    candidate: Path, active: Path, events: Path, tmp_path: Path, lang: str
) -> None:
    file = tmp_path / "report.html"
    assert run(candidate, active, events, "--html", str(file), "--lang", lang).exit_code == 0
    text = file.read_text(encoding="utf-8")
    page = _Page()
    page.feed(text)
    assert page.open == []
    assert page.fetched == []
    assert "script" not in page.seen
    assert page.seen["svg"] == 3, "gradings, breaches, one role by day"
    assert TEXTS[lang]["breaches"] in text
    assert "s/complaint/NEW" in text
    assert "@import" not in text
    assert "url(" not in text


def test_a_page_that_can_not_be_written(candidate: Path, active: Path, events: Path, tmp_path: Path) -> None:
    result = run(candidate, active, events, "--html", str(tmp_path / "no" / "report.html"))
    assert result.exit_code == 2
    assert "no such folder" in result.stderr
    assert result.stdout == "", "said before the work, not after it"


def test_both_languages_say_the_same_things() -> None:
    assert TEXTS["en"].keys() == TEXTS["zh"].keys()


def test_plots_are_to_scale_and_escaped() -> None:
    drawn = bars([("<b>", 0, 0), ("half", 50, 100)], "a & b")
    assert "&lt;b&gt;" in drawn
    assert 'aria-label="a &amp; b"' in drawn
    assert 'width="160.0"' in drawn
    assert 'width="320.0"' in drawn
    assert bars([], "nothing") == ""
    assert days("guard", {}, [], 0).endswith("</svg>")


def test_lines_about_the_same_stand_beside_each_other() -> None:
    active = [{"effect": "graded", "grade": "a"}, {"effect": "breached", "clock": "respond"}]
    candidate = [{"effect": "breached", "clock": "respond"}, {"effect": "notify", "message": "late"}]
    assert beside(active, candidate) == [
        (active[0], None),
        (active[1], candidate[0]),
        (None, candidate[1]),
    ]
