"""Builds the notify service, runs it, and drains it when asked to stop. Nothing else does."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

from reeve.ports import Away, TimeSource
from reeve.runtime import said_together
from reeve.runtime.active_rules import ActiveRules
from reeve.runtime.bundles import Bundles
from reeve.runtime.bus.connection import BusConnection, connect_bus
from reeve.runtime.bus.publisher import BusPublisher
from reeve.runtime.bus.streams import declare_streams
from reeve.runtime.health import HealthServer
from reeve.runtime.own_events import OwnEvents
from reeve.runtime.process import cancelled, stop_requested, unless_stopped, until_stopped
from reeve.runtime.providers.watching import FilesWatch
from reeve.runtime.store import (
    ack_tokens,
    bundles,
    cases,
    deliveries,
    more_time,
    notifications,
    provider_posts,
    recipients,
    reply_codes,
    shifts,
)
from reeve.runtime.store.ack_tokens import AckTokenStore
from reeve.runtime.store.bundles import BundleStore
from reeve.runtime.store.deliveries import DeliveryStore
from reeve.runtime.store.delivery_news import DeliveryNews
from reeve.runtime.store.delivery_receipts import DeliveryReceipts
from reeve.runtime.store.events import EventStore
from reeve.runtime.store.mongo import Database, connect_store, ensure_indexes, open_database, store_answers
from reeve.runtime.store.notifications import NotificationStore
from reeve.runtime.store.provider_posts import ProviderPostStore
from reeve.runtime.store.recipients import RecipientStore
from reeve.runtime.store.reply_codes import ReplyCodes
from reeve.runtime.store.secrets import load_secret
from reeve.runtime.store.shifts import ShiftBook, ShiftStore
from reeve.runtime.store.waiting_deliveries import WaitingDeliveries
from reeve.runtime.store.waiting_notifications import WaitingNotifications
from reeve.runtime.telemetry import configure_logging, error_fields, get_log
from reeve.runtime.time_source import SystemTime
from services.notify.announcer import Announcer
from services.notify.answers.building import AnswerSide, build_answers
from services.notify.case_reader import CaseReader, FreshCases
from services.notify.composing import Composer
from services.notify.dispatcher import Dispatcher
from services.notify.feeder import Feeder
from services.notify.flood.building import COLLECTIONS, build_keeper, build_one_a_day, build_tempering
from services.notify.flood.keeper import FloodKeeper
from services.notify.hand import Hand
from services.notify.handover import HandOverKeeper
from services.notify.journal import Journal, take_over
from services.notify.links import AckLinks, Ways
from services.notify.planner import Planner
from services.notify.pool.running import RunningProviders
from services.notify.progress import ProgressMarks
from services.notify.receipts import ReceiptKeeper
from services.notify.recorder import Recorder
from services.notify.refitting import Refitter
from services.notify.reports import Reports
from services.notify.settings import NotifySettings
from services.notify.settling import RetryPlan
from services.notify.timeline import TimelineWriter
from services.notify.wakeups import Sweeper, WakeUps
from services.notify.withdrawal import Withdrawal

_WAIT_SECONDS = 0.5
_DRAIN_SECONDS = 12.0

_COLLECTIONS = (
    *(cases, notifications, deliveries, recipients, bundles, ack_tokens, reply_codes, provider_posts, shifts),
    *(said_together, more_time),
    *COLLECTIONS,
)

log = get_log(__name__)

T = TypeVar("T")


async def main() -> None:
    """The service, from its settings in the environment until SIGTERM. Raises SettingsError, GatewayRefused."""
    settings = NotifySettings.load()
    configure_logging("notify", settings.log_format, settings.log_level)
    await serve(settings, stop_requested())


async def serve(settings: NotifySettings, stop: asyncio.Event) -> None:
    """Runs until `stop` is set; then what is being sent is finished and recorded, the rest put back."""
    async with AsyncExitStack() as stack:
        watch = FilesWatch(settings.channels, settings.sms_gateway)
        providers = await _providers(settings, stack)
        client = connect_store(settings.mongo_url, "notify")
        stack.push_async_callback(client.close)
        database = open_database(client, settings.mongo_database)
        rules = ActiveRules(Bundles(BundleStore(database), SystemTime(), None, settings.matcher))
        connecting = asyncio.create_task(connect_bus(settings.nats_url, "notify"))

        async def readiness() -> dict[str, bool]:
            connected = connecting.done() and not connecting.cancelled() and connecting.result().connected
            return {"bus": connected, "record": await store_answers(client), "rules": rules.loaded}

        health = HealthServer(settings.notify_host, settings.notify_port, readiness)
        await health.start()
        stack.push_async_callback(health.stop)
        bus = await unless_stopped(connecting, stop)
        if bus is None:
            return
        stack.push_async_callback(bus.close)
        secret = await unless_stopped(asyncio.create_task(_prepare(bus, database, settings)), stop)
        if secret is None:
            return
        publisher = BusPublisher(bus)
        await publisher.start()
        journal = await _journal(settings, database, stack)
        parts = build(settings, providers, watch, bus, publisher, database, rules, secret, journal=journal)
        log.info("Notify is ready.", action="service_ready", port=health.port, channels=providers.channels)
        await _work(parts, bus, rules, stop)
    log.info("Notify has stopped.", action="service_stopped")


@dataclass(frozen=True, slots=True)
class Parts:
    """What runs."""

    wakeups: WakeUps
    sweeper: Sweeper
    feeder: Feeder
    dispatcher: Dispatcher
    refitter: Refitter
    recorder: Recorder
    marks: ProgressMarks
    receipts: ReceiptKeeper
    announcer: Announcer
    hand: Hand
    hand_overs: HandOverKeeper
    answers: AnswerSide
    flood: FloodKeeper
    withdrawal: Withdrawal


def build(
    settings: NotifySettings,
    providers: RunningProviders,
    watch: FilesWatch,
    bus: BusConnection,
    publisher: BusPublisher,
    database: Database,
    rules: ActiveRules,
    secret: bytes,
    time: TimeSource | None = None,
    journal: Journal | None = None,
) -> Parts:
    """Every object of the service, wired; nothing runs yet."""
    time = time or SystemTime()
    claim = journal.claim if journal is not None else _claim()
    lease = timedelta(seconds=settings.notify_lease_seconds)
    pools = providers.pools
    hand = Hand(providers.channels)
    news = asyncio.Event()
    requested = NotificationStore(database)
    delivered = DeliveryStore(database)
    people = RecipientStore(database)
    case_reader = CaseReader(database)
    ways = Ways(settings.public_url, providers.takes_replies, settings.reply_to)
    links = AckLinks(AckTokenStore(database, secret), ReplyCodes(database, secret), ways, time)
    timeline = TimelineWriter(database)
    book = ShiftBook(ShiftStore(database))
    own_events = OwnEvents(EventStore(database), publisher, time)
    marks = ProgressMarks(requested)
    planner = Planner(
        *(requested, delivered, people, case_reader, timeline, rules, links, hand, news, time, claim, lease, marks),
        *(book, build_tempering(database)),
    )
    recorder = Recorder(delivered, planner, hand, news, journal)
    feeder = Feeder(delivered, people, case_reader, links, hand, pools, time, claim, lease)
    plan = RetryPlan(settings.notify_attempts, timedelta(seconds=settings.notify_retry_seconds))
    dispatcher = Dispatcher(
        pools,
        hand,
        feeder,
        recorder,
        FreshCases(case_reader, lambda: [each.case for each in hand.coming()]),
        Composer(rules, Reports(database)),
        time,
        plan,
        build_one_a_day(database, rules, hand),
        journal,
    )
    # What was published before this process started may have gone with a bus that was put back since.
    bus.changed.set()
    return Parts(
        WakeUps(bus, publisher, requested, planner, time),
        Sweeper(requested, delivered, planner, time),
        feeder,
        dispatcher,
        Refitter(providers, watch, dispatcher.run_channel, hand, recorder, links, time),
        recorder,
        marks,
        ReceiptKeeper(
            ProviderPostStore(database),
            DeliveryReceipts(database),
            providers.files,
            pools,
            planner,
            news,
            time,
            claim,
            lease,
        ),
        Announcer(DeliveryNews(database), publisher, rules, time, news, bus.changed),
        hand,
        HandOverKeeper(book, own_events, time),
        build_answers(database, secret, providers.files, own_events, settings.reply_to, news, time, claim),
        build_keeper(database, case_reader, rules, own_events, time),
        Withdrawal(
            *(bus, WaitingDeliveries(database), WaitingNotifications(database), planner, case_reader, news, time)
        ),
    )


async def _work(parts: Parts, bus: BusConnection, rules: ActiveRules, stop: asyncio.Event) -> None:
    await rules.listen(bus)
    named: list[tuple[str, Coroutine[Any, Any, None]]] = [
        ("rules", rules.run()),
        ("wakeups", _wake_up(parts.wakeups)),
        ("sweeper", parts.sweeper.run()),
        ("senders", parts.refitter.run()),
        ("feeder", parts.feeder.run()),
        ("leases", parts.feeder.run_leases()),
        ("stranded", parts.feeder.run_stranded()),
        ("recorder", parts.recorder.run()),
        ("marks", parts.marks.run()),
        ("receipts", parts.receipts.run()),
        ("announcer", parts.announcer.run()),
        ("hand_overs", parts.hand_overs.run()),
        ("replies", parts.answers.taker.run()),
        ("answers", parts.answers.teller.run()),
        ("flood", parts.flood.run()),
        ("withdrawal", parts.withdrawal.run()),
    ]
    tasks = {name: asyncio.create_task(work, name=name) for name, work in named}
    await until_stopped(list(tasks.values()), stop)
    await parts.wakeups.stop()
    await cancelled(tasks[name] for name in ("wakeups", "sweeper", "feeder", "stranded", "receipts"))
    await parts.dispatcher.drain(_DRAIN_SECONDS)
    try:
        async with asyncio.timeout(_WAIT_SECONDS * 4):
            await parts.announcer.publish()
            await parts.marks.flushed()
    except (Away, TimeoutError):
        log.debug("Outcomes and marks are made up for after the next start.", action="announce_left")
    await cancelled(tasks.values())


async def _wake_up(wakeups: WakeUps) -> None:
    """Reads wake-ups; a bus that is away is waited for."""
    while True:
        try:
            await wakeups.start()
            break
        except Away as error:
            log.warning("Waiting for a server.", action="start_waits", **error_fields(error))
            await asyncio.sleep(_WAIT_SECONDS)
    await wakeups.run()


async def _journal(settings: NotifySettings, database: Database, stack: AsyncExitStack) -> Journal | None:
    """What dead processes noted is taken over, and this one has a file of its own, if there is a folder."""
    if settings.notify_journal is None:
        return None
    record = f"{settings.mongo_url} {settings.mongo_database}"
    try:
        await take_over(settings.notify_journal, record, DeliveryStore(database), SystemTime())
        journal = Journal(settings.notify_journal, record, _claim())
    except OSError as error:
        log.warning("REEVE_NOTIFY_JOURNAL can't be used; there is none.", action="no_journal", fault=error.strerror)
        return None
    stack.callback(journal.close)
    return journal


def _claim() -> str:
    """Names this process in the record, and no other one ever."""
    return f"{socket.gethostname()}-{os.getpid()}-{os.urandom(4).hex()}"


async def _providers(settings: NotifySettings, stack: AsyncExitStack) -> RunningProviders:
    """Those that the files describe now. Raises ProvidersRefused."""
    providers = RunningProviders(settings)
    stack.push_async_callback(providers.close)
    await providers.load()
    if not providers.files:
        log.error(
            "No provider is configured: nobody can be reached. Put files into the folder REEVE_CHANNELS.",
            action="no_channels",
        )
    return providers


async def _prepare(bus: BusConnection, database: Database, settings: NotifySettings) -> bytes:
    """Streams, collections, indexes and the secret exist; a server that is away is waited for."""
    while True:
        try:
            await declare_streams(bus, settings.bus_replicas)
            for module in _COLLECTIONS:
                await ensure_indexes(database, module.INDEXES)
            return await load_secret(database, settings.secret.get_secret_value() or None)
        except Away as error:
            log.warning("Waiting for a server.", action="start_waits", **error_fields(error))
            await asyncio.sleep(_WAIT_SECONDS)
