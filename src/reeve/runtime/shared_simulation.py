"""One simulation divided among processes by site: the same results in the same order, sooner where cores are idle.

Cases of different sites never meet: subjects, counts, claims and duties are all a site's own. This process reads
and checks the events, keeps the one clock, and puts what the others make back into the order of a single run.
"""

from __future__ import annotations

import heapq
import multiprocessing
import os
import queue
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, MutableMapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from multiprocessing.connection import Connection
from typing import Any, Generic, TypeVar

from reeve.domain.bundle import Bundle
from reeve.domain.effects import Effect
from reeve.domain.errors import ReeveError
from reeve.domain.events import Event
from reeve.domain.simulate import Simulation
from reeve.runtime.spill import Spill

T = TypeVar("T")

BLOCK = 500
"""Events handed out at once. A process has one block in hand and at most one more waiting."""
_BATCH = 100
"""Events and deadlines whose results travel together."""
_MOST = 8
"""Processes: one alone reads the events for all."""
_PATIENCE = 5.0
"""Seconds for a process to tidy up once it is no longer wanted."""

Place = tuple[Any, ...]
"""Where a result stands in the whole: those of deadlines behind those of events at the same moment."""
_Item = tuple[datetime | None, int, tuple[Any, ...]]
"""The clock before an event, its number, and the event."""


class WorkerLost(ReeveError):
    """A process of the simulation has ended before its time; it has said why on stderr."""


def processes_worth_it() -> int:
    """How many processes may share the work here; 1: none but this one.

    Only where a process can be had as a copy of this one: the rules need not be read again.
    """
    if sys.platform != "linux":
        return 1
    return min(_MOST, len(os.sched_getaffinity(0)))


@dataclass(frozen=True)
class SharedRun(Generic[T]):
    """What is to be run. Without recipients: who is told may depend on the order of what waits at all sites."""

    bundle: Bundle
    render: Callable[[Effect], T]
    """Made of each effect where it happens; must be something that pickles."""
    until: datetime | None
    """As `Simulation.finish` has it."""
    duties: bool
    processes: int

    @contextmanager
    def started(self) -> Iterator[Callable[[Iterable[Event]], Iterator[T]]]:
        """The processes wait for the events; call what is given with them, once.

        It gives all results in the order in which a single simulation would have them, in bounded memory however
        many events there are, and raises WorkerLost. Start before this process has threads: it is copied.
        """
        with ExitStack() as stack:
            workers = [stack.enter_context(self._worker()) for _ in range(self.processes)]
            seen = stack.enter_context(Spill())("seen")
            yield lambda events: self._results(workers, _Dealt(len(workers), seen), iter(events))

    def _results(self, workers: list[_Worker], dealt: _Dealt, events: Iterator[Event]) -> Iterator[T]:
        under_way = False
        while block := list(islice(events, BLOCK)):
            for worker, part in zip(workers, dealt.parts(block), strict=True):
                worker.send((part, dealt.now, False))
            # One block behind: while this is put in order, the next is worked on.
            if under_way:
                yield from _in_order(workers)
            under_way = True
        for worker in workers:
            worker.send(([], dealt.now, True))
        if under_way:
            yield from _in_order(workers)
        yield from _in_order(workers)

    @contextmanager
    def _worker(self) -> Iterator[_Worker]:
        context = multiprocessing.get_context("fork")
        theirs_in, ours_out = context.Pipe(duplex=False)
        ours_in, theirs_out = context.Pipe(duplex=False)

        def work() -> None:
            # What this process would hold open of the other's ends would keep it from learning that it is alone.
            ours_out.close()
            ours_in.close()
            # Ctrl-C is for the process that the person started: it closes the pipes.
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            try:
                self._work(theirs_in, theirs_out)
            except (BrokenPipeError, EOFError):
                return

        process = context.Process(target=work, daemon=True)
        process.start()
        theirs_in.close()
        theirs_out.close()
        try:
            yield _Worker(ours_out, ours_in)
        finally:
            ours_out.close()
            ours_in.close()
            process.join(_PATIENCE)
            if process.is_alive():
                process.kill()
                process.join()

    def _work(self, given: Connection, made: Connection) -> None:
        blocks: queue.SimpleQueue[Any] = queue.SimpleQueue()

        def take_in() -> None:
            # Beside the work: neither end ever waits for the other with both pipes full.
            try:
                while True:
                    blocks.put(given.recv())
            except (EOFError, OSError):
                blocks.put(None)

        threading.Thread(target=take_in, daemon=True).start()
        with Spill() as shelf:
            simulation = Simulation(self.bundle, shelf=shelf, duties=self.duties)
            while (block := blocks.get()) is not None:
                batch: list[tuple[Place, list[T]]] = []
                for place, effect in self._placed(simulation, *block):
                    if not batch or batch[-1][0] != place:
                        if len(batch) >= _BATCH:
                            made.send(batch)
                            batch = []
                        batch.append((place, []))
                    batch[-1][1].append(self.render(effect))
                made.send(batch)
                made.send(None)

    def _placed(
        self, simulation: Simulation, items: list[_Item], clock: datetime | None, last: bool
    ) -> Iterator[tuple[Place, Effect]]:
        for before, number, packed in items:
            event = Event(*packed)
            if before is not None:
                yield from _by_time(simulation, simulation.advance(before))
            yield from _by_time(simulation, simulation.advance(event.at))
            place = (event.at if before is None else max(before, event.at), 0, number)
            for effect in simulation.feed(event):
                yield place, effect
        if clock is not None:
            yield from _by_time(simulation, simulation.advance(clock))
        if last:
            yield from _by_time(simulation, simulation.finish(self.until))


