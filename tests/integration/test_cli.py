"""The command line against a real bus and a real record: what people see, and what they get back."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from reeve.contracts.notices import dead_letter
from reeve.runtime.bus.connection import BusConnection, connect_bus
from reeve.runtime.bus.streams import declare_streams
from tests.support.shared_servers import SharedServers
from tests.support.waiting import PATIENCE

pytestmark = pytest.mark.integration

AT = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str

    @property
    def rows(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


async def start(folder: Path, nats_url: str, *arguments: str) -> asyncio.subprocess.Process:
    own = {"REEVE_NATS_URL": nats_url, "REEVE_DATA": str(folder / "none"), "COLUMNS": "200", "LC_ALL": "C.UTF-8"}
    environment = {**os.environ, **own}
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "reeve.cli.main",
        *arguments,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def reeve(folder: Path, nats_url: str, *arguments: str) -> Ran:
    process = await start(folder, nats_url, *arguments)
    out, err = await asyncio.wait_for(process.communicate(), PATIENCE)
    return Ran(process.returncode or 0, out.decode(), err.decode())


@pytest.fixture
async def bus(shared_servers: SharedServers) -> AsyncIterator[tuple[str, BusConnection]]:
    connection = await connect_bus(shared_servers.nats.url, "test", PATIENCE)
    await declare_streams(connection)
    try:
        yield shared_servers.nats.url, connection
    finally:
        await connection.close()


async def _publish(connection: BusConnection, subject: str, body: bytes) -> None:
    await connection.client.jetstream(timeout=PATIENCE).publish(subject, body)


async def _bury(connection: BusConnection, body: bytes, subject: str) -> None:
    letter = dead_letter("intake", "here", reason="no JSON", attempts=1, subject=subject, body=body, at=AT)
    await _publish(connection, letter.subject, letter.body)


async def test_a_dead_letter_is_listed_shown_and_replayed_byte_for_byte(
    bus: tuple[str, BusConnection], tmp_path: Path
) -> None:
    url, connection = bus
    body = b'{"specversion": "1.0", \xff broken'
    await _bury(connection, body, "intake.here.ticket.opened")

    listed = await reeve(tmp_path, url, "dead", "list", "--json")
    assert [(row["number"], row["service"], row["reason"], row["bytes"]) for row in listed.rows] == [
        (1, "intake", "no JSON", len(body))
    ]
    shown = await reeve(tmp_path, url, "dead", "show", "1")
    assert "broken" in shown.out

    replayed = await reeve(tmp_path, url, "dead", "replay", "1")
    assert replayed.code == 0, replayed.err
    back = await connection.client.jetstream(timeout=PATIENCE).get_msg("INTAKE", seq=1)
    assert (back.subject, back.data) == ("intake.here.ticket.opened", body)
    assert (await reeve(tmp_path, url, "dead", "list", "--json")).rows == []


async def test_replaying_all_letters_puts_back_each_where_it_came_from(
    bus: tuple[str, BusConnection], tmp_path: Path
) -> None:
    url, connection = bus
    await _bury(connection, b"one", "intake.here.ticket.opened")
    await _bury(connection, b"two", "work.3.here.ticket.opened.T-1")

    replayed = await reeve(tmp_path, url, "dead", "replay", "--all", "--json")

    assert [row["replayed_to"] for row in replayed.rows] == [
        "intake.here.ticket.opened",
        "events.here.ticket.opened.T-1",
    ]
    assert (await connection.client.jetstream(timeout=PATIENCE).get_msg("EVENTS", seq=1)).data == b"two"


async def test_a_letter_that_is_not_there_is_one_sentence_and_exit_1(
    bus: tuple[str, BusConnection], tmp_path: Path
) -> None:
    ran = await reeve(tmp_path, bus[0], "dead", "show", "99")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err == "There is no dead letter 99; `reeve dead list` shows what there is.\n"


def _graded() -> bytes:
    data = {"policy": "complaint", "grade": "major", "was": None}
    return json.dumps(
        {
            "type": "cases.graded",
            "site": "here",
            "subject": "T-1",
            "time": "2026-03-02T09:00:00+08:00",
            "correlationid": "here/complaint/T-1",
            "data": {**data, "because": {"rule": "complaint.yaml:14", "event": "e-1"}},
        }
    ).encode()


async def test_tail_shows_a_case_event_with_its_reason(bus: tuple[str, BusConnection], tmp_path: Path) -> None:
    url, connection = bus
    await _publish(connection, "cases.here.complaint.graded.T-1", _graded())
    process = await start(tmp_path, url, "tail", "--since", "5m")
    assert process.stdout is not None
    line = (await asyncio.wait_for(process.stdout.readline(), PATIENCE)).decode()
    process.send_signal(2)
    _, err = await asyncio.wait_for(process.communicate(), PATIENCE)

    assert line == ("2026-03-02 09:00:00  here/complaint/T-1  graded major  ← complaint.yaml:14 (event e-1)\n")
    assert process.returncode == 130
    assert b"Traceback" not in err


async def test_tail_prints_the_messages_themselves_as_json(bus: tuple[str, BusConnection], tmp_path: Path) -> None:
    url, connection = bus
    await _publish(connection, "cases.here.complaint.graded.T-1", _graded())
    process = await start(tmp_path, url, "tail", "cases.*.complaint.>", "--since", "5m", "--json")
    assert process.stdout is not None
    line = await asyncio.wait_for(process.stdout.readline(), PATIENCE)
    process.send_signal(2)
    await asyncio.wait_for(process.communicate(), PATIENCE)
    assert json.loads(line) == json.loads(_graded())


async def test_a_bus_that_is_away_is_one_sentence_and_exit_3(tmp_path: Path) -> None:
    ran = await reeve(tmp_path, "nats://127.0.0.1:9", "tail")
    assert (ran.code, ran.out) == (3, "")
    assert ran.err.startswith("NATS can't be reached")
    assert ran.err.count("\n") == 1
