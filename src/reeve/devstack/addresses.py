"""Where the parts of a running stack listen; written for other `reeve` commands on the same machine."""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from reeve.devstack.folder_lock import is_locked

_NAME = "stack.json"


class StackAddresses(BaseModel):
    """The addresses of one running stack."""

    model_config = ConfigDict(frozen=True)

    pid: int
    """The process that holds it together."""
    intake_url: str
    """Events are posted here."""
    escalation_url: str
    """/healthz, /readyz and /metrics of escalation."""
    notify_url: str
    """/healthz, /readyz and /metrics of notify."""
    nats_url: str = Field(repr=False)
    """The bus; may hold a password if it was given in the settings."""
    mongo_url: str = Field(repr=False)
    """The record; may hold a password if it was given in the settings."""
    sink_url: str | None
    """The page that shows what email and SMS arrived; None when real providers are set."""
    providers: dict[str, str] = {}
    """The settings (REEVE_…) that point notify at the local sinks; empty where real providers are set."""


def save_addresses(folder: Path, addresses: StackAddresses) -> None:
    """`running_stack` finds them from now on; only the owner of the folder's files can read them."""
    path = folder / _NAME
    half_done = path.with_suffix(".new")
    half_done.unlink(missing_ok=True)
    half_done.touch(mode=0o600)
    half_done.write_text(addresses.model_dump_json(indent=1), encoding="utf-8")
    half_done.replace(path)


def forget_addresses(folder: Path) -> None:
    """`running_stack` finds nothing from now on."""
    (folder / _NAME).unlink(missing_ok=True)


def running_stack(folder: Path) -> StackAddresses | None:
    """The stack that runs on this data folder now and has started whole; None if there is none."""
    try:
        addresses = StackAddresses.model_validate_json((folder / _NAME).read_text(encoding="utf-8"))
    except (OSError, ValidationError):
        return None
    # A killed stack leaves its file behind, and for an instant the next one has the lock and not yet a file.
    return addresses if is_locked(folder) and _lives(addresses.pid) else None


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's, but alive
        return True
    return True
