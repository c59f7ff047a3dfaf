"""Apprise against real HTTP stand-ins: texts arrive, answers are told apart, and no key or text reaches a log."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pytest
from pydantic import SecretStr

from reeve.devstack.launching import free_port
from reeve.devstack.tiny_http import Request, Response, TinyHttpServer
from reeve.runtime.providers.apprise_file import AppriseFile
from reeve.runtime.providers.faults import ProvidersRefused
from services.notify.channels.apprise import AppriseProvider
from services.notify.channels.base import Outcome, Reason, Result, Text
from tests.integration.notify.on_wire import noted
from tests.support.passing_time import let_pass
from tests.support.waiting import until

pytestmark = pytest.mark.integration

BODY = "请处理 T-1 {{ secrets }} :smile: \\n <b>"


@dataclass
class Service:
    """A chat service."""

    answer: Response | None = field(default_factory=lambda: Response(200, b"{}", "application/json"))
    silent: asyncio.Event | None = None
    """It says nothing until this is set."""
    requests: list[Request] = field(default_factory=list)
    port: int = 0

    async def handle(self, request: Request) -> Response | None:
        self.requests.append(request)
        if self.silent is not None:
            await self.silent.wait()
        return self.answer


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    service = Service()
    server = TinyHttpServer(service.handle, "127.0.0.1", 0)
    await server.start()
    service.port = server.port
    yield service
    await server.stop()


def _provider(url: str, **changes: object) -> AppriseProvider:
    described = {"name": "chat", "kind": "apprise", "url": url, "secrets": {"key": "KEY"}, "timeout": "1m"}
    return AppriseProvider(AppriseFile.model_validate(described | changes), {"key": SecretStr("k3y/part")})


def _text(to: str = "night shift/1?a=b") -> Text:
    return Text("k#ss-1#chat", to, "投诉 T-1", BODY, datetime(2026, 11, 22, 8, 0, tzinfo=UTC))


async def test_a_json_service_gets_title_and_text_as_they_are(service: Service) -> None:
    provider = _provider(f"json://127.0.0.1:{service.port}/{{{{ secrets.key }}}}/{{{{ to }}}}")
    called: list[str] = []
    text = replace(_text(), on_wire=noted(lambda: called.append("chat")))
    assert await provider.send(text) == Outcome(Result.SENT, Reason.ACCEPTED, None, "chat")
    assert called == ["chat"]
    await provider.close()
    (request,) = service.requests
    assert (request.path, request.query) == ("/k3y/part/night%20shift%2F1%3Fa=b", "")
    said = json.loads(request.body)
    assert (said["title"], said["message"]) == ("投诉 T-1", BODY)


async def test_ntfy(service: Service) -> None:
    provider = _provider(f"ntfy://127.0.0.1:{service.port}/{{{{ to }}}}")
    outcome = await provider.send(_text("night-shift"))
    await provider.close()
    assert outcome.result is Result.SENT
    said = json.loads(service.requests[0].body)
    assert (said["topic"], said["title"], said["message"]) == ("night-shift", "投诉 T-1", BODY)


@pytest.mark.parametrize(
    ("answer", "result", "reason"),
    [
        (Response(401, b""), Result.TRANSIENT, Reason.CREDENTIALS),
        (Response(404, b""), Result.PERMANENT, Reason.BAD_ADDRESS),
        (Response(400, b""), Result.PERMANENT, Reason.REFUSED),
        (Response(302, b"", headers={"location": "http://127.0.0.1:1/"}), Result.PERMANENT, Reason.REFUSED),
        (Response(429, b""), Result.TRANSIENT, Reason.BUSY),
        (Response(500, b""), Result.TRANSIENT, Reason.PROVIDER_ERROR),
        (None, Result.UNKNOWN, Reason.DISCONNECTED),
    ],
)
async def test_an_answer_is_what_it_means(
    service: Service, answer: Response | None, result: Result, reason: Reason
) -> None:
    service.answer = answer
    provider = _provider(f"json://127.0.0.1:{service.port}/{{{{ to }}}}")
    outcome = await provider.send(_text())
    await provider.close()
    assert (outcome.result, outcome.reason) == (result, reason)


async def test_silence_is_unknown_and_nobody_there_is_not(service: Service) -> None:
    service.silent = asyncio.Event()
    provider = _provider(f"json://127.0.0.1:{service.port}/")
    sending = asyncio.create_task(provider.send(_text()))
    await until("the service has it", lambda: bool(service.requests))
    let_pass(120)
    assert await sending == Outcome(Result.UNKNOWN, Reason.TIMEOUT, None, "chat")
    service.silent.set()
    await provider.close()
    nobody = _provider(f"json://127.0.0.1:{free_port()}/")
    assert await nobody.send(_text()) == Outcome(Result.TRANSIENT, Reason.UNREACHABLE, None, "chat")
    await nobody.close()


async def test_no_key_no_address_and_no_text_is_in_a_log(
    service: Service, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level("DEBUG")
    for answer in (Response(200, b"{}"), Response(500, b"Bad k3y"), None):
        service.answer = answer
        provider = _provider(f"json://127.0.0.1:{service.port}/{{{{ secrets.key }}}}/{{{{ to }}}}")
        await provider.send(_text())
        await provider.close()
    assert len(service.requests) == 3
    written = capfd.readouterr()
    said = caplog.text + written.out + written.err
    for secret in ("k3y", "night", "请处理", "投诉"):
        assert secret not in said


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("nosuch://{{ to }}", "Apprise knows no such service"),
        ("no address", "Apprise knows no such service"),
        ("tgram://{{ secrets.key }}/", "tgram:// address"),
        ("json://{{ to }}/x", "must not choose the host"),
        ("ntfy://{{ to }}/topic", "must not choose the host"),
    ],
)
def test_an_address_that_is_none_is_refused_at_once(url: str, says: str) -> None:
    with pytest.raises(ProvidersRefused, match=says) as refused:
        _provider(url)
    assert "k3y" not in str(refused.value)
