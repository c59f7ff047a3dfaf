"""How `reeve notifications` reads: a line each, and one with its whole life, in both languages."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, timedelta
from typing import Any, get_args
from zoneinfo import ZoneInfo

import pytest

from reeve.cli.notifications.page import Page
from reeve.cli.notifications.rows import row_of, waits_for, whole_row
from reeve.cli.notifications.texts import DEEDS, HOLDS, REASONS, STATES
from reeve.domain.effects import Because
from reeve.runtime.delivery_life import What
from reeve.runtime.providers.reasons import Reason
from reeve.runtime.store.deliveries import NOBODY, Answer, Delivery, Hold, State
from tests.support.deliveries import AT, delivery

ZONE = ZoneInfo("Asia/Shanghai")
ANSWER = Answer("e", AT + timedelta(minutes=9), "delayed", "sms", 30)


def test_there_are_words_for_everything() -> None:
    assert set(STATES) == set(get_args(State)) | {"requested"}
    assert set(HOLDS) == set(get_args(Hold)) - {""} | {"hours"}
    assert set(DEEDS) == set(get_args(What))
    assert set(REASONS) == {reason.value for reason in Reason}


@pytest.mark.parametrize(
    ("of", "waits"),
    [
        (delivery(state="queued"), "turn"),
        (delivery(state="queued", hold="quiet"), "quiet"),
        (delivery("transient/busy", state="queued", hold="quiet"), "next_try"),
        (delivery(state="claimed"), "in_hand"),
        (delivery("unknown/timeout", state="unknown"), "receipt"),
        (delivery("sent"), None),
    ],
)
def test_what_it_waits_for(of: Delivery, waits: str | None) -> None:
    found = waits_for(of)
    assert (found["for"] if found else None) == waits


def shown(capsys: pytest.CaptureFixture[str], of: Delivery, lang: str, **more: Any) -> str:
    page = Page(lang, ZONE)
    page.line(row_of(of))
    page.whole(whole_row(of, Because("complaint.yaml:57"), more.get("siblings", ()), more.get("together", 1)))
    return capsys.readouterr().out


def test_a_delivery_with_its_whole_life(capsys: pytest.CaptureFixture[str]) -> None:
    lived = delivery(
        *("transient/busy/aliyun", "unknown/timeout/aliyun", "resent/accepted/twilio", "delivered/accepted/twilio"),
        state="delivered",
        segments=2,
        answers=[ANSWER],
    )
    other = delivery("permanent/bad_address", state="failed", id="n1#gm-1#email", channel="email")
    text = shown(capsys, lived, "en", siblings=[lived, other])
    line, *_ = text.splitlines()
    assert line.startswith(f"{lived.short}  2026-11-20 09:00:00  garden/complaint/T-1 ")
    for part in ("report_up", "general_manager", "gm-1", "sms twilio", "delivered (2 SMS)"):
        assert part in line
    for part in (
        "by step report_up (complaint.yaml:57)",
        "2026-11-20 09:01:00  came to nothing, tried again, attempt 1, through aliyun, the provider is busy",
        "2026-11-20 09:02:00  nobody knows whether it arrived, attempt 2, through aliyun, no answer in time",
        "2026-11-20 09:03:00  sent, attempt 3, through twilio, a second time, 2 SMS",
        "2026-11-20 09:04:00  delivered",
        "answered, delayed (+30 min) by sms",
        f"{other.short}  gm-1 email: FAILED (the address does not exist)",
    ):
        assert part in text
    chinese = shown(capsys, lived, "zh", siblings=[lived, other])
    assert "已送达" in chinese
    assert "已发送，第 3 次，服务商 twilio，重复发送，2 条短信" in chinese


def test_what_was_sent_twice_says_what_each_send_took_and_both_together(capsys: pytest.CaptureFixture[str]) -> None:
    twice = delivery("unknown/timeout/aliyun", "resent/accepted/twilio", segments=5)
    first, second = twice.attempts
    twice = replace(twice, attempts=[replace(first, segments=2), replace(second, segments=3)])
    row = whole_row(twice, Because("complaint.yaml:57"), (), 1)
    assert (row["segments"], row["sends"]) == (5, 2)
    assert [deed["segments"] for deed in row["life"]] == [2, 3]
    text = shown(capsys, twice, "en")
    assert text.count("sent (5 SMS in 2 sends)") == 2, "in the list, and on its page"
    assert "nobody knows whether it arrived, attempt 1, through aliyun, 2 SMS, no answer in time" in text
    assert "sent, attempt 2, through twilio, a second time, 3 SMS" in text
    assert shown(capsys, twice, "zh").count("已发送（2 次发送共 5 条短信）") == 2


def test_moments_are_those_of_the_site(capsys: pytest.CaptureFixture[str]) -> None:
    page = Page("en", UTC)
    page.use_zones({"garden": ZONE})
    page.line(row_of(delivery("sent")))
    page.line(row_of(delivery("sent")) | {"site": "elsewhere"})
    here, elsewhere = capsys.readouterr().out.splitlines()
    assert "2026-11-20 09:00:00" in here
    assert "2026-11-20 01:00:00" in elsewhere


def test_a_silence_is_named_only_while_it_hides(capsys: pytest.CaptureFixture[str]) -> None:
    page = Page("en", ZONE)
    page.line(row_of(delivery("suppressed/silenced", state="suppressed", silence="s-7")))
    page.line(row_of(delivery("sent", silence="s-7")))
    hidden, sent = capsys.readouterr().out.splitlines()
    assert "s-7" in hidden
    assert "s-7" not in sent


@pytest.mark.parametrize(
    ("of", "text"),
    [
        (delivery(state="queued", hold="quiet"), "waits (the person's quiet hours, until 2026-11-20 10:00:00)"),
        (delivery(state="queued", hold="merge", group="g"), "until 2026-11-20 10:00:00, 3 go out together"),
        (delivery("transient/busy", state="queued"), "the next try, at 2026-11-20 10:00:00"),
        (delivery("unknown/timeout", state="unknown"), "a receipt, until 2026-11-20 10:00:00"),
        (delivery(state="claimed"), "the process that sends it"),
        (delivery("suppressed/silenced", state="suppressed", silence="s-7"), "silence     s-7"),
        (delivery(state="merged", into="n0"), "went out with"),
        (delivery(state="queued", resend_of="n0", by="wang", note="broken phone"), "asked for by wang"),
        (delivery(state="queued", resend_of="n0", by="wang", note="broken phone"), "note        broken phone"),
        (
            delivery(
                "undeliverable/nobody", state="undeliverable", recipient=NOBODY, channel=NOBODY, next_role="owner"
            ),
            "nobody, as general_manager (owner is told instead)",
        ),
        (delivery("sent", merged=4), "with 4 more"),
    ],
)
def test_what_is_said_of_others(capsys: pytest.CaptureFixture[str], of: Delivery, text: str) -> None:
    assert text in shown(capsys, of, "en", together=3)
    assert shown(capsys, of, "zh", together=3)
