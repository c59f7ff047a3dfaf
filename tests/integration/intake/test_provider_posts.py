"""What providers post: kept once it is proved to be theirs, answered as they want it, the same twice only once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from reeve.runtime.providers.posts import twilio_signature
from tests.support.inbound import (
    ALIYUN,
    ENVIRONMENT,
    MAILBOX,
    PLAIN,
    TENCENT,
    TOKEN,
    TWILIO,
    aliyun_up,
    tencent_reply,
    twilio_reply,
    write_providers,
)
from tests.support.intake import Stack, eventually

pytestmark = pytest.mark.integration

NUMBER = "13800138000"
PUBLIC = "https://reeve.example.com"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    return write_providers(tmp_path / "channels", ALIYUN, TENCENT, TWILIO, PLAIN, MAILBOX)


def _kept(servers: Stack) -> list[dict[str, Any]]:
    client: MongoClient[dict[str, Any]] = MongoClient(servers.mongo.url)
    with client:
        return list(client["reeve"]["provider_posts"].find().sort("received_at"))


async def test_each_provider_is_answered_as_it_wants_and_what_it_posted_is_kept(
    servers: Stack, folder: Path
) -> None:
    async with servers.intake(channels=folder, public_url=PUBLIC) as (_, client):
        aliyun = await client.post(f"/v1/providers/aliyun/inbound?token={TOKEN}", content=aliyun_up(NUMBER, "1", 7))
        assert (aliyun.status_code, aliyun.json()) == (200, {"code": 0, "msg": "ok"})
        tencent = await client.post(
            f"/v1/providers/tencent/inbound?token={TOKEN}", content=tencent_reply("86", NUMBER, "收到", 1457336869)
        )
        assert tencent.json() == {"result": 0, "errmsg": "OK"}
        body, headers = twilio_reply(f"{PUBLIC}/v1/providers/twilio/inbound", "+447700900001", "2", "SM1")
        twilio = await client.post("/v1/providers/twilio/inbound", content=body, headers=headers)
        assert (twilio.text, twilio.headers["content-type"].partition(";")[0]) == ("<Response/>", "text/xml")
        plain = await client.get("/v1/providers/plain/inbound", params={"token": TOKEN, "mo": NUMBER, "msg": "1"})
        assert plain.text == "OK"
        mail = await client.post(f"/v1/providers/mailbox/inbound?token={TOKEN}", content=b"Subject: x\r\n\r\n1\r\n")
        assert mail.status_code == 200
    kept = _kept(servers)
    assert [each["provider"] for each in kept] == ["aliyun", "tencent", "twilio", "plain", "mailbox"]
    assert bytes(kept[0]["body"]) == aliyun_up(NUMBER, "1", 7)
    assert TOKEN not in str(kept)


async def test_a_post_that_comes_again_is_one_post(servers: Stack, folder: Path) -> None:
    async with servers.intake(channels=folder) as (_, client):
        for _ in range(3):
            body = aliyun_up(NUMBER, "1", 7)
            answer = await client.post(f"/v1/providers/aliyun/inbound?token={TOKEN}", content=body)
            assert answer.status_code == 200
            await client.get("/v1/providers/plain/inbound", params={"token": TOKEN, "mo": NUMBER, "msg": "1"})
        await client.post(f"/v1/providers/aliyun/inbound?token={TOKEN}", content=aliyun_up(NUMBER, "1", 8))
    assert sorted(each["provider"] for each in _kept(servers)) == ["aliyun", "aliyun", "plain"]


async def test_who_proves_nothing_is_refused_and_nothing_is_kept(servers: Stack, folder: Path) -> None:
    good = aliyun_up(NUMBER, "1", 7)
    async with servers.intake(channels=folder, public_url=PUBLIC) as (_, client):
        for query in ("", "?token=", "?token=wrong", "?Token=" + TOKEN):
            refused = await client.post(f"/v1/providers/aliyun/inbound{query}", content=good)
            assert refused.status_code == 403
            assert NUMBER not in refused.text
        body, headers = twilio_reply("https://elsewhere.example/x", "+447700900001", "2", "SM1")
        assert (await client.post("/v1/providers/twilio/inbound", content=body, headers=headers)).status_code == 403
        for path, method, status in (
            ("nobody/inbound", "POST", 404),
            ("plain/receipts", "GET", 404),
            ("aliyun/other", "POST", 422),
            ("aliyun/inbound", "GET", 405),
        ):
            answer = await client.request(method, f"/v1/providers/{path}?token={TOKEN}")
            assert answer.status_code == status, path
        large = await client.post(f"/v1/providers/aliyun/inbound?token={TOKEN}", content=b"x" * (1024 * 1024 + 1))
        assert large.status_code == 413
        metrics = (await client.get("/metrics")).text
    assert _kept(servers) == []
    assert 'reeve_intake_provider_posts_total{kind="inbound",outcome="403",provider="aliyun"}' in metrics
    assert NUMBER not in metrics


async def test_a_provider_that_is_added_while_intake_runs_may_post_and_a_fault_in_a_file_changes_nothing(
    servers: Stack, folder: Path
) -> None:
    (folder / "0.yaml").rename(folder / "0.later")
    async with servers.intake(channels=folder) as (_, client):

        async def answered(status: int) -> bool:
            answer = await client.post(
                f"/v1/providers/aliyun/inbound?token={TOKEN}", content=aliyun_up(NUMBER, "1", 7)
            )
            return answer.status_code == status

        async def faults(count: int) -> bool:
            return f"reeve_provider_files_faults {count}.0" in (await client.get("/metrics")).text

        assert await answered(404)
        (folder / "0.later").rename(folder / "0.yaml")
        await eventually("its posts are taken", lambda: answered(200))
        (folder / "1.yaml").write_text("name: [", "utf-8")
        await eventually("the fault is seen", lambda: faults(1))
        assert await answered(200)
        (folder / "0.yaml").unlink()
        (folder / "1.yaml").unlink()
        await eventually("its posts are refused", lambda: answered(404))
        assert await faults(0)


async def test_too_many_posts_are_told_to_wait(servers: Stack, folder: Path) -> None:
    async with servers.intake(channels=folder, intake_posts_rate=1) as (_, client):
        path = f"/v1/providers/aliyun/inbound?token={TOKEN}"
        taken = 0
        while (answer := await client.post(path, content=aliyun_up(NUMBER, "1", taken))).status_code == 200:
            taken += 1
            assert taken < 100
    assert (answer.status_code, taken >= 2) == (429, True)
    assert int(answer.headers["retry-after"]) >= 1


def test_twilio_signs_as_its_documentation_shows() -> None:
    fields = {"CallSid": "CA1234567890ABCDE", "Caller": "+12349013030", "Digits": "1234"}
    fields |= {"From": "+12349013030", "To": "+18005551212"}
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    assert twilio_signature(url, fields.items(), "12345") == "0/KCTR6DLpKmkAf8muzZqo1nDgQ="
