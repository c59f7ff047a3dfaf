"""Runs the events of the record, or of a file, through two sets of rules: what `reeve rules backtest` does."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)

from reeve.cli.output import errors
from reeve.cli.rules.simulating import Tally, time_of, valid_events
from reeve.cli.traffic.event_files import opened, read_items
from reeve.domain.bundle import Bundle
from reeve.domain.recipients import Recipient
from reeve.runtime.backtest.findings import Findings, case_findings, findings
from reeve.runtime.backtest.recorded import RecordedEvents
from reeve.runtime.backtest.side_by_side import SideBySide
from reeve.runtime.spill import Spill

if TYPE_CHECKING:
    from reeve.runtime.store.shifts import Rotas

_WORTH_A_BAR = 2_000
"""Events: fewer are done before anybody looks."""
_BYTES_WORTH_A_BAR = 500_000
_BREATH = 200
"""Lines compared between two moments at which the event loop has its turn."""


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be compared."""

    active: Bundle
    candidate: Bundle
    people: Sequence[Recipient] | None
    """None: recipients are not known, every role counts as one person."""
    site: str | None
    since: datetime | None
    """None: all that a file has."""
    until: datetime | None
    """None: until nothing is due any more, at most a year after the last event."""
    public_url: str
    top: int
    """How many cases to show."""
    rotas: Rotas | None = None
    """Who of the people is on shift, and which duties a rota tells; None: no rotas."""

    def sides(self, spill: Spill, since: datetime | None) -> SideBySide:
        """Both sides, before the first event."""
        on_shift, hands_over = (self.rotas.on_shift, self.rotas.hands_over) if self.rotas else (None, None)
        rules = (self.active, self.candidate)
        return SideBySide(*rules, spill, self.people, since, self.public_url, on_shift, hands_over)


async def replay_record(task: Task, events: RecordedEvents, now: datetime) -> tuple[Findings, list[Findings]]:
    """What the recorded events come to; `task.since` must be given. Raises StoreAway."""
    since, until = task.since or now, task.until or now
    warm_up = await events.warm_up(since, (task.active, task.candidate))
    total = await events.count(warm_up.start, until)
    with Spill() as spill, _bar(total, MofNCompleteColumn(), wanted=total >= _WORTH_A_BAR) as step:
        sides = task.sides(spill, since)
        async for event in events.since(warm_up, until):
            if event is not None:
                await _exhaust_kindly(sides.feed(event))
            step(1)
        await _exhaust_kindly(sides.finish(until))
        return _answer(task, sides, warm_up.start, until, 0)


def replay_file(task: Task, file: Path) -> tuple[Findings, list[Findings]]:
    """What the events of a file come to; bad ones are told about on stderr. Raises OSError."""
    tally = Tally()
    last: datetime | None = None
    with ExitStack() as stack:
        stream, size = stack.enter_context(opened(file))
        spill = stack.enter_context(Spill())
        large = (size or 0) >= _BYTES_WORTH_A_BAR
        step = stack.enter_context(_bar(size or 0, DownloadColumn(), wanted=large))
        sides = task.sides(spill, task.since)
        first: datetime | None = None
        for event in valid_events([task.active, task.candidate], stream, step, tally):
            if (task.until is None or event.at <= task.until) and task.site in (None, event.site):
                first = first or event.at
                last = max(last or event.at, event.at)
                _exhaust(sides.feed(event))
        _exhaust(sides.finish(task.until))
        return _answer(task, sides, first, task.until or last, tally.refused)


def newest_in(file: Path) -> datetime | None:
    """The latest time that an event of the file has. Raises OSError."""
    with opened(file) as (stream, _):
        times = (time_of(item) for _, item in read_items(stream, lambda read: None))
        return max((at for at in times if at is not None), default=None)


def _answer(
    task: Task, sides: SideBySide, start: datetime | None, until: datetime | None, refused: int
) -> tuple[Findings, list[Findings]]:
    heading: dict[str, Any] = {
        "active": task.active.version,
        "candidate": task.candidate.version,
        "site": task.site,
        "since": task.since or start,
        "until": until,
        "from": start,
        "events": sides.events,
        "earlier": sides.earlier,
        "refused": refused,
        "recipients_known": task.people is not None,
    }
    moments = {name: at.isoformat() for name, at in heading.items() if isinstance(at, datetime)}
    cases = [case_findings(case, task.active) for case in sides.comparison.most_changed(task.top)]
    return {**heading, **moments, **findings(sides.comparison, task.candidate)}, cases


def _exhaust(steps: Iterator[None]) -> None:
    for _ in steps:
        pass


async def _exhaust_kindly(steps: Iterator[None]) -> None:
    """So that Ctrl-C is heard within a second, and the record's connection is kept, however much is due at once."""
    for place, _ in enumerate(steps, 1):
        if not place % _BREATH:
            await asyncio.sleep(0)


@contextmanager
def _bar(total: int, count: ProgressColumn, *, wanted: bool) -> Iterator[Callable[[int], None]]:
    """A progress bar on stderr where that is a terminal and the work takes a while."""
    if not wanted or not sys.stderr.isatty():
        yield lambda done: None
        return
    columns = (TextColumn("replaying"), BarColumn(), count, TimeRemainingColumn())
    with Progress(*columns, console=errors(), transient=True, redirect_stdout=False) as bar:
        task = bar.add_task("", total=total)
        yield lambda done: bar.advance(task, done)
