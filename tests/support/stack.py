"""The whole of Reeve as a site and its people meet it: real servers, the three services as processes, real sinks.

Everything can be killed and started again. The rules, the database and the bus are the stack's own.
"""

from __future__ import annotations

import asyncio
import json
import math
import os
import shutil
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import nats
import nats.errors
from nats.aio.msg import Msg
from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase

from reeve.devstack.launching import Child, free_port
from reeve.devstack.mailbox import Received
from reeve.devstack.mongo_server import MongoServer
from reeve.devstack.nats_server import NatsServer
from reeve.devstack.sinks import Sinks
from reeve.domain.recipients import Recipient
from reeve.runtime.store.recipients import RecipientStore
from tests.support.shared_servers import SharedServers
from tests.support.story import RULES, SITE, Json, holds
from tests.support.waiting import PATIENCE, eventually

ROOT = Path(__file__).parents[2]
KEY = "acceptance-key"
SERVICES = ("intake", "escalation", "notify")
CLOUDEVENT = "application/cloudevents+json"
GATEWAY = """
name: sink
url: "{url}"
json: {to: "{{ to }}", text: "{{ text }}", id: "{{ id }}"}
timeout: 2m
"""
"""An SMS gateway that is given as long for its answer as the mail server."""


class Service:
    """One service as a process, on the same port over restarts."""

    def __init__(self, name: str, environment: Callable[[], Mapping[str, str]], folder: Path) -> None:
        self.name = name
        self.port = free_port()
        self.log = folder / f"{name}.log"
        self.starts = 0
        self._environment = environment
        self._child: Child | None = None

    @property
    def url(self) -> str:
        """/readyz and /metrics; of intake everything."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """Process id."""
        assert self._child is not None
        return self._child.pid

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._child is not None and self._child.returncode is None

    async def dead(self) -> bool:
        """Whether it has ended."""
        return not self.alive

    async def start(self, **more: str) -> None:
        """The process runs, with more environment; it may not be ready yet."""
        assert not self.alive
        self.starts += 1
        command = [sys.executable, "-m", "reeve.cli.main", "run", self.name]
        settings = {**self._environment(), **more, f"REEVE_{self.name.upper()}_PORT": str(self.port)}
        self._child = await Child.start(command, env=settings, log=self.log, cwd=ROOT)

    async def ready(self, seconds: float = PATIENCE) -> None:
        """It says that it does its work. Raises AssertionError with its log if it ended instead."""

        async def answers() -> bool:
            assert self.alive, self.log.read_text()[-3000:]
            try:
                return (await client.get(f"{self.url}/readyz")).status_code == 200
            except httpx.TransportError:
                return False

        async with httpx.AsyncClient(trust_env=False, timeout=5) as client:
            await eventually(f"{self.name} is ready", answers, seconds)

    async def kill(self) -> None:
        """As kill -9."""
        if self._child is not None:
            await self._child.kill()

    async def stop(self) -> int | None:
        """As SIGTERM; its exit code."""
        if self._child is None:
            return None
        await self._child.stop(25)
        return self._child.returncode


@dataclass
class Stack:
    """Everything, running."""

    folder: Path
    rules: Path
    nats: NatsServer
    mongo: MongoServer
    sinks: Sinks
    database_name: str
    settings: dict[str, str] = field(default_factory=dict)
    """More environment for the services."""
    services: dict[str, Service] = field(default_factory=dict)
    posted: list[Json] = field(default_factory=list)
    """What `post` posted, in order."""
    http: httpx.AsyncClient = field(default_factory=httpx.AsyncClient)
    mongo_client: AsyncMongoClient[Json] = field(default_factory=AsyncMongoClient)

    @property
    def intake(self) -> Service:
        return self.services["intake"]

    @property
    def escalation(self) -> Service:
        return self.services["escalation"]

    @property
    def notify(self) -> Service:
        return self.services["notify"]

    @property
    def database(self) -> AsyncDatabase[Json]:
        """The record."""
        return self.mongo_client[self.database_name]

    @property
    def messages(self) -> list[Received]:
        """What has arrived at the sinks."""
        return self.sinks.mailbox.messages

    def environment(self) -> dict[str, str]:
        """Of the services; delays that only matter after a crash are short."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("REEVE_")}
        return {
            **inherited,
            "PYTHONUNBUFFERED": "1",
            "REEVE_NATS_URL": self.nats.url,
            "REEVE_MONGO_URL": self.mongo.url,
            "REEVE_MONGO_DATABASE": self.database_name,
            "REEVE_RULES": str(self.rules),
            "REEVE_API_KEYS": f"*={KEY}",
            "REEVE_INTAKE_HOST": "127.0.0.1",
            "REEVE_ESCALATION_HOST": "127.0.0.1",
            "REEVE_ESCALATION_LEASE": "1.5",
            "REEVE_ESCALATION_TICK_GRACE": "1",
            "REEVE_ESCALATION_EVENT_GRACE": "3",
            "REEVE_ESCALATION_RECONCILE": "0.5",
            "REEVE_NOTIFY_HOST": "127.0.0.1",
            # Long enough that a process which gets no core for a while is not taken for dead.
            "REEVE_NOTIFY_LEASE_SECONDS": "5",
            "REEVE_NOTIFY_RETRY_SECONDS": "0.3",
            "REEVE_SMTP_HOST": "127.0.0.1",
            "REEVE_SMTP_PORT": str(self.sinks.smtp_port),
            # The sinks are in the test's process: when that gets no core, no answer of theirs is lost for it.
            "REEVE_SMTP_TIMEOUT_SECONDS": str(PATIENCE),
            "REEVE_PUBLIC_URL": self.intake.url,
            "REEVE_LOG_LEVEL": "debug",
            **self.settings,
        }

    # --- what a site system does

    async def post(self, *events: Json) -> list[Json]:
        """Each posted by itself, one after the other, accepted: again while intake says to come back later."""
        answers = []
        for each in events:
            self.posted.append(each)

            async def accepted(body: Json = each) -> httpx.Response | None:
                return await self._offer(body)

            answers.append((await eventually("intake takes an event", accepted)).json())
        return answers

    async def post_stubbornly(self, each: Json) -> None:
        """Accepted, however often intake is away; what a good site system does."""

        async def accepted() -> httpx.Response | None:
            try:
                return await self._offer(each)
            except httpx.TransportError:
                return None

        await eventually("intake takes an event", accepted)

    async def _offer(self, each: Json) -> httpx.Response | None:
        """The answer to an accepted post; None to one that 429 or 503 puts off. Raises AssertionError at others."""
        answer = await self.http.post("/v1/events", json=each, headers={"Content-Type": CLOUDEVENT})
        assert answer.status_code in (202, 429, 503), answer.text
        return answer if answer.status_code == 202 else None

    async def case(self, subject: str, policy: str = "complaint", site: str = SITE) -> Json | None:
        """The case as intake shows it, with its timeline; None if there is none yet."""
        answer = await self.http.get(f"/v1/cases/{site}/{policy}/{quote(subject, safe='')}")
        if answer.status_code == 404:
            return None
        assert answer.status_code == 200, answer.text
        found: Json = answer.json()
        return found

    async def timeline(self, subject: str, policy: str = "complaint") -> list[Json]:
        """What was decided about the case, as its timeline says; empty before there is a case."""
        return [line for line in await self._lines(subject, policy) if "notification" not in line]

    async def told(self, subject: str, policy: str = "complaint") -> list[Json]:
        """What became of every message about the case, as its timeline says."""
        return [line for line in await self._lines(subject, policy) if "notification" in line]

    async def _lines(self, subject: str, policy: str) -> list[Json]:
        found = await self.case(subject, policy)
        return found["timeline"] if found else []

    async def line(
        self, subject: str, effect: str, policy: str = "complaint", seconds: float = PATIENCE, **keys: Any
    ) -> Json:
        """The first line of that effect with these keys, once it is there."""
        lines: list[Json] = []

        async def there() -> Json | None:
            lines[:] = await self.timeline(subject, policy)
            return next((one for one in lines if holds(one, effect=effect, **keys)), None)

        try:
            found: Json = await eventually(f"{effect} {keys}", there, seconds)
        except TimeoutError as error:
            told = "\n".join(json.dumps(line) for line in lines)
            raise AssertionError(f"{subject}: no line {effect} {keys} in\n{told}") from error
        return found

    # --- what people get

    def to(self, address: str, text: str = "") -> list[Received]:
        """What has arrived at an address, with that text in its subject or body."""
        return [each for each in self.messages if address in each.to and text in f"{each.subject} {each.text}"]

    async def arrived(self, address: str, text: str, count: int = 1, seconds: float = PATIENCE) -> list[Received]:
        """At least so many of them, once they are there."""

        async def enough() -> list[Received]:
            found = self.to(address, text)
            return found if len(found) >= count else []

        found: list[Received] = await eventually(f"{count} to {address} about {text}", enough, seconds)
        return found

    async def quiet(self, seconds: float = PATIENCE) -> None:
        """Everything posted is decided, everything requested is settled, every outcome is told.

        So many seconds may pass without any of it getting less: a slow machine takes its time for a lot of work.
        """
        queries: tuple[tuple[str, Json], ...] = (
            ("events", {"$or": [{"applied_at": None}, {"published_at": None}]}),
            ("notifications", {"state": "requested"}),
            ("deliveries", {"$or": [{"open": True}, {"unpublished": True}, {"climb": True}]}),
        )

        left: dict[str, int] = {}

        async def less() -> bool:
            before = sum(left.values()) if left else math.inf
            now_left = {name: await self.database[name].count_documents(query) for name, query in queries}
            if not any(now_left.values()) or sum(now_left.values()) < before:
                left.update(now_left)
                return True
            return False

        try:
            while not left or any(left.values()):
                await eventually("some of what is left is settled", less, seconds)
        except TimeoutError as error:
            found = await self.database["deliveries"].find(queries[2][1]).limit(5).to_list()
            open_ones = [(each["_id"], each["state"], each["hold"], each["attempts"]) for each in found]
            raise AssertionError(f"not settled after {seconds:g} s: {left}, {open_ones}") from error

    async def people(self, *those: Recipient) -> None:
        """They are in the record."""
        await RecipientStore(self.database).save(those)

    # --- what integrators and operators see

    async def on_bus(self, stream: str, subject: str = ">") -> list[Msg]:
        """Every message of a stream, in order."""
        client = await nats.connect(self.nats.url)
        try:
            jetstream = client.jetstream(timeout=PATIENCE)
            if not (await jetstream.stream_info(stream)).state.messages:
                return []
            found: list[Msg] = []
            reading = await jetstream.subscribe(subject, stream=stream, ordered_consumer=True)
            while not found or found[-1].metadata.num_pending:
                try:
                    found.append(await reading.next_msg(timeout=PATIENCE))
                except nats.errors.TimeoutError:
                    break
            return found
        finally:
            await client.close()

    async def metrics(self, name: str) -> str:
        """What a service tells Prometheus."""
        async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE) as client:
            return (await client.get(f"{self.services[name].url}/metrics")).text

    # --- what goes wrong

    async def restart(self, name: str) -> None:
        """kill -9, and started again; it may not be ready yet."""
        await self.services[name].kill()
        await self.services[name].start()

    async def copy_bus(self) -> Path:
        """A copy of the bus's store as it is now; the bus is restarted for it."""
        copy = self.nats.folder / "copy"
        await self.nats.stop()
        await asyncio.to_thread(shutil.copytree, self.nats.store, copy)
        await self.nats.start()
        return copy

    async def restore_bus(self, copy: Path) -> None:
        """The bus is killed and comes back with the store of back then."""
        await self.nats.kill()
        await asyncio.to_thread(shutil.rmtree, self.nats.store)
        await asyncio.to_thread(shutil.move, copy, self.nats.store)
        await self.nats.start()


