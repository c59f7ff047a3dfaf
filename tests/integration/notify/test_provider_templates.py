"""From a requested notification to a provider's approved template: what the case says fills it in."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from reeve.devstack.tiny_http import TinyHttpServer
from reeve.runtime.time_source import SystemTime
from tests.integration.notify.world import MANAGER, World
from tests.support.sms_providers import KEY, KEY_ID, Aliyun

pytestmark = pytest.mark.integration

FILE = Path(__file__).parents[3] / "examples" / "channels" / "aliyun.yaml"


@pytest.fixture
async def provider(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Aliyun]:
    """Aliyun, as far as a sender can see it, with the two templates of the file approved."""
    monkeypatch.setenv("REEVE_ALIYUN_ACCESS_KEY_ID", KEY_ID)
    monkeypatch.setenv("REEVE_ALIYUN_ACCESS_KEY_SECRET", KEY)
    templates = {"SMS_000000001": ("kind", "case"), "SMS_000000002": ("grade", "case")}
    provider = Aliyun(SystemTime().now(), templates)
    server = TinyHttpServer(provider.handle, "127.0.0.1", 0)
    await server.start()
    provider.port = server.port
    yield provider
    await server.stop()


def _file(provider: Aliyun, tmp_path: Path, *, without: str = "") -> str:
    source = FILE.read_text("utf-8").replace("https://dysmsapi.aliyuncs.com/", f"http://127.0.0.1:{provider.port}/")
    lines = source.splitlines(keepends=True)
    if without:
        begins = next(place for place, line in enumerate(lines) if line.startswith(f"  {without}:"))
        del lines[begins : begins + 3]
    file = tmp_path / "aliyun.yaml"
    file.write_text("".join(lines), "utf-8")
    return str(file)


async def test_the_case_fills_in_the_template(here: World, provider: Aliyun, tmp_path: Path) -> None:
    await here.people(MANAGER)
    case = await here.case("T-1", title="漏水 & 投诉")
    async with here.notify(sms_gateway=_file(provider, tmp_path)):
        effect = await here.request(case, via=["sms"])
        (sent,) = await here.told("sent")
    (taken,) = provider.taken
    assert (taken["PhoneNumbers"], taken["TemplateCode"]) == ("447700900001", "SMS_000000002")
    assert taken["TemplateParam"] == {"grade": "重大投诉", "case": "T-1"}
    assert sent["data"]["channel"] == "sms"
    delivery = await here.delivery(effect)
    assert delivery["attempts"][0]["reference"] == "900619746936498440^0"
    said = json.dumps(here.heard)
    assert "447700900001" not in said
    assert KEY not in said


async def test_a_message_without_a_template_goes_another_way(here: World, provider: Aliyun, tmp_path: Path) -> None:
    await here.people(MANAGER)
    case = await here.case("T-1")
    async with here.notify(sms_gateway=_file(provider, tmp_path, without='"*"')):
        effect = await here.request(case, via=["sms"], message="unreachable")
        await here.told("failed")
        await here.arrived(1)
    assert not provider.taken
    delivery = await here.delivery(effect, channel="sms")
    assert (delivery["state"], delivery["attempts"][-1]["reason"]) == ("failed", "no_template")
    assert here.mailbox.messages[0].to == ("manager@example.org",)
