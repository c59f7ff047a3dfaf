"""A person in a chat and another system are told by one notification, each in its way; nothing else hears of it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from reeve.devstack.tiny_http import Request, Response, TinyHttpServer
from reeve.domain.recipients import Recipient
from tests.integration.notify.world import SITE, World

pytestmark = pytest.mark.integration

CHAT = (
    "name: chat-a\nkind: apprise\ntimeout: 2m\nurl: 'json://127.0.0.1:{port}/{{{{ secrets.key }}}}/{{{{ to }}}}'\n"
)
HOOK = "name: erp\nkind: webhook\ntimeout: 2m\nsecret: '{{{{ secrets.key }}}}'\nallow_hosts: [localhost]\n"
SECRETS = "secrets: {{key: REEVE_TEST_CHAT_KEY}}\n"
KEY = "k3y-of-the-robot"


async def test_a_chat_and_a_system_are_told(
    here: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("REEVE_TEST_CHAT_KEY", KEY)
    taken: list[Request] = []

    async def take(request: Request) -> Response:
        taken.append(request)
        return Response(200, b"{}", "application/json")

    server = TinyHttpServer(take, "127.0.0.1", 0)
    await server.start()
    for name, text in (("chat", CHAT + SECRETS), ("hook", HOOK + SECRETS)):
        (tmp_path / f"{name}.yaml").write_text(text.format(port=server.port), "utf-8")
    person = Recipient("pm-1", SITE, frozenset({"property_manager"}), "zh", {"chat": "night-shift"}, name="王经理")
    system = replace(person, id="erp-1", addresses={"webhook": f"http://localhost:{server.port}/hook"}, name="")
    await here.people(person, system)
    async with here.notify(channels=tmp_path, sms_gateway=None, smtp_host=None):
        effect = await here.request(await here.case("T-1"), via=["chat", "webhook"])
        told = await here.told("sent", 2)
    await server.stop()
    by_path = {request.path: request for request in taken}
    assert set(by_path) == {f"/{KEY}/night-shift", "/hook"}
    said = json.loads(by_path[f"/{KEY}/night-shift"].body)["message"]
    event = json.loads(by_path["/hook"].body)
    assert "T-1" in said
    assert (event["subject"], event["data"]["case"], event["data"]["policy"]) == ("T-1", "T-1", "complaint")
    assert event["data"]["text"].startswith("【")
    assert by_path["/hook"].headers["webhook-signature"].startswith("v1,")
    assert {(each["data"]["channel"], each["data"]["recipient"]) for each in told} == {
        ("chat", "pm-1"),
        ("webhook", "erp-1"),
    }
    sent = await here.database["deliveries"].find({"notification": effect.key}).to_list()
    assert {each["attempts"][0]["provider"] for each in sent} == {"chat-a", "erp"}
    outside = caplog.text + b"".join(here.heard_bytes).decode()
    for secret in (KEY, "night-shift", "localhost", "王经理", "ceiling leak"):
        assert secret not in outside
