"""Rota files: what they mean, and every mistake with its line and its mend."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from reeve.domain.rotas import Rota
from reeve.domain.shifts import on_shift
from reeve.rulelang.shift_files import read_shifts

ROOT = Path(__file__).parents[3]
HEAD = "- place: s\n  role: guard\n  zone: Asia/Shanghai\n  start: 2026-11-04\n"  # a Wednesday


def rota(text: str) -> Rota:
    rotas, problems = read_shifts("shifts.yaml", (HEAD + text).encode(), lambda _: None)
    assert [each.render() for each in problems] == []
    return rotas[0]


def said(text: str, zone: str | None = None) -> list[str]:
    _, problems = read_shifts("shifts.yaml", text.encode(), lambda _: zone)
    return [each.render() for each in problems]


def on(found: Rota, moment: str) -> list[str] | None:
    people = on_shift(found, (), datetime.fromisoformat(f"{moment}+08:00").astimezone(UTC))
    return None if people is None else sorted(people)


def test_24_hours_on_24_hours_off() -> None:
    found = rota("  groups: {A: [g-1, g-2], B: g-3}\n  every: day at 08:00\n  turns: [A, B]\n")
    assert on(found, "2026-11-04 07:59") is None
    assert on(found, "2026-11-04 08:00") == ["g-1", "g-2"]
    assert on(found, "2026-11-05 07:59") == ["g-1", "g-2"]
    assert on(found, "2026-11-05 08:00") == ["g-3"]
    assert on(found, "2026-11-06 08:00") == ["g-1", "g-2"]


def test_three_shifts_with_their_own_people() -> None:
    found = rota(
        '  shifts: {早班: "08:00-16:00", 中班: 16:00～24:00, 夜班: "00:00至08:00"}\n'
        "  turns: {早班: g-1, 中班: [g-2, g-3], 夜班: nobody}\n"
    )
    assert on(found, "2026-11-10 15:59") == ["g-1"]
    assert on(found, "2026-11-10 16:00") == ["g-2", "g-3"]
    assert on(found, "2026-11-10 23:59") == ["g-2", "g-3"]
    assert on(found, "2026-11-11 00:00") == []


def test_weeks_begin_on_their_weekday_and_several_days_make_a_turn() -> None:
    weekly = rota("  every: 2 weeks on mon at 09:00\n  turns: [g-1, g-2]\n")
    assert on(weekly, "2026-11-04 12:00") == ["g-1"]  # the turn began on Monday the 2nd
    assert on(weekly, "2026-11-16 08:59") == ["g-1"]
    assert on(weekly, "2026-11-16 09:00") == ["g-2"]
    three = rota("  every: 3 days at 20:00\n  turns: [g-1, g-2]\n")
    assert on(three, "2026-11-07 19:59") == ["g-1"]
    assert on(three, "2026-11-07 20:00") == ["g-2"]


def test_layers_add_up_and_end_with_their_last_day() -> None:
    found = rota(
        "  layers:\n"
        '    - {days: mon-fri, shifts: {day: "09:00-17:00"}, turns: {day: g-1}, until: 2026-11-06}\n'
        '    - {shifts: {night: "20:00-08:00"}, turns: [{night: g-2}], until: 2026-11-07}\n'
        '    - {shifts: {gate: "16:00-18:00"}, turns: {gate: g-3}, until: 2026-11-05}\n'
    )
    assert on(found, "2026-11-05 16:30") == ["g-1", "g-3"]
    assert on(found, "2026-11-06 18:30") == []
    assert on(found, "2026-11-07 12:00") == []  # a Saturday
    assert on(found, "2026-11-08 07:59") == ["g-2"]
    assert on(found, "2026-11-08 08:00") is None  # the rota has ended


def test_the_zone_of_a_site_is_taken_where_the_file_names_none() -> None:
    text = "- {place: s, role: guard, start: 2026-11-04, every: day at 08:00, turns: [a]}"
    rotas, problems = read_shifts("x.yaml", text.encode(), {"s": "Europe/Berlin"}.get)
    assert not problems
    assert rotas[0].zone == "Europe/Berlin"
    assert rotas[0].layers[0].start == date(2026, 11, 4)
    assert said(text) == [
        "shifts.yaml:1:3: error: the time zone of s is not known → write `zone: Asia/Shanghai` or another"
    ]


def test_the_example_is_right() -> None:
    rotas, problems = read_shifts("x", (ROOT / "examples" / "shifts.yaml").read_bytes(), lambda _: "Asia/Shanghai")
    assert not problems
    assert [each.role for each in rotas] == ["front_desk", "guard", "technician"]
    known = {
        line.partition(",")[0] for line in (ROOT / "examples" / "recipients.csv").read_text("utf-8").split("\n")
    }
    assert frozenset().union(*(each.people for each in rotas)) <= known


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("  every: fortnightly\n  turns: [a]\n", 5, "`fortnightly` is no rhythm of turns"),
        ("  every: 400 days at 08:00\n  turns: [a]\n", 5, "is no rhythm of turns"),
        ("  every: day at 25:00\n  turns: [a]\n", 5, "is no rhythm of turns"),
        ("  every: week on mon\n  turns: [a]\n", 5, "write `week on mon at 08:00`"),
        ("  every: day at 08:00\n", 1, "nothing says who is on"),
        ("  turns: [a]\n", 1, "nothing says when the turns change"),
        ('  shifts: {d: "8-16"}\n  turns: {d: a}\n', 5, "`8-16` are no hours of a shift"),
        ('  shifts: {d: "08:00-16:00"}\n  turns:\n    - {dd: a}\n', 7, "what can stand here: d"),
        (
            '  shifts: {d: "08:00-16:00", n: "16:00-08:00"}\n  turns:\n    - {d: a}\n',
            7,
            "write `n: …`, or `n: nobody`",
        ),
        ('  shifts: {d: "08:00-16:00"}\n  turns: [a]\n', 6, "write `{d: a, …}`"),
        ('  shifts: {d: "08:00-16:00"}\n  every: day at 09:00\n  turns: {d: a}\n', 6, "leave the time out: `day`"),
        ("  every: 2 days at 08:00\n  days: mon\n  turns: [a]\n", 6, "does not go with `days`"),
        ("  every: day at 08:00\n  days: mo-fri\n  turns: [a]\n", 6, "`mo-fri` is no weekday"),
        ("  groups: {early: [a]}\n  every: day at 08:00\n  turns: [erly]\n", 7, "did you mean `early`?"),
        ("  every: day at 08:00\n  turns: [王保安]\n", 6, "`王保安` is no recipient id"),
        ("  every: day at 08:00\n  turns: [a]\n  until: 2026-11-01\n", 7, "`until` lies before `start`"),
        ("  turn: [a]\n  every: day at 08:00\n", 5, "did you mean `turns`?"),
        ("  every: day at 08:00\n  layers: [{every: day at 09:00, turns: [a]}]\n", 5, "move it into the layers"),
    ],
)
def test_a_mistake_is_told_where_it_stands_with_the_mend(text: str, line: int, what: str) -> None:
    found = said(HEAD + text)
    assert any(each.startswith(f"shifts.yaml:{line}:") and what in each for each in found), found


def test_place_role_zone_start_and_doubles() -> None:
    found = said(
        "- {place: Sun Garden, role: gard, zone: Asia/Shangai, every: day at 08:00, turns: [a]}\n"
        "- {place: s, role: guard, zone: UTC, start: 2026-11-02, every: day at 08:00, turns: [a]}\n"
        "- {place: s, role: guard, zone: UTC, start: 2026-11-02, every: day at 08:00, turns: [b]}\n"
    )
    assert len(found) == 5
    for each in (
        "is no id of a place",
        "did you mean `guard`?",
        "`Asia/Shanghai`?",
        "`start: 2026-11-02`",
        "line 2",
    ):
        assert any(each in one for one in found), each


def test_every_sentence_can_be_said_in_chinese() -> None:
    _, problems = read_shifts("x", (HEAD + "  every: fortnightly\n  turns: [a]\n").encode(), lambda _: None)
    assert "不是轮换周期" in problems[0].render("zh")
