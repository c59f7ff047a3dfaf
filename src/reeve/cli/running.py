"""Runs what waits for servers, and loads asyncio only then: commands that need no server start sooner."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, TypeVar

_Result = TypeVar("_Result")


def run(work: Coroutine[Any, Any, _Result]) -> _Result:
    """What the coroutine gives; whatever it raises."""
    import asyncio

    return asyncio.run(work)
