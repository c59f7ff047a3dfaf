"""Builds intake, starts it, and stops it in order: posts first, then the bus, then the record."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time as clocks
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

import uvicorn

from reeve.ports import Away, TimeSource
from reeve.runtime.answering import Answers
from reeve.runtime.bundles import Bundles
from reeve.runtime.bus.connection import BusConnection, connect_bus
from reeve.runtime.bus.publisher import BusPublisher
from reeve.runtime.bus.streams import declare_streams
from reeve.runtime.process import cancelled, stop_requested
from reeve.runtime.said_together import SaidTogether
from reeve.runtime.store import ack_tokens, more_time, provider_posts
from reeve.runtime.store import events as event_store
from reeve.runtime.store.ack_tokens import AckTokenStore
from reeve.runtime.store.bundles import BundleStore
from reeve.runtime.store.events import EventStore
from reeve.runtime.store.mongo import Database, connect_store, ensure_indexes, open_database, store_answers
from reeve.runtime.store.provider_posts import ProviderPostStore
from reeve.runtime.store.secrets import load_secret
from reeve.runtime.telemetry import configure_logging, error_fields, get_log
from reeve.runtime.time_source import SystemTime
from services.intake.ack_pages import AckPages
from services.intake.bus_posts import BusPosts
from services.intake.cases_api import CaseReader
from services.intake.collector import EventCollector
from services.intake.digests import SubjectDigests
from services.intake.events_api import EventsApi
from services.intake.http import HttpSide, build_api
from services.intake.keys import ApiKeys, Rate
from services.intake.outbox import EventOutbox
from services.intake.posting import Reader
from services.intake.providers_api import PostingProviders, ProvidersApi
from services.intake.rules import RulesView
from services.intake.settings import IntakeSettings

_DRAIN_SECONDS = 5.0
_AGAIN_SECONDS = 1.0
_ANSWER_SECONDS = 2.0
_PREPARE_SECONDS = 3.0

_INDEXES = {**event_store.INDEXES, **ack_tokens.INDEXES, **more_time.INDEXES, **provider_posts.INDEXES}

log = get_log(__name__)


@dataclass(slots=True)
class Intake:
    """A running intake."""

    url: str
    bus: BusConnection | None = None
    """None until the bus answered for the first time."""


async def main() -> None:
    """Runs until SIGTERM or SIGINT, then drains and stops."""
    settings = IntakeSettings.load()
    configure_logging("intake", settings.log_format, settings.log_level)
    stop = stop_requested()
    async with intake(settings) as running:
        log.info("Intake is up.", action="started", url=running.url)
        await stop.wait()
        log.info("Intake is stopping.", action="stopping")


@asynccontextmanager
async def intake(settings: IntakeSettings, time: TimeSource | None = None) -> AsyncIterator[Intake]:
    """Serves inside, with the bus or the record away too; drained after. Raises OSError if the port is taken."""
    time = time or SystemTime()
    keys = ApiKeys.read(settings.api_keys.get_secret_value())
    if keys.open:
        log.warning("No REEVE_API_KEYS: everybody who reaches this port may post.", action="no_api_keys")
    listener = socket.create_server((settings.intake_host, settings.intake_port), backlog=1024)
    # Inherited by every connection: without it an answer of two packets waits 40 ms for the first one's ACK.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    client = connect_store(settings.mongo_url, "intake")
    database = open_database(client, settings.mongo_database)
    store = EventStore(database)
    outbox = EventOutbox(store, time, clocks.monotonic)
    collector = EventCollector(store, time, outbox.offer, settings.intake_waiting)
    rules = RulesView(Bundles(BundleStore(database), time))
    reader = Reader(rules.reserved)
    digested = SubjectDigests(rules.digests, None)
    tokens = AckTokenStore(database, b"")
    posting = PostingProviders(settings)
    running = Intake(f"http://{settings.intake_host}:{listener.getsockname()[1]}")

    async def readiness() -> dict[str, bool]:
        try:
            record = await asyncio.wait_for(store_answers(client), _ANSWER_SECONDS)
        except TimeoutError:
            record = False
        bus = running.bus is not None and running.bus.connected
        # Until the record was asked for the rules, posts are put off: see RulesView.digests.
        return {"record": record, "bus": bus, "rules": rules.active.asked}

    side = HttpSide(
        events=EventsApi(collector, reader, keys, Rate(settings.intake_rate, clocks.monotonic), time, digested),
        cases=CaseReader(database, time),
        acks=AckPages(tokens, Answers(database, tokens), SaidTogether(database, tokens), collector, time),
        providers=ProvidersApi(
            posting,
            ProviderPostStore(database),
            Rate(settings.intake_posts_rate, clocks.monotonic),
            time,
            settings.public_url,
        ),
        keys=keys,
        readiness=readiness,
    )
    server = _Server(
        uvicorn.Config(
            build_api(side),
            log_config=None,
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=10,
            lifespan="off",
        )
    )
    bus_posts = partial(BusPosts, collector=collector, reader=reader, time=time, digested=digested)
    prepared = asyncio.create_task(_prepare_record(database, digested, rules, settings), name="record")
    background = [
        prepared,
        asyncio.create_task(collector.run(), name="collector"),
        asyncio.create_task(posting.run(), name="provider files"),
        asyncio.create_task(_bus_side(running, settings, outbox, rules, bus_posts), name="bus"),
    ]
    # Posts that come before the rules are known are answered 503: better to listen a moment later.
    await asyncio.wait([prepared], timeout=_PREPARE_SECONDS)
    background.append(asyncio.create_task(rules.active.run(), name="rules"))
    serving = asyncio.create_task(server.serve([listener]), name="http")
    try:
        async with _ending_with(background):
            yield running
            server.should_exit = True
            await serving
            if running.bus is not None and running.bus.connected:
                await outbox.drain(_DRAIN_SECONDS)
    finally:
        server.should_exit = True
        await asyncio.gather(serving, return_exceptions=True)
        await cancelled(background)
        if running.bus is not None:
            await running.bus.close()
        await client.close()


@asynccontextmanager
async def _ending_with(tasks: list[asyncio.Task[None]]) -> AsyncIterator[None]:
    """The body is cancelled when a task fails, and the task's error raised: half a service must not stay up."""
    body = asyncio.current_task()
    failed: list[BaseException] = []

    def watch(task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            failed.append(error)
            if body is not None:
                body.cancel()

    for task in tasks:
        task.add_done_callback(watch)
    try:
        yield
    except asyncio.CancelledError:
        if failed:
            raise failed[0] from None
        raise
    finally:
        for task in tasks:
            task.remove_done_callback(watch)


async def _prepare_record(
    database: Database, digested: SubjectDigests, rules: RulesView, settings: IntakeSettings
) -> None:
    """Indexes, secret and rules, as soon as the record answers."""
    while True:
        try:
            digested.secret = await load_secret(database, settings.secret.get_secret_value() or None)
            await ensure_indexes(database, _INDEXES)
            await rules.active.refresh()
        except Away as away:
            log.debug("The record does not answer yet.", action="record_wait", **error_fields(away))
            await asyncio.sleep(_AGAIN_SECONDS)
        else:
            return


async def _bus_side(
    running: Intake,
    settings: IntakeSettings,
    outbox: EventOutbox,
    rules: RulesView,
    bus_posts: Callable[[BusConnection, BusPublisher], BusPosts],
) -> None:
    """Publishes accepted events and takes those posted on the bus, as soon as and whenever it answers."""
    bus = await connect_bus(settings.nats_url, "intake")
    running.bus = bus
    publisher = BusPublisher(bus)
    await publisher.start()
    await rules.active.listen(bus)
    while True:
        try:
            await declare_streams(bus, settings.bus_replicas)
            break
        except Away:
            await asyncio.sleep(_AGAIN_SECONDS)
    # No TaskGroup: it cancels once, and a task that lost that would keep intake from stopping.
    tasks = [
        asyncio.create_task(outbox.run(bus, publisher, settings.bus_replicas), name="outbox"),
        asyncio.create_task(bus_posts(bus, publisher).run(), name="bus posts"),
    ]
    try:
        ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        for task in ended:
            task.result()
    finally:
        await cancelled(tasks, again_seconds=0.5)


class _Server(uvicorn.Server):
    """Signals are the process's own business (`reeve.runtime.process`)."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
