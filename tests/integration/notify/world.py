"""Everything around notify for a test: the real servers, real sinks, and what escalation would have written."""

from __future__ import annotations

import asyncio
import os
import sys
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
from nats.aio.msg import Msg

from reeve.contracts.outgoing import messages_of
from reeve.devstack.mailbox import Mailbox, Received
from reeve.devstack.servers import ServerUrls
from reeve.devstack.sms_sink import SmsGateway
from reeve.devstack.smtp_sink import SmtpSink
from reeve.devstack.tiny_http import TinyHttpServer
from reeve.domain.bundle import Bundle
from reeve.domain.case import Case, CaseKey, ClockState, Due
from reeve.domain.effects import Because, Effect, Notification
from reeve.domain.facts import zone_of
from reeve.domain.recipients import Recipient
from reeve.runtime.bus.connection import BusConnection, connect_bus
from reeve.runtime.bus.publisher import BusPublisher
from reeve.runtime.bus.streams import declare_streams
from reeve.runtime.store import cases, deliveries, notifications, recipients
from reeve.runtime.store.cases import case_document
from reeve.runtime.store.mongo import Database, ensure_indexes, open_database
from reeve.runtime.store.notifications import requested_document
from reeve.runtime.store.recipients import RecipientStore
from reeve.runtime.time_source import SystemTime
from services.notify.app import serve
from services.notify.settings import NotifySettings
from tests.support.patient_store import patient_store
from tests.support.seeding import Seed, plant
from tests.support.waiting import PATIENCE

SITE = "sunshine-garden"
GATEWAY = """
name: sink
url: http://127.0.0.1:{port}/sms/send
json: {{to: "{{{{ to }}}}", text: "{{{{ text }}}}", id: "{{{{ id }}}}"}}
timeout: 2m
"""
"""An SMS gateway that is waited for as long as anything else is."""

MANAGER = Recipient(
    "pm-1",
    SITE,
    frozenset({"property_manager"}),
    "zh",
    {"email": "manager@example.org", "sms": "+447700900001"},
    name="王经理",
)
SUPERVISOR = Recipient("ss-1", SITE, frozenset({"service_supervisor"}), "en", {"email": "supervisor@example.org"})
GENERAL = Recipient("gm-1", SITE, frozenset({"general_manager"}), "zh", {"sms": "+447700900002"})


