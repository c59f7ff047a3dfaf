"""Options that several commands have, said once: the same word means the same wherever it is typed.

A command whose option says more than this (`reeve scores --json`: every point) has its own.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="One JSON object a line on stdout, and nothing else.")]
Lang = Annotated[str | None, typer.Option("--lang", help="Language: en or zh.", show_default="your locale's")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would change, and change nothing.")]
Limit = Annotated[int, typer.Option("--limit", help="At most so many.", min=1)]
OnlySite = Annotated[str | None, typer.Option("--site", help="Only this site.")]
OnlyPlace = Annotated[str | None, typer.Option("--place", help="Only this site or organisation.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")]
Author = Annotated[
    str | None, typer.Option("--author", help="Who, for the history.", show_default="your login name")
]
Note = Annotated[str, typer.Option("--note", help="Why, for the history; shown to everybody, so no personal data.")]
TheCase = Annotated[str, typer.Argument(help="site/policy/subject, or a subject that only one case has.")]

RULES = Path("rules")
"""The rules folder that is meant where none is named."""
RulesFolder = Annotated[
    Path, typer.Argument(metavar="[DIR]", envvar="REEVE_RULES", show_envvar=False, help="Rules folder.")
]
EventsFile = Annotated[
    Path, typer.Argument(help="JSON object, JSON array or NDJSON; - reads standard input.", allow_dash=True)
]
