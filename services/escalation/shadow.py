"""The shadow: candidate rules evaluated on live traffic, by one replica, beside its real work and never in its way.

It reads what was accepted from the record, decides in a thread of its own on copies in virtual time, and writes
what differs to collections that nothing else reads. It sends and publishes nothing. Whatever goes wrong in it ends
the evaluation, is noted, and touches nothing else.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from reeve.domain.bundle import Bundle, Policy
from reeve.domain.errors import ReeveError
from reeve.ports import Away, Conflict, TimeSource
from reeve.rulelang.load import load_bundle
from reeve.runtime.store.bundles import Activated, BundleStore, StoredBundle
from reeve.runtime.store.leases import Leases
from reeve.runtime.store.mongo import Database
from reeve.runtime.store.shadows import REACH_BACK, Accepted, Shadow, ShadowStore
from reeve.runtime.telemetry import error_fields, get_log
from services.escalation.metrics import SHADOW_EVENTS, SHADOW_LAG
from services.escalation.shadow_sides import ShadowSides

_SLICE_SECONDS = 0.008
_REST_SECONDS = 0.04
"""After each slice: a sixth of one core at most."""
_HASTE_SECONDS = 0.012
"""The same while it is far behind: two fifths."""
_FAR_BEHIND = timedelta(minutes=1)
_SETTLED = timedelta(seconds=2)
"""Publication is noted a moment after it happened: what is younger may still get something before it."""
_AWAY_SECONDS = 0.5
_SELDOM = timedelta(seconds=10)
"""How often progress is written while nothing happens."""
_HISTORY = 200
"""Activations looked at: more than anybody makes while a shadow runs."""

log = get_log(__name__)

T = TypeVar("T")


class ShadowKeeper:
    """Looks which shadow there is, and evaluates it where this replica holds the lease."""

    def __init__(
        self,
        database: Database,
        time: TimeSource,
        instance: str,
        lease_seconds: float,
        delay: timedelta,
        pause_seconds: float,
    ) -> None:
        self._store = ShadowStore(database)
        self._bundles = BundleStore(database)
        self._time = time
        self._delay = delay
        self._pause = pause_seconds
        self._lease_seconds = lease_seconds
        self._leases = Leases(database, "shadow", instance, 1, timedelta(seconds=lease_seconds))
        self._task: asyncio.Task[None] | None = None
        self._shadow: Shadow | None = None

    async def run(self) -> None:
        """Looks until cancelled; then the evaluation is stopped, the lease given back. Never raises."""
        held: frozenset[int] = frozenset()
        try:
            while True:
                try:
                    held = (await self._leases.turn(held)).held
                    await self._look(await self._store.current() if held else None)
                except (Away, Conflict) as error:
                    log.debug("The shadow waits for the record.", action="shadow_waits", **error_fields(error))
                await asyncio.sleep(min(self._pause, self._lease_seconds / 3))
        finally:
            await self._stop()
            with contextlib.suppress(Away):  # then the lease runs out by itself
                await self._leases.leave()

    async def _look(self, wanted: Shadow | None) -> None:
        """The evaluation under way is that of `wanted`, unless that one has failed."""
        running = self._shadow
        if running is not None and (wanted is None or wanted.id != running.id):
            await self._stop()
            running = None
        if self._task is not None and self._task.done():
            await self._note_end(self._task)
        if wanted is not None and wanted.failed is None and self._shadow is None:
            self._shadow = wanted
            evaluation = Evaluation(wanted, self._store, self._bundles, self._time, self._delay, self._pause)
            self._task = asyncio.create_task(evaluation.run(), name="shadow-evaluation")
            log.info("A shadow is evaluated.", action="shadow_started", bundle=wanted.version)

    async def _note_end(self, task: asyncio.Task[None]) -> None:
        """A fault of the evaluation is in the record and in the log, and it is not tried again. Raises Away."""
        shadow, error = self._shadow, task.exception()
        if shadow is not None and error is not None and not isinstance(error, Away | Conflict):
            await self._store.fail(shadow, _reason(error))
            log.error("The shadow can't be evaluated.", action="shadow_failed", **error_fields(error))
        self._task = self._shadow = None

    async def _stop(self) -> None:
        task, self._task, self._shadow = self._task, None, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            SHADOW_LAG.set(0)


def _reason(error: BaseException) -> str:
    """What can be said of a fault without quoting data: our own sentences, else the kind."""
    return str(error) if isinstance(error, ReeveError) else type(error).__name__


class Unloadable(ReeveError):
    """A recorded version can't be read by this release; permanent."""


