"""The local SMTP server and SMS gateway, spoken to by real clients."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from email.message import EmailMessage
from typing import Any

import aiosmtplib
import httpx
import pytest

from reeve.devstack.errors import PortTaken
from reeve.devstack.launching import free_port
from reeve.devstack.sinks import Sinks
from reeve.devstack.sms_sink import ACCEPTED, GatewayBehaviour
from reeve.devstack.smtp_sink import SmtpBehaviour
from tests.support.passing_time import let_pass
from tests.support.waiting import PATIENCE

pytestmark = pytest.mark.integration


@pytest.fixture
async def sinks() -> AsyncIterator[Sinks]:
    async with Sinks() as running:
        yield running


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE) as running:
        yield running


def _mail(subject: str = "Leak", text: str = "Roof leaks.\n") -> EmailMessage:
    mail = EmailMessage()
    mail["From"] = "reeve@example.org"
    mail["To"] = "Wang <duty@example.org>"
    mail["Subject"] = subject
    mail["Message-ID"] = "<1@example.org>"
    mail.set_content(text)
    return mail


async def _send(sinks: Sinks, mail: EmailMessage) -> None:
    await aiosmtplib.send(mail, hostname="127.0.0.1", port=sinks.smtp_port, timeout=PATIENCE)


async def test_a_mail_arrives_readable(sinks: Sinks) -> None:
    await _send(sinks, _mail("漏水", "天花板漏水\n"))
    [message] = await sinks.mailbox.wait_for(lambda messages: len(messages) == 1, PATIENCE)
    assert (message.channel, message.to, message.subject) == ("email", ("duty@example.org",), "漏水")
    assert message.text.strip() == "天花板漏水"
    assert message.details["message-id"] == "<1@example.org>"
    assert message.accepted


@pytest.mark.parametrize(
    ("behaviour", "error", "kept"),
    [
        (SmtpBehaviour(rcpt_reply="550 5.1.1 unknown", times=1), aiosmtplib.SMTPRecipientsRefused, []),
        (SmtpBehaviour(data_reply="451 4.7.1 later", times=1), aiosmtplib.SMTPDataError, [False]),
        (SmtpBehaviour(drop_after_accepting=True, times=1), aiosmtplib.SMTPServerDisconnected, [True]),
    ],
)
async def test_the_mail_server_misbehaves_as_often_as_told(
    sinks: Sinks, behaviour: SmtpBehaviour, error: type[Exception], kept: list[bool]
) -> None:
    sinks.smtp.behaviour = behaviour
    with pytest.raises(error):
        await _send(sinks, _mail())
    assert [message.accepted for message in sinks.mailbox.messages] == kept
    await _send(sinks, _mail())
    assert [message.accepted for message in sinks.mailbox.messages] == [*kept, True]


@pytest.mark.parametrize(
    ("method", "request_parts", "to", "text"),
    [
        ("GET", {"params": {"to": "+8613800000000", "text": "你好"}}, ("+8613800000000",), "你好"),
        ("POST", {"data": {"mobile": "138", "content": "hello"}}, ("138",), "hello"),
        ("POST", {"json": {"data": {"PhoneNumbers": ["1", "2"], "message": "hi"}}}, ("1", "2"), "hi"),
        ("POST", {"content": b"\xff no fields"}, (), "\ufffd no fields"),
    ],
)
async def test_the_gateway_finds_number_and_text_wherever_they_are(
    sinks: Sinks,
    client: httpx.AsyncClient,
    method: str,
    request_parts: dict[str, Any],
    to: tuple[str, ...],
    text: str,
) -> None:
    answer = await client.request(method, f"http://127.0.0.1:{sinks.http_port}/cgi-bin/sendsms", **request_parts)
    assert (answer.status_code, answer.text) == (202, ACCEPTED)
    [message] = sinks.mailbox.messages
    assert (message.channel, message.to, message.text) == ("sms", to, text)
    assert message.details["path"] == "/cgi-bin/sendsms"


async def test_the_gateway_reads_kannels_charset(sinks: Sinks, client: httpx.AsyncClient) -> None:
    await client.get(f"{sinks.gateway_url}?to=138&charset=GBK&text=%C4%E3%BA%C3")
    assert [message.text for message in sinks.mailbox.messages] == ["你好"]


async def test_the_gateway_misbehaves_as_often_as_told(sinks: Sinks, client: httpx.AsyncClient) -> None:
    async def send() -> httpx.Response:
        return await client.get(sinks.gateway_url, params={"to": "1", "text": "x"})

    sinks.gateway.behaviour = GatewayBehaviour(status=200, body='{"code": 7}', accepts=False, times=1)
    assert (await send()).json() == {"code": 7}
    sinks.gateway.behaviour = GatewayBehaviour(drop_after_accepting=True, times=1)
    with pytest.raises(httpx.RemoteProtocolError):
        await send()
    sinks.gateway.behaviour = GatewayBehaviour(delay_seconds=10 * PATIENCE, times=1)
    sending = asyncio.create_task(send())
    await sinks.mailbox.wait_for(lambda messages: len(messages) == 3, PATIENCE)
    let_pass(PATIENCE)
    with pytest.raises(httpx.ReadTimeout):
        await sending
    assert (await send()).status_code == 202
    assert [message.accepted for message in sinks.mailbox.messages] == [False, True, True, True]


async def test_the_page_shows_what_came_as_text_and_loads_nothing(sinks: Sinks, client: httpx.AsyncClient) -> None:
    await _send(sinks, _mail("<script>alert(1)</script>", 'see http://127.0.0.1:8400/ack/x" onclick="y <b>\n'))
    page = await client.get(sinks.page_url)
    assert "<script" not in page.text
    assert "&lt;script&gt;alert(1)" in page.text
    assert '<a href="http://127.0.0.1:8400/ack/x" rel="noreferrer noopener">' in page.text
    assert 'onclick="' not in page.text
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    assert "src=" not in page.text


async def test_the_messages_are_json_and_can_be_forgotten(sinks: Sinks, client: httpx.AsyncClient) -> None:
    await _send(sinks, _mail())
    await client.post(sinks.gateway_url, content=rb'{"to": "1", "text": "\ud800 half a pair"}')
    address = f"{sinks.page_url}messages"
    rows = (await client.get(address)).json()
    assert [(row["number"], row["channel"]) for row in rows] == [(1, "email"), (2, "sms")]
    assert (await client.get(sinks.page_url)).status_code == 200
    assert (await client.delete(address)).status_code == 204
    assert (await client.get(address)).json() == []


async def test_another_sites_page_can_not_read_them(sinks: Sinks, client: httpx.AsyncClient) -> None:
    for path in ("", "messages"):
        answer = await client.get(f"{sinks.page_url}{path}", headers={"Host": "rebound.example:8403"})
        assert answer.status_code == 403


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", b"400"),
        (b"nonsense\r\n\r\n", b"400"),
        (b"POST /sms HTTP/1.1\r\nHost: x\r\nContent-Length: 9000000\r\n\r\n" + b"x" * 2_000_000, b"413"),
        (b"DELETE /sms HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", b"405"),
    ],
)
async def test_bad_requests_are_answered(sinks: Sinks, sent: bytes, status: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", sinks.http_port)
    writer.write(sent)
    answer = await asyncio.wait_for(reader.readline(), PATIENCE)
    assert answer.split(b" ")[1] == status
    writer.close()


async def test_only_the_last_messages_are_kept() -> None:
    async with Sinks(kept=2) as sinks, httpx.AsyncClient(trust_env=False, timeout=PATIENCE) as client:
        for text in ("a", "b", "c"):
            await client.get(sinks.gateway_url, params={"to": "1", "text": text})
        assert [(message.number, message.text) for message in sinks.mailbox.messages] == [(2, "b"), (3, "c")]


async def test_waiting_says_what_arrived_instead(sinks: Sinks) -> None:
    await _send(sinks, _mail("another"))
    with pytest.raises(TimeoutError, match="another"):
        await sinks.mailbox.wait_for(lambda messages: len(messages) == 2, timeout_seconds=0.05)


async def test_as_a_program_it_serves_until_told_to_stop() -> None:
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "reeve.devstack.sinks", "--http-port", str(port)),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    line = (await asyncio.wait_for(process.stdout.readline(), PATIENCE)).decode()
    assert f"SMS and page at http://127.0.0.1:{port}/" in line
    async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE) as client:
        assert (await client.get(f"http://127.0.0.1:{port}/readyz")).status_code == 200
    process.terminate()
    assert await asyncio.wait_for(process.wait(), PATIENCE) == 0


async def test_a_taken_port_is_said(sinks: Sinks) -> None:
    with pytest.raises(PortTaken, match=f"Port {sinks.http_port} for the SMS sink is taken"):
        async with Sinks(http_port=sinks.http_port):
            pytest.fail("two sinks on one port")
