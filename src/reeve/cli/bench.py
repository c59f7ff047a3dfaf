"""`reeve bench`: measures this machine, and says where the design's figures are reached."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from reeve.cli.exit_codes import BAD
from reeve.cli.output import print_json, print_line
from reeve.devstack.bench.figures import Figure
from reeve.devstack.bench.rig import rig
from reeve.devstack.bench.sections import SECTIONS
from reeve.runtime.telemetry import configure_logging


def bench(
    sections: Annotated[
        list[str] | None, typer.Argument(help=f"Which: {', '.join(SECTIONS)}. Default: all.")
    ] = None,
    rules: Annotated[Path, typer.Option(help="Rules folder.")] = Path("rules"),
    quick: Annotated[bool, typer.Option("--quick", help="A fifth of the load: a first impression.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Measures escalation beside plainer loops, its latency, its timers and its memory, on servers of its own.

    Runs are interleaved and medians taken, because machines are noisy: compare ratios, not absolutes. Exit code
    1: a bar of the design was not reached. Nothing of a running Reeve is touched.

    Examples: reeve bench · reeve bench timers · reeve bench escalation --quick --json
    """
    wanted = sections or list(SECTIONS)
    unknown = [name for name in wanted if name not in SECTIONS]
    if unknown:
        raise typer.BadParameter(f"there is no section {unknown[0]}; there are {', '.join(SECTIONS)}")
    if not rules.is_dir():
        raise typer.BadParameter(f"{rules} does not exist here; run it in Reeve's folder or name another")
    configure_logging("bench", "console", "error")
    figures = asyncio.run(_measure(wanted, rules, quick, as_json))
    if any(figure.met is False for figure in figures):
        raise typer.Exit(BAD)


async def _measure(wanted: list[str], rules: Path, quick: bool, as_json: bool) -> list[Figure]:
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="reeve-bench-") as folder:
        async with rig(Path(folder), rules) as measured:
            for name in wanted:
                async for figure in SECTIONS[name](measured, quick):
                    figures.append(figure)
                    _print(figure, as_json)
    return figures


def _print(figure: Figure, as_json: bool) -> None:
    if as_json:
        print_json(figure.as_json())
        return
    verdict = ("", "")
    if figure.met is not None:
        sign = "≥" if figure.better == "more" else "≤"
        words = f"  ({'reached' if figure.met else 'MISSED'}: {sign} {figure.bar:g})"
        verdict = (words, "green" if figure.met else "red")
    print_line(f"{figure.section:<11} {figure.what:<42} {figure.value:>12,.2f} {figure.unit}", verdict)
