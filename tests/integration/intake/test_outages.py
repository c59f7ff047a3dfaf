"""What intake promises while a server is away, and after it was killed itself."""

from __future__ import annotations

import asyncio
import shutil
import sys
from pathlib import Path

import httpx
import pytest

from reeve.devstack.launching import free_port
from tests.support.intake import NDJSON, Stack, event, eventually, ndjson
from tests.support.waiting import PATIENCE

pytestmark = pytest.mark.integration


async def _post(client: httpx.AsyncClient, *ids: int) -> None:
    body = ndjson(*(event(str(number)) for number in ids))
    answer = await client.post("/v1/events", content=body, headers=NDJSON)
    assert [row["status"] for row in answer.json()] == [202] * len(ids)


async def test_with_the_bus_away_posts_are_accepted_and_published_later_in_order(servers: Stack) -> None:
    await servers.nats.stop()
    async with servers.intake() as (_, client):
        await _post(client, *range(40))
        await eventually("it says what is away", lambda: _says(client, 503, "bus: away\nrecord: ok\nrules: ok\n"))
        assert (await client.get("/readyz?needs=record")).status_code == 200
        await servers.nats.start()

        async def published(count: int) -> bool:
            return len(await servers.published()) == count

        await eventually("what came before the bus is on it", lambda: published(40))
        await servers.nats.kill()
        await _post(client, *range(40, 60))
        await _post(client, *range(60, 80))
        await servers.nats.start()
        await eventually("what came during the outage is on it", lambda: published(80))
        await _post(client, 80)
        await eventually("and what comes after it", lambda: published(81))
        assert await servers.published() == [str(number) for number in range(81)]


async def test_a_bus_put_back_to_an_older_copy_gets_everything_again(servers: Stack, tmp_path: Path) -> None:
    async with servers.intake() as (_, client):
        await _post(client, *range(10))

        async def published(count: int) -> bool:
            return len(await servers.published()) == count

        await eventually("the first ones are published", lambda: published(10))
        await servers.nats.stop()
        await asyncio.to_thread(shutil.copytree, servers.nats.folder, tmp_path / "copy")
        await servers.nats.start()
        await _post(client, *range(10, 30))
        await eventually("the others are published", lambda: published(30))
        await servers.nats.kill()
        await asyncio.to_thread(shutil.rmtree, servers.nats.folder)
        await asyncio.to_thread(shutil.copytree, tmp_path / "copy", servers.nats.folder)
        await servers.nats.start()
        await eventually("nothing is missing on the bus", lambda: published(30))
    assert sorted(await servers.published(), key=int) == [str(number) for number in range(30)]


async def test_a_bus_that_lost_everything_while_intake_was_down(servers: Stack) -> None:
    async with servers.intake() as (_, client):
        await _post(client, *range(5))
        await eventually("they are published", servers.published)
    await servers.nats.kill()
    await asyncio.to_thread(shutil.rmtree, servers.nats.folder)
    await servers.nats.start()
    async with servers.intake():

        async def published() -> bool:
            return len(await servers.published()) == 5

        await eventually("nothing is missing on the bus", published)
        assert len(set(await servers.published())) == 5


async def test_with_the_record_away_nothing_is_acknowledged(servers: Stack) -> None:
    async with servers.intake() as (_, client):
        await _post(client, 1)
        await servers.mongo.kill()
        # The driver looks for the record for some seconds before it gives up: all at once.
        answer, many, cases, ack = await asyncio.gather(
            client.post("/v1/events", json=event("2")),
            client.post("/v1/events", content=ndjson(event("3")), headers=NDJSON),
            client.get("/v1/cases"),
            client.get("/ack/nothing"),
        )
        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) >= 1
        assert answer.headers["content-type"] == "application/problem+json"
        await eventually("it says what is away", lambda: _says(client, 503, "bus: ok\nrecord: away\nrules: ok\n"))
        assert [each.status_code for each in (many, cases, ack)] == [503, 503, 503]
        await servers.mongo.start()

        async def accepted() -> bool:
            return (await client.post("/v1/events", json=event("2"))).status_code == 202

        await eventually("posts are accepted again", accepted)
    assert {document["subject"] for document in servers.stored()} >= {"T-1", "T-2"}


@pytest.mark.parametrize("point", ["intake.stored", "intake.published"])
async def test_killed_between_two_steps_it_loses_nothing(servers: Stack, point: str) -> None:
    port = free_port()
    environment = {
        "PATH": "",
        "REEVE_NATS_URL": servers.nats.url,
        "REEVE_MONGO_URL": servers.mongo.url,
        "REEVE_INTAKE_PORT": str(port),
        "REEVE_CRASH_AT": f"{point}:2",
    }
    program = "from reeve.cli.main import main; main(['run', 'intake'])"
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", program, env=environment)
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE) as client:
            await eventually("intake is up", lambda: _ready(client))
            await _post(client, 1, 2, 3)

            async def three_published() -> bool:
                return len(await servers.published()) == 3

            # Otherwise all five may be published at once, and the point is passed but once.
            await eventually("the first are on the bus", three_published)
            with pytest.raises(httpx.TransportError):
                await _post_until_cut_off(client)
        assert await process.wait() == -9
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert len(servers.stored()) == 5
    async with servers.intake() as (_, client):

        async def published() -> bool:
            return sorted(await servers.published()) == ["1", "2", "3", "4", "5"]

        await eventually("every stored event is on the bus, once", published)
        rows = (await client.post("/v1/events", content=ndjson(event("4")), headers=NDJSON)).json()
        assert rows[0]["duplicate"] is True


async def _post_until_cut_off(client: httpx.AsyncClient) -> None:
    """Ends with the connection, when the second passage of the point ends the process."""
    while True:
        await _post(client, 4, 5)


async def _says(client: httpx.AsyncClient, status: int, text: str) -> bool:
    ready = await client.get("/readyz")
    return (ready.status_code, ready.text) == (status, text)


async def _ready(client: httpx.AsyncClient) -> bool:
    try:
        return (await client.get("/readyz")).status_code == 200
    except httpx.TransportError:
        return False
