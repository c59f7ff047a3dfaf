"""`reeve send FILE|-`: posts events to a running intake and says what became of each."""

from __future__ import annotations

from typing import Annotated

import typer

from reeve.cli.options import EventsFile


def send(
    file: EventsFile,
    url: Annotated[
        str | None,
        typer.Option(envvar="REEVE_URL", help="Where intake listens.", show_default="the running `reeve up`"),
    ] = None,
    key: Annotated[str, typer.Option(envvar="REEVE_API_KEY", help="API key, where intake wants one.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per event on stdout.")] = False,
) -> None:
    """Post events from a file or standard input.

    Prints what was refused and why, and a summary. Posting a file twice is harmless: repeats are recognised.

    Exit codes: 0 all are in the record, 1 some were refused or differ from what was posted before, 2 wrong
    usage, 3 intake can't be reached.

    Examples: reeve send events.ndjson; cat event.json | reeve send -
    """
    from reeve.cli.traffic.posting import post_file

    post_file(file, url, key, as_json)