@asynccontextmanager
async def running_stack(
    pair: SharedServers, folder: Path, rules: Path = RULES, *, gateway: str = GATEWAY, **settings: str
) -> AsyncIterator[Stack]:
    """Everything runs and is ready inside; services drain after, unless they were killed.

    `gateway`: a description of the SMS gateway, in which {url} stands for where the sink takes texts.
    """
    async with pair.taken() as servers, Sinks(kept=1_000_000) as sinks:
        described = folder / "gateway.yaml"
        described.write_text(gateway.replace("{url}", sinks.gateway_url), encoding="utf-8")
        settings["REEVE_SMS_GATEWAY"] = str(described)
        stack = Stack(folder, rules, servers.nats, servers.mongo, sinks, f"reeve-{folder.name[:40]}", settings)
        stack.services = {name: Service(name, stack.environment, folder) for name in SERVICES}
        try:
            await asyncio.gather(*(service.start() for service in stack.services.values()))
            stack.mongo_client = AsyncMongoClient(stack.mongo.url, tz_aware=True)
            headers = {"Authorization": f"Bearer {KEY}"}
            stack.http = httpx.AsyncClient(
                base_url=stack.intake.url, headers=headers, trust_env=False, timeout=PATIENCE
            )
            await asyncio.gather(*(service.ready() for service in stack.services.values()))
            yield stack
        finally:
            await stack.http.aclose()
            await asyncio.gather(*(service.stop() for service in stack.services.values()))
            await stack.mongo_client.close()
