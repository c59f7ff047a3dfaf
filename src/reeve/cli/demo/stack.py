"""The `reeve up` that a demo talks to: the one that runs, else one of its own in a temporary folder."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from reeve.cli.targets import Targets, find_targets
from reeve.devstack.addresses import StackAddresses, running_stack
from reeve.devstack.errors import StackError
from reeve.devstack.launching import Child, free_port

_START_SECONDS = 180.0
_STOP_SECONDS = 30.0
_POLL_SECONDS = 0.1

_NOT_PASSED_ON = (
    *("REEVE_NATS_URL", "REEVE_MONGO_URL", "REEVE_API_KEYS", "REEVE_SMTP_HOST", "REEVE_SMS_GATEWAY"),
    *("REEVE_ESCALATION_PORT", "REEVE_NOTIFY_PORT", "REEVE_NATS_PORT", "REEVE_MONGO_PORT"),
    *("REEVE_SINK_HTTP_PORT", "REEVE_SINK_SMTP_PORT"),
)
"""Servers, keys, ports and real providers: a demo of its own has none of them."""


class DidNotStart(StackError):
    """The demo's own `reeve up` ended or did not come up; the sentence quotes what it said last."""


@asynccontextmanager
async def own_stack(rules: Path) -> AsyncIterator[Targets]:
    """A `reeve up` of the demo's own inside; afterwards it is stopped and its data is gone.

    Raises DidNotStart.
    """
    with tempfile.TemporaryDirectory(prefix="reeve-demo-") as name:
        folder = Path(name)
        nobody = folder / "channels"
        nobody.mkdir()
        child = await Child.start(
            [
                *(sys.executable, "-m", "reeve.cli.main", "up"),
                *("--data", str(folder / "data"), "--rules", str(rules), "--port", str(free_port())),
            ],
            env={
                **os.environ,
                **dict.fromkeys(_NOT_PASSED_ON, ""),
                "REEVE_CHANNELS": str(nobody),
                "PYTHONUNBUFFERED": "1",
            },
            log=folder / "up.log",
        )
        try:
            addresses = await _started(child, folder)
            yield Targets(
                intake_url=addresses.intake_url,
                nats_url=addresses.nats_url,
                mongo_url=addresses.mongo_url,
                database=find_targets().database,
                sink_url=addresses.sink_url,
                api_key=None,
                local=True,
            )
        finally:
            await child.stop(_STOP_SECONDS)


async def _started(child: Child, folder: Path) -> StackAddresses:
    try:
        async with asyncio.timeout(_START_SECONDS):
            while (addresses := running_stack(folder / "data")) is None:
                if child.returncode is not None:
                    raise DidNotStart(_last_words(folder / "up.log"))
                await asyncio.sleep(_POLL_SECONDS)
    except TimeoutError as error:
        raise DidNotStart(f"`reeve up` was not ready within {_START_SECONDS:g} seconds.") from error
    return addresses


def _last_words(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1] if lines else "`reeve up` ended without a word."
