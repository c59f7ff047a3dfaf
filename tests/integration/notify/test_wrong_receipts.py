"""Receipts that are forged, broken, of others, repeated, too early or contradicted: nothing changes wrongly."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from reeve.domain.effects import Effect
from reeve.runtime.providers.posts import public_id
from services.intake.app import intake
from services.intake.settings import IntakeSettings
from tests.integration.notify.providers import companies, folder
from tests.integration.notify.test_fail_over import BY_SMS
from tests.integration.notify.world import World
from tests.support.intake import takes_posts
from tests.support.waiting import PATIENCE, eventually, until

pytestmark = pytest.mark.integration

__all__ = ["folder"]

SECRET = "a secret"
SIGNED = {"webhooks": {"auth": {"kind": "hmac", "secret": "{{ secrets.hook }}", "header": "X-Sign"}}, "order": 2}
NUMBER = "+447700900001"


class Hook:
    """Posts to intake as anybody may."""

    def __init__(self, here: World, client: httpx.AsyncClient) -> None:
        self._here = here
        self._client = client

    async def alpha(self, body: bytes, token: str = SECRET) -> int:
        answer = await self._client.post("/v1/providers/alpha/receipts", params={"token": token}, content=body)
        assert NUMBER not in answer.text
        return answer.status_code

    async def beta(self, body: bytes, signed: bytes | None = None) -> int:
        right = hmac.new(SECRET.encode(), body if signed is None else signed, hashlib.sha256).hexdigest()
        url = "/v1/providers/beta/receipts"
        return (await self._client.post(url, content=body, headers={"X-Sign": right})).status_code

    async def all_looked_at(self) -> None:
        """Notify has looked at every post that was kept."""

        async def looked_at() -> bool:
            waiting = {"$or": [{"claims": None}, {"claim": {"$ne": None}}]}
            return not await self._here.database["provider_posts"].count_documents(waiting)

        await self._here.until("every post was looked at", looked_at)


def said(**words: Any) -> bytes:
    return orjson.dumps({"mobile": NUMBER, **words})


async def _state(here: World, effect: Effect, state: str) -> list[str]:
    """How the attempts of the delivery ended, once it is in that state."""

    async def reached() -> bool:
        found = await here.database["deliveries"].find_one({"notification": effect.key, "state": state})
        return found is not None

    await here.until(f"it is {state}", reached)
    return [each["result"] for each in (await here.delivery(effect))["attempts"]]


async def test_nothing_changes_wrongly_and_whoever_posts_gets_the_right_answer(
    here: World, folder: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    await here.people(BY_SMS)
    settings = IntakeSettings(
        nats_url=here.urls.nats_url,
        mongo_url=here.urls.mongo_url,
        mongo_database=here.database.name,
        intake_port=0,
        channels=folder,
    )
    async with (
        companies(folder, alpha={"order": 1}, beta=SIGNED) as (alpha, _),
        here.notify(channels=folder, sms_gateway=None, smtp_host=None),
        intake(settings) as running,
        httpx.AsyncClient(base_url=running.url, timeout=PATIENCE) as client,
    ):
        await eventually("intake takes posts", lambda: takes_posts(client))
        hook = Hook(here, client)
        effect = await here.request(await here.case("T-1"), via=["sms"])
        assert await _state(here, effect, "sent") == ["sent"]
        ours = public_id((await here.delivery(effect))["_id"])
        theirs = alpha.taken[0]["reference"]
        failed = said(reference=theirs, id=ours, status="UNDELIV")

        refused = {
            "no token": await hook.alpha(failed, token=""),
            "another token": await hook.alpha(failed, token=SECRET + "x"),
            "the signature of another post": await hook.beta(failed, signed=b"{}"),
            "too large": await hook.alpha(failed + b" " * 1024 * 1024),
        }
        assert list(refused.values()) == [403, 403, 403, 413]
        assert await here.database["provider_posts"].count_documents({}) == 0

        # Who has proved who it is would only repeat what it hears no good answer to.
        junk = (
            b'[1, null, "x", {}, {"status": {"a": 1}, "reference": ["b"]}, {"reference": "", "status": "UNDELIV"}]'
        )
        taken = {
            "not JSON": await hook.alpha(failed[:-2]),
            "JSON without sense": await hook.alpha(junk),
            "no text": await hook.alpha(b"\xff\xfe"),
            "of nobody's message": await hook.alpha(said(reference="alpha-999", status="UNDELIV")),
            "of another provider's message": await hook.beta(failed),
            "of no status that there is": await hook.alpha(said(reference=theirs, status="EATEN")),
        }
        assert set(taken.values()) == {200}, taken
        await hook.all_looked_at()
        assert await _state(here, effect, "sent") == ["sent"]

        delivered = said(reference=theirs, status="DELIVRD")
        for body in (delivered, delivered, said(id=ours, status="DELIVRD", again=1), failed):
            assert await hook.alpha(body) == 200
        await hook.all_looked_at()
        assert await _state(here, effect, "delivered") == ["sent", "delivered"]

        alpha.held = asyncio.Event()
        early = await here.request(await here.case("T-2"), via=["sms"])
        await until("alpha has it", lambda: len(alpha.taken) == 2)
        assert await hook.alpha(said(id=alpha.taken[1]["id"], status="DELIVRD")) == 200
        await hook.all_looked_at()
        assert await _state(here, early, "claimed") == []
        alpha.held.set()
        assert await _state(here, early, "delivered") == ["sent", "delivered"]
        await here.told("delivered", 2)
    assert len(here.outcomes("delivered")) == 2
    assert here.outcomes("failed") == []
    written = capsys.readouterr().out + caplog.text
    assert "provider_post_refused" in written
    assert written.count("receipts_unreadable") == 3
    for hidden in (NUMBER, NUMBER[1:], SECRET, "EATEN", theirs):
        assert hidden not in written
