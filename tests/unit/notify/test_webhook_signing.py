"""Signatures of webhooks: ours against the published example, providers' against theirs, and who is turned away."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime

import pytest

from services.notify.channels.guard import Forbidden, checked_target, is_public
from services.notify.channels.retry_after import asked_to_wait
from services.notify.channels.webhook_signing import signing_key, webhook_headers


def test_the_example_of_the_specification() -> None:
    # Standard Webhooks, the example its reference libraries share.
    key = signing_key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    at = datetime.fromtimestamp(1614265330, UTC)
    found = webhook_headers(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", at, b'{"test": 2432232314}')
    assert found == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_any_other_secret_is_taken_as_it_is_and_half_of_one_is_refused() -> None:
    assert signing_key("a long secret") == b"a long secret"
    with pytest.raises(ValueError, match="base64"):
        signing_key("whsec_not*base64")


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True),
        ("2606:4700::1111", True),
        ("127.0.0.1", False),
        ("10.0.0.1", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("::1", False),
        ("fe80::1", False),
        ("fd00::1", False),
        ("::ffff:127.0.0.1", False),
        ("64:ff9b::7f00:1", False),
        ("2002:7f00:1::", False),
    ],
)
def test_addresses_inside_a_network_are_told_from_public_ones(address: str, public: bool) -> None:
    assert is_public(ipaddress.ip_address(address)) is public


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/hook",
        "https://127.0.0.1/hook",
        "https://localhost/hook",
        "https://[::1]/hook",
        "https://user:word@8.8.8.8/",
        "https://8.8.8.8:0/",
        "https://8.8.8.8:99999/",
        "ftp://8.8.8.8/",
        "//8.8.8.8/",
        "https:///hook",
        "https://8.8.8.8/a\nb",
        "",
    ],
)
async def test_what_must_not_be_called_is_refused_and_not_quoted(url: str) -> None:
    with pytest.raises(Forbidden) as refused:
        await checked_target(url, frozenset())
    assert not url or url not in str(refused.value)


async def test_an_allowed_host_may_be_inside_and_without_https() -> None:
    target = await checked_target("http://localhost:8080/hook?a=b", frozenset({"localhost"}))
    assert target.url in ("http://127.0.0.1:8080/hook?a=b", "http://[::1]:8080/hook?a=b")
    assert (target.host, target.host_header) == ("localhost", "localhost:8080")
    assert "8080" not in repr(target)


async def test_a_public_address_is_called_by_its_number() -> None:
    target = await checked_target("https://8.8.8.8", frozenset())
    assert target.url == "https://8.8.8.8/"


@pytest.mark.parametrize(
    ("given", "seconds"), [("30", 30), ("999999", 3600), ("", None), ("Wed, 21 Oct 2026 07:28:00 GMT", None)]
)
def test_how_long_a_server_asks_to_be_left_alone(given: str, seconds: int | None) -> None:
    wait = asked_to_wait({"retry-after": given})
    assert (wait.total_seconds() if wait else None) == seconds
