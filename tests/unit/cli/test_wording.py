"""What people read: phrases, lengths, and lines without anything that steers a terminal."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import pytest

from reeve.cli.output import left, shown, span
from reeve.cli.traffic.tail import one_liner
from reeve.cli.wording import because, phrase
from reeve.domain.effects import EffectName

FAILED = {
    "notification": "n",
    "message": "m",
    "recipient": "r-1",
    "role": "owner",
    "channel": "sms",
    "reason": "timeout",
}


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (59, "59 s"), (60, "1 min"), (570, "9 min 30 s"), (7500, "2 h 5 min"), (90000, "1 d 1 h")],
)
def test_a_length_in_two_units_at_most(seconds: int, text: str) -> None:
    assert span(timedelta(seconds=seconds)) == text


def test_a_length_in_chinese() -> None:
    assert span(timedelta(hours=52), "zh") == "2 天 4 小时"
    assert span(timedelta(seconds=5), "zh") == "5 秒"


def test_what_is_left_and_what_is_over() -> None:
    now = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
    assert left(now + timedelta(minutes=4), now) == "4 min left"
    assert left(now - timedelta(hours=2), now) == "2 h over"
    assert left(now + timedelta(minutes=4), now, "zh") == "还有 4 分钟"
    assert left(now - timedelta(hours=2), now, "zh") == "已过 2 小时"


@pytest.mark.parametrize(
    ("what", "keys", "text"),
    [
        ("graded", {"grade": "major", "was": None}, "graded major"),
        ("graded", {"grade": "major", "was": "ordinary"}, "graded major (was ordinary)"),
        (
            "clock_started",
            {"clock": "respond", "due": "2026-03-02T09:05:00+08:00"},
            "clock respond starts, due 2026-03-02 09:05",
        ),
        ("clock_started", {"clock": "resolve", "due": None}, "clock resolve starts, due not known yet"),
        ("clock_paused", {"clock": "resolve", "left": 5400.0}, "clock resolve pauses with 1 h 30 min left"),
        ("clock_stopped", {"clock": "respond", "met": False}, "clock respond stops, too late"),
        (
            "breached",
            {"clock": "pay", "due": "2026-03-01T00:00:00+08:00"},
            "BREACHED pay, was due 2026-03-01 00:00",
        ),
        (
            "notify",
            {"to": ["front_desk", "owner"], "via": ["sms"], "message": "m"},
            "tells front_desk and owner by sms: m",
        ),
        ("closed", {"outcome": "paid"}, "closed: paid"),
        ("undeliverable", {"to": ["owner"]}, "undeliverable to owner"),
        (
            "failed",
            FAILED,
            "m failed to r-1 as owner by sms (timeout)",
        ),
        (
            "retried",
            FAILED | {"provider": "aliyun", "attempt": 1},
            "m to r-1 as owner by sms, through aliyun: attempt 1 came to nothing (timeout)",
        ),
        (
            "unknown",
            FAILED | {"provider": "aliyun"},
            "m to r-1 as owner by sms, through aliyun: nobody knows whether it arrived (timeout)",
        ),
    ],
)
def test_phrases(what: str, keys: dict[str, Any], text: str) -> None:
    assert phrase(what, keys) == text


@pytest.mark.parametrize("what", get_args(EffectName))
def test_every_effect_has_a_phrase_even_without_its_keys(what: str) -> None:
    assert phrase(what, {})


def test_a_reason_names_the_rule_and_what_brought_it_on() -> None:
    assert because({"because": {"rule": "a.yaml:3", "clock": "pay"}}) == "a.yaml:3 (clock pay)"
    assert because({"because": {"rule": "a.yaml:3", "event": "e-1"}}) == "a.yaml:3 (event e-1)"
    assert because({}) == ""


def test_text_from_outside_cannot_steer_the_terminal() -> None:
    assert shown("T-1\x1b[2J\x07") == "T-1\N{REPLACEMENT CHARACTER}[2J\N{REPLACEMENT CHARACTER}"


def test_a_posted_event_is_told_without_its_data() -> None:
    event = {"type": "ticket.opened", "id": "e-1", "site": "here", "subject": "T-1", "data": {"room": "12-501"}}
    text = "".join(part if isinstance(part, str) else part[0] for part in one_liner("events.here", event))
    assert "here/T-1" in text
    assert "12-501" not in text
