"""One suite for publishing: the in-memory twin and JetStream answer alike."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from reeve.devstack.nats_server import NatsServer
from reeve.ports import Publisher
from reeve.runtime.bus.connection import connect_bus
from reeve.runtime.bus.memory import MemoryBus
from reeve.runtime.bus.publisher import BusPublisher
from reeve.runtime.bus.streams import declare_streams
from tests.support.waiting import PATIENCE


@dataclass
class Bench:
    """A publisher, and what CASES holds."""

    publisher: Publisher
    stored: Callable[[], Awaitable[list[tuple[str, bytes]]]]


@pytest.fixture(params=["memory", pytest.param("real", marks=pytest.mark.integration)])
async def bench(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Bench]:
    if request.param == "memory":
        bus = MemoryBus()

        async def kept() -> list[tuple[str, bytes]]:
            return [(m.subject, m.payload) for m in bus.messages if m.subject.startswith("cases.")]

        yield Bench(bus, kept)
        return
    async with NatsServer(tmp_path) as server:
        connection = await connect_bus(server.url, "test", PATIENCE)
        await declare_streams(connection)
        await declare_streams(connection)  # a second start changes nothing
        publisher = BusPublisher(connection, PATIENCE)
        await publisher.start()

        async def stored() -> list[tuple[str, bytes]]:
            context = connection.client.jetstream(timeout=PATIENCE)
            last = (await context.stream_info("CASES")).state.last_seq
            found = [await context.get_msg("CASES", number) for number in range(1, last + 1)]
            return [(str(message.subject), message.data or b"") for message in found]

        yield Bench(publisher, stored)
        await connection.close()


async def test_many_messages_are_stored_in_order(bench: Bench) -> None:
    messages = [(f"cases.s.p.opened.T-{n % 7}", f"id-{n}", str(n).encode(), None) for n in range(5000)]
    assert await bench.publisher.publish_all(messages) == []
    assert await bench.stored() == [(subject, body) for subject, _, body, _ in messages]


async def test_the_same_id_is_stored_once(bench: Bench) -> None:
    message = ("cases.s.p.opened.T-1", "id-1", b"first", None)
    assert await bench.publisher.publish_all([message, message]) == []
    assert await bench.publisher.publish_all([("cases.s.p.opened.T-1", "id-1", b"again", None)]) == []
    assert await bench.stored() == [("cases.s.p.opened.T-1", b"first")]


async def test_ids_that_differ_only_in_what_a_header_can_not_hold_stay_different(bench: Bench) -> None:
    ids = ["a b", "a\nb", "a%20b", " a b", "a b ", "甲", "乙", "a\rb"]
    assert await bench.publisher.publish_all(("cases.s.p.opened.T", each, b"x", None) for each in ids) == []
    assert len(await bench.stored()) == len(ids)


async def test_what_no_stream_takes_is_reported_and_the_rest_is_stored(bench: Bench) -> None:
    failed = await bench.publisher.publish_all(
        [
            ("cases.s.p.opened.T", "1", b"x", None),
            ("nowhere.at.all", "2", b"x", None),
            ("cases.s.p.opened.T", "3", b"y", None),
        ]
    )
    assert [item.index for item in failed] == [1]
    assert [body for _, body in await bench.stored()] == [b"x", b"y"]
