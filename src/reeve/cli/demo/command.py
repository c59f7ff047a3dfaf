"""`reeve demo`: a morning at a real site, posted to a running Reeve, and what comes out of it, live."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from reeve.cli.ending import fail
from reeve.cli.exit_codes import BAD, USAGE
from reeve.cli.options import RULES, AsJson, Lang
from reeve.cli.running import run
from reeve.cli.speaking import say, spoken_language

RECIPIENTS = Path("examples/recipients.csv")


def demo(
    recipients: Annotated[Path, typer.Option(help="Who is told: CSV, XLSX or JSON.")] = RECIPIENTS,
    rules: Annotated[Path, typer.Option(help="Rules folder, if the demo starts Reeve itself.")] = RULES,
    pace: Annotated[float, typer.Option(help="1: for people; 0: no pauses between events.", min=0, max=10)] = 1.0,
    real: Annotated[
        bool, typer.Option("--real-providers", help="Also if email and SMS go to real providers.")
    ] = False,
    as_json: AsJson = False,
    lang: Lang = None,
) -> None:
    """A morning at a real site: ten households report a leak, a pipe bursts, a complaint is forgotten, a letter
    comes for somebody who moved away, a bill goes overdue. In the terminal, in under two minutes.

    Posts to a running `reeve up` (or to REEVE_URL), or else starts Reeve in a temporary folder. Subjects are
    new each time, so it can be played again and again. Exit code 1: something expected did not happen.

    Example: reeve demo
    """
    from reeve.cli.demo.playing import play
    from reeve.cli.demo.texts import WORDS

    spoken = spoken_language(lang)
    for path in (recipients, rules):
        if not path.exists():
            fail(say(WORDS, "no_file", spoken, path=path), USAGE)
    if run(play(recipients, rules, pace, real, as_json, spoken)):
        raise typer.Exit(BAD)
