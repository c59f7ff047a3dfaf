"""How `reeve dead` reads, in both languages; what it does to the bus the integration tests show."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest

from reeve.cli.main import main
from reeve.cli.traffic import dead_letters
from reeve.cli.traffic.dead_letters import Kept
from reeve.contracts.notices import dead_letter, read_dead_letter


def kept(number: int, attempts: int) -> Kept:
    made = dead_letter(
        *("intake", "garden"),
        reason="no JSON",
        attempts=attempts,
        subject="intake.garden.ticket.opened",
        body=b"{",
        at=datetime(2026, 11, 20, 1, 0, tzinfo=UTC),
    )
    return Kept(number, *read_dead_letter(made.body))


@pytest.fixture(autouse=True)
def _bus(monkeypatch: pytest.MonkeyPatch) -> None:
    @asynccontextmanager
    async def no_bus(*_: object) -> AsyncIterator[None]:
        yield

    async def letters(*_: object) -> AsyncIterator[Kept]:
        for each in (kept(17, 1), kept(18, 3)):
            yield each

    monkeypatch.setattr(dead_letters, "open_bus", no_bus)
    monkeypatch.setattr(dead_letters, "_letters", letters)


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["dead", *arguments])
    return int(ended.value.code or 0)


@pytest.mark.parametrize(
    ("lang", "attempts", "count"),
    [
        ("en", ["(1 attempt)", "(3 attempts)"], "2 dead letters."),
        ("zh", ["（尝试 1 次）", "（尝试 3 次）"], "共 2 封死信。"),
    ],
)
def test_the_list(capsys: pytest.CaptureFixture[str], lang: str, attempts: list[str], count: str) -> None:
    assert run("list", "--lang", lang) == 0
    told = capsys.readouterr()
    lines = told.out.splitlines()
    assert [line.split()[0] for line in lines] == ["17", "18"]
    for line, says in zip(lines, attempts, strict=True):
        assert "intake garden  intake.garden.ticket.opened  no JSON" in line
        assert line.endswith(says)
    assert told.err.strip() == count


@pytest.mark.parametrize(
    ("lang", "says"),
    [("en", "Name the letters, or say --all."), ("zh", "请写明死信的编号，或用 --all。")],
)
@pytest.mark.parametrize("arguments", [(), ("17", "--all")])
def test_which_to_put_back_is_said(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], lang: str, says: str
) -> None:
    assert run("replay", *arguments, "--lang", lang) == 2
    assert capsys.readouterr().err.strip() == says
