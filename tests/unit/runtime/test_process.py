"""Ending tasks for good."""

from __future__ import annotations

import asyncio

from reeve.runtime.process import cancelled


async def test_a_task_that_loses_its_first_cancellation_ends_all_the_same() -> None:
    lost = 0

    async def stubborn() -> None:
        nonlocal lost
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                lost += 1
                if lost > 1:
                    raise

    async def failing() -> None:
        await asyncio.sleep(0)
        raise ConnectionError

    tasks = [asyncio.create_task(stubborn()), asyncio.create_task(failing())]
    await asyncio.sleep(0.01)
    await cancelled(tasks, again_seconds=0.05)
    assert all(task.done() for task in tasks)
    assert lost == 2
    await cancelled([])