class Evaluation:
    """One shadow from its start to now, and on as events come."""

    def __init__(
        self,
        shadow: Shadow,
        store: ShadowStore,
        bundles: BundleStore,
        time: TimeSource,
        delay: timedelta,
        pause_seconds: float,
    ) -> None:
        self._shadow = shadow
        self._store = store
        self._bundles = bundles
        self._time = time
        self._delay = delay
        self._pause = pause_seconds
        self._first = shadow.since - REACH_BACK
        self._known: set[str] = set()
        """Keys of the events taken at the moment `_first`."""
        self._followed = shadow.since
        """Activations up to this moment have been handed over."""
        self._written_at = shadow.since

    async def run(self) -> None:
        """Evaluates until cancelled, or until the shadow is another.

        Raises whatever goes wrong; Away only while it loads what it starts from.
        """
        with ThreadPoolExecutor(1, thread_name_prefix="shadow") as thread:
            active = await _in(thread, _loaded, await self._bundles.get(self._shadow.active))
            candidate = await _in(thread, _loaded, await self._bundles.get(self._shadow.version))
            archive = {policy.digest: policy for policy in active.policies.values()}
            sides = await _in(thread, ShadowSides, active, candidate, archive, self._shadow.since, self._delay)
            try:
                await self._load(thread, sides, archive)
                while await self._round(thread, sides):
                    pass
            finally:
                thread.submit(sides.close)

    async def _load(self, thread: ThreadPoolExecutor, sides: ShadowSides, archive: dict[str, Policy]) -> None:
        left_out = 0
        async for counts in self._store.counts():
            await _in(thread, sides.load, [], counts)
        async for cases in self._store.cases():
            for digest in {case.digest for case in cases} - archive.keys():
                stored = await self._bundles.with_policy(digest)
                bundle = await _in(thread, _loaded, stored) if stored is not None else None
                archive.update({policy.digest: policy for policy in bundle.policies.values()} if bundle else {})
            known = [case for case in cases if case.digest in archive]
            left_out += len(cases) - len(known)
            await _in(thread, sides.load, known, [])
            await asyncio.sleep(_REST_SECONDS)
        if left_out:
            log.warning("Nobody has the rules of some cases.", action="shadow_cases_left_out", count=left_out)

    async def _round(self, thread: ThreadPoolExecutor, sides: ShadowSides) -> bool:
        """What was accepted meanwhile is evaluated and what differs recorded; false: this is the shadow no more."""
        now = self._time.now()
        settled = now - _SETTLED
        accepted = await _patiently(lambda: self._store.accepted(self._first, settled, self._known))
        activations = await self._activations(thread)
        behind = bool(accepted)
        await _in(thread, sides.give, accepted, activations, None if behind else settled)
        rest = _HASTE_SECONDS if behind and now - accepted[-1].published_at > _FAR_BEHIND else _REST_SECONDS
        more = True
        while more:
            more = await _in(thread, sides.work, _SLICE_SECONDS)
            await asyncio.sleep(rest if more else 0)
        self._note(accepted)
        SHADOW_EVENTS.inc(len(accepted))
        SHADOW_LAG.set(max(0.0, (now - (self._first if behind else now)).total_seconds()))
        current = await self._write(thread, sides, now, behind=behind)
        if current and not behind:
            await asyncio.sleep(self._pause)
        return current

    def _note(self, accepted: Sequence[Accepted]) -> None:
        """The next look goes on behind these."""
        if accepted:
            last = accepted[-1].published_at
            same = {each.event.key for each in accepted if each.published_at == last}
            self._known = same | (self._known if last == self._first else set())
            self._first = last

    async def _activations(self, thread: ThreadPoolExecutor) -> list[tuple[datetime, Bundle]]:
        """Rules that became active since the last look, in order of time."""
        active = await _patiently(self._bundles.active)
        if active is None or active.at <= self._followed:
            return []
        history = await _patiently(lambda: self._bundles.history(_HISTORY))
        fresh: list[Activated] = sorted(
            (each for each in history if each.at > self._followed), key=lambda each: each.at
        )
        found: list[tuple[datetime, Bundle]] = []
        for each in fresh:
            stored = await _patiently(partial(self._bundles.get, each.version))
            found.append((each.at, await _in(thread, _loaded, stored)))
            self._followed = each.at
        return found

    async def _write(self, thread: ThreadPoolExecutor, sides: ShadowSides, now: datetime, *, behind: bool) -> bool:
        """Progress is in the record; false: this is the shadow no more.

        A restart that has not come as far as the evaluation before it writes nothing yet: what stands there is
        what it will come to.
        """
        was = self._shadow
        replaying = was.position is not None and self._first < was.position
        unchanged = sides.events == was.events and now - self._written_at < _SELDOM
        if replaying or unchanged:
            current = await _patiently(self._store.current)
            return current is not None and current.id == was.id
        found = await _in(thread, sides.found)
        position = self._first if sides.events else None
        shadow = replace(
            was,
            events=sides.events,
            position=position,
            until=sides.until,
            seen_at=now,
            behind=behind,
            findings=found,
        )
        self._written_at = now
        self._shadow = shadow
        ours, more = True, True
        while ours and more:
            changed, gone = await _in(thread, sides.taken)
            ours = await _patiently(partial(self._store.record, shadow, changed, gone))
            more = bool(changed or gone)
        return ours


def _loaded(stored: StoredBundle | None) -> Bundle:
    """Raises Unloadable. Always with the plain matcher: the other one is not made to be used beside itself."""
    bundle = load_bundle(stored.files).bundle if stored is not None else None
    if bundle is None:
        raise Unloadable("this release can't read the recorded rules any more")
    return bundle


async def _in(thread: ThreadPoolExecutor, work: Callable[..., T], *given: object) -> T:
    return await asyncio.get_running_loop().run_in_executor(thread, work, *given)


async def _patiently(ask: Callable[[], Awaitable[T]]) -> T:
    """The answer, however long the record is away."""
    while True:
        try:
            return await ask()
        except (Away, Conflict) as error:
            log.debug("The shadow waits for the record.", action="shadow_waits", **error_fields(error))
        await asyncio.sleep(_AWAY_SECONDS)
