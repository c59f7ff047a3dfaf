"""How a command ends before its work is done: one sentence on standard error, and an exit code."""

from __future__ import annotations

from typing import NoReturn

import typer

from reeve.cli.output import errors


def fail(sentence: str, code: int) -> NoReturn:
    """Ends the command."""
    errors().print(sentence)
    raise typer.Exit(code)
