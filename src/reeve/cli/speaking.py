"""The language a command speaks: what was asked for, else the terminal's."""

from __future__ import annotations

import os

import typer

from reeve.cli.exit_codes import USAGE
from reeve.cli.output import errors

LANGUAGES = ("en", "zh")


def spoken_language(asked: str | None) -> str:
    """`en` or `zh`: as asked, else as the terminal's locale says. Ends the command if the one asked is another."""
    if asked is not None and asked.partition("-")[0].lower() not in LANGUAGES:
        errors().print(f"--lang {asked}: en or zh.")
        raise typer.Exit(USAGE)
    spoken = asked or os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or "en"
    return "zh" if spoken.lower().startswith("zh") else "en"
