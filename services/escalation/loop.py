"""The micro-batch loop: take what is there, decide it, commit it in one transaction, hand it to the outbox.

Latency stays low because it never waits for a batch to fill; throughput is high because whatever came in
while one batch was decided is the next one.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from time import perf_counter
from typing import Protocol

from reeve.contracts.events import canonical
from reeve.contracts.notices import dead_letter
from reeve.contracts.subjects import events_subject
from reeve.domain.bundle import Bundle
from reeve.domain.errors import PolicyMissing
from reeve.ports import Away, CaseRecord, Conflict, Message, Publisher, TimeSource
from reeve.runtime.bus.pull import TERM, Received, nak
from reeve.runtime.crash import reach
from reeve.runtime.telemetry import error_fields, get_log
from reeve.runtime.verdicts import MOST_CONFLICTS, MOST_DELIVERIES, Failure, Verdict, nak_delay
from services.escalation import metrics
from services.escalation.batch import decide_batch
from services.escalation.outbox import Committed
from services.escalation.outcome import Outcome
from services.escalation.work import BadWork, EventWork, Item, ReviseWork, ScheduleWork, UnscheduleWork, Work

ACK = b"+ACK"
SERVICE = "escalation"
_PAUSE_SECONDS = (0.1, 0.2, 0.5, 1.0)
_KEEP_SECONDS = 8.0

log = get_log(__name__)


class Rules(Protocol):
    """The active bundle."""

    @property
    def bundle(self) -> Bundle:
        """The bundle to decide with; read once per batch."""
        ...

    async def recall(self, digest: str) -> bool:
        """Whether the policy file of that digest is in `bundle.archive` now. Raises StoreAway."""
        ...


class Source(Protocol):
    """Where work comes from."""

    async def take(self, most: int) -> list[Work]: ...

    async def keep(self, in_hand: Iterable[Work]) -> None: ...


@dataclass(frozen=True, slots=True)
class _GivenUp:
    """Work that is not tried again, and the letter that tells of it."""

    work: Work
    letter: Message
    verdict: bytes
    reason: str


class Loop:
    """Works until cancelled. Between batches nothing is in hand."""

    def __init__(
        self,
        source: Source,
        record: CaseRecord,
        rules: Rules,
        publisher: Publisher,
        hand_over: Callable[[Committed], Awaitable[None]],
        sweep_soon: Callable[[], None],
        time: TimeSource,
        most: int,
        deciding: Callable[[datetime], None] = lambda at: None,
    ) -> None:
        """`deciding` is told the moment of each batch before anything of it is in the record."""
        self._source = source
        self._record = record
        self._rules = rules
        self._publisher = publisher
        self._hand_over = hand_over
        self._sweep_soon = sweep_soon
        self._time = time
        self._most = most
        self._deciding = deciding
        self._idle = asyncio.Event()
        self._idle.set()
        self._tries: dict[str, int] = {}
        """Failed tries of events that came from the record and so carry no delivery count."""

    async def run(self) -> None:
        """One batch after the other."""
        while True:
            works = await self._source.take(self._most)
            self._idle.clear()
            try:
                await self.handle(works)
            finally:
                self._idle.set()

    async def settled(self) -> None:
        """No batch is being decided now."""
        await self._idle.wait()

    async def handle(self, works: list[Work]) -> None:
        """The batch is committed and handed over, whatever it takes; servers that are away are waited for."""
        begun = perf_counter()
        pauses = 0
        conflicts = 0
        kept_at = begun
        committed: Committed | None = None
        while committed is None:
            try:
                committed = await self._commit(works)
            except Conflict:
                metrics.CONFLICTS.inc()
                conflicts += 1
                if conflicts > MOST_CONFLICTS:
                    await self._hand_over(_all_later(works))
                    return
                await asyncio.sleep(random.uniform(0, 0.01 * 2 ** min(conflicts, 5)))
            except Away as error:
                if pauses == 0:
                    log.warning("Work pauses until a server is back.", action="paused", **error_fields(error))
                    metrics.PAUSED.set(1)
                # The commit may have happened after all; then its messages stand in the outbox only.
                self._sweep_soon()
                await asyncio.sleep(_PAUSE_SECONDS[min(pauses, len(_PAUSE_SECONDS) - 1)])
                pauses += 1
                if perf_counter() - kept_at > _KEEP_SECONDS:
                    kept_at = perf_counter()
                    await self._source.keep(works)
        if pauses:
            metrics.PAUSED.set(0)
            log.info("Work goes on.", action="resumed")
        metrics.BATCH.observe(len(works))
        metrics.BATCH_SECONDS.observe(perf_counter() - begun)
        await self._hand_over(committed)

    async def _commit(self, works: list[Work]) -> Committed:
        now = self._time.now()
        self._deciding(now)
        items = [work for work in works if not isinstance(work, BadWork)]
        outcome = await decide_batch(self._record, items, self._rules.bundle, now)
        while digests := _missing_policies(outcome):
            # Cases pinned to a file of an earlier bundle: this process has not needed it before.
            if not any([await self._rules.recall(digest) for digest in digests]):
                break
            outcome = await decide_batch(self._record, items, self._rules.bundle, now)
        verdicts = await self._judge(works, items, outcome, now)
        reach("escalation.decided")
        changes = outcome.changes
        if changes.cases or changes.applied or changes.counts:
            await self._record.commit(changes)
        _count(items, outcome)
        settled = [(work.received, verdicts.get(id(work), ACK)) for work in works if work.received is not None]
        return Committed(changes.decisions, outcome.alarms, settled)

    # --- verdicts

    async def _judge(
        self, works: list[Work], items: list[Item], outcome: Outcome, now: datetime
    ) -> dict[int, bytes]:
        """Verdicts other than ack, by `id` of the work. What is given up stands in `dead.>` when this returns."""
        verdicts: dict[int, bytes] = {}
        given_up: list[_GivenUp] = []
        for work in works:
            if isinstance(work, BadWork):
                letter = _letter(work.received, work.reason, work.site, now)
                given_up.append(_GivenUp(work, letter, TERM, work.reason))
                metrics.EVENTS.labels(outcome="malformed").inc()
        for index, failure in outcome.failures.items():
            item = items[index]
            verdict = self._last_word(item, failure)
            log.error(
                "A message can't be handled.",
                action="message_failed",
                verdict=verdict.value,
                delivery=item.received.delivery if item.received else 0,
                **_about(item),
                **error_fields(failure.error),
            )
            if verdict is Verdict.LATER or not isinstance(item, EventWork):
                # A tick or revision needs no letter: the case stays overdue or outdated, where everybody sees it.
                verdicts[id(item)] = nak(nak_delay(item.received.delivery if item.received else 1))
                continue
            end = TERM if verdict is Verdict.DEAD else ACK
            given_up.append(_GivenUp(item, _event_letter(item, failure.reason, now), end, failure.reason))
        if not given_up:
            return verdicts
        failed = {item.index for item in await self._publisher.publish_all(each.letter for each in given_up)}
        for index, each in enumerate(given_up):
            if index in failed:
                verdicts[id(each.work)] = nak(nak_delay(1))
                continue
            verdicts[id(each.work)] = each.verdict
            metrics.DEAD_LETTERS.labels(verdict="dead" if each.verdict == TERM else "refused").inc()
            if isinstance(each.work, EventWork) and each.work.event.key in outcome.in_record:
                outcome.changes.applied.append(each.work.event)
                outcome.changes.refused[each.work.event.key] = each.reason
        return verdicts

    def _last_word(self, item: Item, failure: Failure) -> Verdict:
        """The table's verdict, once the last try is used up."""
        if failure.verdict not in (Verdict.LATER, Verdict.AGAIN, Verdict.WAIT):
            return failure.verdict
        if isinstance(item, ReviseWork | ScheduleWork | UnscheduleWork):
            return Verdict.LATER
        if item.received is not None:
            tries = item.received.delivery
        else:
            key = item.event.key if isinstance(item, EventWork) else item.case_id
            tries = self._tries[key] = self._tries.get(key, 0) + 1
        return Verdict.DEAD if tries >= MOST_DELIVERIES else Verdict.LATER


