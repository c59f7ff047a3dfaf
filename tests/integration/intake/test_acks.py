"""Acknowledging from the message itself: a link preview must not, a person must, once."""

from __future__ import annotations

from datetime import timedelta

import orjson
import pytest
from pymongo import AsyncMongoClient

from reeve.runtime.store.ack_tokens import AckTokenStore
from reeve.runtime.store.mongo import connect_store, open_database
from reeve.runtime.time_source import SystemTime
from tests.support.intake import Stack, eventually

pytestmark = pytest.mark.integration


async def _issue(servers: Stack, valid_for: timedelta, recipient: str = "R-7") -> str:
    client = connect_store(servers.mongo.url, "test")
    try:
        store = AckTokenStore(open_database(client, "reeve"), b"secret")
        return await store.issue(
            notification="effect-key",
            recipient=recipient,
            site="sunshine-garden",
            family="ticket",
            subject="T-1",
            step="nobody_answered",
            now=SystemTime().now(),
            valid_for=valid_for,
        )
    finally:
        await client.close()


async def test_a_link_acknowledges_once_and_only_when_confirmed(servers: Stack) -> None:
    async with servers.intake() as (_, client):
        token = await _issue(servers, timedelta(hours=1))
        for _ in range(3):
            page = await client.get(f"/ack/{token}")
            assert (page.status_code, page.headers["cache-control"]) == (200, "no-store")
            assert 'method="post"' in page.text
            assert not any(word in page.text for word in ("T-1", "R-7", "sunshine", "nobody"))
        assert (await client.head(f"/ack/{token}")).status_code == 200
        assert servers.stored() == []
        assert (await client.post(f"/ack/{token}")).status_code == 200
        again = await client.post(f"/ack/{token}")
        assert "confirmed before" in again.text
        assert "confirmed before" in (await client.get(f"/ack/{token}")).text
        await eventually("the acknowledgement is on the bus", servers.published)
    (stored,) = servers.stored()
    body = orjson.loads(stored["body"])
    assert (body["type"], body["subject"], body["source"]) == ("ticket.acknowledged", "T-1", "/reeve/ack")
    assert body["data"] == {"acknowledged_by": "R-7", "acknowledged_step": "nobody_answered"}
    assert token not in str(stored)


async def test_two_clicks_at_once_are_one_event(servers: Stack) -> None:
    import asyncio

    async with servers.intake() as (_, client):
        token = await _issue(servers, timedelta(hours=1))
        answers = await asyncio.gather(*(client.post(f"/ack/{token}") for _ in range(5)))
        assert {answer.status_code for answer in answers} == {200}
    assert len(servers.stored()) == 1


async def test_expired_and_invented_links(servers: Stack) -> None:
    async with servers.intake() as (_, client):
        expired = await _issue(servers, timedelta(seconds=-1))
        for method in ("GET", "POST"):
            assert (await client.request(method, f"/ack/{expired}")).status_code == 410
            assert (await client.request(method, "/ack/invented")).status_code == 404
    assert servers.stored() == []


async def test_a_token_is_the_same_each_time_and_only_its_hash_is_kept(servers: Stack) -> None:
    first = await _issue(servers, timedelta(hours=1))
    assert await _issue(servers, timedelta(hours=2)) == first
    assert await _issue(servers, timedelta(hours=1), recipient="R-8") != first
    client: AsyncMongoClient[dict[str, object]] = AsyncMongoClient(servers.mongo.url)
    try:
        kept = await client["reeve"]["ack_tokens"].find().to_list()
    finally:
        await client.close()
    assert len(kept) == 2
    assert first not in str(kept)
