"""`reeve bench`: measures this machine, and says where the design's figures are reached."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from reeve.cli.options import RULES, AsJson

SECTION_NAMES = (
    *("intake", "escalation", "latency", "timers", "notify", "kills"),
    *("end-to-end", "memory", "rules", "simulate", "activation"),
)
"""Those of reeve.devstack.bench.sections, said again because that takes a second to load."""


def bench(
    sections: Annotated[
        list[str] | None, typer.Argument(help=f"Which: {', '.join(SECTION_NAMES)}. Default: all.")
    ] = None,
    rules: Annotated[Path, typer.Option(help="Rules folder.")] = RULES,
    quick: Annotated[bool, typer.Option("--quick", help="A tenth of the load: a first impression.")] = False,
    as_json: AsJson = False,
) -> None:
    """Measures Reeve beside plainer programs that do less, on servers of its own; docs/benchmark.md says what.

    What is compared runs in turn, three times, and the median counts, because machines are noisy: compare ratios,
    not absolutes. A bar is what the design asks for. A missed one does not change the exit code: this measures, it
    does not judge. Nothing of a running Reeve is touched; nothing is sent anywhere but to 127.0.0.1.

    Examples:

    reeve bench intake --quick

    reeve bench escalation latency

    reeve bench --json > figures.ndjson
    """
    from reeve.cli.stack.measuring import measure

    wanted = sections or list(SECTION_NAMES)
    unknown = [name for name in wanted if name not in SECTION_NAMES]
    if unknown:
        raise typer.BadParameter(f"there is no section {unknown[0]}; there are {', '.join(SECTION_NAMES)}")
    if not rules.is_dir():
        raise typer.BadParameter(f"{rules} does not exist here; run it in Reeve's folder or name another")
    measure(wanted, rules, quick, as_json)
