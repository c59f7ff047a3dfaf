"""`reeve bench`: it runs, prints its rows, judges nothing; its poster and its mail server tell the truth."""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import UTC, datetime
from pathlib import Path

import aiosmtplib
import pytest

from reeve.devstack.bench.arrivals import LINE_BYTES, arrivals, arrived, times_by_id
from reeve.devstack.bench.figures import Figure, ratio_of
from reeve.devstack.bench.posting import ndjson_posts, post_all, post_paced, single_posts
from reeve.devstack.bench.programs import BenchFailed
from reeve.devstack.bench.rig import serious_complaints
from reeve.devstack.bench.smtp_taker import mail_line
from reeve.devstack.bench.text_taker import text_line
from reeve.devstack.launching import Child, free_port, port_is_free
from reeve.devstack.tiny_http import Request, Response, TinyHttpServer
from tests.support.seeding import few_rules
from tests.support.waiting import until

pytestmark = pytest.mark.integration

AT = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


@pytest.mark.long
async def test_a_section_runs_prints_its_rows_and_ends_with_0(tmp_path: Path) -> None:
    rules = few_rules(tmp_path)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "reeve.cli.main", "bench", "memory", "--quick", "--json", "--rules", str(rules)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    head, *rows = [json.loads(row) for row in out.splitlines()]
    assert head["section"] == "memory"
    assert head["machine"]["quick"] is True
    named = {row["what"].partition(",")[0] for row in rows}
    assert named == {"nats-server", "mongod", "intake", "escalation", "notify"}
    assert all(row["value"] > 0 for row in rows)


async def test_every_request_is_posted_once_on_kept_connections() -> None:
    taken: list[bytes] = []

    async def take(request: Request) -> Response:
        taken.append(request.body)
        return Response(202, b"{}")

    server = TinyHttpServer(take, "127.0.0.1", 0)
    await server.start()
    try:
        events = list(serious_complaints(25, AT, 0))
        assert await post_all(server.port, single_posts(events), 4, 30) == 25
        assert await post_all(server.port, ndjson_posts(events, 10), 2, 30) == 3
        due = await post_paced(server.port, single_posts(events), 1000, 4)
    finally:
        await server.stop()
    assert len(taken) == 25 + 3 + 25
    assert len(set(taken[:25])) == 25
    assert sorted(len(body.splitlines()) for body in taken[25:28]) == [5, 10, 10]
    assert [round((at - due[0]) * 1000) for at in due] == list(range(25))


async def test_a_refused_post_ends_the_measurement_with_a_sentence() -> None:
    async def refuse(request: Request) -> Response:
        return Response(503, b"away")

    server = TinyHttpServer(refuse, "127.0.0.1", 0)
    await server.start()
    try:
        with pytest.raises(BenchFailed, match="answered 503"):
            await post_all(server.port, single_posts(serious_complaints(9, AT, 0)), 3, 30)
    finally:
        await server.stop()


async def test_the_mail_server_notes_each_mail_and_its_case(tmp_path: Path) -> None:
    out, port = tmp_path / "mails", free_port()
    command = [sys.executable, "-m", "reeve.devstack.bench.smtp_taker", "--port", str(port), "--out", str(out)]
    child = await Child.start(command, env={}, log=tmp_path / "log")
    try:
        await until("the mail server listens", lambda: not port_is_free(port))
        mail = b"Subject: Serious complaint T-X%d\r\nMessage-ID: <m@x>\r\n\r\nCase\r\n.. not the end\r\n"
        for number in (7, 8):
            await aiosmtplib.send(
                mail % number, sender="a@example.org", recipients=["b@example.org"], hostname="127.0.0.1", port=port
            )
    finally:
        await child.stop(5)
    assert arrived(out) == 2
    (first, seven), (second, eight) = arrivals(out)
    assert (seven, eight) == (7, 8)
    assert first < second
    assert arrivals(out, 1) == [(second, 8)]
    assert times_by_id(out) == {"m": 2}


def test_a_line_of_the_mail_server_has_one_length_and_finds_the_case_in_base64() -> None:
    encoded = b"Message-ID: <0123456789abcdef0123@example.org>\r\n\r\n" + b"Q2FzZTogVC1YMTIzNA=="
    assert mail_line(12.5, encoded).split() == [b"0000000000012.500000", b"1234", b"0123456789abcdef"]
    assert mail_line(12.5, b"Subject: none\r\n\r\n%%%").split()[1:] == [b"-", b"-"]
    assert len(mail_line(1e6, encoded)) == LINE_BYTES


@pytest.mark.parametrize(
    ("target", "body"),
    [
        (b"/sms", b'{"to":"+1","text":"Case: T-X1234","id":"0123456789abcdef0123"}'),
        (b"/sms", b"to=%2B1&text=Case%3A+T-X1234&id=0123456789abcdef0123"),
        (b"/sms?id=0123456789abcdef0123&text=T-X1234", b""),
    ],
)
def test_a_line_of_the_sms_gateway_finds_case_and_id(target: bytes, body: bytes) -> None:
    assert text_line(1.0, target, body).split()[1:] == [b"1234", b"0123456789abcdef"]


def test_a_ratio_is_the_median_of_the_ratios_of_each_run() -> None:
    figure = ratio_of("s", "a ÷ b", [10, 40, 90], [10, 10, 30], 3)
    assert list(figure.runs) == [1, 4, 3]
    assert (figure.value, figure.met) == (3, True)
    figures = (Figure("s", "late", 2, "s", 1, "less"), Figure("s", "plain", 2, "s"))
    assert [each.met for each in figures] == [False, None]
