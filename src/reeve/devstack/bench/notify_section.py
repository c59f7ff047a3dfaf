"""Section `notify`: emails a second, beside a new SMTP connection for each."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

import aiosmtplib

from reeve.devstack.bench.decide_loops import OurLoop
from reeve.devstack.bench.figures import Figure, median_of, ratio_of
from reeve.devstack.bench.posting import together
from reeve.devstack.bench.programs import BenchFailed, prepare, running, service
from reeve.devstack.bench.rig import SITES, Rig, serious_complaints
from reeve.devstack.bench.smtp_taker import arrivals, arrived
from reeve.devstack.launching import free_port
from reeve.devstack.local_server import HOST
from reeve.runtime.store import bundles, recipients
from reeve.runtime.store.mongo import ensure_indexes
from reeve.runtime.time_source import SystemTime
from services.notify.channels.base import Result, Text
from services.notify.channels.mail_bytes import MailBuilder
from services.notify.channels.smtp import SmtpProvider

SECTION = "notify"
_RUNS = 3
_CONNECTIONS = 4
"""As notify has by default."""
_SENDER = "Reeve <reeve@example.org>"
_LIMIT_SECONDS = 60.0
_MOST = 20_000
"""Emails of one turn."""
_BAR = 3.0
"""Source: design, figures to reach."""


class Taker(NamedTuple):
    """A mail server in a process of its own."""

    port: int
    out: Path

    async def until(self, wanted: int) -> None:
        """So many mails have come since it started. Raises BenchFailed."""
        end = perf_counter() + _LIMIT_SECONDS
        while (come := arrived(self.out)) < wanted:
            if perf_counter() > end:
                raise BenchFailed(f"{come} of {wanted} emails had come after {_LIMIT_SECONDS:g} s")
            await asyncio.sleep(0.02)


@asynccontextmanager
async def mail_taker(rig: Rig) -> AsyncIterator[Taker]:
    """Takes mail inside."""
    port = free_port()
    out = rig.folder / f"mails-{port}"
    arguments = ("reeve.devstack.bench.smtp_taker", "--port", str(port), "--out", str(out))
    async with running(rig, "mail server", arguments, port, {}, None) as program:
        await program.ready()
        yield Taker(port, out)


async def notify(rig: Rig, quick: bool) -> AsyncGenerator[Figure, None]:
    """Emails a second through the channel alone, and through the whole service from a backlog."""
    kept, fresh, backlog = [], [], []
    seconds, events = (0.5, 60) if quick else (4.0, 400)
    async with mail_taker(rig) as taker:
        for run in range(1, _RUNS + 1):
            rig.tell(f"notify: kept connections, run {run} of {_RUNS}")
            kept.append(await _channel_rate(taker, seconds, f"{run}"))
            rig.tell(f"notify: one connection per message, run {run} of {_RUNS}")
            fresh.append(await _one_connection_each(taker, seconds, f"{run}"))
            rig.tell(f"notify: the service on a backlog, run {run} of {_RUNS}")
            backlog.append(await _backlog_rate(rig, taker, events))
    yield median_of(SECTION, f"email channel, {_CONNECTIONS} kept connections", kept, "emails/s")
    yield median_of(SECTION, f"reference: new connection each, {_CONNECTIONS} at once", fresh, "emails/s")
    yield median_of(SECTION, "whole service on a backlog", backlog, "emails/s")
    yield ratio_of(SECTION, "channel ÷ new connection each", kept, fresh, _BAR)
    yield ratio_of(SECTION, "whole service ÷ new connection each", backlog, fresh)


def _text(id: str) -> Text:
    body = "Serious complaint: ceiling leak in the corridor.\nPlease answer by 17:55.\nCase: T-X1\n"
    return Text(id, "supervisor@site-1.example.org", "Serious complaint T-X1", body, SystemTime().now())


async def _channel_rate(taker: Taker, seconds: float, tag: str) -> float:
    channel = SmtpProvider(HOST, taker.port, _SENDER, connections=_CONNECTIONS)

    async def send(number: int) -> None:
        outcome = await channel.send(_text(f"kept-{tag}-{number}"))
        if outcome.result is not Result.SENT:
            raise BenchFailed(f"an email was not taken: {outcome.reason}")

    try:
        return await _rate(send, seconds)
    finally:
        await channel.close()


async def _one_connection_each(taker: Taker, seconds: float, tag: str) -> float:
    builder = MailBuilder(_SENDER)

    async def send(number: int) -> None:
        text = _text(f"each-{tag}-{number}")
        mail = builder.build(text)
        try:
            await aiosmtplib.send(
                mail, sender=builder.address, recipients=[text.to], hostname=HOST, port=taker.port
            )
        except aiosmtplib.SMTPException as error:
            raise BenchFailed(f"an email was not taken: {type(error).__name__}") from error

    return await _rate(send, seconds)


async def _rate(send: Callable[[int], Awaitable[None]], seconds: float) -> float:
    """Emails a second with as many under way at once as there are connections."""
    numbers = iter(range(_MOST))
    sent = 0

    async def keep_sending() -> None:
        nonlocal sent
        for number in numbers:
            await send(number)
            sent += 1
            if perf_counter() >= begun + seconds:
                return

    begun = perf_counter()
    await together([asyncio.create_task(keep_sending()) for _ in range(_CONNECTIONS)])
    return sent / (perf_counter() - begun)


async def _backlog_rate(rig: Rig, taker: Taker, events: int) -> float:
    """Emails a second from the first to the last, of notifications requested before the service started."""
    await rig.fresh()
    for module in (bundles, recipients):
        await ensure_indexes(rig.database, module.INDEXES)
    await prepare(rig, rig.database, SITES)
    await rig.accept(list(serious_complaints(events, SystemTime().now(), 0)))
    async with OurLoop(rig) as ours:
        await ours.until(events)
    requested = await rig.database["notifications"].count_documents({})
    before = arrived(taker.out)
    settings = {"REEVE_SMTP_HOST": HOST, "REEVE_SMTP_PORT": str(taker.port), "REEVE_SMTP_FROM": _SENDER}
    async with service(rig, "notify", **settings) as started:
        await started.ready()
        await taker.until(before + requested)
    moments = [at for at, _ in arrivals(taker.out, before)]
    return (len(moments) - 1) / (moments[-1] - moments[0])
