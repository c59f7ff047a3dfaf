"""`reeve run intake|escalation|notify`: one service in this process, until SIGTERM."""

from __future__ import annotations

import importlib
import os
import sys
from enum import StrEnum
from typing import Annotated

import typer

from reeve.runtime.process import run as run_process

LOG_FORMAT = "REEVE_LOG_FORMAT"


class Service(StrEnum):
    """The three services."""

    intake = "intake"
    escalation = "escalation"
    notify = "notify"


def run(
    service: Annotated[Service, typer.Argument(help="Which service.", show_default=False)],
) -> None:
    """One service in this process, for containers. SIGTERM or Ctrl-C drains and stops it.

    Settings come from the environment (REEVE_…, see docs/operations.md). Logs go to stderr: JSON, or readable
    lines on a terminal. The rules folder only seeds an empty record here and is never watched.

    Example: REEVE_NATS_URL=nats://bus:4222 REEVE_MONGO_URL=mongodb://db/?replicaSet=rs0 reeve run intake
    """
    if not os.environ.get(LOG_FORMAT) and sys.stderr.isatty():
        os.environ[LOG_FORMAT] = "console"
    # Imported by name here alone: one process needs one service, and a fault in another must not stop it.
    app = importlib.import_module(f"services.{service.value}.app")
    run_process(app.main)
