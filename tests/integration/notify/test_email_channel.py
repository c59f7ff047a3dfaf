"""Email against a real SMTP server that answers as servers do: well, slowly, with 4xx and 5xx, or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from email.header import decode_header, make_header

import pytest
from pydantic import SecretStr

from reeve.devstack.launching import free_port
from reeve.devstack.mailbox import Mailbox
from reeve.devstack.smtp_sink import SmtpBehaviour, SmtpSink
from reeve.runtime.time_source import SystemTime
from services.notify.channels.base import Outcome, Reason, Result, Text
from services.notify.channels.smtp import SmtpProvider
from tests.support.outcomes import plain
from tests.support.passing_time import let_pass
from tests.support.smtp_server import serve
from tests.support.waiting import PATIENCE

pytestmark = pytest.mark.integration

NOW = datetime(2026, 11, 20, 1, 0, tzinfo=UTC)
HANGS = 10 * PATIENCE
"""Seconds after which nobody waits any more."""


@pytest.fixture
async def mailbox() -> Mailbox:
    """What arrived."""
    return Mailbox(SystemTime(), kept=10_000)


@pytest.fixture
async def sink(mailbox: Mailbox) -> AsyncIterator[SmtpSink]:
    """A real SMTP server."""
    server = SmtpSink(mailbox, "127.0.0.1", 0)
    await server.start()
    yield server
    await server.stop()


def _channel(sink: SmtpSink, **changes: object) -> SmtpProvider:
    values: dict[str, object] = {"timeout_seconds": PATIENCE}
    return SmtpProvider("127.0.0.1", sink.port, "物业 <reeve@example.org>", **(values | changes))  # type: ignore[arg-type]


def _text(id: str = "k#pm-1#email", to: str = "a@example.org", **changes: str) -> Text:
    values = {"subject": "重大投诉：漏水 " + "很长的标题" * 12, "body": "请处理。\n.点开头的行\n末行"}
    values |= changes
    return Text(id, to, values["subject"], values["body"], NOW)


async def test_a_mail_arrives_as_it_was_written(sink: SmtpSink, mailbox: Mailbox) -> None:
    channel = _channel(sink)
    text = _text()
    outcome = await channel.send(text)
    await channel.close()
    (mail,) = mailbox.messages
    assert plain(outcome) == Outcome(Result.SENT, Reason.ACCEPTED, mail.details["message-id"])
    assert str(make_header(decode_header(mail.subject))) == text.subject
    assert mail.text.replace("\r\n", "\n").strip() == text.body
    assert mail.to == ("a@example.org",)
    assert mail.sender == "reeve@example.org"


async def test_the_message_id_belongs_to_the_delivery(sink: SmtpSink, mailbox: Mailbox) -> None:
    channel = _channel(sink)
    for delivery in ("one", "one", "two"):
        await channel.send(_text(delivery))
    await channel.close()
    first, again, other = (mail.details["message-id"] for mail in mailbox.messages)
    assert first == again != other


@pytest.mark.parametrize(
    ("behaviour", "result", "reason"),
    [
        (SmtpBehaviour(rcpt_reply="550 5.1.1 no such mailbox"), Result.PERMANENT, Reason.BAD_ADDRESS),
        (SmtpBehaviour(rcpt_reply="451 4.7.1 greylisted"), Result.TRANSIENT, Reason.BUSY),
        (SmtpBehaviour(data_reply="452 4.3.1 system storage full"), Result.TRANSIENT, Reason.BUSY),
        (SmtpBehaviour(data_reply="421 4.3.2 going down"), Result.TRANSIENT, Reason.BUSY),
        (SmtpBehaviour(data_reply="554 5.7.1 rejected as spam"), Result.PERMANENT, Reason.REFUSED),
        (SmtpBehaviour(delay_seconds=HANGS), Result.UNKNOWN, Reason.TIMEOUT),
        (SmtpBehaviour(drop_after_accepting=True), Result.UNKNOWN, Reason.DISCONNECTED),
    ],
)
async def test_each_failure_has_its_name(
    sink: SmtpSink, mailbox: Mailbox, behaviour: SmtpBehaviour, result: Result, reason: Reason
) -> None:
    channel = _channel(sink)
    sink.behaviour = behaviour
    sending = asyncio.create_task(channel.send(_text()))
    if behaviour.delay_seconds:
        await mailbox.wait_for(bool, PATIENCE)
        let_pass(PATIENCE)
    outcome = await sending
    assert (outcome.result, outcome.reason) == (result, reason)
    sink.behaviour = SmtpBehaviour()
    assert (await channel.send(_text("next"))).result is Result.SENT  # and the channel goes on
    await channel.close()


async def test_no_server_is_transient() -> None:
    channel = SmtpProvider("127.0.0.1", free_port(), "reeve@example.org", timeout_seconds=1)
    assert plain(await channel.send(_text())) == Outcome(Result.TRANSIENT, Reason.UNREACHABLE)


async def test_a_server_that_never_greets_is_transient() -> None:
    left = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()
        await writer.wait_closed()
        left.set()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    channel = SmtpProvider("127.0.0.1", port, "reeve@example.org", timeout_seconds=0.3)
    assert (await channel.send(_text())).result is Result.TRANSIENT
    await asyncio.wait_for(left.wait(), PATIENCE)
    server.close()
    await server.wait_closed()


async def test_a_password_that_is_not_taken_waits_for_a_person(sink: SmtpSink) -> None:
    channel = _channel(sink, username="reeve", password=SecretStr("wrong"))
    outcome = await channel.send(_text())
    assert outcome.result is Result.TRANSIENT


@pytest.mark.parametrize("to", ["a@example.org\r\nBcc: all@example.org", "王@example.org", "a@example.org\n"])
async def test_an_address_that_smuggles_headers_is_refused(sink: SmtpSink, mailbox: Mailbox, to: str) -> None:
    channel = _channel(sink)
    assert plain(await channel.send(_text(to=to))) == Outcome(Result.PERMANENT, Reason.BAD_ADDRESS)
    assert plain(await channel.send(_text(subject="x\r\nBcc: all@example.org"))) == Outcome(
        Result.PERMANENT, Reason.BAD_ADDRESS
    )
    assert not mailbox.messages


async def test_connections_closed_while_idle_cost_nothing(mailbox: Mailbox) -> None:
    port = free_port()
    first = SmtpSink(mailbox, "127.0.0.1", port)
    await first.start()
    channel = _channel(first)
    assert (await channel.send(_text("one"))).result is Result.SENT
    await first.stop()
    second = SmtpSink(mailbox, "127.0.0.1", port)
    await second.start()
    assert (await channel.send(_text("two"))).result is Result.SENT
    await channel.close()
    await second.stop()


async def test_connections_are_kept_and_few() -> None:
    opened: list[int] = []

    async def counted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        opened.append(1)
        await serve(reader, writer)

    server = await asyncio.start_server(counted, "127.0.0.1", 0)
    async with server:
        channel = SmtpProvider("127.0.0.1", server.sockets[0].getsockname()[1], "reeve@example.org", connections=4)
        outcomes = await asyncio.gather(*(channel.send(_text(str(number))) for number in range(200)))
        await channel.close()
    assert {outcome.result for outcome in outcomes} == {Result.SENT}
    assert len(opened) <= 4
