"""Acknowledging from the message itself: a link preview must not, a person must, once."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import orjson
import pytest
from pymongo import AsyncMongoClient

from reeve.domain.case import Case, CaseKey, StepState
from reeve.runtime.store.ack_tokens import AckTokenStore, Asked
from reeve.runtime.store.cases import case_document
from reeve.runtime.store.mongo import open_database
from reeve.runtime.time_source import SystemTime
from tests.support.intake import Stack, eventually
from tests.support.patient_store import patient_store

pytestmark = pytest.mark.integration


async def _issue(servers: Stack, valid_for: timedelta, recipient: str = "R-7", case: str = "") -> str:
    client = patient_store(servers.mongo.url, "test")
    asked = Asked("effect-key", recipient, "sunshine-garden", "ticket", "T-1", "nobody_answered", case)
    try:
        store = AckTokenStore(open_database(client, "reeve"), b"secret")
        (token,) = await store.issue([asked], SystemTime().now(), valid_for)
        return token
    finally:
        await client.close()


def _bodies(servers: Stack) -> list[dict[str, Any]]:
    return sorted((orjson.loads(each["body"]) for each in servers.stored()), key=lambda each: str(each["id"]))


async def test_a_link_acknowledges_once_and_only_when_confirmed(servers: Stack) -> None:
    async with servers.intake() as (_, client):
        token = await _issue(servers, timedelta(hours=1))
        for _ in range(20):  # a link preview, and every scanner on the way
            page = await client.get(f"/ack/{token}")
            assert (page.status_code, page.headers["cache-control"]) == (200, "no-store")
            assert 'method="post"' in page.text
            assert not any(word in page.text for word in ("T-1", "R-7", "sunshine", "nobody"))
            assert (await client.head(f"/ack/{token}")).status_code == 200
        assert servers.stored() == []
        assert (await client.post(f"/ack/{token}")).status_code == 200
        again = await client.post(f"/ack/{token}")
        assert "answered before" in again.text
        assert "Confirmed: you take care of it" in (await client.get(f"/ack/{token}")).text
        await eventually("the acknowledgement is on the bus", servers.published)
    (stored,) = servers.stored()
    body = orjson.loads(stored["body"])
    assert (body["type"], body["subject"], body["source"]) == ("ticket.acknowledged", "T-1", "/reeve/ack")
    assert body["data"] == {"acknowledged_by": "R-7", "acknowledged_step": "nobody_answered"}
    assert token not in str(stored)


async def test_escalating_uses_the_link_up(servers: Stack) -> None:
    async with servers.intake() as (_, client):
        token = await _issue(servers, timedelta(hours=1))
        page = await client.post(f"/ack/{token}", data={"answer": "escalate"})
        assert (page.status_code, "Escalated" in page.text) == (200, True)
        late = await client.post(f"/ack/{token}", data={"answer": "confirm"})
        assert "answered before" in late.text
        assert "Escalated" in late.text
    (body,) = _bodies(servers)
    assert (body["type"], body["subject"]) == ("ticket.escalated", "T-1")
    assert body["data"] == {"escalated_by": "R-7", "escalated_step": "nobody_answered"}


async def test_more_time_can_be_asked_for_and_the_matter_taken_later(servers: Stack) -> None:
    async with servers.intake() as (_, client):
        token = await _issue(servers, timedelta(hours=1))
        more = {"answer": "more", "minutes": "30", "again": "0"}
        for minutes in ("30", "60"):  # the second click on one showing of the page does not count
            page = await client.post(f"/ack/{token}", data={**more, "minutes": minutes})
            assert "30 more minutes" in page.text
        assert 'name="again" value="1"' in (await client.get(f"/ack/{token}")).text
        await client.post(f"/ack/{token}", data={"answer": "more", "minutes": "15", "again": "1"})
        page = await client.post(f"/ack/{token}", data={"answer": "more", "minutes": "120", "again": "2"})
        assert "Only 75 more minutes instead of 120" in page.text
        assert "只延后 75 分钟（您要求 120 分钟）" in page.text
        for page in (
            await client.post(f"/ack/{token}", data={"answer": "more", "minutes": "15", "again": "3"}),
            await client.get(f"/ack/{token}"),
        ):
            assert ('value="confirm"' in page.text, 'name="minutes"' in page.text) == (True, False)
        page = await client.post(f"/ack/{token}", data={"answer": "more", "minutes": "15", "again": "3"})
        assert "No more time" in page.text
        assert "不能再延后" in page.text
        assert "Confirmed" in (await client.post(f"/ack/{token}", data={"answer": "confirm"})).text
    types = [(each["type"], each["data"].get("minutes")) for each in _bodies(servers)]
    assert types == [("ticket.acknowledged", None), *(("ticket.delayed", minutes) for minutes in (30, 15, 75))]


async def test_the_last_minutes_are_granted_once_however_many_ask_at_once(servers: Stack) -> None:
    case = Case(CaseKey("sunshine-garden", "complaint", "T-1"), "ticket", "d", SystemTime().now(), version=1)
    case.steps["nobody_answered"] = StepState(fired=1)
    asked_for = {"_id": "effect-key", "case": str(case.key), "step": "nobody_answered", "run": case.run}
    client = patient_store(servers.mongo.url, "test")
    try:
        database = open_database(client, "reeve")
        await database["cases"].insert_one(case_document(case))
        await database["notifications"].insert_one(asked_for)
    finally:
        await client.close()
    async with servers.intake() as (_, http):
        tokens = [await _issue(servers, timedelta(hours=1), f"R-{n}", str(case.key)) for n in range(6)]
        more = {"answer": "more", "minutes": "30", "again": "0"}
        pages = await asyncio.gather(*(http.post(f"/ack/{token}", data=more) for token in tokens))
    said = sorted("No more time" in page.text for page in pages)
    assert said == [False] * 4 + [True] * 2
    assert [each["data"]["minutes"] for each in _bodies(servers)] == [30] * 4


@pytest.mark.parametrize(
    "form", ["answer=later", "answer=more&minutes=7&again=0", "answer=more&minutes=30", "x" * 900, "%ff=\u00e9"]
)
async def test_what_is_no_choice_changes_nothing(servers: Stack, form: str) -> None:
    async with servers.intake() as (_, client):
        token = await _issue(servers, timedelta(hours=1))
        page = await client.post(f"/ack/{token}", content=form.encode())
        assert (page.status_code, 'method="post"' in page.text) == (422, True)
        assert (await client.post(f"/ack/{token}", content=b"x" * 5000)).status_code == 413
    assert servers.stored() == []


async def test_a_closed_case_awaits_no_answer(servers: Stack) -> None:
    async with servers.intake() as (_, client):
        token = await _issue(servers, timedelta(hours=1), case="sunshine-garden/complaint/T-1")
        mongo: AsyncMongoClient[dict[str, object]] = AsyncMongoClient(servers.mongo.url)
        async with mongo:
            await mongo["reeve"]["cases"].insert_one({"_id": "sunshine-garden/complaint/T-1", "open": False})
        assert "closed" in (await client.get(f"/ack/{token}")).text
        assert "closed" in (await client.post(f"/ack/{token}")).text
    assert servers.stored() == []


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
