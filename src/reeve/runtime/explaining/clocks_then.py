"""How the clocks of a case stood at the end of a story, as its timeline tells it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal as OneOf

from reeve.runtime.explaining.story import Line


@dataclass(slots=True)
class ClockThen:
    """One clock; one that never started is not there."""

    status: OneOf["running", "paused", "stopped"]
    started_at: datetime
    due: datetime | None
    breached_at: datetime | None = None
    stopped_at: datetime | None = None
    met: bool | None = None


def clocks_then(lines: Iterable[Line]) -> dict[str, ClockThen]:
    """The clocks by name, after these lines."""
    clocks: dict[str, ClockThen] = {}
    closed = False
    for line in lines:
        if line.effect == "closed":
            closed = True
        elif line.effect == "reopened" and closed:
            # Clocks that ran when the case was closed run no more; its next run starts its own.
            clocks = {name: clock for name, clock in clocks.items() if clock.status == "stopped"}
            closed = False
        name = line.keys.get("clock")
        if not isinstance(name, str):
            continue
        clock = clocks.get(name)
        if line.effect == "clock_started" and not (clock is not None and line.keys.get("changed")):
            clocks[name] = ClockThen("running", line.at, _due(line))
        elif clock is not None:
            _follow(clock, line)
    return clocks


def _follow(clock: ClockThen, line: Line) -> None:
    match line.effect:
        case "clock_started":
            clock.due = _due(line)
        case "clock_paused":
            clock.status = "paused"
        case "clock_resumed":
            clock.status, clock.due = "running", _due(line)
        case "breached":
            clock.breached_at = line.at
        case "clock_stopped":
            clock.status, clock.stopped_at, clock.met = "stopped", line.at, bool(line.keys.get("met"))
        case "corrected":
            clock.breached_at = None


def _due(line: Line) -> datetime | None:
    due = line.keys.get("due")
    return None if due is None else datetime.fromisoformat(due)
