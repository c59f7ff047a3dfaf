"""Lets time pass for the loop that runs a test: a long timeout is over at once, and a short one is not needed.

A timeout of half a second says nothing when the process gets no core for a second: whatever it waited for has come
and it is over, both at once. So what is tested waits long, and the test lets that time pass when all is in place.
"""

from __future__ import annotations

import asyncio


def let_pass(seconds: float) -> None:
    """Every timeout and sleep of the running loop is so much nearer to its end."""
    loop = asyncio.get_running_loop()
    before = loop.time
    loop.time = lambda: before() + seconds  # type: ignore[method-assign]
