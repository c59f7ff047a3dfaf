"""What a provider calls right before a message may have been taken."""

from __future__ import annotations

from collections.abc import Awaitable, Callable


def noted(note: Callable[[], object]) -> Callable[[], Awaitable[None]]:
    """For `Text.on_wire`: does `note` at that moment."""

    async def begin() -> None:
        note()

    return begin
