"""Section `notify`: messages a second from a backlog beside one connection per message, and post → email."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from time import perf_counter

import aiosmtplib

from reeve.devstack.bench.end_to_end_section import RATE, latencies, world
from reeve.devstack.bench.fan_out import (
    MAIL_PLACES,
    SENDER,
    TEXT_PLACES,
    FannedOut,
    Takers,
    one_connection_each,
    request,
    settled,
    since,
    takers,
    text_of,
)
from reeve.devstack.bench.figures import Figure, median_of, percentile, ratio_of
from reeve.devstack.bench.plain_queue import plain_queue
from reeve.devstack.bench.posting import together
from reeve.devstack.bench.programs import BenchFailed, journal, service
from reeve.devstack.bench.rig import Rig
from reeve.devstack.bench.takers import Taker
from reeve.devstack.local_server import HOST
from services.notify.channels.base import Result
from services.notify.channels.mail_bytes import MailBuilder
from services.notify.channels.smtp import SmtpProvider

SECTION = "notify"
_RUNS = 3
_MOST = 20_000
"""Emails of one turn."""
_SLOW = 3
"""The slower plain programs get this part of the messages: theirs is a steady pace."""
_BAR = 3.0
_LATENCY_BAR = 100.0
"""Milliseconds. Source of both: issue 4."""


async def notify(rig: Rig, quick: bool) -> AsyncGenerator[Figure, None]:
    """Emails a second through the channel alone, messages a second through the whole service, and their latency."""
    kept, fresh, each, queued, single = [], [], [], [], []
    fanned: list[FannedOut] = []
    seconds, notifications = (0.5, 300) if quick else (4.0, 6000)
    async with takers(rig) as both:
        for run in range(1, _RUNS + 1):
            rig.tell(f"notify: kept connections, run {run} of {_RUNS}")
            kept.append(await _channel_rate(both.mails, seconds, f"{run}"))
            rig.tell(f"notify: one connection per email, run {run} of {_RUNS}")
            fresh.append(await _one_connection_each(both.mails, seconds, f"{run}"))
            rig.tell(f"notify: {notifications} notifications, run {run} of {_RUNS}")
            fanned.append(await _fan_out(rig, both, notifications))
            rig.tell(f"notify: the same on one connection per message, run {run} of {_RUNS}")
            each.append(await one_connection_each(both, fanned[-1].mails, fanned[-1].texts))
            rig.tell(f"notify: the same, one message after the other, run {run} of {_RUNS}")
            mails, texts = fanned[-1].mails // _SLOW, fanned[-1].texts // _SLOW
            single.append(await one_connection_each(both, mails, texts, mail_places=1, text_places=1))
            rig.tell(f"notify: the same, each claimed and recorded, run {run} of {_RUNS}")
            queued.append(await plain_queue(rig, both, mails, texts))
    yield median_of(SECTION, f"email channel, {MAIL_PLACES} kept connections", kept, "emails/s")
    yield median_of(SECTION, f"reference: new connection each, {MAIL_PLACES} at once", fresh, "emails/s")
    yield ratio_of(SECTION, "channel ÷ new connection each", kept, fresh, _BAR)
    yield Figure(SECTION, "notifications fanned out: emails", fanned[-1].mails, "messages")
    yield Figure(SECTION, "notifications fanned out: SMS", fanned[-1].texts, "messages")
    rates = [run.rate for run in fanned]
    yield median_of(SECTION, "whole service on a backlog", rates, "messages/s")
    places = f"{MAIL_PLACES} + {TEXT_PLACES} at once"
    for what, ratio, rates_of in (
        (f"a connection each, claimed and recorded, {places}", "a connection each, claimed and recorded", queued),
        (
            "a connection each, one after the other on each channel",
            "a connection each, one after the other",
            single,
        ),
        (f"a connection each, {places}, nothing recorded", "a connection each, nothing recorded", each),
    ):
        yield median_of(SECTION, f"reference: {what}", rates_of, "messages/s")
        yield ratio_of(SECTION, f"whole service ÷ {ratio}", rates, rates_of, _BAR)
    async for figure in _latency(rig, quick):
        yield figure


async def _latency(rig: Rig, quick: bool) -> AsyncGenerator[Figure, None]:
    """Milliseconds from post to email, with everything running."""
    runs: list[list[float]] = []
    calm: list[list[float]] = []
    seconds = 1.0 if quick else 10.0
    async with world(rig) as here:
        port = here.ports["intake"]
        for run in range(1, _RUNS + 1):
            rig.tell(f"notify: post → email at {RATE:g} events/s, run {run} of {_RUNS}")
            runs.append(await latencies(here, port, here.each, seconds))
            rig.tell(f"notify: post → email at {RATE:g} emails/s, run {run} of {_RUNS}")
            calm.append(await latencies(here, port, here.each, seconds, RATE / here.each))
    for pace, of_pace, limit in (("events", runs, _LATENCY_BAR), ("emails", calm, None)):
        for percent, bar in ((50, None), (99, limit)):
            values = [percentile(run, percent) * 1000 for run in of_pace]
            yield median_of(SECTION, f"post → email p{percent} at {RATE:g} {pace}/s", values, "ms", bar, "less")


async def _channel_rate(taker: Taker, seconds: float, tag: str) -> float:
    channel = SmtpProvider(HOST, taker.port, SENDER, connections=MAIL_PLACES)

    async def send(number: int) -> None:
        outcome = await channel.send(text_of(f"kept-{tag}-{number}"))
        if outcome.result is not Result.SENT:
            raise BenchFailed(f"an email was not taken: {outcome.reason}")

    try:
        return await _rate(send, seconds)
    finally:
        await channel.close()


async def _one_connection_each(taker: Taker, seconds: float, tag: str) -> float:
    builder = MailBuilder(SENDER)

    async def send(number: int) -> None:
        text = text_of(f"each-{tag}-{number}")
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
    await together([asyncio.create_task(keep_sending()) for _ in range(MAIL_PLACES)])
    return sent / (perf_counter() - begun)


async def _fan_out(rig: Rig, both: Takers, notifications: int) -> FannedOut:
    """What notify sends of notifications requested before it started, all of them."""
    await request(rig, notifications)
    before = both.come
    async with service(rig, "notify", **both.settings, **journal(rig)) as started:
        await started.ready()
        await settled(rig)
    return since(both, before)
