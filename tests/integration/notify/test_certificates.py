"""Servers that can't prove who they are: they get no message and no password, and an operator hears why."""

from __future__ import annotations

import asyncio
import base64
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import SecretStr

from reeve.runtime.providers.apprise_file import AppriseFile
from reeve.runtime.providers.http_file import HttpFile
from reeve.runtime.providers.webhook_file import WebhookFile
from services.notify.channels.apprise import AppriseProvider
from services.notify.channels.base import Provider, Reason, Result, Text
from services.notify.channels.certificates import trusting
from services.notify.channels.http import HttpProvider
from services.notify.channels.smtp import SmtpProvider
from services.notify.channels.webhook import WebhookProvider
from services.notify.settling import another_may_take
from tests.integration.notify.on_wire import noted
from tests.support.faulty_servers import CERTIFICATES, Talk, certificate, serving

pytestmark = pytest.mark.integration

PASSWORD = "s3cret-of-ours"
TEXT = Text("k#pm-1#x", "a@example.org", "Subject", "Text", datetime(2026, 11, 20, 1, 0, tzinfo=UTC))
REFUSED = (Result.TRANSIENT, Reason.CERTIFICATE)
KINDS = ("smtp tls", "smtp starttls", "smtp auto", "http", "webhook", "apprise")
WORDS = {
    "expired": "it has expired",
    "elsewhere": "it is for another host name",
    "stranger": "it comes from an authority that is not known here",
}


@pytest.fixture(autouse=True)
def our_authority(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The one that everybody here trusts."""
    for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"):
        monkeypatch.setitem(os.environ, name, str(CERTIFICATES / "authority.pem"))
    trusting.cache_clear()
    yield
    trusting.cache_clear()


class Listening:
    """A mail server or an HTTP server that keeps every byte that reached it, decrypted or not."""

    def __init__(self, shown: str) -> None:
        self.shown = certificate(shown)
        self.heard = b""

    async def mail(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Takes a mail from who has logged in; offers STARTTLS until that is done."""
        secure = writer.get_extra_info("sslcontext") is not None
        writer.write(b"220 here\r\n")
        while line := await reader.readline():
            self.heard += line
            command = line[:4].upper()
            if command == b"EHLO":
                writer.write(b"250-here\r\n250 AUTH PLAIN\r\n" if secure else b"250-here\r\n250 STARTTLS\r\n")
            elif command == b"STAR":
                writer.write(b"220 go on\r\n")
                await writer.start_tls(self.shown)
                secure = True
            elif command == b"AUTH":
                writer.write(b"235 welcome\r\n")
            elif command == b"DATA":
                writer.write(b"354 go on\r\n")
                self.heard += await reader.readuntil(b"\r\n.\r\n")
                writer.write(b"250 taken\r\n")
            else:
                writer.write(b"250 ok\r\n")

    async def http(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answers one request with 200."""
        self.heard += await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")


@asynccontextmanager
async def provider_of(kind: str, server: Listening) -> AsyncIterator[tuple[Provider, Text]]:
    """The provider that speaks to the server, and a text for it."""
    talk: Talk = server.mail if kind.startswith("smtp") else server.http
    async with serving(talk, None if kind in ("smtp starttls", "smtp auto") else server.shown) as port:
        provider, text = _opened(kind, port)
        try:
            yield provider, text
        finally:
            await provider.close()


def _opened(kind: str, port: int) -> tuple[Provider, Text]:
    secrets = {"key": SecretStr(PASSWORD)}
    described: dict[str, Any] = {"name": "company", "secrets": {"key": "KEY"}, "timeout": "20s"}
    if kind == "http":
        described |= {"url": f"https://localhost:{port}/", "auth": {"kind": "bearer", "token": "{{ secrets.key }}"}}
        return HttpProvider(HttpFile.model_validate(described), secrets), TEXT
    if kind == "webhook":
        described |= {"kind": "webhook", "secret": "{{ secrets.key }}", "allow_hosts": ["localhost"]}
        described |= {"headers": {"x-key": "{{ secrets.key }}"}}
        text = replace(TEXT, to=f"https://localhost:{port}/")
        return WebhookProvider(WebhookFile.model_validate(described), {"key": SecretStr(PASSWORD * 3)}), text
    if kind == "apprise":
        described |= {
            "kind": "apprise",
            "channel": "chat",
            "url": f"jsons://me:{{{{ secrets.key }}}}@localhost:{port}",
        }
        return AppriseProvider(AppriseFile.model_validate(described), secrets), TEXT
    tls: Any = kind.removeprefix("smtp ")
    who = {"username": "reeve", "password": SecretStr(PASSWORD)}
    return SmtpProvider("localhost", port, "r@example.org", **who, tls=tls, name="company"), TEXT  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", KINDS)
async def test_who_proves_it_is_given_the_message(kind: str) -> None:
    server = Listening("good")
    async with provider_of(kind, server) as (provider, text):
        outcome = await provider.send(text)
    assert (outcome.result, outcome.reason) == (Result.SENT, Reason.ACCEPTED)
    assert _password(kind) in server.heard


@pytest.mark.parametrize("shown", WORDS)
@pytest.mark.parametrize("kind", KINDS)
async def test_who_does_not_hears_nothing(
    kind: str, shown: str, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    server = Listening(shown)
    begun: list[str] = []
    async with provider_of(kind, server) as (provider, text):
        outcomes = [await provider.send(replace(text, on_wire=noted(lambda: begun.append(kind)))) for _ in range(2)]
    assert [(each.result, each.reason) for each in outcomes] == [REFUSED, REFUSED]
    assert all(another_may_take(each) for each in outcomes), "and the next provider is asked at once"
    assert not begun or kind == "apprise"
    assert _password(kind) not in server.heard
    assert b"a@example.org" not in server.heard
    said = capsys.readouterr().out + caplog.text
    assert said.count("provider_not_trusted") == 1
    assert (WORDS[shown] if kind != "apprise" else "it can't be verified") in said
    for hidden in (PASSWORD, "localhost", "a@example.org"):
        assert hidden not in said


def _password(kind: str) -> bytes:
    """As it stands in what a server is given."""
    if kind in ("http", "webhook"):
        return PASSWORD.encode()
    before = "me:" if kind == "apprise" else "\0reeve\0"
    return base64.b64encode((before + PASSWORD).encode())