def _missing_policies(outcome: Outcome) -> set[str]:
    errors = (failure.error for failure in outcome.failures.values())
    return {error.digest for error in errors if isinstance(error, PolicyMissing)}


def _all_later(works: list[Work]) -> Committed:
    settled = [
        (work.received, nak(nak_delay(work.received.delivery))) for work in works if work.received is not None
    ]
    return Committed([], [], settled)


def _letter(received: Received, reason: str, site: str | None, now: datetime) -> Message:
    out = dead_letter(
        SERVICE,
        site,
        reason=reason,
        attempts=received.delivery,
        subject=received.subject,
        body=received.data,
        at=now,
        headers=received.headers,
    )
    return Message(out.subject, out.id, out.body)


def _event_letter(item: EventWork, reason: str, now: datetime) -> Message:
    if item.received is not None:
        return _letter(item.received, reason, item.event.site, now)
    out = dead_letter(
        SERVICE,
        item.event.site,
        reason=reason,
        attempts=MOST_DELIVERIES,
        subject=events_subject(item.event.site, item.event.type, item.event.subject),
        body=canonical(item.event),
        at=now,
    )
    return Message(out.subject, out.id, out.body)


def _about(item: Item) -> dict[str, str]:
    if isinstance(item, EventWork):
        return {"event_key": item.event.key, "site": item.event.site}
    return {"case": item.case_id}


def _count(items: list[Item], outcome: Outcome) -> None:
    changes = outcome.changes
    waiting = len(changes.waiting_added)
    metrics.EVENTS.labels(outcome="repeat").inc(len(outcome.repeats))
    metrics.EVENTS.labels(outcome="waiting").inc(waiting)
    metrics.EVENTS.labels(outcome="refused").inc(len(changes.refused))
    metrics.EVENTS.labels(outcome="applied").inc(len(changes.applied) - waiting - len(changes.refused))
    metrics.TICKS.labels(outcome="stale").inc(outcome.stale)
    metrics.TICKS.labels(outcome="decided").inc(len(outcome.lateness))
    for seconds in outcome.lateness:
        metrics.TICK_LATENESS.observe(seconds)
    for effect, count in outcome.effects.items():
        metrics.EFFECTS.labels(effect=effect).inc(count)
