"""Webhooks against a real HTTP server: what arrives, how it is signed, and how a receiver's answers are taken."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pytest
from pydantic import SecretStr

from reeve.devstack.launching import free_port
from reeve.devstack.tiny_http import Request, Response, TinyHttpServer
from reeve.runtime.providers.posts import public_id
from reeve.runtime.providers.webhook_file import WebhookFile
from services.notify.channels.base import Outcome, Reason, Result, Text
from services.notify.channels.webhook import WebhookProvider
from tests.integration.notify.on_wire import noted

pytestmark = pytest.mark.integration

SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef01234567").decode()
AT = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


@dataclass
class Receiver:
    """A system that is told."""

    answer: Response | None = field(default_factory=lambda: Response(204, b""))
    requests: list[Request] = field(default_factory=list)
    port: int = 0

    async def handle(self, request: Request) -> Response | None:
        self.requests.append(request)
        return self.answer

    def text(self, path: str = "/hook?x=1") -> Text:
        values = {"site": "s-1", "policy": "complaint", "case": "T-1", "grade": "major", "title": "王先生 3-502"}
        return Text(
            "k#erp#webhook",
            f"http://localhost:{self.port}{path}",
            "投诉",
            "请处理 T-1",
            AT,
            message="complaint_reported",
            language="zh",
            values=values,
        )


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    server = TinyHttpServer(receiver.handle, "127.0.0.1", 0)
    await server.start()
    receiver.port = server.port
    yield receiver
    await server.stop()


def _provider(**changes: object) -> WebhookProvider:
    described = {"name": "erp", "kind": "webhook", "secret": "{{ secrets.key }}", "secrets": {"key": "KEY"}}
    described |= {"allow_hosts": ["localhost"], "timeout": "1m"}
    return WebhookProvider(WebhookFile.model_validate(described | changes), {"key": SecretStr(SECRET)})


async def test_a_signed_cloud_event_arrives(receiver: Receiver) -> None:
    provider = _provider(headers={"x-tenant": "green"})
    called: list[int] = []
    outcome = await provider.send(
        replace(receiver.text(), on_wire=noted(lambda: called.append(len(receiver.requests))))
    )
    await provider.close()
    assert called == [0], "told once, before anything went out"
    reference = public_id("k#erp#webhook")
    assert outcome == Outcome(Result.SENT, Reason.ACCEPTED, reference, "erp")
    (request,) = receiver.requests
    assert (request.method, request.path, request.query) == ("POST", "/hook", "x=1")
    assert request.headers["host"] == f"localhost:{receiver.port}"
    assert request.headers["content-type"].startswith("application/cloudevents+json")
    assert request.headers["x-tenant"] == "green"
    signed = f"{reference}.{int(AT.timestamp())}.".encode() + request.body
    right = base64.b64encode(hmac.new(b"0123456789abcdef01234567", signed, hashlib.sha256).digest()).decode()
    assert request.headers["webhook-signature"] == f"v1,{right}"
    assert request.headers["webhook-id"] == reference
    assert json.loads(request.body) == {
        "specversion": "1.0",
        "id": reference,
        "source": "/reeve/notify",
        "type": "reeve.notification",
        "subject": "T-1",
        "time": "2026-11-22T08:00:00Z",
        "datacontenttype": "application/json",
        "data": {
            "site": "s-1",
            "policy": "complaint",
            "case": "T-1",
            "grade": "major",
            "message": "complaint_reported",
            "language": "zh",
            "title": "投诉",
            "text": "请处理 T-1",
        },
    }


@pytest.mark.parametrize(
    ("answer", "result", "reason"),
    [
        (Response(410, b""), Result.PERMANENT, Reason.BAD_ADDRESS),
        (Response(302, b"", headers={"location": "http://127.0.0.1:1/"}), Result.PERMANENT, Reason.REFUSED),
        (Response(401, b""), Result.TRANSIENT, Reason.CREDENTIALS),
        (Response(429, b"", headers={"retry-after": "7"}), Result.TRANSIENT, Reason.BUSY),
        (Response(500, b""), Result.TRANSIENT, Reason.PROVIDER_ERROR),
        (None, Result.UNKNOWN, Reason.DISCONNECTED),
    ],
)
async def test_an_answer_is_what_it_means(
    receiver: Receiver, answer: Response | None, result: Result, reason: Reason
) -> None:
    receiver.answer = answer
    provider = _provider()
    outcome = await provider.send(receiver.text())
    await provider.close()
    assert (outcome.result, outcome.reason, outcome.provider) == (result, reason, "erp")
    assert len(receiver.requests) == 1
    if outcome.retry_after is not None:
        assert outcome.retry_after.total_seconds() == 7


async def test_inside_the_network_only_what_is_allowed_is_called(
    receiver: Receiver, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    provider = _provider(allow_hosts=[])
    outcome = await provider.send(receiver.text())
    await provider.close()
    assert (outcome.result, outcome.reason) == (Result.PERMANENT, Reason.BAD_ADDRESS)
    assert not receiver.requests
    written = capsys.readouterr()
    said = caplog.text + written.out + written.err
    assert "webhook_forbidden" in said
    for secret in ("localhost", SECRET, "王先生", "请处理"):
        assert secret not in said


async def test_nobody_there_is_tried_again() -> None:
    provider = _provider()
    outcome = await provider.send(Receiver(port=free_port()).text())
    await provider.close()
    assert (outcome.result, outcome.reason) == (Result.TRANSIENT, Reason.UNREACHABLE)
