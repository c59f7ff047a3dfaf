"""Signatures of requests to cloud providers, against the examples that the providers publish."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from urllib.parse import parse_qsl, unquote

from hypothesis import given
from hypothesis import strategies as st

from services.notify.channels.signing import (
    Signable,
    aliyun_headers,
    canonical_query,
    percent_encoded,
    tencent_headers,
)

UNRESERVED = set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~")
TEXTS = st.text(st.characters(codec="utf-8"), max_size=30)


def test_alibaba_clouds_own_example() -> None:
    # "V3 request body and signature mechanism", section on fixed parameters:
    # https://www.alibabacloud.com/help/en/sdk/product-overview/v3-request-structure-and-signature
    query = canonical_query(
        {"RegionId": "cn-shanghai", "ImageId": "win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd"}.items()
    )
    headers = aliyun_headers(
        Signable("POST", "/", query, {"host": "ecs.cn-shanghai.aliyuncs.com", "user-agent": "x"}, b""),
        action="RunInstances",
        version="2014-05-26",
        key_id="YourAccessKeyId",
        key="YourAccessKeySecret",
        at=datetime(2023, 10, 26, 10, 22, 32, tzinfo=UTC),
        nonce="3156853299f313e23d1673dc12e1703d",
    )
    assert headers == {
        "x-acs-action": "RunInstances",
        "x-acs-content-sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "x-acs-date": "2023-10-26T10:22:32Z",
        "x-acs-signature-nonce": "3156853299f313e23d1673dc12e1703d",
        "x-acs-version": "2014-05-26",
        "authorization": "ACS3-HMAC-SHA256 Credential=YourAccessKeyId,SignedHeaders=host;x-acs-action;"
        "x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version,"
        "Signature=06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0",
    }


def _of_tencent(at: datetime) -> dict[str, str]:
    # "Signature Method v3", the example of DescribeInstances, as it stands since x-tc-action is signed too; its key
    # is printed as 32 asterisks, and these are what was signed: https://cloud.tencent.com/document/api/213/30654
    body = rb'{"Limit": 1, "Filters": [{"Values": ["\u672a\u547d\u540d"], "Name": "instance-name"}]}'
    content = {"content-type": "application/json; charset=utf-8", "host": "cvm.tencentcloudapi.com"}
    return tencent_headers(
        Signable("POST", "/", "", content, body),
        service="cvm",
        action="DescribeInstances",
        version="2017-03-12",
        region="ap-guangzhou",
        secret_id="AKID" + "*" * 32,
        secret_key="*" * 32,
        at=at,
    )


def test_tencent_clouds_own_example() -> None:
    assert _of_tencent(datetime.fromtimestamp(1551113065, UTC)) == {
        "x-tc-action": "DescribeInstances",
        "x-tc-version": "2017-03-12",
        "x-tc-timestamp": "1551113065",
        "x-tc-region": "ap-guangzhou",
        "authorization": f"TC3-HMAC-SHA256 Credential=AKID{'*' * 32}/2019-02-25/cvm/tc3_request, "
        "SignedHeaders=content-type;host;x-tc-action, "
        "Signature=10b1a37a7301a02ca19a647ad722d5e43b4b3cff309d421d85b46093f6ab6c4f",
    }


def test_the_date_of_the_key_is_that_of_utc() -> None:
    # The example's moment is 00:44 of the day after in China.
    in_china = datetime(2019, 2, 26, 0, 44, 25, tzinfo=timezone(timedelta(hours=8)))
    assert _of_tencent(in_china) == _of_tencent(datetime.fromtimestamp(1551113065, UTC))


def test_the_escapes_that_form_encoding_gets_wrong() -> None:
    assert percent_encoded("a b*c~d/e+f%") == "a%20b%2Ac~d%2Fe%2Bf%25"
    assert percent_encoded("阳光\n") == "%E9%98%B3%E5%85%89%0A"


@given(TEXTS)
def test_only_unreserved_characters_stay(text: str) -> None:
    encoded = percent_encoded(text)
    assert unquote(encoded) == text
    assert set(encoded) <= UNRESERVED | {"%"}


@given(st.dictionaries(st.text(st.characters(codec="utf-8"), min_size=1, max_size=8), TEXTS, max_size=6))
def test_a_query_reads_back_as_it_was_in_order(fields: dict[str, str]) -> None:
    query = canonical_query(fields.items())
    assert dict(parse_qsl(query, keep_blank_values=True)) == fields
    names = [part.partition("=")[0] for part in query.split("&")] if fields else []
    assert names == sorted(names)


@given(TEXTS, TEXTS)
def test_another_body_or_query_is_another_signature(one: str, other: str) -> None:
    def signed(text: str, body: str) -> str:
        query = canonical_query([("TemplateParam", text)])
        return aliyun_headers(
            Signable("POST", "/", query, {"host": "h"}, body.encode()),
            action="SendSms",
            version="2017-05-25",
            key_id="id",
            key="key",
            at=datetime(2026, 11, 20, tzinfo=UTC),
            nonce="n",
        )["authorization"]

    assert (signed(one, "") == signed(other, "")) is (one == other)
    assert (signed("", one) == signed("", other)) is (one == other)


def test_what_is_signed_prints_nobody() -> None:
    assert "138" not in repr(Signable("POST", "/", "PhoneNumbers=13800000000", {"host": "h"}, b"13800000000"))
