"""Events that site systems post on intake.>: the same checks and the same record as by HTTP.

Every message is acknowledged by hand: after its event is in the record, or after its dead letter is on the bus.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import nats.errors
import nats.js.errors
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from prometheus_client import Counter

from reeve.contracts.notices import dead_letter, rejected_notice
from reeve.contracts.problems import InvalidEvent, Problem
from reeve.contracts.subjects import parse_intake
from reeve.domain.events import Event
from reeve.ports import Away, BusAway, StoreAway, TimeSource
from reeve.runtime.bus.connection import BusConnection
from reeve.runtime.bus.publisher import BusPublisher
from reeve.runtime.telemetry import error_fields, get_log
from services.intake.collector import EventCollector, Overloaded
from services.intake.posting import Reader

STREAM = "INTAKE"
DURABLE = "intake-INTAKE"
_BATCH = 200
_WAIT_SECONDS = 5.0
_ACK_WAIT_SECONDS = 60.0
_AGAIN_SECONDS = 1.0
_RETRY_DELAY_SECONDS = 2.0

_TAKEN = Counter("reeve_intake_bus_posts", "Messages on intake.> by what became of them", ["outcome"])

log = get_log(__name__)


class BusPosts:
    """Takes intake.> until cancelled."""

    def __init__(
        self,
        bus: BusConnection,
        publisher: BusPublisher,
        collector: EventCollector,
        reader: Reader,
        time: TimeSource,
        digested: Callable[[Event], Event],
    ) -> None:
        self._bus = bus
        self._publisher = publisher
        self._collector = collector
        self._reader = reader
        self._time = time
        self._digested = digested

    async def run(self) -> None:
        """Every outage is waited out; nothing is acknowledged that is not stored."""
        while True:
            try:
                subscription = await self._subscribe()
                while True:
                    generation = self._bus.generation
                    try:
                        messages = await subscription.fetch(_BATCH, timeout=_WAIT_SECONDS)
                    except (TimeoutError, nats.errors.TimeoutError):
                        if generation != self._bus.generation:
                            break
                        continue
                    await self._take(messages, generation)
                    if generation != self._bus.generation:
                        break
            except (Away, Overloaded, nats.errors.Error, nats.js.errors.Error, OSError) as error:
                log.debug("Taking posts from the bus waits.", action="bus_posts_wait", **error_fields(error))
                await asyncio.sleep(_AGAIN_SECONDS)

    async def _subscribe(self) -> JetStreamContext.PullSubscription:
        if not self._bus.connected:
            raise BusAway("the bus is away")
        stream = self._bus.jetstream
        config = ConsumerConfig(
            durable_name=DURABLE,
            ack_policy=AckPolicy.EXPLICIT,
            ack_wait=_ACK_WAIT_SECONDS,
            max_deliver=-1,
            max_ack_pending=5000,
            deliver_policy=DeliverPolicy.ALL,
        )
        await stream.add_consumer(STREAM, config)
        return await stream.pull_subscribe_bind(durable=DURABLE, stream=STREAM)

    async def _take(self, messages: list[Msg], generation: int) -> None:
        good: list[tuple[Msg, Event]] = []
        for message in messages:
            try:
                good.append((message, self._event_of(message)))
            except InvalidEvent as refused:
                await self._refuse(message, refused, generation)
        try:
            await self._collector.add([event for _, event in good])
        except (StoreAway, Overloaded):
            if generation == self._bus.generation:
                for message, _ in good:
                    await message.nak(delay=_RETRY_DELAY_SECONDS)
            raise
        if generation != self._bus.generation:
            return  # a restored server may have given these numbers to other messages
        for message, _ in good:
            await message.ack()
        _TAKEN.labels("accepted").inc(len(good))

    def _event_of(self, message: Msg) -> Event:
        event = self._reader.one(message.data, message.headers or {}, self._time.now())
        try:
            posted = parse_intake(message.subject)
        except ValueError:
            problem = Problem("$", "another NATS subject", "a post on intake.<site>.<family>.<verb>")
            raise InvalidEvent((problem,), id=event.id, site=event.site) from None
        problems = []
        if posted.site != event.site:
            problems.append(Problem("$.site", "another site than the NATS subject's", "the NATS subject's site"))
        if posted.type != event.type:
            problems.append(Problem("$.type", "another type than the NATS subject's", "the NATS subject's type"))
        if problems:
            raise InvalidEvent(tuple(problems), id=event.id, site=posted.site)
        return self._digested(event)

    async def _refuse(self, message: Msg, refused: InvalidEvent, generation: int) -> None:
        site = _posted_site(message)
        now = self._time.now()
        letter = dead_letter(
            "intake",
            site,
            reason=refused.reason,
            attempts=message.metadata.num_delivered,
            subject=message.subject,
            body=message.data,
            headers=message.headers,
            at=now,
        )
        notice = rejected_notice(
            site,
            id=refused.id,
            problems=refused.problems,
            subject=message.subject,
            message_id=letter.id,
            at=now,
        )
        if await self._publisher.publish_all([letter, notice]):
            raise BusAway("a dead letter was not acknowledged")
        _TAKEN.labels("refused").inc()
        log.info("A posted event was refused.", action="bus_post_refused", site=site, event_id=refused.id)
        if generation == self._bus.generation:
            await message.term()


def _posted_site(message: Msg) -> str | None:
    """The site of the subject it came on: where its sender listens, whatever the body says."""
    parts = message.subject.split(".")
    return parts[1] if len(parts) > 1 else None
