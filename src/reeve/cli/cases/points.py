"""Points of a month as the record has them, printed: each, or their sums."""

from __future__ import annotations

from collections import Counter
from typing import Any

from reeve.cli.cases.score_texts import WORDS
from reeve.cli.output import errors, print_json, print_line
from reeve.cli.running import run
from reeve.cli.speaking import say
from reeve.cli.targets import find_targets, open_record
from reeve.runtime.store.scores import Point, Scores

NOBODY = "-"


def show_points(month: str, site: str | None, to: str | None, cases: bool, as_json: bool, lang: str) -> None:
    """Prints their sums, or with `cases` or as JSON every point."""
    points = run(_points(month, site, to))
    if as_json:
        for point in points:
            print_json(_as_json(point))
        return
    if not points:
        errors().print(say(WORDS, "none", lang, month=month))
        return
    if cases:
        for point in points:
            print_line((f"{point.at[:16].replace('T', ' ')}  ", "dim"), *_line(point, lang))
        return
    _print_sums(points, lang)


async def _points(month: str, site: str | None, to: str | None) -> list[Point]:
    async with open_record(find_targets(), "scores") as database:
        found = Scores(database).points(month, site)
        return [point async for point in found if to is None or point.to == to]


def _print_sums(points: list[Point], lang: str) -> None:
    sums: Counter[tuple[str, str]] = Counter()
    counts: Counter[tuple[str, str]] = Counter()
    for point in points:
        row = (point.case.partition("/")[0], point.to or NOBODY)
        sums[row] += point.points
        counts[row] += 1
    for (site, who), total in sorted(sums.items(), key=lambda item: (item[1], item[0])):
        style = "bold red" if total < 0 else "green"
        number = counts[site, who]
        lines = say(WORDS, "line" if number == 1 else "lines", lang, n=number)
        print_line((f"{total:>+6}  ", style), f"{who:<28} {site:<24} {lines}")


def _line(point: Point, lang: str) -> list[str | tuple[str, str]]:
    style = "bold red" if point.points < 0 else "green"
    return [
        (f"{point.points:>+4}  ", style),
        f"{point.to or NOBODY:<28} {point.case}",
        (say(WORDS, "because_of_fact" if point.fact else "because", lang, rule=point.rule, fact=point.fact), "dim"),
    ]


def _as_json(point: Point) -> dict[str, Any]:
    return {
        "at": point.at,
        "case": point.case,
        "points": point.points,
        "to": point.to,
        "fact": point.fact,
        "rule": point.rule,
    }
