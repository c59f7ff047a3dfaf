"""The language a command speaks: what was asked for, else the terminal's; and its words in that language."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

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


def say(texts: Mapping[str, tuple[str, str]], name: str, lang: str, **words: Any) -> str:
    """The text of that name, of a table of English and Chinese ones; a name that has none is said as it is."""
    found = texts.get(name)
    return (name if found is None else found[lang == "zh"]).format(**words)
