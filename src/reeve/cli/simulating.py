"""`reeve rules simulate`: a file of events through the decision core, no servers, in bounded memory."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any

import orjson

from reeve.cli.event_files import Advance, Unreadable, read_items
from reeve.cli.output import errors, print_line
from reeve.cli.wording import STYLES, because, phrase
from reeve.contracts.events import parse_event
from reeve.contracts.problems import InvalidEvent
from reeve.contracts.timeline import timeline_line
from reeve.domain.bundle import Bundle
from reeve.domain.effects import Effect
from reeve.domain.events import Event
from reeve.domain.facts import zone_of
from reeve.domain.simulate import Reachable, Simulation
from reeve.runtime.spill import Spill

_WORTH_A_BAR = 1_000_000
"""Bytes: a smaller file is done before anybody looks."""

Show = Callable[[dict[str, Any]], None]


@dataclass(slots=True)
class Tally:
    """What was read and what came of it."""

    events: int = 0
    refused: int = 0
    lines: int = 0


def simulate_file(
    bundle: Bundle, file: Path, until: datetime | None, reachable: Reachable | None, *, as_json: bool
) -> Tally:
    """Every effect is printed on stdout, one line each; every bad event on stderr with its line in the file.

    Raises OSError if the file can't be read.
    """
    tally = Tally()
    show = _print_json if as_json else _print_words
    with (
        _opened(file) as (stream, size),
        _progress(size) as advance,
        Spill() as shelf,
    ):
        simulation = Simulation(bundle, reachable, shelf=shelf)
        for event in _events(bundle, stream, advance, tally):
            _show_all(bundle, simulation.feed(event), show, tally)
        _show_all(bundle, simulation.finish(until), show, tally)
    sys.stdout.flush()
    return tally


def _events(bundle: Bundle, stream: IO[bytes], advance: Advance, tally: Tally) -> Iterator[Event]:
    reserved = frozenset(rule.name for policy in bundle.policies.values() for rule in policy.counts)
    stderr = errors()
    for line, item in read_items(stream, advance):
        if isinstance(item, Unreadable):
            faults = [item.reason]
        else:
            try:
                event = parse_event(item, reserved=reserved)
            except InvalidEvent as invalid:
                faults = [str(problem) for problem in invalid.problems]
            else:
                tally.events += 1
                yield event
                continue
        tally.refused += 1
        for fault in faults:
            stderr.print(f"line {line}: {fault}")


def _show_all(bundle: Bundle, effects: Iterator[Effect], show: Show, tally: Tally) -> None:
    for effect in effects:
        tally.lines += 1
        show(timeline_line(effect, zone_of(bundle.site(effect.case.site).zone)))


def _print_json(line: dict[str, Any]) -> None:
    # Flushed by the pipe's own rhythm: 100,000 events make a million lines.
    sys.stdout.write(orjson.dumps(line, default=str).decode() + "\n")


def _print_words(line: dict[str, Any]) -> None:
    said = f"{line['at'][:19].replace('T', ' ')}  {line['case']:<14} {line['policy']:<10} "
    why = because(line)
    if sys.stdout.isatty():
        style = STYLES.get(line["effect"], "")
        print_line(said, (phrase(line["effect"], line), style), (f"   {why}", "dim"))
    else:
        sys.stdout.write(f"{said}{phrase(line['effect'], line)}   {why}\n")


@contextmanager
def _opened(file: Path) -> Iterator[tuple[IO[bytes], int | None]]:
    if str(file) == "-":
        yield sys.stdin.buffer, None
        return
    with file.open("rb") as stream:
        yield stream, file.stat().st_size if file.is_file() else None


@contextmanager
def _progress(size: int | None) -> Iterator[Advance]:
    """A bar on stderr for a file that takes a while; nothing where stderr is no terminal."""
    if size is None or size < _WORTH_A_BAR or not sys.stderr.isatty():
        yield lambda read: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (BarColumn(), DownloadColumn(), TimeRemainingColumn())
    # Lines on the same terminal go above the bar; lines into a file or pipe must not pass through it.
    with Progress(*columns, console=console, transient=True, redirect_stdout=sys.stdout.isatty()) as bar:
        task = bar.add_task("simulating", total=size)
        yield lambda read: bar.advance(task, read)
