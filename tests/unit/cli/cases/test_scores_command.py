"""How `reeve scores` reads, in both languages; what it adds up the integration tests show."""

from __future__ import annotations

import pytest

from reeve.cli.cases import points
from reeve.cli.main import main
from reeve.runtime.store.scores import Point

POINTS = [
    Point("2026-11-02T09:00:00+08:00", "garden/complaint/T-1", -2, "finance", "SCORE-01", "score.yaml:2"),
    Point("2026-11-03T09:00:00+08:00", "garden/complaint/T-2", -2, "finance", None, "score.yaml:2"),
    Point("2026-11-03T09:00:00+08:00", "garden/complaint/T-2", 3, "front_desk", None, "score.yaml:9"),
]


def scores(monkeypatch: pytest.MonkeyPatch, found: list[Point], *arguments: str) -> int:
    async def recorded(*_: object) -> list[Point]:
        return found

    monkeypatch.setattr(points, "_points", recorded)
    with pytest.raises(SystemExit) as ended:
        main(["scores", "--month", "2026-11", *arguments])
    return int(ended.value.code or 0)


@pytest.mark.parametrize(
    ("lang", "ends", "because"),
    [
        ("en", ["2 lines", "1 line"], "score.yaml:2 (SCORE-01)"),
        ("zh", ["2 条", "1 条"], "score.yaml:2（SCORE-01）"),
    ],
)
def test_sums_and_points(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], lang: str, ends: list[str], because: str
) -> None:
    assert scores(monkeypatch, POINTS, "--lang", lang) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines] == [["-4", "finance"], ["+3", "front_desk"]]
    assert all(line.endswith(end) for line, end in zip(lines, ends, strict=True))
    assert scores(monkeypatch, POINTS, "--cases", "--lang", lang) == 0
    assert because in capsys.readouterr().out.splitlines()[0]


@pytest.mark.parametrize(
    ("lang", "none", "bad"),
    [
        ("en", "Nothing scored in 2026-11.", "--month 2026-13: write a month like 2026-11."),
        ("zh", "2026-11 没有计分。", "--month 2026-13：请写月份，例如 2026-11。"),
    ],
)
def test_nothing_and_no_month(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], lang: str, none: str, bad: str
) -> None:
    assert scores(monkeypatch, [], "--lang", lang) == 0
    assert capsys.readouterr().err.strip() == none
    assert scores(monkeypatch, [], "--month", "2026-13", "--lang", lang) == 2
    assert capsys.readouterr().err.strip() == bad
