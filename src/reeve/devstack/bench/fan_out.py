"""Notifications that wait when notify starts, and go out as emails and SMS, beside one connection per message."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from time import perf_counter
from typing import Self

import aiosmtplib
import httpx

from reeve.devstack.bench.arrivals import arrivals, arrived
from reeve.devstack.bench.decide_loops import OurLoop
from reeve.devstack.bench.posting import together
from reeve.devstack.bench.programs import BenchFailed, prepare
from reeve.devstack.bench.rig import SITES, Rig, serious_complaints
from reeve.devstack.bench.takers import Taker, mail_taker, text_taker
from reeve.devstack.local_server import HOST
from reeve.domain.recipients import Recipient
from reeve.runtime.store import bundles, recipients
from reeve.runtime.store.mongo import ensure_indexes
from reeve.runtime.store.recipients import RecipientStore
from reeve.runtime.time_source import SystemTime
from services.notify.channels.base import Text
from services.notify.channels.mail_bytes import MailBuilder

SENDER = "Reeve <reeve@example.org>"
MAIL_PLACES, TEXT_PLACES = 4, 8
"""Messages under way at once, as notify has by default."""
_TASTERS = 10
_LIMIT_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Takers:
    """Where messages go."""

    mails: Taker
    texts: Taker

    @property
    def settings(self) -> dict[str, str]:
        """Environment that points notify at them."""
        return {
            "REEVE_SMTP_HOST": HOST,
            "REEVE_SMTP_PORT": str(self.mails.port),
            "REEVE_SMTP_FROM": SENDER,
            "REEVE_SMS_GATEWAY": f"http://{HOST}:{self.texts.port}/sms",
        }

    @property
    def come(self) -> tuple[int, int]:
        """Emails and SMS so far."""
        return arrived(self.mails.out), arrived(self.texts.out)


@asynccontextmanager
async def takers(rig: Rig) -> AsyncIterator[Takers]:
    """Both take messages inside."""
    async with mail_taker(rig) as mails, text_taker(rig) as texts:
        yield Takers(mails, texts)


async def request(rig: Rig, wanted: int) -> int:
    """About so many notifications are requested on a clean start, as escalation leaves them; how many exactly.

    The property manager of each site has a telephone and no mail, everybody else the other way round.
    """
    await rig.fresh()
    for module in (bundles, recipients):
        await ensure_indexes(rig.database, module.INDEXES)
    await prepare(rig, rig.database, SITES)
    phones = [
        Recipient(
            "r-property_manager",
            f"site-{site}",
            frozenset({"property_manager"}),
            "en",
            {"sms": f"+4477009{site:05}"},
        )
        for site in range(SITES)
    ]
    await RecipientStore(rig.database).save(phones)
    await _decide(rig, _TASTERS, 0)
    each = await _requested(rig) / _TASTERS
    if each < 1:
        raise BenchFailed("these rules ask for no notification of a serious complaint")
    await _decide(rig, max(1, round(wanted / each) - _TASTERS), _TASTERS)
    return await _requested(rig)


async def _decide(rig: Rig, count: int, first: int) -> None:
    await rig.accept(list(serious_complaints(count, SystemTime().now(), first)))
    async with OurLoop(rig) as ours:
        await ours.until(count)


async def _requested(rig: Rig) -> int:
    return await rig.database["notifications"].count_documents({})


async def settled(rig: Rig, seconds: float = _LIMIT_SECONDS) -> None:
    """Every notification is planned and every delivery is at its end. Raises BenchFailed."""
    end = perf_counter() + seconds
    while left := (
        await rig.database["notifications"].count_documents({"state": "requested"})
        + await rig.database["deliveries"].count_documents({"open": True})
    ):
        if perf_counter() > end:
            raise BenchFailed(f"{left} notifications or deliveries were open after {seconds:g} s")
        await asyncio.sleep(0.1)


@dataclass(frozen=True, slots=True)
class FannedOut:
    """What came, and how fast."""

    mails: int
    texts: int
    seconds: float
    """From the first message to the last."""

    @property
    def rate(self) -> float:
        """Messages a second."""
        return (self.mails + self.texts - 1) / self.seconds


def since(both: Takers, before: tuple[int, int]) -> FannedOut:
    """What has come since then."""
    mails, texts = arrivals(both.mails.out, before[0]), arrivals(both.texts.out, before[1])
    moments = sorted(at for at, _ in [*mails, *texts])
    if len(moments) < 2:
        raise BenchFailed("fewer than two messages came")
    return FannedOut(len(mails), len(texts), moments[-1] - moments[0])


class PlainSender:
    """Sends each message on a connection of its own. An async context manager; raises BenchFailed when refused."""

    def __init__(self, both: Takers) -> None:
        self._both = both
        self._builder = MailBuilder(SENDER)
        self._client = httpx.AsyncClient(trust_env=False, headers={"Connection": "close"})

    async def __aenter__(self) -> Self:
        await self._client.__aenter__()
        return self

    async def __aexit__(self, *failure: object) -> None:
        await self._client.aclose()

    async def mail(self, id: str) -> None:
        """An email; returns when the server has it."""
        text = text_of(id)
        try:
            await aiosmtplib.send(
                self._builder.build(text),
                sender=self._builder.address,
                recipients=[text.to],
                hostname=HOST,
                port=self._both.mails.port,
            )
        except aiosmtplib.SMTPException as error:
            raise BenchFailed(f"an email was not taken: {type(error).__name__}") from error

    async def text(self, id: str) -> None:
        """An SMS; returns when the gateway has it."""
        body = {"to": "+447700900001", "text": text_of(id).body, "id": id}
        answer = await self._client.post(f"http://{HOST}:{self._both.texts.port}/sms", json=body)
        if answer.status_code // 100 != 2:
            raise BenchFailed(f"an SMS was answered {answer.status_code}")


async def one_connection_each(
    both: Takers, mails: int, texts: int, mail_places: int = MAIL_PLACES, text_places: int = TEXT_PLACES
) -> float:
    """Messages a second when each is given to the same servers on a connection of its own, and nothing is recorded.

    So many are under way at once on each channel.
    """
    async with PlainSender(both) as sender:
        begun = perf_counter()
        await together(
            [
                asyncio.create_task(_one_after_the_other(sender.mail, iter(range(mails)), mail_places)),
                asyncio.create_task(_one_after_the_other(sender.text, iter(range(texts)), text_places)),
            ]
        )
        return (mails + texts) / (perf_counter() - begun)


async def _one_after_the_other(send: Callable[[str], Awaitable[None]], numbers: Iterator[int], places: int) -> None:
    """All are sent, `places` at a time."""

    async def keep_sending() -> None:
        for number in numbers:
            await send(f"{number:032}")

    await together([asyncio.create_task(keep_sending()) for _ in range(places)])


def text_of(id: str) -> Text:
    """A message as notify sends them."""
    body = "Serious complaint: ceiling leak in the corridor.\nPlease answer by 17:55.\nCase: T-X1\n"
    return Text(id, "supervisor@site-1.example.org", "Serious complaint T-X1", body, SystemTime().now())
