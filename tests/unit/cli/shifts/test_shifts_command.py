"""What `reeve shifts list|show|now|check` say of rotas, in both languages, without a record."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import typer
from typer.testing import CliRunner

from reeve.cli.shifts import command, viewing
from reeve.cli.shifts.checks import check_rota, tell
from reeve.cli.shifts.moments import chosen, read_day, read_length, read_moment, shown_moment, the_one
from reeve.cli.shifts.texts import TEXTS
from reeve.domain.facts import zone_of
from reeve.domain.rotas import Change, Exchange
from reeve.rulelang.shift_files import read_shifts
from reeve.runtime.store.shifts import Rotas
from reeve.runtime.time_source import SystemTime

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
ROTA = b"""
- place: garden
  role: guard
  start: 2026-11-02
  zone: Asia/Shanghai
  shifts: {day: "08:00-20:00", night: "20:00-08:00"}
  turns: {day: guard-01, night: nobody}
- place: garden
  role: courier
  start: 2026-12-01
  zone: Asia/Shanghai
  shifts: {day: "09:00-17:00"}
  turns: {day: rider}
"""
SWAP = Change(
    "3f9a01c2",
    "garden",
    "guard",
    "swap",
    (
        Exchange(NOW, NOW + timedelta(hours=2), frozenset({"guard-02"}), frozenset({"guard-01"})),
        Exchange(NOW + timedelta(days=1), NOW + timedelta(days=1, hours=2), frozenset({"lead"}), frozenset()),
    ),
    "chief",
    "exam",
    NOW - timedelta(days=1),
)


def rotas() -> Rotas:
    read, problems = read_shifts("shifts.yaml", ROTA, lambda _: None)
    assert not problems
    return Rotas({(rota.place, rota.role): rota for rota in read}, {("garden", "guard"): [SWAP]})


def said(monkeypatch: pytest.MonkeyPatch, known: Rotas, *arguments: str) -> str:
    async def load() -> Rotas:
        return known

    monkeypatch.setattr(viewing, "_load", load)
    monkeypatch.setattr(SystemTime, "now", lambda _: NOW)
    ran = CliRunner().invoke(command.app, arguments)
    assert ran.exit_code == 0, ran.output
    return ran.stdout


@pytest.mark.parametrize(
    ("lang", "parts"),
    [
        (
            "en",
            [
                "garden/guard  Asia/Shanghai  guard-01\n",
                "  3f9a01c2  swap: guard-02 instead of guard-01, Mon 2026-11-23 10:00 – Mon 2026-11-23 12:00; ",
                "lead as well, Tue 2026-11-24 10:00 – Tue 2026-11-24 12:00  by chief  “exam”",
            ],
        ),
        (
            "zh",
            [
                "  3f9a01c2  换班：guard-02 顶替 guard-01，周一 2026-11-23 10:00 – 周一 2026-11-23 12:00；",
                "lead（增派），周二 2026-11-24 10:00 – 周二 2026-11-24 12:00  由 chief 登记  “exam”",
            ],
        ),
    ],
)
def test_rotas_are_listed_with_their_changes(monkeypatch: pytest.MonkeyPatch, lang: str, parts: list[str]) -> None:
    text = said(monkeypatch, rotas(), "list", "--lang", lang)
    for part in parts:
        assert part in text


@pytest.mark.parametrize(
    ("lang", "lines"),
    [
        (
            "en",
            [
                "  Tue 2026-11-24 00:00 – Tue 2026-11-24 08:00  nobody  (night)",
                "  Tue 2026-11-24 08:00 – Tue 2026-11-24 10:00  guard-01  (day)",
            ],
        ),
        (
            "zh",
            [
                "  周二 2026-11-24 00:00 – 周二 2026-11-24 08:00  无人（night）",
                "  周二 2026-11-24 08:00 – 周二 2026-11-24 10:00  guard-01（day）",
            ],
        ),
    ],
)
def test_shifts_are_shown_in_local_time(monkeypatch: pytest.MonkeyPatch, lang: str, lines: list[str]) -> None:
    text = said(monkeypatch, rotas(), "show", "garden/guard", "--from", "2026-11-24", "--days", "1", "--lang", lang)
    assert text.splitlines()[1:3] == lines


@pytest.mark.parametrize(
    ("at", "guard", "waits"),
    [
        ("now", ("guard-02  until Mon 2026-11-23 12:00", "guard-02  至 周一 2026-11-23 12:00"), True),
        (
            "2026-11-25T03:00",
            ("nobody is on; everybody who holds the role is told", "无人当班；通知所有任该角色的人"),
            True,
        ),
    ],
)
def test_who_is_on(monkeypatch: pytest.MonkeyPatch, at: str, guard: tuple[str, str], waits: bool) -> None:
    for lang, expected, later in (("en", guard[0], "no shift then"), ("zh", guard[1], "此时没有排班")):
        text = said(monkeypatch, rotas(), "now", "--at", at, "--lang", lang)
        assert f"garden/guard  {expected}\n" in text
        assert (f"garden/courier  {later}\n" in text) == waits


@pytest.mark.parametrize("name", ["list", "now", "show"])
def test_a_record_without_rotas_says_how_to_begin(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    for lang, part in (("en", "There are no rotas yet"), ("zh", "还没有值班表；请先运行：reeve shifts import")):
        assert said(monkeypatch, Rotas(), name, "--lang", lang).startswith(part)
    assert said(monkeypatch, Rotas(), name, "--json") == ""


def test_a_time_without_shifts_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    assert said(monkeypatch, rotas(), "show", "--person", "x", "--lang", "zh") == "这段时间没有班次。\n"
    assert said(monkeypatch, rotas(), "show", "--person", "x", "--lang", "en") == "No shifts in that time.\n"


def test_json_is_the_same_in_both_languages(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("list", "now", "show"):
        one, other = (said(monkeypatch, rotas(), name, "--json", "--lang", lang) for lang in ("en", "zh"))
        assert one == other
        assert one.startswith("{")


def test_what_is_wrong_with_a_rota(capsys: pytest.CaptureFixture[str]) -> None:
    guard = rotas().rotas["garden", "guard"]
    window = (NOW, NOW + timedelta(days=8))
    tell(check_rota(guard, {}, None, (), window, lang="en"), as_json=False, lang="en")
    tell(check_rota(guard, {}, None, (), window, lang="zh"), as_json=False, lang="zh")
    text = capsys.readouterr().out
    for part in (
        "garden/guard: guard-01 is no recipient there or at the organisation above;",
        "; see reeve recipients list --place garden\n",
        "garden/guard: nobody is on from Mon 2026-11-23 20:00 to Tue 2026-11-24 08:00\n",
        "garden/guard: … and 3 gaps more\n",
        "garden/guard：本处和上级组织都没有编号为 guard-01 的人员；见 reeve recipients list --place garden\n",
        "garden/guard：周一 2026-11-23 20:00 至 周二 2026-11-24 08:00 无人当班\n",
        "garden/guard：另有 3 个时段无人当班\n",
    ):
        assert part in text


@pytest.mark.parametrize(("lang", "index"), [("en", 0), ("zh", 1)])
def test_what_nobody_can_mean_is_said_in_the_language_asked_for(lang: str, index: int) -> None:
    zone = zone_of("Asia/Shanghai")
    wrong: dict[str, Callable[[], object]] = {
        "no_moment": lambda: read_moment("soon", zone, NOW, "--at", lang),
        "no_length": lambda: read_length("soon", "--for", lang),
        "no_day": lambda: read_day("soon", "--from", lang),
        "no_rota": lambda: chosen(rotas(), "soon", lang),
        "no_rotas": lambda: the_one(Rotas(), "soon", lang),
    }
    for name, attempt in wrong.items():
        with pytest.raises(typer.BadParameter) as bad:
            attempt()
        names = "garden/guard, garden/courier"
        assert bad.value.message == TEXTS[name][index].format(text="soon", which="soon", names=names)


def test_a_moment_of_an_hour_that_comes_twice_has_its_offset() -> None:
    berlin, _ = read_shifts("x", ROTA.replace(b"Asia/Shanghai", b"Europe/Berlin"), lambda _: None)
    at = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert shown_moment(at, berlin[0]) == "Sun 2026-10-25 02:30+0200"
    assert shown_moment(at, berlin[0], "zh") == "周日 2026-10-25 02:30+0200"
