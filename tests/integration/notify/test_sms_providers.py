"""The gateway files that come with Reeve, sent over a socket to stand-ins that check as the providers do."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

import pytest

from reeve.devstack.tiny_http import Response, TinyHttpServer
from reeve.runtime.providers.load import load_provider
from services.notify.channels.base import Outcome, Reason, Result, Text
from services.notify.channels.http import HttpProvider
from tests.support.outcomes import http_file, plain
from tests.support.passing_time import let_pass
from tests.support.sms_providers import ACCOUNT, KEY, KEY_ID, Aliyun, Provider, Tencent, Twilio
from tests.support.waiting import PATIENCE, until

pytestmark = pytest.mark.integration

FILES = Path(__file__).parents[3] / "examples" / "channels"
NOW = datetime(2026, 11, 20, 16, 30, tzinfo=UTC)
ENVIRONMENT = {
    "REEVE_ALIYUN_ACCESS_KEY_ID": KEY_ID,
    "REEVE_ALIYUN_ACCESS_KEY_SECRET": KEY,
    "REEVE_TENCENT_SECRET_ID": KEY_ID,
    "REEVE_TENCENT_SECRET_KEY": KEY,
    "REEVE_TWILIO_ACCOUNT_SID": ACCOUNT,
    "REEVE_TWILIO_KEY_SID": KEY_ID,
    "REEVE_TWILIO_KEY_SECRET": KEY,
}
NUMBER = "+8613800138000"
TEXT = Text(
    "k#pm-1#sms",
    NUMBER,
    "",
    "【阳光花园】重大投诉 T-1 & 100% ~*'+=?\n请处理",
    NOW,
    message="complaint_reported",
    language="zh-CN",
    values={"case": "T-1 楼&+*~'\"%/", "grade_title": "重大\n投诉", "policy_title": "投诉", "title": "秘密"},
)
NAMES = ("aliyun", "tencent", "twilio")
BUSY = Outcome(Result.TRANSIENT, Reason.BUSY)
OVER_FOR_TODAY = Outcome(Result.PERMANENT, Reason.BUSY)
BAD_ADDRESS = Outcome(Result.PERMANENT, Reason.BAD_ADDRESS)
REFUSED = Outcome(Result.PERMANENT, Reason.REFUSED)
CREDENTIALS = Outcome(Result.TRANSIENT, Reason.CREDENTIALS)
FAULT = Outcome(Result.TRANSIENT, Reason.PROVIDER_ERROR)


class World:
    """A provider and a channel that takes it for the real one."""

    def __init__(self, name: str) -> None:
        self.name = name
        kinds: dict[str, type[Provider]] = {"aliyun": Aliyun, "tencent": Tencent, "twilio": Twilio}
        approved = {
            "aliyun": {"SMS_000000001": ("kind", "case"), "SMS_000000002": ("grade", "case")},
            "tencent": {"1000001": ("1", "2"), "1000002": ("1", "2")},
            "twilio": {},
        }
        self.provider = kinds[name](NOW, dict(approved[name]))
        self.server = TinyHttpServer(self.provider.handle, "127.0.0.1", 0)
        self.channels: list[HttpProvider] = []

    def channel(self, environment: dict[str, str] = ENVIRONMENT, **changes: object) -> HttpProvider:
        """The file as it is shipped, but for the address."""
        found = load_provider(str(FILES / f"{self.name}.yaml"), environment)
        gateway = http_file(found)
        path = urlsplit(gateway.url).path
        known = {"url": f"http://127.0.0.1:{self.server.port}{path}", "timeout": timedelta(seconds=PATIENCE)}
        changes = {**known, **changes}
        channel = HttpProvider(gateway.model_copy(update=changes), found.secrets)
        self.channels.append(channel)
        return channel

    async def __aenter__(self) -> Self:
        await self.server.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        for channel in self.channels:
            await channel.close()
        await self.server.stop()


@pytest.fixture(params=NAMES)
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    """Each provider in turn."""
    async with World(request.param) as world:
        yield world


async def test_the_provider_takes_it(world: World) -> None:
    outcome = await world.channel().send(TEXT)
    assert (outcome.result, outcome.reason) == (Result.SENT, Reason.ACCEPTED)
    (taken,) = world.provider.taken
    case = "T-1 楼&+*~'\"%/"
    match world.name:
        case "aliyun":
            assert outcome.reference == "900619746936498440^0"
            assert taken["PhoneNumbers"] == "8613800138000"
            assert (taken["SignName"], taken["TemplateCode"]) == ("你的签名", "SMS_000000002")
            assert taken["TemplateParam"] == {"grade": "重大 投诉", "case": case}
        case "tencent":
            assert outcome.reference == "5000:1045710669157053657849499619"
            assert taken["PhoneNumberSet"] == [NUMBER]
            assert (taken["SmsSdkAppId"], taken["TemplateId"]) == ("1400000000", "1000002")
            assert taken["TemplateParamSet"] == ["重大 投诉", case]
        case _:
            assert outcome.reference == "SM" + "0" * 32
            assert taken == {"To": NUMBER, "From": "+15005550006", "Body": TEXT.body}


EVERY_SORT = (
    "".join(map(chr, range(1, 0x180))),
    "%2B%20+%%zz",
    "a&b=c;d#e?f/g\\h",
    "~*'()!-_.",
    " 前后空格 \t\r\n",
    "👍🏽\u200d\u00e9\u0065\u0301\ufeff",
    "",
)


@pytest.mark.parametrize("text", EVERY_SORT)
async def test_every_sort_of_character_is_signed_as_it_is_sent(world: World, text: str) -> None:
    shipped = http_file(load_provider(str(FILES / f"{world.name}.yaml"), ENVIRONMENT))
    match world.name:
        case "aliyun":
            channel = world.channel(query={**shipped.query, "Extra & *": "{{ text }}"})
        case "tencent":
            channel = world.channel(json_={**shipped.json_, "Extra & *": "{{ text }}"})
        case _:
            channel = world.channel(form={**(shipped.form or {}), "Extra & *": "x{{ text }}"})
    assert (await channel.send(replace(TEXT, body=text))).result is Result.SENT
    assert world.provider.taken[0]["Extra & *"].removeprefix("x") == text.removeprefix("x")


async def test_a_repeat_is_signed_anew(world: World) -> None:
    channel = world.channel()
    for _ in range(3):
        assert (await channel.send(TEXT)).result is Result.SENT
    assert len(world.provider.taken) == 3


async def test_a_wrong_key_is_for_a_person_to_mend(world: World) -> None:
    channel = world.channel({name: "wrong" if "KEY" in name else value for name, value in ENVIRONMENT.items()})
    assert plain(await channel.send(TEXT)) == CREDENTIALS
    assert not world.provider.taken


@pytest.mark.parametrize("name", ["aliyun", "tencent"])
async def test_a_wrong_secret_or_clock_is_noticed(name: str) -> None:
    secret = {"aliyun": "REEVE_ALIYUN_ACCESS_KEY_SECRET", "tencent": "REEVE_TENCENT_SECRET_KEY"}[name]
    async with World(name) as world:
        assert plain(await world.channel({**ENVIRONMENT, secret: KEY + "x"}).send(TEXT)) == CREDENTIALS
        assert plain(await world.channel().send(replace(TEXT, at=NOW - timedelta(hours=1)))) == CREDENTIALS
        assert not world.provider.taken


def _aliyun(code: str, status: int = 200, message: str = "-") -> Response:
    return Response(status, json.dumps({"Code": code, "Message": message}, ensure_ascii=False).encode())


def _tencent(code: str, *, number: bool = False) -> Response:
    answer = {"SendStatusSet": [{"SerialNo": "", "Code": code}]} if number else {"Error": {"Code": code}}
    return Response(200, json.dumps({"Response": answer}).encode())


def _twilio(status: int, code: int) -> Response:
    return Response(status, json.dumps({"code": code, "message": f"to {NUMBER}", "status": status}).encode())


ANSWERS: list[tuple[str, Response, Outcome]] = [
    ("aliyun", _aliyun("Throttling.User", 400), BUSY),
    ("aliyun", _aliyun("isv.BUSINESS_LIMIT_CONTROL", message="触发分钟级流控Permits:1"), BUSY),
    ("aliyun", _aliyun("isv.BUSINESS_LIMIT_CONTROL", message="触发天级流控Permits:10"), OVER_FOR_TODAY),
    ("aliyun", _aliyun("isv.DAY_LIMIT_CONTROL"), OVER_FOR_TODAY),
    ("aliyun", _aliyun("isv.MOBILE_NUMBER_ILLEGAL"), BAD_ADDRESS),
    ("aliyun", _aliyun("isv.SMS_TEMPLATE_ILLEGAL"), REFUSED),
    ("aliyun", _aliyun("isv.AMOUNT_NOT_ENOUGH"), CREDENTIALS),
    ("aliyun", _aliyun("SignatureNonceUsed", 400), FAULT),
    ("aliyun", _aliyun("isp.SYSTEM_ERROR"), FAULT),
    ("tencent", _tencent("RequestLimitExceeded"), BUSY),
    ("tencent", _tencent("LimitExceeded.PhoneNumberThirtySecondLimit", number=True), BUSY),
    ("tencent", _tencent("LimitExceeded.PhoneNumberDailyLimit", number=True), OVER_FOR_TODAY),
    ("tencent", _tencent("InvalidParameterValue.IncorrectPhoneNumber", number=True), BAD_ADDRESS),
    ("tencent", _tencent("FailedOperation.TemplateIncorrectOrUnapproved", number=True), REFUSED),
    ("tencent", _tencent("FailedOperation.InsufficientBalanceInSmsPackage", number=True), CREDENTIALS),
    ("tencent", _tencent("InternalError.OtherError"), FAULT),
    ("tencent", _tencent("InternalError.Timeout"), Outcome(Result.UNKNOWN, Reason.PROVIDER_ERROR)),
    ("twilio", _twilio(429, 20429), BUSY),
    ("twilio", _twilio(400, 21611), BUSY),
    ("twilio", _twilio(400, 21614), BAD_ADDRESS),
    ("twilio", _twilio(400, 21610), REFUSED),
    ("twilio", _twilio(400, 21617), REFUSED),
    *((name, Response(503, b"<html>"), FAULT) for name in NAMES),
    *((name, Response(429, b""), BUSY) for name in NAMES),
    *((name, Response(200, b"{}"), FAULT) for name in NAMES),
]


@pytest.mark.parametrize(("name", "answer", "outcome"), ANSWERS)
async def test_each_refusal_is_what_it_means(name: str, answer: Response, outcome: Outcome) -> None:
    async with World(name) as world:
        world.provider.misbehave = [answer]
        channel = world.channel()
        assert plain(await channel.send(TEXT)) == outcome
        assert (await channel.send(TEXT)).result is Result.SENT


async def test_silence_and_a_broken_line_are_unknown(world: World) -> None:
    world.provider.misbehave = [10 * PATIENCE, None]
    channel = world.channel()
    sending = asyncio.create_task(channel.send(TEXT))
    await until("the provider has it", lambda: bool(world.provider.taken))
    let_pass(PATIENCE)
    assert plain(await sending) == Outcome(Result.UNKNOWN, Reason.TIMEOUT)
    assert plain(await channel.send(TEXT)) == Outcome(Result.UNKNOWN, Reason.DISCONNECTED)


async def test_a_bad_number_is_the_addresss_fault(world: World) -> None:
    assert plain(await world.channel().send(replace(TEXT, to="+12"))) == BAD_ADDRESS


@pytest.mark.parametrize("name", ["aliyun", "tencent"])
async def test_messages_without_an_entry_take_the_one_for_all(name: str) -> None:
    other = replace(TEXT, message="repair_due")
    async with World(name) as world:
        channel = world.channel()
        assert (await channel.send(other)).result is Result.SENT
        taken = world.provider.taken[0]
        assert taken.get("TemplateCode", taken.get("TemplateId")) in ("SMS_000000001", "1000001")
        gateway = http_file(load_provider(str(FILES / f"{name}.yaml"), ENVIRONMENT))
        only = {key: each for key, each in (gateway.templates or {}).items() if key != "*"}
        alone = world.channel(templates=only)
        assert plain(await alone.send(other)) == Outcome(Result.PERMANENT, Reason.NO_TEMPLATE)
        assert (await alone.send(TEXT)).result is Result.SENT


async def test_nobody_and_no_key_is_in_a_log(
    world: World, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level("DEBUG")
    channel = world.channel()
    await channel.send(TEXT)
    await channel.send(replace(TEXT, to="+12"))
    without_values = await channel.send(replace(TEXT, values={}))
    assert world.provider.taken
    if world.name != "twilio":
        assert plain(without_values) == REFUSED
    written = capsys.readouterr()
    said = caplog.text + written.out + written.err + repr((channel, TEXT, vars(channel)))
    for secret in (NUMBER, NUMBER[1:], KEY, "a secret", "T-1", "重大", "秘密", "请处理"):
        assert secret not in said


@pytest.mark.parametrize("name", NAMES)
def test_the_file_says_what_to_fill_in_in_both_languages(name: str) -> None:
    source = (FILES / f"{name}.yaml").read_text("utf-8")
    assert f"REEVE_SMS_GATEWAY=examples/channels/{name}.yaml" in source
    assert "Fill in:" in source
    assert "需要填写" in source
    found = load_provider(str(FILES / f"{name}.yaml"), ENVIRONMENT)
    gateway = http_file(found)
    assert KEY not in repr(found)
    assert gateway.url.startswith("https://")
