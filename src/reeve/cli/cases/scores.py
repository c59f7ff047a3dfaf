"""`reeve scores`: the points of a month, added up, and each of them with the case it comes from. Source: SCORE."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from typing import Annotated, Any

import typer

from reeve.cli.ending import fail
from reeve.cli.exit_codes import USAGE
from reeve.cli.options import OnlySite
from reeve.cli.output import errors, print_json, print_line
from reeve.cli.targets import find_targets, open_record
from reeve.runtime.store.scores import Point, Scores
from reeve.runtime.time_source import SystemTime

NOBODY = "-"


def scores(
    month: Annotated[
        str | None, typer.Option(metavar="YYYY-MM", help="Which month.", show_default="the current one")
    ] = None,
    site: OnlySite = None,
    to: Annotated[str | None, typer.Option(help="Only the points of this department or person.")] = None,
    cases: Annotated[bool, typer.Option("--cases", help="Every point with its case and rule.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line: every point.")] = False,
) -> None:
    """Add up what happened: points per department or person and month, as score.yaml gives them.

    Every point is a line on the timeline of its case (`reeve cases show`). Examples: reeve scores --month 2026-11;
    reeve scores --to engineering_supervisor --cases; reeve scores --json | jq .points
    """
    wanted = _month(month)
    points = asyncio.run(_points(wanted, site, to))
    if as_json:
        for point in points:
            print_json(_as_json(point))
        return
    if not points:
        errors().print(f"Nothing scored in {wanted}.")
        return
    if cases:
        for point in points:
            print_line((f"{point.at[:16].replace('T', ' ')}  ", "dim"), *_line(point))
        return
    _print_sums(points)


async def _points(month: str, site: str | None, to: str | None) -> list[Point]:
    async with open_record(find_targets(), "scores") as database:
        found = Scores(database).points(month, site)
        return [point async for point in found if to is None or point.to == to]


def _print_sums(points: list[Point]) -> None:
    sums: Counter[tuple[str, str]] = Counter()
    counts: Counter[tuple[str, str]] = Counter()
    for point in points:
        row = (point.case.partition("/")[0], point.to or NOBODY)
        sums[row] += point.points
        counts[row] += 1
    for (site, who), total in sorted(sums.items(), key=lambda item: (item[1], item[0])):
        style = "bold red" if total < 0 else "green"
        number = counts[site, who]
        print_line((f"{total:>+6}  ", style), f"{who:<28} {site:<24} {number} line{'s' if number > 1 else ''}")


def _line(point: Point) -> list[str | tuple[str, str]]:
    style = "bold red" if point.points < 0 else "green"
    return [
        (f"{point.points:>+4}  ", style),
        f"{point.to or NOBODY:<28} {point.case}",
        (f"  ← {point.rule}{f' ({point.fact})' if point.fact else ''}", "dim"),
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


def _month(text: str | None) -> str:
    if text is None:
        return f"{SystemTime().now():%Y-%m}"
    if not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", text, re.ASCII):
        fail(f"--month {text}: write a month like 2026-11.", USAGE)
    return text
