"""`reeve rules calendar update`, and the published calendar that stands in where no file is."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from reeve.cli.rules.command import app
from reeve.rulelang.load import load_bundle, read_folder
from reeve.rulelang.published_calendars import calendar_for, calendar_yaml

SITE = "language: 1\nzone: Asia/Shanghai\nlocale: zh\ncalendar: {name}\n"
POLICY = b"policy: t\ntakes: ticket\nclose: ticket.closed\n"
SHIPPED = Path(__file__).parents[4] / "rules"


def folder(tmp_path: Path, name: str) -> Path:
    (tmp_path / "site.yaml").write_text(SITE.format(name=name), encoding="utf-8")
    (tmp_path / "t.yaml").write_bytes(POLICY)
    return tmp_path


def test_what_is_written_is_what_is_published(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["calendar", "update", str(folder(tmp_path, "cn"))])
    assert result.exit_code == 0, result.output
    loaded = load_bundle(read_folder(tmp_path))
    assert not [problem for problem in loaded.problems if problem.file.startswith(("calendars", "site"))]
    calendar = loaded.require().defaults.calendar
    assert calendar.known_until == date(2026, 12, 31)
    assert date(2026, 2, 14) in calendar.workdays
    assert date(2026, 2, 17) in calendar.holidays
    again = CliRunner().invoke(app, ["calendar", "update", str(tmp_path)])
    assert "as it was" in again.output


def test_a_country_by_its_code_and_one_that_nobody_publishes(tmp_path: Path) -> None:
    rules = folder(tmp_path, "de")
    assert CliRunner().invoke(app, ["calendar", "update", str(rules)]).exit_code == 0
    assert "01-01" in (rules / "calendars" / "de.yaml").read_text(encoding="utf-8")
    unknown = CliRunner().invoke(app, ["calendar", "update", str(rules), "--name", "atlantis"])
    assert unknown.exit_code == 1


def test_a_calendar_without_a_file_stands_in_and_is_warned_about(tmp_path: Path) -> None:
    loaded = load_bundle(read_folder(folder(tmp_path, "cn")))
    assert "calendar_stands_in" in {problem.code for problem in loaded.problems}
    assert date(2026, 2, 14) in loaded.require().defaults.calendar.workdays
    missing = load_bundle(read_folder(folder(tmp_path, "atlantis")))
    assert "no_calendar_file" in {problem.code for problem in missing.errors}


@pytest.mark.parametrize("name", ["cn", "de"])
def test_a_written_calendar_reads_back(name: str) -> None:
    calendar = calendar_for(name, range(2025, 2027))
    assert calendar is not None
    files = {
        "t.yaml": POLICY,
        "site.yaml": SITE.format(name=name).encode(),
        f"calendars/{name}.yaml": calendar_yaml(calendar).encode(),
    }
    assert load_bundle(files).require().defaults.calendar == calendar


def test_the_shipped_calendar_is_the_published_one() -> None:
    shipped = load_bundle(read_folder(SHIPPED)).require().sites["sunshine-garden"].calendar
    assert shipped == calendar_for("cn", range(2024, 2027))
