"""How `reeve recipients list` and `export` read, in both languages."""

from __future__ import annotations

from datetime import date, time
from pathlib import Path

import pytest

from reeve.cli.main import main
from reeve.cli.recipients import listing
from reeve.domain.recipients import Absence, QuietHours, Recipient

PEOPLE = [
    Recipient(
        "guard-01", "garden", frozenset({"guard"}), "zh", {"sms": "+8613800138000", "email": "g@example.org"}
    ),
    Recipient(
        "tech-3",
        "garden",
        frozenset({"technician"}),
        addresses={"sms": "+8613800138001"},
        unverified=frozenset({"sms"}),
        quiet=QuietHours(time(22), time(7)),
        away=(Absence(date(2026, 7, 1), date(2026, 7, 14), "guard-01"),),
    ),
]


@pytest.fixture(autouse=True)
def _people(monkeypatch: pytest.MonkeyPatch) -> None:
    async def recorded(place: str | None) -> list[Recipient]:
        return [person for person in PEOPLE if place in (None, person.place)]

    monkeypatch.setattr(listing, "_all", recorded)


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["recipients", *arguments])
    return int(ended.value.code or 0)


@pytest.mark.parametrize(
    ("lang", "says"),
    [
        ("en", " (unverified)  quiet 22:00-07:00  away 2026-07-01..2026-07-14 guard-01"),
        ("zh", "（未核实）  免打扰 22:00-07:00  休假 2026-07-01..2026-07-14 guard-01"),
    ],
)
def test_a_person_on_one_line(capsys: pytest.CaptureFixture[str], lang: str, says: str) -> None:
    assert run("list", "--role", "technician", "--lang", lang) == 0
    [line] = capsys.readouterr().out.splitlines()
    assert line.startswith("garden/tech-3")
    assert line.endswith(says)
    assert "138001" not in line


@pytest.mark.parametrize(
    ("arguments", "english", "chinese"),
    [
        ((), "There are no recipients at elsewhere.", "elsewhere 没有人员。"),
        (
            ("--role", "finance"),
            "There are no recipients as finance at elsewhere.",
            "elsewhere 没有角色为 finance 的人员。",
        ),
    ],
)
def test_nobody(capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], english: str, chinese: str) -> None:
    for lang, says in (("en", english), ("zh", chinese)):
        assert run("list", "--place", "elsewhere", *arguments, "--lang", lang) == 0
        assert capsys.readouterr().err.strip() == says


@pytest.mark.parametrize(
    ("lang", "says"),
    [
        ("en", "--role gard: no such role; did you mean guard?"),
        ("zh", "--role gard：没有这个角色；是不是想写 guard？"),
    ],
)
def test_a_role_that_there_is_not(capsys: pytest.CaptureFixture[str], lang: str, says: str) -> None:
    assert run("list", "--role", "gard", "--lang", lang) == 2
    assert capsys.readouterr().err.strip() == says


def test_an_export_says_what_it_holds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "people.csv"
    assert run("export", str(file), "--lang", "zh") == 0
    assert capsys.readouterr().err.replace("\n", "") == f"已将 2 人写入 {file}，含姓名和联系方式。"
    assert run("export", str(file), "--lang", "zh") == 2
    assert "加 --force 覆盖" in capsys.readouterr().err
    assert run("export", str(tmp_path / "people.doc"), "--lang", "en") == 2
    assert "name it .csv, .xlsx or .json" in capsys.readouterr().err
