"""HTTP posts on real servers: every answer of contracts.md §3."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import httpx
import orjson
import pytest

from tests.support.intake import NDJSON, Stack, event, eventually, ndjson

pytestmark = pytest.mark.integration


async def test_one_event_is_stored_answered_and_published(servers: Stack) -> None:
    async with servers.intake() as (_, client):
        answer = await client.post("/v1/events", json=event("1", subject="T 1.5"))
        assert (answer.status_code, answer.json()) == (202, {"id": "1", "duplicate": False})
        (stored,) = servers.stored()
        assert (stored["site"], stored["family"], stored["type"]) == ("sunshine-garden", "ticket", "ticket.opened")
        assert stored["applied_at"] is None
        await eventually("the event is on the bus", servers.published)
        ((subject, body),) = await servers.messages("EVENTS")
        assert subject == "events.sunshine-garden.ticket.opened.T%201%2E5"
        assert orjson.loads(stored["body"]) == body
        assert body["data"] == event("1")["data"]
    assert servers.stored()[0]["published_at"] is not None


async def test_a_repeat_is_answered_as_one_and_changes_nothing(servers: Stack) -> None:
    async with servers.intake() as (_, client):
        posts = [
            event("1"),
            dict(reversed(event("1").items())),
            event("1", time="2026-11-20T01:00:00Z"),
            event("1", subject="another"),
            event("1", source="/other"),
        ]
        answers = [(await client.post("/v1/events", json=post)).json() for post in posts]
        assert answers == [
            {"id": "1", "duplicate": False},
            {"id": "1", "duplicate": True},
            {"id": "1", "duplicate": True},
            {"id": "1", "duplicate": True, "differs": True},
            {"id": "1", "duplicate": False},
        ]
    assert len(servers.stored()) == 2
    assert len(await servers.published()) == 2


async def test_batches_store_the_good_and_name_the_bad(servers: Stack) -> None:
    bad = event("3", type="payment.billed", data={"amount_cny": 1.5})
    async with servers.intake() as (_, client):
        await client.post("/v1/events", json=event("1"))
        body = ndjson(event("1"), b"", event("2"), bad, b"{nonsense", event("2", subject="x"), event("4"))
        answer = await client.post("/v1/events", content=body, headers=NDJSON)
        assert answer.status_code == 200
        rows = answer.json()
        assert [row["status"] for row in rows] == [202, 202, 422, 400, 202, 202]
        assert [row["id"] for row in rows] == ["1", "2", "3", None, "2", "4"]
        assert [row.get("duplicate") for row in rows] == [True, False, None, None, True, False]
        assert rows[4]["differs"] is True
        assert {p["path"] for p in rows[2]["error"]["problems"]} == {"$.data.amount_cny", "$.data.due_on"}

        batch = [event("5"), 7, bad, event("6", data={"category": "visit", "x": 1})]
        rows = []
        for kind in ("application/cloudevents-batch+json", "application/json"):
            headers = {"Content-Type": kind}
            rows = (await client.post("/v1/events", content=orjson.dumps(batch), headers=headers)).json()
            assert [row["status"] for row in rows] == [202, 422, 422, 202]
        assert [row["duplicate"] for row in rows if row["status"] == 202] == [True, True]
        headers = {"Content-Type": "application/cloudevents-batch+json"}
        assert (await client.post("/v1/events", content=b"[]", headers=headers)).json() == []
    assert sorted(document["subject"] for document in servers.stored()) == ["T-1", "T-2", "T-4", "T-5", "T-6"]


async def test_one_unreadable_value_spoils_only_its_own_event(servers: Stack) -> None:
    body = ndjson(event("1"), event("2")).replace(b"12000", b"1e400", 1).replace(b"\n", b",")
    async with servers.intake() as (_, client):
        headers = {"Content-Type": "application/cloudevents-batch+json"}
        answer = await client.post("/v1/events", content=b"[" + body + b"]", headers=headers)
        assert [row["status"] for row in answer.json()] == [422, 202]


async def test_binary_cloudevents(servers: Stack) -> None:
    attributes = {
        f"ce-{name}": quote(value) for name, value in event("1", subject="单 1").items() if name != "data"
    }
    headers = {**attributes, "Content-Type": "application/json; charset=utf-8"}
    async with servers.intake() as (_, client):
        answer = await client.post("/v1/events", content=orjson.dumps(event("1")["data"]), headers=headers)
        assert (answer.status_code, answer.json()) == (202, {"id": "1", "duplicate": False})
        again = await client.post("/v1/events", json=event("1", subject="单 1"))
        assert again.json() == {"id": "1", "duplicate": True}
        wrong = await client.post("/v1/events", content=b"{}", headers={**headers, "ce-subject": "%ff"})
        assert wrong.status_code == 400
        assert wrong.json()["problems"][0]["path"] == "$.subject"


def _with(data: dict[str, Any]) -> bytes:
    return orjson.dumps(event("x", data={"category": "visit", **data}))


BAD_BY_NAME: list[tuple[str, bytes, int, str | None]] = [
    ("malformed JSON", b'{"id": ', 400, "$"),
    ("unknown type", orjson.dumps(event("x", type="ticket.opend")), 422, "$.type"),
    (
        "missing due_on on a bill",
        orjson.dumps(event("x", type="payment.billed", data={"amount_cny": 5})),
        422,
        "$.data.due_on",
    ),
    ("a time without offset", orjson.dumps(event("x", time="2026-11-20T09:00:00")), 422, "$.time"),
    ("an amount with a JSON fraction", _with({"loss_cny": 0.1}), 422, "$.data.loss_cny"),
    ("a 300 KiB event", _with({"description": "x" * 300 * 1024}), 413, "$"),
    ("a 20 MB body", b" " * 20 * 1024 * 1024, 413, None),
    ("1e400", _with({"n": 7}).replace(b"7", b"1e400"), 400, "$"),
    ("NUL bytes, raw", _with({"n": "N"}).replace(b"N", b"\0"), 400, "$"),
    ("NUL bytes, escaped", _with({"n": "\0"}), 422, "$.data.n"),
    ("lone surrogates", _with({"n": "N"}).replace(b"N", b"\\ud83d"), 400, "$"),
    ("a site with dots", orjson.dumps(event("x", site="sun.shine")), 422, "$.site"),
    ("a site with >", orjson.dumps(event("x", site="sun>")), 422, "$.site"),
    ("a future time", orjson.dumps(event("x", time="2998-01-01T00:00:00Z")), 422, "$.time"),
    ("a computed name", _with({"owed_cny": 3}), 422, "$.data.owed_cny"),
    ("no object", b"7", 422, "$"),
    ("nothing", b"", 400, "$"),
]


async def test_bad_input_by_name(servers: Stack) -> None:
    async with servers.intake() as (_, client):
        for name, body, status, path in BAD_BY_NAME:
            answer = await client.post("/v1/events", content=body, headers={"Content-Type": "application/json"})
            assert answer.status_code == status, name
            assert answer.headers["content-type"] == "application/problem+json", name
            told = answer.json()
            assert told["status"] == status, name
            assert told["title"], name
            if path is not None:
                assert [p["path"] for p in told["problems"]] == [path], name
                assert all(p["expected"] for p in told["problems"]), name
        good = {f"field {n}": n for n in range(300)} | {"$set": {"a.b": 1}, "category": "visit"}
        assert (await client.post("/v1/events", json=event("good", data=good))).status_code == 202
        assert (await client.get("/healthz")).status_code == 200
    assert [orjson.loads(document["body"])["data"] for document in servers.stored()] == [good]


async def test_content_types_that_are_not_read(servers: Stack) -> None:
    async with servers.intake() as (_, client):
        for headers in (
            {},
            {"Content-Type": "text/plain"},
            {"Content-Type": "application/json; charset=gbk"},
            {"Content-Type": "application/json", "Content-Encoding": "gzip"},
            {"Content-Type": "application/xml", "ce-specversion": "1.0"},
        ):
            answer = await client.post("/v1/events", content=orjson.dumps(event("1")), headers=headers)
            assert answer.status_code == 415, headers
            assert "application/x-ndjson" in answer.json()["detail"]
        assert (await client.post("/v2/nothing")).status_code == 404
        assert (await client.delete("/v1/events")).status_code == 405
    assert servers.stored() == []


async def test_keys_are_good_for_their_sites(servers: Stack) -> None:
    keys = "sunshine-garden=garden-key-1,harbour=harbour-key-2,*=every-site-3"
    async with servers.intake(api_keys=keys) as (_, client):

        async def status(headers: dict[str, str], id: str, **changes: Any) -> int:
            return (await client.post("/v1/events", json=event(id, **changes), headers=headers)).status_code

        garden = {"Authorization": "Bearer garden-key-1"}
        assert await status({}, "1") == 401
        assert await status({"X-API-Key": "wrong-key-9"}, "1") == 401
        assert await status(garden, "1") == 202
        assert await status({"X-API-Key": "garden-key-1"}, "2") == 202
        assert await status(garden, "3", site="harbour") == 403
        assert await status({"X-API-Key": "every-site-3"}, "4", site="harbour") == 202
        body = ndjson(event("5"), event("6", site="harbour"))
        rows = (await client.post("/v1/events", content=body, headers={**NDJSON, **garden})).json()
        assert [row["status"] for row in rows] == [202, 403]
        assert (await client.get("/v1/cases")).status_code == 401
        assert (await client.get("/v1/cases?site=harbour", headers=garden)).status_code == 403
        assert (await client.get("/v1/cases/harbour/complaint/T-1", headers=garden)).status_code == 403
        assert (await client.get("/v1/cases", headers=garden)).json() == {"cases": [], "next": None}
        assert (await client.get("/healthz")).status_code == 200
    assert len(servers.stored()) == 4


async def test_too_fast_is_told_when_to_come_again(servers: Stack) -> None:
    async with servers.intake(intake_rate=5) as (_, client):
        answers = [await client.post("/v1/events", json=event(str(n))) for n in range(30)]
        late = [answer for answer in answers if answer.status_code == 429]
        assert late
        assert all(int(answer.headers["retry-after"]) >= 1 for answer in late)
        assert {answer.status_code for answer in answers} == {202, 429}
    assert len(servers.stored()) == 30 - len(late)


async def test_pages(servers: Stack) -> None:
    async with servers.intake() as (_, client):
        await client.post("/v1/events", json=event("1"))
        await eventually("the bus is there", lambda: _ready(client))
        assert "reeve_intake_events_total" in (await client.get("/metrics")).text
        described = (await client.get("/openapi.json")).json()
        assert set(described["paths"]) >= {"/v1/events", "/v1/cases", "/ack/{token}", "/healthz", "/metrics"}
        assert "Event" in described["components"]["schemas"]
        assert (await client.get("/asyncapi")).json()["channels"]["cases"]
        docs = await client.get("/docs")
        assert docs.status_code == 200
        assert "https://" not in docs.text
        assert (await client.head("/healthz")).status_code == 200
        assert "T-1" not in (await client.get("/metrics")).text


async def _ready(client: httpx.AsyncClient) -> bool:
    return (await client.get("/readyz")).status_code == 200
