"""SMS against a real HTTP gateway, the way Kannel answers and the ways gateways fail."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from reeve.devstack.launching import free_port
from reeve.devstack.mailbox import Mailbox
from reeve.devstack.sms_sink import GatewayBehaviour, SmsGateway
from reeve.devstack.tiny_http import TinyHttpServer
from reeve.runtime.providers.faults import ProvidersRefused
from reeve.runtime.providers.http_file import HttpFile
from reeve.runtime.providers.load import load_provider
from reeve.runtime.time_source import SystemTime
from services.notify.channels.base import Outcome, Reason, Result, Text
from services.notify.channels.http import HttpProvider
from tests.support.outcomes import http_file, plain
from tests.support.passing_time import let_pass
from tests.support.waiting import PATIENCE

pytestmark = pytest.mark.integration

KANNEL = Path(__file__).parents[3] / "examples" / "channels" / "kannel.yaml"
HANGS = 10 * PATIENCE
"""Seconds after which nobody waits any more."""
SECRETS = {"REEVE_SMS_USERNAME": "tester", "REEVE_SMS_PASSWORD": "s3cret&=?"}
TEXT = Text(
    "k#pm-1#sms", "+447700900001", "", "【阳光花园】重大投诉 & 请处理=?", datetime(2026, 11, 20, 1, 0, tzinfo=UTC)
)


@dataclass
class Provider:
    """A gateway and the address it listens on."""

    mailbox: Mailbox
    gateway: SmsGateway
    url: str


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    """A real HTTP server that takes messages."""
    mailbox = Mailbox(SystemTime())
    gateway = SmsGateway(mailbox)
    server = TinyHttpServer(gateway.handle, "127.0.0.1", 0)
    await server.start()
    yield Provider(mailbox, gateway, f"http://127.0.0.1:{server.port}/cgi-bin/sendsms")
    await server.stop()


def _kannel(provider: Provider, **changes: object) -> HttpProvider:
    found = load_provider(str(KANNEL), SECRETS)
    return HttpProvider(
        http_file(found).model_copy(
            update={"url": provider.url, "timeout": timedelta(seconds=PATIENCE), **changes}
        ),
        found.secrets,
    )


async def test_kannels_sendsms(provider: Provider) -> None:
    channel = _kannel(provider)
    assert (await channel.send(TEXT)).result is Result.SENT
    await channel.close()
    (message,) = provider.mailbox.messages
    assert message.to == ("+447700900001",)
    assert message.text == TEXT.body
    fields = message.details
    assert (fields["method"], fields["path"]) == ("GET", "/cgi-bin/sendsms")
    assert (fields["username"], fields["password"]) == ("tester", "s3cret&=?")
    assert (fields["coding"], fields["charset"]) == ("2", "UTF-8")


async def test_plain_text_goes_in_seven_bits(provider: Provider) -> None:
    channel = _kannel(provider)
    await channel.send(Text("i", "+447700900001", "", "Please attend", TEXT.at))
    await channel.close()
    assert provider.mailbox.messages[0].details["coding"] == "0"


@pytest.mark.parametrize(
    ("behaviour", "result", "reason"),
    [
        (GatewayBehaviour(202, "3: Queued for later delivery"), Result.SENT, Reason.ACCEPTED),
        (GatewayBehaviour(200, "Invalid message"), Result.TRANSIENT, Reason.PROVIDER_ERROR),
        (GatewayBehaviour(200, "Authorization failed for sendsms"), Result.TRANSIENT, Reason.CREDENTIALS),
        (GatewayBehaviour(500, "oops"), Result.TRANSIENT, Reason.PROVIDER_ERROR),
        (GatewayBehaviour(503, "Temporal failure, try again later."), Result.TRANSIENT, Reason.BUSY),
        (GatewayBehaviour(429, "slow down"), Result.TRANSIENT, Reason.BUSY),
        (GatewayBehaviour(400, "bad number"), Result.PERMANENT, Reason.BAD_ADDRESS),
        (GatewayBehaviour(410, "gone"), Result.PERMANENT, Reason.REFUSED),
        (GatewayBehaviour(302, ""), Result.TRANSIENT, Reason.PROVIDER_ERROR),
        (GatewayBehaviour(202, delay_seconds=HANGS), Result.UNKNOWN, Reason.TIMEOUT),
        (GatewayBehaviour(202, drop_after_accepting=True), Result.UNKNOWN, Reason.DISCONNECTED),
    ],
)
async def test_each_answer_is_what_it_means(
    provider: Provider, behaviour: GatewayBehaviour, result: Result, reason: Reason
) -> None:
    provider.gateway.behaviour = behaviour
    channel = _kannel(provider)
    sending = asyncio.create_task(channel.send(TEXT))
    if behaviour.delay_seconds:
        await provider.mailbox.wait_for(bool, PATIENCE)
        let_pass(PATIENCE)
    outcome = await sending
    assert (outcome.result, outcome.reason) == (result, reason)
    provider.gateway.behaviour = GatewayBehaviour()
    assert (await channel.send(TEXT)).result is Result.SENT
    await channel.close()


async def test_no_gateway_is_transient(provider: Provider) -> None:
    channel = _kannel(provider, url=f"http://127.0.0.1:{free_port()}/")
    assert plain(await channel.send(TEXT)) == Outcome(Result.TRANSIENT, Reason.UNREACHABLE)
    await channel.close()


@pytest.mark.parametrize(
    ("body", "result", "reference"),
    [
        ('{"code": 0, "data": [{"id": "m-77"}]}', Result.SENT, "m-77"),
        ('{"code": "0", "data": []}', Result.SENT, None),
        ('{"code": 17}', Result.PERMANENT, None),
        ('{"code": true}', Result.TRANSIENT, None),
        ("not json", Result.TRANSIENT, None),
        ("[" * 5000, Result.TRANSIENT, None),
    ],
)
async def test_success_may_stand_in_the_json(
    provider: Provider, body: str, result: Result, reference: str | None
) -> None:
    gateway = HttpFile.model_validate(
        {
            "name": "json",
            "url": provider.url,
            "headers": {"x-ref": "{{ id }}"},
            "json": {"to": ["{{ to_digits }}"], "text": "{{ text }}", "flash": False},
            "auth": {"kind": "bearer", "token": "{{ secrets.key }}"},
            "success": {"status": [200], "json": {"path": "code", "is": [0]}},
            "message_id": {"json": "data.0.id"},
            "errors": [{"when": {"json": {"path": "code", "is": [17, 18]}}, "then": "permanent"}],
        }
    )
    channel = HttpProvider(gateway, {"key": SecretStr("k")})
    provider.gateway.behaviour = GatewayBehaviour(200, body)
    outcome = await channel.send(TEXT)
    await channel.close()
    assert (outcome.result, outcome.reference) == (result, reference)
    assert provider.mailbox.messages[0].text == TEXT.body
    assert provider.mailbox.messages[0].to == ("447700900001",)


async def test_an_answer_without_end_is_cut(provider: Provider) -> None:
    provider.gateway.behaviour = GatewayBehaviour(200, "0: Accepted" + "x" * 5_000_000)
    channel = _kannel(provider)
    assert (await channel.send(TEXT)).result is Result.SENT
    await channel.close()


async def test_neither_number_nor_password_gets_into_a_log(
    provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    channel = _kannel(provider)
    await channel.send(TEXT)
    await channel.close()
    assert provider.mailbox.messages
    for secret in ("447700900001", "s3cret", "重大投诉"):
        assert secret not in caplog.text
    assert "447700900001" not in repr(TEXT)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("name: x\nurl: http://a/\nmethd: GET\n", "methd"),
        ("name: x\nurl: http://a/\nmethod: GET\nform: {a: b}\n", "a GET has no body"),
        ("name: x\nurl: 'http://a/{{ to'\n", "template"),
        ("name: x\nurl: http://a/\nsuccess: {body: '(?=x)'}\n", "pattern"),
        ("name: x\nurl: http://a/\nsecrets: {k: REEVE_NOT_THERE}\n", "REEVE_NOT_THERE"),
        ("name: [\n", "no YAML"),
        ("- 1\n", "the file"),
    ],
)
def test_a_wrong_file_is_refused_in_a_sentence(tmp_path: Path, content: str, says: str) -> None:
    file = tmp_path / "gateway.yaml"
    file.write_text(content)
    with pytest.raises(ProvidersRefused, match=says):
        load_provider(str(file), {})
