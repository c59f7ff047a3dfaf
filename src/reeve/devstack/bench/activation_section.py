"""Section `activation`: other rules become active while many open cases are to follow and events go on coming."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import islice
from time import perf_counter

from nats.aio.msg import Msg

from reeve.contracts.events import canonical
from reeve.contracts.outgoing import OutMessage
from reeve.contracts.subjects import events_subject
from reeve.devstack.bench.figures import Figure, percentile
from reeve.devstack.bench.programs import BenchFailed, service
from reeve.devstack.bench.rig import Rig, complaints
from reeve.domain.advance import apply_event
from reeve.domain.bundle import Bundle
from reeve.domain.events import Event
from reeve.domain.workset import Workset
from reeve.rulelang.load import read_folder
from reeve.runtime.bundles import Bundles, Publish, following
from reeve.runtime.store import bundles
from reeve.runtime.store.bundles import BundleStore
from reeve.runtime.store.cases import case_document
from reeve.runtime.store.events import EventStore
from reeve.runtime.store.mongo import ensure_indexes
from reeve.runtime.store.running_cases import RunningCases
from reeve.runtime.time_source import SystemTime

SECTION = "activation"
_CASES = 100_000
_RATE = 50
"""Events a second meanwhile."""
_BEFORE_SECONDS = 5.0
_BAR_SECONDS = 1.0
"""Source: design, figures to reach."""
_PAGE = 1000
_MOST_SECONDS = 600.0
_ANSWER_SECONDS = 60.0
_LOOK_SECONDS = 1.0
_POLICY = "complaint"
_ON_CHANGE = re.compile(rb"^on_change:.*\n", re.MULTILINE)


@dataclass
class _Traffic:
    """New complaints at a steady pace, and when each was posted and decided."""

    rig: Rig
    posted_at: dict[str, float] = field(default_factory=dict)
    decided_at: dict[str, float] = field(default_factory=dict)

    async def run(self) -> None:
        """Posts until cancelled; one that is late does not hold up the next."""
        begun = perf_counter()
        store = EventStore(self.rig.database)
        async with asyncio.TaskGroup() as posting:
            for number, event in enumerate(complaints(1_000_000_000, SystemTime().now(), "N")):
                await asyncio.sleep(max(0.0, begun + number / _RATE - perf_counter()))
                posting.create_task(self._post(store, event))

    async def _post(self, store: EventStore, event: Event) -> None:
        self.posted_at[event.subject] = perf_counter()
        await store.insert([event], SystemTime().now())
        subject = events_subject(event.site, event.type, event.subject)
        await self.rig.publisher.publish_all([(subject, event.key, canonical(event), None)])

    async def heard(self, message: Msg) -> None:
        """A case was opened."""
        self.decided_at.setdefault(message.subject.rpartition(".")[2], perf_counter())

    async def waits(self, since: float, until: float) -> list[float]:
        """Seconds until decided, of those posted within that time. Raises BenchFailed if one is not decided."""
        wanted = [subject for subject, at in self.posted_at.items() if since <= at < until]
        end = perf_counter() + _ANSWER_SECONDS
        while any(subject not in self.decided_at for subject in wanted):
            if perf_counter() > end:
                raise BenchFailed(f"events were not decided within {_ANSWER_SECONDS:g} s")
            await asyncio.sleep(0.05)
        return [self.decided_at[subject] - self.posted_at[subject] for subject in wanted]


async def activation(rig: Rig, quick: bool) -> AsyncGenerator[Figure, None]:
    """The longest wait of an event from its posting to the message that its case is open, during an activation."""
    count = _CASES // 10 if quick else _CASES
    await rig.fresh()
    await ensure_indexes(rig.database, bundles.INDEXES)
    known = Bundles(BundleStore(rig.database), SystemTime(), _publishing(rig))
    first, second = changed_rules(read_folder(rig.rules))
    await known.activate(first, "bench")
    # Checked beforehand: an operator's machine does that, not the one that decides.
    candidate = await known.prepare(second, "bench")
    changed = following(candidate.bundle)
    await _open_cases(rig, await known.load_active(), count)
    running = RunningCases(rig.database)
    if await running.count_outdated(changed) != count:
        raise BenchFailed(f"the rules in {rig.rules} have no policy `{_POLICY}` that takes these cases")
    async with service(rig, "escalation") as escalation:
        await escalation.ready()
        async with _traffic(rig) as traffic:
            rig.tell("activation: events before it")
            begun = perf_counter()
            await asyncio.sleep(2 * _BEFORE_SECONDS)
            activated = perf_counter()
            await known.activate(candidate, "bench")
            while left := await running.count_outdated(changed):
                rig.tell(f"activation: {left} cases follow")
                if perf_counter() - activated > _MOST_SECONDS:
                    raise BenchFailed(f"{left} cases had not followed after {_MOST_SECONDS:g} s")
                await asyncio.sleep(_LOOK_SECONDS)
            done = perf_counter()
            # The first ones find everything cold.
            before = await traffic.waits(begun + _BEFORE_SECONDS, activated)
            during = await traffic.waits(activated, done)
    yield Figure(SECTION, f"open cases that follow, at {_RATE} events/s", count, "cases")
    yield Figure(SECTION, "until the last one has", done - activated, "s", better="less")
    yield Figure(SECTION, "an event's wait before, longest", max(before), "s", better="less")
    yield Figure(SECTION, "an event's wait meanwhile, p50", percentile(during, 50), "s", better="less")
    yield Figure(SECTION, "an event's wait meanwhile, longest", max(during), "s", _BAR_SECONDS, "less")


def changed_rules(files: Mapping[str, bytes]) -> tuple[dict[str, bytes], dict[str, bytes]]:
    """The rules with open complaints that follow a change, and the same with a change. Scenarios are left out."""
    path = f"{_POLICY}.yaml"
    if path not in files:
        raise BenchFailed(f"these rules have no {path}")
    kept = {name: content for name, content in files.items() if not name.startswith("tests/")}
    text = _ON_CHANGE.sub(b"", files[path].rstrip(b"\n") + b"\n")
    first = text + b"on_change: adopt\n"
    return {**kept, path: first}, {**kept, path: first + b"# changed\n"}


def _publishing(rig: Rig) -> Publish:
    async def publish(message: OutMessage) -> None:
        await rig.publisher.publish(message.subject, message.id, message.body)

    return publish


@asynccontextmanager
async def _traffic(rig: Rig) -> AsyncIterator[_Traffic]:
    """Events are posted inside."""
    traffic = _Traffic(rig)
    subscription = await rig.bus.client.subscribe(f"cases.*.{_POLICY}.opened.>", cb=traffic.heard)
    posting = asyncio.create_task(traffic.run())
    try:
        yield traffic
    finally:
        posting.cancel()
        await asyncio.gather(posting, return_exceptions=True)
        await subscription.unsubscribe()


async def _open_cases(rig: Rig, bundle: Bundle, count: int) -> None:
    """So many ordinary complaints stand open in the record, as if decided a moment ago."""
    rig.tell(f"activation: opening {count} cases")
    events = _ordinary(rig, count)
    while page := list(islice(events, _PAGE)):
        workset = Workset(complete=True)
        now = SystemTime().now()
        for event in page:
            apply_event(workset, event, bundle, now)
        documents = [case_document(case) for case in workset.changed_cases.values()]
        await rig.database["cases"].insert_many(documents, ordered=False)


def _ordinary(rig: Rig, count: int) -> Iterator[Event]:
    for event in complaints(count, SystemTime().now(), "A"):
        data = {**event.data, "loss_cny": 0, "incident": f"I-{event.id}"}
        yield Event(event.site, event.source, event.id, event.type, event.subject, event.at, data, event.key)
