"""Provider files that are added, mended, broken and removed while notify runs: no restart, and nothing lost."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
import yaml
from prometheus_client import REGISTRY

from reeve.domain.effects import Effect
from reeve.runtime.providers.posts import public_id
from tests.integration.notify.providers import companies, folder, receipt
from tests.integration.notify.test_fail_over import BY_SMS
from tests.integration.notify.world import World
from tests.support.waiting import until

pytestmark = pytest.mark.integration

__all__ = ["folder"]


async def _in_state(here: World, effect: Effect, state: str) -> str:
    """The provider that the only delivery had last, once it is in that state."""

    async def reached() -> bool:
        found = await here.database["deliveries"].find_one({"notification": effect.key, "state": state})
        return found is not None

    await here.until(f"it is {state}", reached)
    attempts = (await here.delivery(effect))["attempts"]
    return attempts[-1]["provider"] if attempts else ""


def _taken() -> float:
    return REGISTRY.get_sample_value("reeve_provider_files_changes_total", {"outcome": "taken"}) or 0.0


async def test_files_change_while_notify_runs(
    here: World, folder: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    await here.people(BY_SMS)

    async def told(*words: str) -> None:
        said = ""

        def they_are() -> bool:
            nonlocal said
            said += capsys.readouterr().out + caplog.text
            caplog.clear()
            return all(word in said for word in words)

        await until(f"{words} in the log", they_are)

    # Counted, not read from the log: what of it is written depends on what ran before in this process.
    taken_before = _taken()

    async def sms(subject: str) -> Effect:
        return await here.request(await here.case(subject), via=["sms"])

    beside = folder.parent / "beside"
    beside.mkdir()
    alone = {"timeout": "2m", "connections": 1}
    async with (
        companies(folder, alpha=alone) as (alpha,),
        companies(beside, beta={}) as (beta,),
        here.notify(channels=folder, sms_gateway=None, smtp_host=None),
    ):
        assert await _in_state(here, await sms("T-1"), "sent") == "alpha"

        alpha.held = asyncio.Event()
        under_way, in_hand = await sms("T-2"), await sms("T-3")
        await until("alpha has one of them", lambda: len(alpha.taken) == 2)
        for each in (under_way, in_hand):
            await _in_state(here, each, "claimed")
        (folder / "alpha.yaml").unlink()
        await until("there is no alpha", lambda: _taken() == taken_before + 1)
        await _in_state(here, in_hand, "queued")
        (beside / "beta.yaml").rename(folder / "beta.yaml")
        await until("there is a beta", lambda: _taken() == taken_before + 2)
        assert await _in_state(here, in_hand, "sent") == "beta"
        alpha.held.set()
        assert await _in_state(here, under_way, "sent") == "alpha", "what is under way ends where it began"

        (folder / "beta.yaml").write_text(yaml.safe_dump(beta.file({"url": "nowhere"})), encoding="utf-8")
        await told("providers_refused", "beta.yaml", "url", "this is no http:// or https:// address")
        assert await _in_state(here, await sms("T-4"), "sent") == "beta", "with what its file said before"
        await receipt(here, beta, id=public_id((await here.delivery(in_hand))["_id"]), status="DELIVRD")
        await _in_state(here, in_hand, "delivered")
    assert (len(alpha.taken), len(beta.taken)) == (2, 2)
