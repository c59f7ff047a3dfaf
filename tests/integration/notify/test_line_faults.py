"""Providers that break the line, the protocol or their word: what is known of the message then, and no more."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from reeve.runtime.providers.http_file import HttpFile
from services.notify.channels.base import Outcome, Reason, Result, Text
from services.notify.channels.http import HttpProvider
from services.notify.channels.smtp import SmtpProvider
from tests.integration.notify.on_wire import noted
from tests.support.faulty_servers import ScriptedSmtp, http_talk, serving
from tests.support.passing_time import let_pass
from tests.support.waiting import PATIENCE, until

pytestmark = pytest.mark.integration

TEXT = Text("k#pm-1#x", "a@example.org", "Subject", "Text", datetime(2026, 11, 20, 1, 0, tzinfo=UTC))
HANGS = 10 * PATIENCE
"""Seconds after which nobody waits any more."""
BROKEN_OFF = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok"
"""The rest of it never comes."""
GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@pytest.mark.parametrize(
    ("server", "tls", "result", "reason"),
    [
        (ScriptedSmtp(greet=None), "none", Result.TRANSIENT, Reason.UNREACHABLE),
        (ScriptedSmtp(greet=b"554 no service"), "none", Result.TRANSIENT, Reason.BUSY),
        (ScriptedSmtp(greet=b"421 too many"), "none", Result.TRANSIENT, Reason.BUSY),
        (ScriptedSmtp(greet=b"hello?"), "none", Result.TRANSIENT, None),
        (ScriptedSmtp(ehlo=None), "none", Result.TRANSIENT, None),
        (ScriptedSmtp(mail=b"550 5.7.1 sender refused"), "none", Result.PERMANENT, Reason.REFUSED),
        (ScriptedSmtp(mail=b"530 5.7.0 log in first"), "none", Result.TRANSIENT, Reason.CREDENTIALS),
        (ScriptedSmtp(mail=None), "none", Result.TRANSIENT, Reason.DISCONNECTED),
        (ScriptedSmtp(rcpt=b"450 4.2.0 greylisted"), "none", Result.TRANSIENT, Reason.BUSY),
        (ScriptedSmtp(rcpt=None), "none", Result.TRANSIENT, Reason.DISCONNECTED),
        (ScriptedSmtp(rcpt=HANGS), "none", Result.TRANSIENT, Reason.TIMEOUT),
        (ScriptedSmtp(data=b"451 4.3.0 not now"), "none", Result.TRANSIENT, Reason.BUSY),
        (ScriptedSmtp(data=b"421 4.3.2 closing"), "none", Result.TRANSIENT, Reason.BUSY),
        (ScriptedSmtp(data=b"554 5.7.1 no"), "none", Result.PERMANENT, Reason.REFUSED),
        (ScriptedSmtp(data=b"250 what?"), "none", Result.TRANSIENT, Reason.PROVIDER_ERROR),
        (ScriptedSmtp(data=b"hello?"), "none", Result.TRANSIENT, Reason.PROVIDER_ERROR),
        # A mail without an end is none: it can't have been delivered.
        (ScriptedSmtp(data=None), "none", Result.TRANSIENT, Reason.DISCONNECTED),
        (ScriptedSmtp(data=3.0), "none", Result.TRANSIENT, Reason.TIMEOUT),
        (ScriptedSmtp(cut_in_body=True), "none", Result.UNKNOWN, Reason.DISCONNECTED),
        (ScriptedSmtp(end=None), "none", Result.UNKNOWN, Reason.DISCONNECTED),
        (ScriptedSmtp(end=HANGS), "none", Result.UNKNOWN, Reason.TIMEOUT),
        (ScriptedSmtp(end=b"hello?"), "none", Result.UNKNOWN, Reason.PROVIDER_ERROR),
        (ScriptedSmtp(end=b"552 5.3.4 too big"), "none", Result.PERMANENT, Reason.REFUSED),
        # Encryption that was asked for and is not to be had: nothing goes out in the clear.
        (ScriptedSmtp(), "starttls", Result.TRANSIENT, None),
        (
            ScriptedSmtp(ehlo=b"250-here\r\n250 STARTTLS", star=b"454 4.7.0 not now"),
            "starttls",
            Result.TRANSIENT,
            None,
        ),
        (ScriptedSmtp(ehlo=b"250-here\r\n250 STARTTLS", star=b"220 go on"), "starttls", Result.TRANSIENT, None),
        (ScriptedSmtp(), "tls", Result.TRANSIENT, Reason.UNREACHABLE),
    ],
)
async def test_a_mail_server_at_fault(
    server: ScriptedSmtp, tls: str, result: Result, reason: Reason | None
) -> None:
    async with serving(server.talk) as port:
        # A server that takes the beginning of TLS for a command may wait for the end of that line.
        seconds = 0.5 if tls == "starttls" else PATIENCE
        provider = SmtpProvider("127.0.0.1", port, "r@example.org", tls=tls, timeout_seconds=seconds)  # type: ignore[arg-type]
        called: list[int] = []
        text = replace(TEXT, on_wire=noted(lambda: called.append(len(server.mails))))
        sending = asyncio.create_task(provider.send(text))
        await until("it hangs or has ended", lambda: server.hangs or sending.done())
        if server.hangs:
            let_pass(seconds)
        outcome = await sending
        assert outcome.result is result, outcome
        assert called in ([], [0]), "told once, before the server has the mail"
        assert called or (result is not Result.UNKNOWN and not server.mails)
        assert reason is None or outcome.reason is reason, outcome
        if result is Result.TRANSIENT:
            assert not server.mails
        if outcome.result is not Result.TRANSIENT:
            assert (await provider.send(TEXT)).result is Result.SENT
        await provider.close()


async def test_a_server_that_hangs_up_between_two_mails_costs_nothing() -> None:
    server = ScriptedSmtp(quit=b"221 bye")
    async with serving(server.talk) as port:
        provider = SmtpProvider("127.0.0.1", port, "r@example.org", tls="none", messages_per_connection=1)
        for number in range(3):
            assert (await provider.send(TEXT)).result is Result.SENT, number
        await provider.close()
    assert (server.connections, len(server.mails)) == (3, 3)


@pytest.mark.parametrize(
    ("answer", "result", "reason"),
    [
        (None, Result.UNKNOWN, Reason.DISCONNECTED),
        (b"", Result.UNKNOWN, Reason.DISCONNECTED),
        (b"HTTP/1.1 200 OK\r\nContent-Le", Result.UNKNOWN, Reason.DISCONNECTED),
        (BROKEN_OFF, Result.UNKNOWN, Reason.TIMEOUT),
        (b"220 mail.example.org ESMTP\r\n\r\n", Result.UNKNOWN, Reason.DISCONNECTED),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nok", Result.UNKNOWN, None),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
            Result.SENT,
            Reason.ACCEPTED,
        ),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + GOOD, Result.SENT, Reason.ACCEPTED),
        (b"HTTP/1.1 200 OK\r\n\r\nok", Result.SENT, Reason.ACCEPTED),
        (b'HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n{"code"', Result.TRANSIENT, Reason.PROVIDER_ERROR),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nerror", Result.TRANSIENT, Reason.PROVIDER_ERROR),
        (b"HTTP/1.1 502 Bad\r\nContent-Length: 0\r\n\r\n", Result.TRANSIENT, Reason.PROVIDER_ERROR),
        (b"HTTP/1.1 301 Moved\r\nLocation: http://10.0.0.1/\r\nContent-Length: 0\r\n\r\n", Result.TRANSIENT, None),
    ],
)
async def test_an_http_provider_at_fault(answer: bytes | None, result: Result, reason: Reason | None) -> None:
    taken: list[bytes] = []
    async with serving(http_talk(answer, GOOD, taken=taken)) as port:
        provider = _http(port)
        called: list[int] = []
        text = replace(TEXT, on_wire=noted(lambda: called.append(len(taken))))
        sending = asyncio.create_task(provider.send(text))
        if answer == BROKEN_OFF:
            await until("the provider has it", lambda: bool(taken))
            let_pass(PATIENCE)
        outcome = await sending
        assert outcome.result is result, outcome
        assert called == [0], "told once, before the provider has the request"
        assert reason is None or outcome.reason is reason, outcome
        assert (await provider.send(TEXT)).result is Result.SENT, "and it goes on"
        assert len(taken) == 2, "nothing is repeated behind our back"
        await provider.close()


async def test_what_never_went_out_is_not_unknown() -> None:
    called: list[int] = []
    text = replace(TEXT, on_wire=noted(lambda: called.append(1)))
    async with serving(http_talk(GOOD)) as port:
        pass
    outcomes = {"nobody listens": await _sent_to(f"http://127.0.0.1:{port}", text)}
    for silent in (never_greets, hangs_up):
        async with serving(silent) as port:
            outcomes[silent.__name__] = await _sent_to(f"https://127.0.0.1:{port}", text)
    assert {name: outcome.result for name, outcome in outcomes.items()} == dict.fromkeys(outcomes, Result.TRANSIENT)
    assert not called


@pytest.mark.parametrize(
    ("head", "wait"),
    [("Retry-After: 7", timedelta(seconds=7)), ("Retry-After: soon", None), ("X: y", None)],
)
async def test_how_long_a_provider_wants_to_be_left_alone(head: str, wait: timedelta | None) -> None:
    answer = f"HTTP/1.1 429 Slow down\r\n{head}\r\nContent-Length: 0\r\n\r\n".encode()
    async with serving(http_talk(answer)) as port:
        provider = _http(port)
        outcome = await provider.send(TEXT)
        await provider.close()
    assert (outcome.result, outcome.reason, outcome.retry_after) == (Result.TRANSIENT, Reason.BUSY, wait)


async def test_an_answer_that_comes_in_drips_is_not_waited_for() -> None:
    taken: list[bytes] = []
    async with serving(http_talk(GOOD, taken=taken, slowly=0.2)) as port:
        provider = _http(port, seconds=0.5)
        outcome = await provider.send(TEXT)
        await provider.close()
    assert (outcome.result, outcome.reason, len(taken)) == (Result.UNKNOWN, Reason.TIMEOUT, 1)


async def never_greets(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


async def hangs_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(1)


async def _sent_to(url: str, text: Text) -> Outcome:
    provider = _http(url, seconds=0.5)  # one of them never answers; nothing here hangs on how fast the others do
    try:
        return await provider.send(text)
    finally:
        await provider.close()


def _http(at: int | str, seconds: float = PATIENCE) -> HttpProvider:
    described = {
        "name": "faulty",
        "url": f"http://127.0.0.1:{at}/sms" if isinstance(at, int) else at,
        "json": {"to": "{{ to }}", "text": "{{ text }}"},
        "success": {"status": [200], "body": "^ok$"},
        "timeout": timedelta(seconds=seconds),
    }
    return HttpProvider(HttpFile.model_validate(described), {})
