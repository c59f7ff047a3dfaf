"""`reeve scores`: the points of a month, added up, and each of them with the case it comes from. Source: SCORE."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from reeve.cli.cases.score_texts import WORDS
from reeve.cli.ending import fail
from reeve.cli.exit_codes import USAGE
from reeve.cli.options import Lang, OnlySite
from reeve.cli.speaking import say, spoken_language
from reeve.runtime.time_source import SystemTime


def scores(
    month: Annotated[
        str | None, typer.Option(metavar="YYYY-MM", help="Which month.", show_default="the current one")
    ] = None,
    site: OnlySite = None,
    to: Annotated[str | None, typer.Option(help="Only the points of this department or person.")] = None,
    cases: Annotated[bool, typer.Option("--cases", help="Every point with its case and rule.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line: every point.")] = False,
    lang: Lang = None,
) -> None:
    """Add up what happened: points per department or person and month, as score.yaml gives them.

    Every point is a line on the timeline of its case (`reeve cases show`). Examples: reeve scores --month 2026-11;
    reeve scores --to engineering_supervisor --cases; reeve scores --json | jq .points
    """
    from reeve.cli.cases.points import show_points

    spoken = spoken_language(lang)
    show_points(_month(month, spoken), site, to, cases, as_json, spoken)


def _month(text: str | None, lang: str) -> str:
    if text is None:
        return f"{SystemTime().now():%Y-%m}"
    if not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", text, re.ASCII):
        fail(say(WORDS, "no_month", lang, text=text), USAGE)
    return text