@dataclass
class World:
    """A test's surroundings."""

    urls: ServerUrls
    database: Database
    bus: BusConnection
    publisher: BusPublisher
    bundle: Bundle
    mailbox: Mailbox
    smtp: SmtpSink
    gateway: SmsGateway
    sms_port: int
    gateway_file: Path
    heard: list[dict[str, Any]] = field(default_factory=list)
    """CloudEvents that notify has published."""
    heard_bytes: list[bytes] = field(default_factory=list)
    stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    def settings(self, **changes: Any) -> NotifySettings:
        """Settings that point at this world."""
        values: dict[str, Any] = {
            "nats_url": self.urls.nats_url,
            "mongo_url": self.urls.mongo_url,
            "mongo_database": self.database.name,
            "notify_port": 0,
            "smtp_host": "127.0.0.1",
            "smtp_port": self.smtp.port,
            "smtp_timeout_seconds": PATIENCE,
            "sms_gateway": str(self.gateway_file),
            "notify_retry_seconds": 0.2,
        }
        return NotifySettings.load(**(values | changes))

    @asynccontextmanager
    async def notify(self, **changes: Any) -> AsyncIterator[None]:
        """The service runs inside, in this process, and is drained after."""
        stop = asyncio.Event()
        running = asyncio.create_task(serve(self.settings(**changes), stop))
        try:
            yield
        finally:
            stop.set()
            await asyncio.wait_for(running, PATIENCE)

    async def process(self, **environment: str) -> asyncio.subprocess.Process:
        """The service as a process of its own; the caller ends it, and at the latest the end of the world does."""
        settings = self.settings()
        known = {
            "REEVE_NATS_URL": self.urls.nats_url,
            "REEVE_MONGO_URL": self.urls.mongo_url,
            "REEVE_MONGO_DATABASE": self.database.name,
            "REEVE_NOTIFY_PORT": "0",
            "REEVE_SMTP_HOST": "127.0.0.1",
            "REEVE_SMTP_PORT": str(self.smtp.port),
            "REEVE_SMTP_TIMEOUT_SECONDS": str(PATIENCE),
            "REEVE_SMS_GATEWAY": str(settings.sms_gateway),
            "REEVE_NOTIFY_LEASE_SECONDS": "1",
        }
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            "from reeve.runtime.process import run; from services.notify.app import main; run(main)",
            env={**os.environ, **known, **environment},
            stderr=asyncio.subprocess.PIPE,
        )
        self.stack.push_async_callback(_end, process)
        return process

    async def people(self, *those: Recipient) -> None:
        """They are in the record."""
        await RecipientStore(self.database).save(those)

    async def case(self, subject: str, grade: str = "major", **facts: Any) -> Case:
        """An open complaint is in the record."""
        now = SystemTime().now()
        policy = self.bundle.policies["complaint"]
        due = Due(now + timedelta(minutes=5))
        case = Case(
            CaseKey(SITE, "complaint", subject),
            "ticket",
            policy.digest,
            opened_at=now,
            grade=grade,
            version=1,
            facts={"category": "complaint", "title": "ceiling leak", **facts},
            clocks={"respond": ClockState(run=1, status="running", started_at=now, due=due)},
        )
        await self.save(case)
        return case

    async def save(self, case: Case) -> None:
        """The case is in the record as it is."""
        await self.database["cases"].replace_one({"_id": str(case.key)}, case_document(case), upsert=True)

    async def request(
        self,
        case: Case,
        to: Iterable[str] = ("property_manager",),
        via: Iterable[str] = ("email",),
        wake: bool = True,
        at: datetime | None = None,
        requested_at: datetime | None = None,
        **changes: Any,
    ) -> Effect:
        """What escalation does: the notification is in the record, and its message on the bus unless not `wake`."""
        now = SystemTime().now()
        values: dict[str, Any] = {
            "step": "report_up",
            "level": 0,
            "round": 1,
            "run": 1,
            "to": tuple(to),
            "via": tuple(via),
            "message": "complaint_reported",
            "grade": case.grade,
            "ack_ends": True,
            "reminds": True,
        }
        wanted = Notification(**(values | changes))
        key = f"{case.key}/1/{wanted.step}/{wanted.round}/{uuid.uuid4().hex[:6]}"
        details = {"to": list(wanted.to), "via": list(wanted.via), "message": wanted.message}
        effect = Effect("notify", case.key, at or now, key, Because("complaint.yaml:57"), details, wanted)
        await self.database["notifications"].insert_one(requested_document(effect, requested_at or now))
        if wake:
            await self.wake(effect, case)
        return effect

    async def wake(self, effect: Effect, case: Case) -> None:
        """The message that a notification is requested is on the bus."""
        for message in messages_of(effect, case, zone_of("Asia/Shanghai")):
            await self.publisher.publish(message.subject, message.id, message.body)

    async def arrived(self, count: int, seconds: float = PATIENCE) -> list[Received]:
        """At least so many messages, accepted or not, have arrived at the sinks."""
        return await self.mailbox.wait_for(lambda messages: len(messages) >= count, seconds)

    async def told(self, what: str, count: int = 1, seconds: float = PATIENCE) -> list[dict[str, Any]]:
        """At least so many outcomes of that kind have been published."""

        async def enough() -> bool:
            return len(self.outcomes(what)) >= count

        await self.until(f"{count} x {what}", enough, seconds)
        return self.outcomes(what)

    def outcomes(self, what: str) -> list[dict[str, Any]]:
        """Those published so far."""
        return [each for each in self.heard if each["type"] == f"notifications.{what}"]

    async def delivery(self, effect: Effect, **query: Any) -> dict[str, Any]:
        """The one delivery of the notification that the query finds."""
        found = await self.database["deliveries"].find({"notification": effect.key, **query}).to_list()
        assert len(found) == 1, [(each["_id"], each["state"]) for each in found]
        return found[0]

    async def lines(self, case: Case, count: int = 0) -> list[dict[str, Any]]:
        """The timeline lines that notify wrote, at least so many, in the order written."""
        decisions = self.database["decisions"]

        async def written() -> list[dict[str, Any]]:
            found = await decisions.find({"case": str(case.key)}).to_list()
            found.sort(key=lambda each: each["at"])
            return [line for each in found for line in orjson.loads(each["lines"])]

        async def enough() -> bool:
            return len(await written()) >= count

        await self.until(f"{count} lines", enough)
        return await written()

    async def until(self, what: str, holds: Callable[[], Awaitable[bool]], seconds: float = PATIENCE) -> None:
        """Returns when it holds. Raises TimeoutError naming what was awaited."""
        try:
            async with asyncio.timeout(seconds):
                while not await holds():  # noqa: ASYNC110 - what is awaited has no event
                    await asyncio.sleep(0.03)
        except TimeoutError as error:
            raise TimeoutError(f"{what}: not within {seconds:g} s") from error

    async def _hear(self, message: Msg) -> None:
        self.heard_bytes.append(message.data)
        self.heard.append(orjson.loads(message.data))


@asynccontextmanager
async def world(urls: ServerUrls, seed: Seed, folder: Path) -> AsyncIterator[World]:
    """Sinks, a database of its own with the project's rules active, and an empty NOTIFICATIONS stream."""
    async with AsyncExitStack() as stack:
        client = patient_store(urls.mongo_url, "test")
        stack.push_async_callback(client.close)
        database = open_database(client, f"notify-{uuid.uuid4().hex[:12]}")
        for module in (cases, notifications, deliveries, recipients):
            await ensure_indexes(database, module.INDEXES)
        bus = await connect_bus(urls.nats_url, "test", PATIENCE)
        stack.push_async_callback(bus.close)
        await declare_streams(bus)
        for stream in ("NOTIFICATIONS", "DEAD"):
            await bus.client.jetstream(timeout=PATIENCE).purge_stream(stream)
        publisher = BusPublisher(bus, PATIENCE)
        await publisher.start()
        await plant(database, seed)
        mailbox = Mailbox(SystemTime(), kept=100_000)
        smtp = SmtpSink(mailbox, "127.0.0.1", 0)
        await smtp.start()
        stack.push_async_callback(smtp.stop)
        gateway = SmsGateway(mailbox)
        http = TinyHttpServer(gateway.handle, "127.0.0.1", 0)
        await http.start()
        stack.push_async_callback(http.stop)
        file = _gateway_file(folder, http.port)
        made = World(urls, database, bus, publisher, seed[0], mailbox, smtp, gateway, http.port, file)
        for what in ("sent", "delivered", "failed", "undeliverable", "suppressed", "acknowledged"):
            await bus.client.subscribe(f"notifications.*.{what}.>", cb=made._hear)
        async with made.stack:
            yield made
        await client.drop_database(database.name)


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.kill()
        await process.communicate()


def _gateway_file(folder: Path, port: int) -> Path:
    folder.mkdir()
    file = folder / "gateway.yaml"
    file.write_text(GATEWAY.format(port=port), encoding="utf-8")
    return file


def acknowledged(case: Case, at: datetime) -> Case:
    """The case after somebody took it."""
    return replace(case, acknowledged_at=at, version=case.version + 1)