class _Dealt:
    """Which process has which site, and what the clock says."""

    def __init__(self, processes: int, seen: MutableMapping[str, bool]) -> None:
        self.now: datetime | None = None
        self._seen = seen
        self._number = 0
        self._home: dict[str, int] = {}
        self._given = [0] * processes

    def parts(self, block: list[Event]) -> list[list[_Item]]:
        """For each process what it is to do; a repeat of an event is for none. The clock has gone on."""
        parts: list[list[_Item]] = [[] for _ in self._given]
        for event in block:
            if event.key in self._seen:
                continue
            self._seen[event.key] = True
            self._number += 1
            process = self._home.get(event.site)
            if process is None:
                # A new site goes to who has had the least so far.
                process = self._home[event.site] = self._given.index(min(self._given))
            self._given[process] += 1
            parts[process].append((self.now, self._number, _packed(event)))
            self.now = event.at if self.now is None else max(self.now, event.at)
        return parts


class _Worker:
    """Another process, seen from here."""

    def __init__(self, out: Connection, made: Connection) -> None:
        self._out = out
        self._made = made

    def send(self, block: tuple[list[_Item], datetime | None, bool]) -> None:
        try:
            self._out.send(block)
        except BrokenPipeError as error:
            raise WorkerLost(_LOST) from error

    def results(self) -> Iterator[tuple[Place, list[Any]]]:
        """What it made of the oldest block not asked for yet."""
        try:
            while (batch := self._made.recv()) is not None:
                yield from batch
        except EOFError as error:
            raise WorkerLost(_LOST) from error


_LOST = "A process of this simulation has ended before its time."


def _packed(event: Event) -> tuple[Any, ...]:
    return (
        event.site,
        event.source,
        event.id,
        event.type,
        event.subject,
        event.at,
        event.data,
        event.key,
    )


def _by_time(simulation: Simulation, effects: Iterator[Effect]) -> Iterator[tuple[Place, Effect]]:
    """A deadline noticed after its own moment has its place at the moment when time next passed."""
    now = simulation.now
    for effect in effects:
        at, case_id = simulation.due
        yield (at if now is None else max(at, now), 1, at, case_id), effect


def _in_order(workers: list[_Worker]) -> Iterator[Any]:
    """One block's results of all processes: always the earliest of what each has next."""
    for _, results in heapq.merge(*(worker.results() for worker in workers), key=_place):
        yield from results


def _place(result: tuple[Place, list[Any]]) -> Place:
    return result[0]
