"""`reeve rules simulate`: a file of events through the decision core, no servers, in bounded memory."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import orjson
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn
from rich.text import Text

from reeve.cli.output import console, errors, shown
from reeve.cli.traffic.event_files import Advance, Unreadable, opened, read_items
from reeve.cli.wording import STYLES, because, phrase
from reeve.contracts.events import parse_event
from reeve.contracts.problems import InvalidEvent
from reeve.contracts.timeline import timeline_line
from reeve.domain.bundle import Bundle
from reeve.domain.effects import Effect
from reeve.domain.events import Event
from reeve.domain.facts import zone_of
from reeve.domain.recipients import Recipient
from reeve.domain.simulate import Simulation
from reeve.runtime.process import collect_seldom
from reeve.runtime.shared_simulation import SharedRun, processes_worth_it
from reeve.runtime.spill import InTimeOrder, Spill

if TYPE_CHECKING:
    from reeve.runtime.store.shifts import Rotas

WORTH_SHARING = 1_000_000
"""Bytes: a smaller file is done before other processes have begun."""
_WORTH_A_BAR = 1_000_000
"""Bytes: a smaller file is done before anybody looks."""


@dataclass(slots=True)
class Tally:
    """What was read and what came of it."""

    events: int = 0
    refused: int = 0
    lines: int = 0


def simulate_file(
    bundle: Bundle,
    file: Path,
    until: datetime | None,
    people: Sequence[Recipient] | None,
    rotas: Rotas | None = None,
    *,
    as_json: bool,
    duties: bool = True,
    lang: str = "en",
) -> Tally:
    """Every effect is printed on stdout, one line each, in order of time; every bad event on stderr with its line.

    Events are taken in the order of the file. Where that is not the order of their times, the lines are put in
    order on disk and shown at the end; from a pipe they are shown as they come. Raises OSError if the file can't be
    read.
    """
    collect_seldom()
    sorted_file = not file.is_file() or _in_order(file)
    tally = Tally()
    spoken = None if as_json else lang
    if people is None and rotas is None and sorted_file and _worth_sharing(file):
        shared = SharedRun(bundle, partial(_parts, bundle, spoken), until, duties, processes_worth_it())
        # Before there is a bar: its thread must not be copied.
        with shared.started() as run, opened(file) as (stream, size), _shown(size) as (advance, out):
            _show_all(run(_before(valid_events([bundle], stream, advance, tally), until)), out, tally)
        return tally
    with opened(file) as (stream, size), _shown(size) as (advance, out), Spill() as shelf:
        on_shift, hands_over = (rotas.on_shift, rotas.hands_over) if rotas is not None else (None, None)
        simulation = Simulation(
            bundle, people, shelf=shelf, duties=duties, on_shift=on_shift, hands_over=hands_over
        )
        effects = _effects(simulation, valid_events([bundle], stream, advance, tally), until)
        if not sorted_file:
            ordered = InTimeOrder(shelf)
            for effect in effects:
                ordered.add(effect.at, effect)
            effects = iter(ordered)
        _show_all((_parts(bundle, spoken, effect) for effect in effects), out, tally)
    return tally


def _worth_sharing(file: Path) -> bool:
    return file.is_file() and file.stat().st_size >= WORTH_SHARING and processes_worth_it() > 1


def _before(events: Iterator[Event], until: datetime | None) -> Iterator[Event]:
    return (event for event in events if until is None or event.at <= until)


def _effects(simulation: Simulation, events: Iterator[Event], until: datetime | None) -> Iterator[Effect]:
    for event in _before(events, until):
        yield from simulation.feed(event)
    yield from simulation.finish(until)


def _in_order(file: Path) -> bool:
    """Whether the events stand in order of their times; what can't be read does not count."""
    newest = None
    with file.open("rb") as stream:
        for _, item in read_items(stream, lambda read: None):
            at = time_of(item)
            if at is not None:
                if newest is not None and at < newest:
                    return False
                newest = at
    return True


def time_of(item: bytes | dict[str, Any] | Unreadable) -> datetime | None:
    """The moment that an item of a file claims for itself; None where it has none that can be read."""
    try:
        event = orjson.loads(item) if isinstance(item, bytes) else item
        at = datetime.fromisoformat(event["time"]) if isinstance(event, dict) else None
    except (ValueError, KeyError, TypeError):
        return None
    return at if at is not None and at.tzinfo is not None else None


def valid_events(bundles: Sequence[Bundle], stream: IO[bytes], advance: Advance, tally: Tally) -> Iterator[Event]:
    """The events of a file that these bundles can take, in its order; of the others stderr says what is wrong."""
    policies = (policy for bundle in bundles for policy in bundle.policies.values())
    reserved = frozenset(rule.name for policy in policies for rule in policy.counts)
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


_Part = tuple[str, str]
"""Text, and the style it has on a terminal."""


def _parts(bundle: Bundle, lang: str | None, effect: Effect) -> tuple[_Part, ...]:
    """The line that says it; `lang` None: as JSON."""
    line = timeline_line(effect, zone_of(bundle.site(effect.case.site).zone))
    if lang is None:
        return ((orjson.dumps(line, default=str).decode(), ""),)
    at, why = line["at"][:19].replace("T", " "), because(line, lang)
    said = shown(f"{at}  {line['case']:<14} {line['policy']:<10} ")
    style = STYLES.get(line["effect"], "")
    return (said, ""), (shown(phrase(line["effect"], line, lang)), style), (f"   {why}", "dim")


def _show_all(lines: Iterable[tuple[_Part, ...]], out: _Out, tally: Tally) -> None:
    for parts in lines:
        tally.lines += 1
        out.line(*parts)


class _Out:
    """Standard output. Into a file or pipe it is plain text; on a terminal it has colours and spares the bar.

    On a terminal lines are shown some at a time, since the bar below is drawn anew each time.
    """

    def __init__(self, console: Console | None, at_once: int) -> None:
        self._console = console
        self._at_once = at_once
        self._held: list[Text] = []

    def line(self, *parts: _Part) -> None:
        """One line, of (text, style) parts."""
        if self._console is None:
            sys.stdout.write("".join(text for text, _ in parts) + "\n")
            return
        self._held.append(Text.assemble(*parts))
        if len(self._held) >= self._at_once:
            self.flush()

    def flush(self) -> None:
        """Every line is out."""
        if self._console is None:
            sys.stdout.flush()
        elif self._held:
            self._console.print(Text("\n").join(self._held), soft_wrap=True)
            self._held = []


@contextmanager
def _shown(size: int | None) -> Iterator[tuple[Advance, _Out]]:
    """Where lines go; and a bar on stderr for a file that takes a while, if stderr is a terminal."""
    with ExitStack() as stack:
        terminal = console() if sys.stdout.isatty() else None
        if size is None or size < _WORTH_A_BAR or not sys.stderr.isatty():
            out = _Out(terminal, at_once=1)
            stack.callback(out.flush)
            yield lambda read: None, out
            return
        columns = (BarColumn(), DownloadColumn(), TimeRemainingColumn())
        stderr = errors()
        bar = stack.enter_context(Progress(*columns, console=stderr, transient=True, redirect_stdout=False))
        task = bar.add_task("simulating", total=size)
        # Lines on the bar's own terminal must go above the bar, through what draws it.
        out = _Out(stderr if terminal is not None else None, at_once=200)
        stack.callback(out.flush)
        yield lambda read: bar.advance(task, read), out
