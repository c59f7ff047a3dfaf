"""Builds the escalation service, runs it, and drains it when asked to stop. Nothing else does."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from reeve.contracts.outgoing import OutMessage
from reeve.domain.bundle import Bundle
from reeve.ports import Away
from reeve.runtime.active_rules import ActiveRules
from reeve.runtime.bundles import Bundles
from reeve.runtime.bus.connection import BusConnection, connect_bus
from reeve.runtime.bus.lanes import LANES
from reeve.runtime.bus.publisher import BusPublisher
from reeve.runtime.bus.streams import declare_streams
from reeve.runtime.health import HealthServer
from reeve.runtime.process import cancelled, stop_requested, unless_stopped, until_stopped
from reeve.runtime.store import bundles, cases, events, notifications, shadows
from reeve.runtime.store.leases import Leases
from reeve.runtime.store.mongo import (
    Client,
    Database,
    connect_store,
    ensure_indexes,
    open_database,
    store_answers,
)
from reeve.runtime.store.running_cases import RunningCases
from reeve.runtime.store.scheduled_duties import ScheduledDuties
from reeve.runtime.store.shifts import ShiftBook, ShiftStore
from reeve.runtime.telemetry import configure_logging, error_fields, get_log
from reeve.runtime.time_source import SystemTime
from services.escalation.duty_keeper import DutyKeeper
from services.escalation.inbox import Inbox
from services.escalation.lanes import LaneKeeper
from services.escalation.loop import Loop
from services.escalation.metrics import show_bundle
from services.escalation.outbox import Outbox
from services.escalation.reconciler import Reconciler
from services.escalation.revising import Reviser
from services.escalation.settings import EscalationSettings
from services.escalation.shadow import ShadowKeeper

_WAIT_SECONDS = 0.5
_DRAIN_SECONDS = 20.0

log = get_log(__name__)

T = TypeVar("T")


async def main() -> None:
    """The service, from its settings in the environment until SIGTERM. Raises SettingsError."""
    settings = EscalationSettings.load()
    configure_logging("escalation", settings.log_format, settings.log_level)
    await serve(settings, stop_requested())


@dataclass(slots=True)
class _State:
    """How far the start has come, for /readyz."""

    client: Client
    bus: BusConnection | None = None
    rules: bool = False

    async def needs(self) -> dict[str, bool]:
        """What the service needs and whether it has it."""
        return {
            "bus": self.bus is not None and self.bus.connected,
            "record": await store_answers(self.client),
            "rules": self.rules,
        }


async def serve(settings: EscalationSettings, stop: asyncio.Event) -> None:
    """Runs until `stop` is set, then finishes what is in hand and gives its lanes back."""
    async with AsyncExitStack() as stack:
        client = connect_store(settings.mongo_url, "escalation")
        stack.push_async_callback(client.close)
        state = _State(client)
        health = HealthServer(settings.escalation_host, settings.escalation_port, state.needs)
        await health.start()
        stack.push_async_callback(health.stop)
        log.info("Escalation is starting.", action="service_starting", port=health.port)
        connecting = asyncio.create_task(connect_bus(settings.nats_url, "escalation"))
        state.bus = bus = await unless_stopped(connecting, stop)
        if bus is None:
            return
        stack.push_async_callback(bus.close)
        database = open_database(client, settings.mongo_database)
        if await unless_stopped(asyncio.create_task(_prepare(bus, database, settings)), stop) is None:
            return
        await _work(settings, stop, state, bus, database)
    log.info("Escalation has stopped.", action="service_stopped")


async def _prepare(bus: BusConnection, database: Database, settings: EscalationSettings) -> bool:
    """Streams, collections and indexes exist; a server that is away is waited for."""
    while True:
        try:
            await declare_streams(bus, settings.bus_replicas)
            for module in (cases, events, notifications, bundles, shadows):
                await ensure_indexes(database, module.INDEXES)
        except Away as error:
            log.warning("Waiting for a server.", action="start_waits", **error_fields(error))
            await asyncio.sleep(_WAIT_SECONDS)
        else:
            return True


async def _work(
    settings: EscalationSettings, stop: asyncio.Event, state: _State, bus: BusConnection, database: Database
) -> None:
    time = SystemTime()
    publisher = BusPublisher(bus)
    await publisher.start()
    rules = await unless_stopped(asyncio.create_task(_first_rules(settings, database, publisher)), stop)
    if rules is None:
        return
    state.rules = True
    await rules.listen(bus)
    leases = Leases(
        database,
        "escalation",
        settings.escalation_instance,
        LANES,
        timedelta(seconds=settings.escalation_lease),
    )
    record = cases.MongoCaseRecord(state.client, database, leases.note_session)
    inbox = Inbox(bus, settings.escalation_buffer)
    outbox = Outbox(
        bus,
        publisher,
        record,
        time,
        lambda: inbox.lanes,
        timedelta(seconds=settings.escalation_confirm),
    )
    loop = Loop(
        inbox,
        record,
        rules,
        publisher,
        outbox.add,
        outbox.sweep_soon,
        time,
        settings.escalation_batch,
        outbox.deciding,
    )

    async def settle() -> None:
        await loop.settled()
        await outbox.drained()

    def gained() -> None:
        outbox.sweep_soon()
        reviser.look()
        duties.look()

    def taken(bundle: Bundle) -> None:
        reviser.look()
        duties.look()

    reconciler = Reconciler(
        inbox,
        record,
        bus,
        time,
        timedelta(seconds=settings.escalation_tick_grace),
        timedelta(seconds=settings.escalation_event_grace),
        settings.escalation_reconcile,
    )
    reviser = Reviser(inbox, RunningCases(database), lambda: rules.bundle)
    shifts = ShiftBook(ShiftStore(database))
    duties = DutyKeeper(inbox, ScheduledDuties(database), lambda: rules.bundle, shifts, time)
    rules.on_taken(taken)
    lanes = LaneKeeper(leases, inbox, settings.escalation_lease, settle, gained)
    shadow = ShadowKeeper(
        database,
        time,
        settings.escalation_instance,
        settings.escalation_lease,
        timedelta(seconds=settings.escalation_shadow_delay),
        settings.escalation_shadow_pause,
    )
    tasks = [
        asyncio.create_task(loop.run(), name="loop"),
        asyncio.create_task(outbox.run(), name="outbox"),
        asyncio.create_task(lanes.run(), name="lanes"),
        asyncio.create_task(reconciler.run(), name="reconciler"),
        asyncio.create_task(reviser.run(), name="reviser"),
        asyncio.create_task(duties.run(), name="duties"),
        asyncio.create_task(rules.run(), name="rules"),
        asyncio.create_task(shadow.run(), name="shadow"),
    ]
    log.info("Escalation is ready.", action="service_ready", bundle=rules.bundle.version)
    await until_stopped(tasks, stop)
    await _drain(tasks, lanes)


async def _first_rules(settings: EscalationSettings, database: Database, publisher: BusPublisher) -> ActiveRules:
    """The active bundle, seeded from the folder where the record has none yet; waits for servers."""

    async def publish(message: OutMessage) -> None:
        await publisher.publish(message.subject, message.id, message.body)

    known = Bundles(bundles.BundleStore(database), SystemTime(), publish, settings.matcher)
    while True:
        try:
            if await known.active_version() is None:
                await known.seed(settings.rules)
            return ActiveRules(known, await known.load_active(), show_bundle)
        except Away as error:
            log.warning("Waiting for a server.", action="start_waits", **error_fields(error))
            await asyncio.sleep(_WAIT_SECONDS)


async def _drain(tasks: Sequence[asyncio.Task[None]], lanes: LaneKeeper) -> None:
    by_name = {task.get_name(): task for task in tasks}
    ended = [by_name[name] for name in ("lanes", "reconciler", "reviser", "duties", "rules", "shadow")]

    async def leave() -> None:
        await cancelled(ended)
        await lanes.leave()

    try:
        await asyncio.wait_for(leave(), _DRAIN_SECONDS)
    except (TimeoutError, Away):
        # A server is away. What is in hand has no verdict and comes again; the leases run out by themselves.
        log.warning("Stopped with work in hand; it is done after the next start.", action="drain_cut_short")
    await cancelled(tasks)
