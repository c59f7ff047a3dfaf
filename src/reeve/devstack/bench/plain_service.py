"""What one would write first, to measure against: intake's own HTTP side in front of much less. A program, run by
the bench: `python -m reeve.devstack.bench.plain_service --port 8500 --work nothing|decide|mail …`.

| work | a post is answered when |
|---|---|
| nothing | it is validated; it is stored and published nowhere |
| decide | its case is loaded, decided and saved, and each message is on the bus, one after the other |
| mail | it is validated; its emails are sent from memory at once, on kept connections, and nothing is recorded |
"""

from __future__ import annotations

import argparse
import asyncio
import socket
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import uvicorn
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from reeve.devstack.bench.decide_loops import PLAIN_PREFIX, decide_plainly
from reeve.devstack.bench.rig import Rig, connected_rig, usable_bundle
from reeve.devstack.local_server import HOST
from reeve.devstack.servers import ServerUrls
from reeve.domain.events import Event
from reeve.runtime.process import run
from reeve.runtime.store.events import Stored
from reeve.runtime.telemetry import configure_logging
from reeve.runtime.time_source import SystemTime
from services.intake.collector import EventCollector
from services.intake.events_api import EventsApi
from services.intake.front import Front
from services.intake.keys import ApiKeys, Rate
from services.intake.posting import Reader
from services.notify.channels.base import Text
from services.notify.channels.smtp import SmtpProvider

_ROLES = ("service_supervisor", "property_manager", "department_head")
"""As many emails as the shipped rules ask for when a serious complaint comes in."""
_NO_LIMIT = 100_000_000
_NEW = Stored(duplicate=False)


class Nothing(EventCollector):
    """Stands in for the record and keeps nothing."""

    def __init__(self) -> None:
        """There is nothing to connect to."""

    async def add(self, events: Sequence[Event]) -> list[Stored]:
        """As if stored."""
        return [_NEW] * len(events)


class Decide(Nothing):
    """The plain loop, within the post."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig

    async def add(self, events: Sequence[Event]) -> list[Stored]:
        """Decided, saved, published."""
        await decide_plainly(self._rig, self._rig.bus.jetstream, events, pipelined=False, prefix=PLAIN_PREFIX)
        return [_NEW] * len(events)


class Mail(Nothing):
    """Tells people from memory alone."""

    def __init__(self, channel: SmtpProvider) -> None:
        self._channel = channel
        self._sending: set[asyncio.Task[object]] = set()

    async def add(self, events: Sequence[Event]) -> list[Stored]:
        """Answered at once; the emails are on their way."""
        now = SystemTime().now()
        for event in events:
            for role in _ROLES:
                text = Text(
                    f"{event.key}-{role}",
                    f"{role}@{event.site}.example.org",
                    f"Serious complaint {event.subject}",
                    f"Serious complaint: {event.data['title']}.\nCase: {event.subject}\n",
                    now,
                )
                task = asyncio.create_task(self._channel.send(text))
                self._sending.add(task)
                task.add_done_callback(self._sending.discard)
        return [_NEW] * len(events)


@asynccontextmanager
async def _collector(options: argparse.Namespace) -> AsyncIterator[EventCollector]:
    if options.work == "nothing":
        yield Nothing()
    elif options.work == "mail":
        channel = SmtpProvider(HOST, options.smtp_port, "Reeve <reeve@example.org>", tls="none")
        yield Mail(channel)
        await channel.close()
    else:
        urls = ServerUrls(options.nats_url, options.mongo_url)
        async with connected_rig(urls, usable_bundle(Path(options.rules))) as rig:
            rig.name = options.database
            await rig.database["naive_cases"].create_index("route")
            yield Decide(rig)


async def _serve(options: argparse.Namespace) -> None:
    async with _collector(options) as collector:
        keys = ApiKeys.read("")
        rate = Rate(_NO_LIMIT, time.monotonic)
        events = EventsApi(collector, Reader(), keys, rate, SystemTime(), lambda event: event)
        # As intake starts its own: the same server, listener and settings.
        listener = socket.create_server((HOST, options.port), backlog=1024)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        config = uvicorn.Config(
            Front(_ready, events),
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            lifespan="off",
        )
        await uvicorn.Server(config).serve([listener])


async def _ready(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse("ok\n")(scope, receive, send)


def main() -> None:
    """Serves until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(description="A plain service, to measure against.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--work", choices=["nothing", "decide", "mail"], required=True)
    parser.add_argument("--smtp-port", type=int, default=0)
    parser.add_argument("--nats-url", default="")
    parser.add_argument("--mongo-url", default="")
    parser.add_argument("--database", default="")
    parser.add_argument("--rules", default="rules")
    options = parser.parse_args()
    configure_logging("plain", "console", "error")
    run(lambda: _serve(options))


if __name__ == "__main__":
    main()
