"""`reeve tail`: follows topics on the bus, as one-liners or as JSON, until Ctrl-C."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from reeve.cli.exit_codes import INTERRUPTED
from reeve.cli.lengths import ago
from reeve.cli.options import Lang
from reeve.cli.running import run
from reeve.cli.speaking import spoken_language
from reeve.runtime.time_source import SystemTime

DEFAULT_SUBJECTS = ("cases.>", "notifications.>")


def tail(
    subject: Annotated[
        list[str] | None,
        typer.Argument(help="NATS subjects, * and > as usual.", show_default="cases.> notifications.>"),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(help="Also what was published since then: 10m, 2h, 1d, or a time with an offset."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The messages as they are, one a line.")] = False,
    lang: Lang = None,
) -> None:
    """Follows topics until Ctrl-C. Only what is published from now on, unless --since says more.

    Examples:

    reeve tail

    reeve tail 'cases.sunshine-garden.complaint.>' --since 1h

    reeve tail 'notifications.*.failed.>' --json
    """
    from reeve.cli.traffic.topics import follow_until_stopped

    start = None if since is None else read_since(since, SystemTime().now())
    spoken = spoken_language(lang)
    subjects = tuple(subject or DEFAULT_SUBJECTS)
    run(follow_until_stopped(subjects, start, None if as_json else spoken))
    raise typer.Exit(INTERRUPTED)


def read_since(text: str, now: datetime) -> datetime:
    """The moment that `10m` (ago) or an RFC 3339 time names. Raises BadParameter: wrong usage."""
    before = ago(text, now)
    if before is not None:
        return before
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise typer.BadParameter(f"{text!r} is neither like 10m, 2h, 1d nor a time with an offset") from None
    return at.astimezone(UTC)
