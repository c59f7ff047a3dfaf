"""Three policies that differ in nothing but `on_change`, to change while their cases run; and the command line."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import os
import sys
from contextlib import nullcontext, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from reeve.cli.main import main
from reeve.devstack.servers import ServerUrls
from tests.support.patient_store import patiently
from tests.support.simulation import CALENDAR_YAML, SITE_YAML
from tests.support.waiting import PATIENCE

POLICY = """
policy: NAME
takes: ticket
if: category == "NAME"
on_change: ON_CHANGE
grades:
  - {grade: serious, if: loss_cny >= BOUND}
  - {grade: ordinary}
clocks:
  respond: {start: ticket.opened, stop: ticket.acknowledged, limit: {serious: SERIOUS, ordinary: 10h}}
steps:
  - {name: late, on: respond breached, notify: front_desk, message: late}
close: ticket.closed
"""
ON_CHANGE = {"complaint": "pin", "repair": "adopt", "service": "recompute"}
MESSAGES = "\n".join(
    f'{name}: {{en: {{email: {{subject: "{name}", body: "{{{{ case }}}}"}}}}}}' for name in ("late", "unreachable")
)
SCENARIO = """
- test: two thousand is serious
  site: s
  events: [{at: 2026-02-13 17:50, type: ticket.opened, subject: T-1, data: {category: complaint, loss_cny: 2000}}]
  expect: [{effect: graded, grade: serious}]
"""


def rule_files(bound: int = 2000, serious: str = "8h", **more: str) -> dict[str, bytes]:
    """A bundle; `more`: further files, or texts to put in the place of these."""
    texts = {"site.yaml": SITE_YAML, "calendars/cn.yaml": CALENDAR_YAML, "messages.yaml": MESSAGES}
    for name, on_change in ON_CHANGE.items():
        text = POLICY.replace("NAME", name).replace("ON_CHANGE", on_change).replace("SERIOUS", serious)
        texts[f"{name}.yaml"] = text.replace("BOUND", str(bound))
    texts |= {path.replace("__", "/") + ".yaml": text for path, text in more.items()}
    return {path: text.encode() for path, text in texts.items()}


def write_rules(folder: Path, files: dict[str, bytes]) -> Path:
    """The folder holds these files."""
    for path, content in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    return folder


@dataclass(frozen=True)
class Ran:
    """What a command said."""

    code: int
    out: str
    err: str

    @property
    def rows(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]

    def of(self, row: str) -> list[dict[str, Any]]:
        """The rows of one kind."""
        return [each for each in self.rows if each["row"] == row]


def _environment(urls: ServerUrls) -> dict[str, str]:
    return {
        "REEVE_NATS_URL": urls.nats_url,
        "REEVE_MONGO_URL": urls.mongo_url,
        "REEVE_MONGO_DATABASE": "reeve",
        "REEVE_DATA": "/nonexistent",
        "COLUMNS": "200",
        "LC_ALL": "C.UTF-8",
    }


async def reeve(urls: ServerUrls, *arguments: str) -> Ran:
    """The command with these arguments, on these servers, in a thread of this process: one at a time."""
    return await asyncio.to_thread(_ran_here, _environment(urls), arguments)


def _ran_here(environment: dict[str, str], arguments: tuple[str, ...]) -> Ran:
    out, err = io.StringIO(), io.StringIO()
    handlers = logging.root.handlers[:]
    running = "replicaSet" in environment["REEVE_MONGO_URL"]  # others are where nobody listens
    with (
        patiently() if running else nullcontext(),
        patch.dict(os.environ, environment),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        try:
            main(arguments)
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else 1
        finally:
            logging.root.handlers[:] = handlers
    return Ran(code, out.getvalue(), err.getvalue())


async def reeve_apart(urls: ServerUrls, *arguments: str, typed: str | None = None) -> Ran:
    """The same as a process of its own: any number at a time. `typed`: on the terminal that it then has."""
    ours, theirs = os.openpty()
    os.write(ours, (typed or "").encode())
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "reeve.cli.main",
        *arguments,
        env={**os.environ, **_environment(urls)},
        stdin=asyncio.subprocess.DEVNULL if typed is None else theirs,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    os.close(theirs)
    out, err = await asyncio.wait_for(process.communicate(), PATIENCE)
    os.close(ours)
    return Ran(process.returncode or 0, out.decode(), err.decode())
