"""Waits for a named condition with a limit, instead of sleeping."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from reeve.runtime.time_source import SystemTime

PATIENCE = 120.0
"""Seconds that a test gives what happens at once on an idle machine: being slow under load is no fault."""


async def eventually(what: str, condition: Callable[[], Awaitable[object]], seconds: float = PATIENCE) -> Any:
    """What the condition returns, once that is true. Raises TimeoutError naming `what` was awaited."""
    pause = 0.02
    try:
        async with asyncio.timeout(seconds):
            while not (found := await condition()):
                await asyncio.sleep(pause)
                # Asking is work for those who are to get on with theirs.
                pause = min(pause * 1.5, 0.2)
            return found
    except TimeoutError as error:
        raise TimeoutError(f"{what}: not within {seconds:g} s") from error


async def until(what: str, condition: Callable[[], bool], timeout_seconds: float = PATIENCE) -> None:
    """Returns when `condition` is true. Raises TimeoutError naming `what` was awaited."""
    try:
        async with asyncio.timeout(timeout_seconds):
            while not condition():  # noqa: ASYNC110 - what is awaited has no event
                await asyncio.sleep(0.02)
    except TimeoutError as error:
        raise TimeoutError(f"{what}: not within {timeout_seconds:g} s") from error


async def no_midnight(zone: str = "Asia/Shanghai") -> None:
    """Returns at once, unless a new day begins there within a minute: then a little into that day.

    For what is about one day or one month and takes seconds.
    """

    def local() -> time:
        return SystemTime().now().astimezone(ZoneInfo(zone)).time()

    await until("midnight is past", lambda: local() < time(23, 59))


def process_lives(pid: int) -> bool:
    """Whether a process runs; one that has ended and was not yet collected does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"
