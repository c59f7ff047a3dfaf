"""What providers post, as they document it, read by the files that come with Reeve; and who proves to be whom."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from reeve.runtime.providers.http_file import HttpFile
from reeve.runtime.providers.load import Configured, load_provider
from reeve.runtime.providers.posts import (
    Post,
    Receipt,
    Reply,
    answer_for,
    inbound_in,
    public_id,
    receipts_in,
    twilio_signature,
    verified,
)

FILES = Path(__file__).parents[3] / "examples" / "channels"
TOKEN = "t0ken +/="
FORM = {"content-type": "application/x-www-form-urlencoded; charset=UTF-8"}
JSON = {"content-type": "application/json;charset=utf-8"}


def _shipped(name: str) -> Configured:
    """The file as it is shipped; every variable it names holds the token."""
    source = (FILES / f"{name}.yaml").read_text("utf-8")
    names = [line.partition(":")[2].strip() for line in source.splitlines() if ": REEVE_" in line]
    return load_provider(str(FILES / f"{name}.yaml"), dict.fromkeys(names, TOKEN))


def _post(body: object = b"", headers: dict[str, str] | None = None, query: str = "", method: str = "POST") -> Post:
    raw = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
    return Post(method, "https://reeve.example/v1/providers/x/receipts", query, headers or JSON, raw)


def test_aliyuns_reports_and_messages() -> None:
    # SmsReport and SmsUp, HTTP batch push.
    aliyun = _shipped("aliyun")
    entry = {
        "phone_number": "13900000001",
        "send_time": "2017-01-01 11:12:13",
        "report_time": "2017-02-02 22:23:24",
        "success": True,
        "err_code": "DELIVERED",
        "err_msg": "用户接收成功",
        "sms_size": "1",
        "biz_id": "12345",
        "out_id": "67890",
    }
    failed = entry | {"success": False, "err_code": "MOBILE_NOT_ON_SERVICE", "biz_id": "12346"}
    assert receipts_in(aliyun, _post([entry, failed])) == [
        Receipt("delivered", "12345", None, False, 1, "DELIVERED"),
        Receipt("failed", "12346", None, True, 1, "MOBILE_NOT_ON_SERVICE"),
    ]
    up = {"phone_number": "13900000001", "content": "1", "send_time": "2017-09-01 11:12:13", "sequence_id": 123}
    assert inbound_in(aliyun, _post([up])) == [Reply("13900000001", "1", None, "123", "2017-09-01 11:12:13")]
    assert json.loads(answer_for(aliyun, "receipts").body)["code"] == 0


def test_tencents_status_and_replies() -> None:
    tencent = _shipped("tencent")
    entry = {
        "user_receive_time": "2015-10-17 08:03:04",
        "nationcode": "86",
        "mobile": "13900000001",
        "report_status": "SUCCESS",
        "errmsg": "DELIVRD",
        "description": "用户短信送达成功",
        "sid": "5000:1045710669157053657849499619",
    }
    assert receipts_in(tencent, _post([entry, entry | {"report_status": "FAIL", "errmsg": "UNDELIV"}])) == [
        Receipt("delivered", "5000:1045710669157053657849499619", detail="DELIVRD"),
        Receipt("failed", "5000:1045710669157053657849499619", detail="UNDELIV"),
    ]
    reply = {
        "extend": "01",
        "mobile": "13900000001",
        "nationcode": "86",
        "sign": "x",
        "text": "收到",
        "time": 1457336869,
    }
    assert inbound_in(tencent, _post(reply | {"time": 1457336869})) == [
        Reply("+8613900000001", "收到", None, None, "1457336869")
    ]
    assert json.loads(answer_for(tencent, "inbound").body)["result"] == 0


def test_twilios_callbacks() -> None:
    twilio = _shipped("twilio")
    sid = "SM" + "0" * 32
    said = {
        status: receipts_in(twilio, _post(urlencode({"MessageSid": sid, "MessageStatus": status}).encode(), FORM))
        for status in ("queued", "sent", "delivered", "undelivered")
    }
    assert [each[0].status for each in said.values()] == ["pending", "pending", "delivered", "failed"]
    fields = {"MessageSid": sid, "From": "+447700900001", "To": "+15005550006", "Body": "好的 & 1"}
    body = urlencode(fields).encode()
    assert inbound_in(twilio, _post(body, FORM)) == [Reply("+447700900001", "好的 & 1", "+15005550006", sid)]
    signature = twilio_signature("https://reeve.example/v1/providers/x/receipts", fields.items(), TOKEN)
    assert verified(twilio, _post(body, FORM | {"x-twilio-signature": signature}))
    assert not verified(twilio, _post(body + b"&x=1", FORM | {"x-twilio-signature": signature}))
    assert not verified(twilio, _post(body, FORM))
    assert answer_for(twilio, "inbound").content_type == "text/xml"


def test_kannels_calls() -> None:
    kannel = _shipped("kannel")
    query = urlencode({"token": TOKEN, "id": public_id("d"), "status": "2", "why": "NACK/11"})
    post = _post(query=query, method="GET", headers={"host": "x"})
    assert verified(kannel, post)
    assert receipts_in(kannel, post) == [Receipt("failed", None, public_id("d"), detail="NACK/11")]
    up = urlencode({"token": TOKEN, "from": "+447700900001", "to": "123", "text": "1", "id": "u"})
    assert inbound_in(kannel, _post(query=up, method="GET")) == [Reply("+447700900001", "1", "123", "u")]


@pytest.mark.parametrize(
    ("fields", "signature"),
    [
        (
            {
                "CallSid": "CA1234567890ABCDE",
                "Caller": "+14158675309",
                "Digits": "1234",
                "From": "+14158675309",
                "To": "+18005551212",
            }.items(),
            "RSOYDt4T1cUTdK1PDd93/VVr8B8=",
        ),
        (
            [("Sid", "CA123"), ("SidAccount", "AC123"), ("Digits", "5678"), ("Digits", "1234"), ("Digits", "1234")],
            "IK+Dwps556ElfBT0I3Rgjkr1wJU=",
        ),
    ],
)
def test_the_examples_of_twilio(fields: Any, signature: str) -> None:
    assert twilio_signature("https://mycompany.com/myapp.php?foo=1&bar=2", fields, "12345") == signature


def _checked(check: dict[str, object]) -> Configured:
    file = HttpFile.model_validate(
        {
            "name": "x",
            "url": "https://a.example",
            "secrets": {"hook": "HOOK"},
            "webhooks": {"auth": check},
            "inbound": {"from": "a", "text": "b"},
        }
    )
    return Configured(file, {"hook": SecretStr(TOKEN)}, "x.yaml")


def test_a_token_stands_in_the_address_or_in_a_header() -> None:
    token = _checked({"kind": "token", "token": "{{ secrets.hook }}", "header": "X-Hook"})
    assert verified(token, _post(query=urlencode({"token": TOKEN})))
    assert verified(token, _post(headers={"x-hook": TOKEN}))
    assert verified(token, _post(headers={"x-hook": f"Bearer {TOKEN}"}))
    for wrong in (_post(), _post(query="token="), _post(query="token=t0ken"), _post(headers={"x-hook": ""})):
        assert not verified(token, wrong)
    assert not verified(token, _post(query=urlencode({"token": TOKEN}), method="GET"))
    unset = Configured(token.file, {}, "x.yaml")
    assert not verified(unset, _post(query="token="))


@pytest.mark.parametrize("encoding", ["hex", "base64"])
def test_a_signature_stands_in_a_header(encoding: str) -> None:
    check: dict[str, object] = {
        "kind": "hmac",
        "secret": "{{ secrets.hook }}",
        "header": "X-Sign",
        "prefix": "sha256=",
    }
    signed = _checked(check | {"encoding": encoding, "prefix": "sha256="})
    digest = hmac.new(TOKEN.encode(), b"{}", hashlib.sha256)
    right = digest.hexdigest() if encoding == "hex" else base64.b64encode(digest.digest()).decode()
    assert verified(signed, _post(b"{}", {"x-sign": f"sha256={right}"}))
    assert not verified(signed, _post(b"{ }", {"x-sign": f"sha256={right}"}))
    assert not verified(signed, _post(b"{}", {}))


@given(st.binary(max_size=60), st.sampled_from(["application/json", FORM["content-type"], "", "text/xml"]))
def test_no_post_breaks_the_reading(body: bytes, content_type: str) -> None:
    for name in ("aliyun", "tencent", "twilio", "kannel"):
        post = Post("POST", "https://a.example", "a=%zz", {"content-type": content_type}, body)
        assert not verified(SHIPPED[name], post)
        assert receipts_in(SHIPPED[name], post) == []
        assert inbound_in(SHIPPED[name], post) == []


SHIPPED = {name: _shipped(name) for name in ("aliyun", "tencent", "twilio", "kannel")}


def test_nothing_of_a_person_is_printed() -> None:
    said = repr((_post(b"private"), Reply("+1", "private"), Receipt("failed", detail="private"), SHIPPED["aliyun"]))
    assert "private" not in said
    assert TOKEN not in said
