"""Events posted on intake.>: the same record, and refusals where their sender can see them."""

from __future__ import annotations

import base64
from typing import Any

import orjson
import pytest

from tests.support.intake import Stack, event, eventually
from tests.support.waiting import PATIENCE

pytestmark = pytest.mark.integration


async def _post(servers: Stack, subject: str, body: bytes, headers: dict[str, str] | None = None) -> None:
    async with servers.bus() as bus:
        await bus.jetstream(timeout=PATIENCE).publish(subject, body, headers=headers)


async def test_good_posts_end_in_the_record_and_on_the_bus(servers: Stack) -> None:
    async with servers.intake() as (_, client):
        await eventually("the streams are there", lambda: _has(servers, "TIMERS"))
        for name in ("1", "2", "1"):
            await _post(servers, "intake.sunshine-garden.ticket.opened", orjson.dumps(event(name)))
        attributes = {f"ce-{name}": value for name, value in event("3").items() if name != "data"}
        await _post(servers, "intake.sunshine-garden.ticket.opened", orjson.dumps(event("3")["data"]), attributes)

        async def published() -> bool:
            return await servers.published() == ["1", "2", "3"]

        await eventually("they are published once each", published)
        answer = await client.post("/v1/events", json=event("3"))
        assert answer.json() == {"id": "3", "duplicate": True}
        assert await servers.messages("DEAD") == []

        async def settled() -> bool:
            async with servers.bus() as bus:
                info = await bus.jetstream(timeout=PATIENCE).consumer_info("INTAKE", "intake-INTAKE")
                return (info.num_ack_pending, info.num_pending) == (0, 0)

        await eventually("every post is acknowledged", settled)


BAD: list[tuple[str, str, bytes, str | None, str]] = [
    ("no JSON", "intake.garden.ticket.opened", b"{", None, "$: expected well-formed JSON in UTF-8"),
    (
        "another site",
        "intake.garden.ticket.opened",
        orjson.dumps(event("a")),
        "a",
        "$.site: expected the NATS subject's site",
    ),
    (
        "another type",
        "intake.garden.ticket.closed",
        orjson.dumps(event("b", site="garden")),
        "b",
        "$.type: expected the NATS subject's type",
    ),
    (
        "a bad field",
        "intake.garden.ticket.opened",
        orjson.dumps(event("c", site="garden", data={"category": "王小明"})),
        "c",
        "$.data.category: expected one of ",
    ),
    (
        "a subject that is none",
        "intake.garden.ticket.opened.more",
        orjson.dumps(event("d", site="garden")),
        "d",
        "$: expected a post on intake.<site>.<family>.<verb>",
    ),
    (
        "too large",
        "intake.garden.ticket.opened",
        b'{"x":"' + b"y" * 300 * 1024 + b'"}',
        None,
        "$: expected an event",
    ),
]


@pytest.mark.parametrize(("subject", "body", "id", "reason"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
async def test_a_refused_post_is_a_dead_letter_and_a_notice(
    servers: Stack, subject: str, body: bytes, id: str | None, reason: str
) -> None:
    async with servers.intake():
        await eventually("the streams are there", lambda: _has(servers, "TIMERS"))
        await _post(servers, subject, body)
        await eventually("the sender is told", lambda: servers.messages("REJECTED"))
        ((dead_on, letter),) = await servers.messages("DEAD")
        ((told_on, notice),) = await servers.messages("REJECTED")
    assert (dead_on, told_on) == ("dead.intake.garden", "rejected.garden")
    data: dict[str, Any] = letter["data"]
    assert base64.b64decode(data["body"]) == body
    assert (data["subject"], data["attempts"], data["service"]) == (subject, 1, "intake")
    assert data["reason"].startswith(reason)
    assert set(notice["data"]) == {"id", "subject", "reason"}
    assert notice["data"]["id"] == id
    assert notice["data"]["reason"] == data["reason"]
    assert "王" not in str(notice)
    assert servers.stored() == []


async def test_an_unusable_site_goes_to_the_underscore(servers: Stack) -> None:
    async with servers.intake():
        await eventually("the streams are there", lambda: _has(servers, "TIMERS"))
        await _post(servers, "intake.BAD SITE.ticket.opened".replace(" ", "_"), orjson.dumps(event("1")))
        await eventually("the sender is told", lambda: servers.messages("REJECTED"))
        assert [subject for subject, _ in await servers.messages("DEAD")] == ["dead.intake._"]
        assert [subject for subject, _ in await servers.messages("REJECTED")] == ["rejected._"]


async def _has(servers: Stack, stream: str) -> bool:
    async with servers.bus() as bus:
        return stream in {info.config.name for info in await bus.jetstream(timeout=PATIENCE).streams_info()}
