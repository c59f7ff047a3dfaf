"""How a service's process runs: one uvloop, and SIGTERM or Ctrl-C as a request to drain and stop."""

from __future__ import annotations

import asyncio
import gc
import signal
import sys
from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import Any, TypeVar

T = TypeVar("T")

_CANCEL_SECONDS = 2.0
"""Before a task is cancelled again: long enough for what it does at its end, which the second time cuts short."""


async def cancelled(tasks: Iterable[asyncio.Task[Any]], again_seconds: float = _CANCEL_SECONDS) -> None:
    """Every one of them has ended; what they raised at the end is nobody's business any more.

    A task that does this for tasks of its own must be done before it is cancelled again itself: less there.
    """
    left = set(tasks)
    while left:
        # More than once: Python 3.11's wait_for, which libraries use, loses a cancellation that comes together
        # with what was waited for.
        for task in left:
            task.cancel()
        ended, left = await asyncio.wait(left, timeout=again_seconds)
        for task in ended:
            if not task.cancelled():
                task.exception()


def stop_requested() -> asyncio.Event:
    """An event that is set by SIGTERM or SIGINT. Call it inside the running loop, once per process."""
    event = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, event.set)
    return event


async def until_stopped(tasks: Sequence[asyncio.Task[None]], stop: asyncio.Event) -> None:
    """Returns when asked to stop. A task that ends by itself is a mistake: its error ends the service."""
    stopping = asyncio.create_task(stop.wait())
    done, _ = await asyncio.wait([*tasks, stopping], return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    for task in done - {stopping}:
        task.result()


async def unless_stopped(work: asyncio.Task[T], stop: asyncio.Event) -> T | None:
    """The result of `work`; None if `stop` came first, and then the work is cancelled."""
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait([work, stopping], return_when=asyncio.FIRST_COMPLETED)
    if not work.done():
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
        return None
    stopping.cancel()
    return work.result()


def collect_seldom() -> None:
    """Python's collector looks through new objects less often: deciding makes thousands that live for a moment and
    none in circles, and looking for circles would take a fifth of the time."""
    gc.set_threshold(50_000, 20, 100)


def run(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Runs a service until it ends by itself; on uvloop where that exists."""
    collect_seldom()
    factory: Callable[[], asyncio.AbstractEventLoop] | None = None
    if sys.platform == "linux" and sys.implementation.name == "cpython":
        import uvloop  # only installed here

        factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(main())
