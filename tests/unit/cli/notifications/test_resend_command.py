"""Why a message is not sent again, in both languages."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from reeve.cli.main import main
from reeve.cli.notifications import resending
from reeve.cli.notifications.resending import not_resent
from reeve.cli.notifications.texts import NOT_RESENT
from reeve.domain.recipients import Recipient
from reeve.runtime.resending import NotResent
from reeve.runtime.store.deliveries import NOBODY, Delivery
from tests.support.deliveries import delivery

PERSON = Recipient("pm-1", "garden", frozenset({"property_manager"}), addresses={"email": "pm@example.org"})
NO_ADDRESS = Recipient("pm-2", "garden")
WORDS = {
    "waits": {"delivery": "7m2f-0q3d", "state": "queued"},
    "delivered": {"delivery": "7m2f-0q3d"},
    "for_nobody": {"delivery": "7m2f-0q3d"},
    "not_on_channel": {"recipient": "pm-1", "channel": "sms", "known": "email"},
    "no_address": {"recipient": "pm-1"},
    "just_now": {"delivery": "7m2f-0q3d"},
}


@pytest.mark.parametrize("why", NOT_RESENT)
def test_every_refusal_names_the_same_in_both_languages(why: str) -> None:
    refused = NotResent(why, **WORDS[why])
    assert not_resent(refused, "en") == str(refused)
    chinese = not_resent(refused, "zh")
    for name, word in WORDS[why].items():
        assert word in str(refused)
        assert ("等待发送" if name == "state" else word) in chinese


@pytest.fixture
def resend(monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Runs the command about a delivery, in a record with two people."""

    class People:
        def __init__(self, _: object) -> None:
            pass

        async def by_id(self, keys: list[tuple[str, str]]) -> dict[tuple[str, str], Recipient]:
            there = {(each.place, each.id): each for each in (PERSON, NO_ADDRESS)}
            return {key: there[key] for key in keys if key in there}

        async def all(self, place: str) -> list[Recipient]:
            return [each for each in (PERSON, NO_ADDRESS) if each.place == place]

    @asynccontextmanager
    async def no_record(*_: object) -> AsyncIterator[None]:
        yield

    async def no_rules(*_: object) -> None:
        return None

    monkeypatch.setattr(resending, "open_record", no_record)
    monkeypatch.setattr(resending, "RecipientStore", People)
    monkeypatch.setattr(resending, "rules_if_any", no_rules)

    def run(of: Delivery, *arguments: str) -> int:
        async def found(*_: object) -> Delivery:
            return of

        monkeypatch.setattr(resending, "find_delivery", found)
        with pytest.raises(SystemExit) as ended:
            main(["notifications", "resend", of.short, "--dry-run", *arguments])
        return int(ended.value.code or 0)

    return run


@pytest.mark.parametrize(
    ("of", "arguments", "english", "chinese"),
    [
        (delivery(state="queued"), (), "is still queued", "目前等待发送，会自行发出"),
        (delivery("delivered", state="delivered"), (), "--again", "已送达；如需再发一次，加 --again。"),
        (delivery(state="undeliverable", recipient=NOBODY, channel=NOBODY), (), "was for nobody", "没有接收人"),
        (
            delivery("sent"),
            ("--to", "pm-1", "--channel", "sms"),
            "there is: email.",
            "没有 sms 的联系方式；已有：email。",
        ),
        (delivery("sent"), ("--to", "pm-2"), "no address at all", "没有任何联系方式"),
        (delivery("sent"), ("--to", "pm-11"), "did you mean pm-1?", "没有接收人 'pm-11'；是不是想写 pm-1？"),
        (delivery("sent"), ("--to", "zz"), "see `reeve recipients list`.", "见 `reeve recipients list`。"),
    ],
)
def test_what_can_not_be_is_refused(
    resend: Callable[..., int],
    capsys: pytest.CaptureFixture[str],
    of: Delivery,
    arguments: tuple[str, ...],
    english: str,
    chinese: str,
) -> None:
    for lang, says in (("en", english), ("zh", chinese)):
        assert resend(of, *arguments, "--lang", lang) == 1
        told = capsys.readouterr()
        assert says in told.err
        assert told.out == ""


def test_what_can_be_would_go_out(resend: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    of = delivery("permanent/refused", state="failed")
    assert resend(of, "--to", "pm-1", "--json") == 0
    row: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert row == {"resend_of": of.short, "recipient": "pm-1", "channel": "email", "dry_run": True}
