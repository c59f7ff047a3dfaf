"""How a service's process runs: one uvloop, and SIGTERM or Ctrl-C as a request to drain and stop."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable, Coroutine
from typing import Any


def stop_requested() -> asyncio.Event:
    """An event that is set by SIGTERM or SIGINT. Call it inside the running loop, once per process."""
    event = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, event.set)
    return event


def run(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Runs a service until it ends by itself; on uvloop where that exists."""
    factory: Callable[[], asyncio.AbstractEventLoop] | None = None
    if sys.platform == "linux" and sys.implementation.name == "cpython":
        import uvloop  # only installed here

        factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(main())
