"""`reeve up`: everything on one machine, until Ctrl-C."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def up(
    data: Annotated[
        Path | None,
        typer.Option(help="Folder for the servers' data, kept between runs.", show_default=".reeve"),
    ] = None,
    rules: Annotated[
        Path | None, typer.Option(help="Rules folder to load and watch.", show_default="rules")
    ] = None,
    port: Annotated[
        int | None, typer.Option(help="Port for events over HTTP.", min=1, max=65535, show_default="8400")
    ] = None,
) -> None:
    """Everything on one machine: NATS, MongoDB, the services, rules watched. Ctrl-C drains and stops.

    Servers and providers named in the environment (REEVE_NATS_URL, REEVE_MONGO_URL, REEVE_CHANNELS,
    REEVE_SMTP_HOST, REEVE_SMS_GATEWAY) are used; what is not named is started here. Data stays in .reeve between
    runs.
    """
    # Before anything large is loaded: on a busy machine that alone takes many seconds.
    typer.echo("Starting Reeve…")
    from reeve.cli.stack.everything import run_everything

    run_everything(data=data, rules=rules, intake_port=port)
