"""What people read: phrases, lengths, and lines without anything that steers a terminal."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import pytest

from reeve.cli.output import left, padded, shown, span
from reeve.cli.traffic.topics import one_liner
from reeve.cli.wording import because, phrase
from reeve.cli.wording_texts import PHRASES
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


def test_columns_stand_below_each_other_in_both_languages() -> None:
    assert (padded("open", 8), padded("进行中", 8)) == ("open    ", "进行中  ")
    assert padded("进行中", 4) == "进行中 "


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


@pytest.mark.parametrize(
    ("what", "keys", "text"),
    [
        ("graded", {"grade": "major", "was": "ordinary"}, "定级为 major（原为 ordinary）"),
        (
            "clock_started",
            {"clock": "respond", "due": "2026-03-02T09:05:00+08:00", "run": 2},
            "时限 respond 开始，2026-03-02 09:05 到期（第 2 轮）",
        ),
        ("clock_resumed", {"clock": "resolve", "due": None}, "时限 resolve 恢复，到期时间未知"),
        ("clock_paused", {"clock": "resolve", "left": 5400.0}, "时限 resolve 暂停，还剩 1 小时 30 分钟"),
        ("clock_stopped", {"clock": "respond", "met": True}, "时限 respond 停止，按时"),
        ("clock_stopped", {"clock": "respond", "met": False}, "时限 respond 停止，已超时"),
        ("breached", {"clock": "pay", "due": "2026-03-01T00:00:00+08:00"}, "超时：pay，原定 2026-03-01 00:00 到期"),
        ("corrected", {"clock": "pay"}, "更正：时限 pay 实为按时"),
        (
            "notify",
            {"to": ["front_desk", "owner"], "via": ["sms", "email"], "message": "m", "late": True},
            "通知 front_desk、owner（sms、email）：m（补发）",
        ),
        ("opened", {}, "开立"),
        ("child_opened", {"child": "T-1~follow_up"}, "另开立工单 T-1~follow_up"),
        ("closed", {"outcome": "paid"}, "结案：paid"),
        ("undeliverable", {"to": ["owner"]}, "owner 无人可通知"),
        ("suppressed", {"step": "late", "reason": "case_closed"}, "未发送（步骤 late）（此前已结案）"),
        (
            "adopted",
            {"on_change": "person", "by": "wang", "reason": "已与客户商定"},
            "改用另一版本的规则（仅此工单），由 wang 决定（已与客户商定）",
        ),
        ("adopted", {"on_change": "recompute"}, "改用另一版本的规则（重新定级和计时）"),
        ("scored", {"points": -2, "to": "repair"}, "repair 计 -2 分"),
        (
            "escalated",
            {"step": "late", "level": 2, "recipient": "r-1", "answered_by": "sms"},
            "步骤 late 升到第 2 级，由 r-1 答复（短信）",
        ),
        ("delayed", {"step": "late", "minutes": 30}, "步骤 late 推迟 30 分钟"),
        ("failed", FAILED, "m 发给 r-1，角色 owner，渠道 sms：失败（应答超时）"),
        (
            "retried",
            FAILED | {"provider": "aliyun", "attempt": 1},
            "m 发给 r-1，角色 owner，渠道 sms：第 1 次未成功，将重试，服务商 aliyun（应答超时）",
        ),
        ("unknown", FAILED, "m 发给 r-1，角色 owner，渠道 sms：不确定是否送达（应答超时）"),
        (
            "sent",
            FAILED | {"reason": None, "attempt": 2, "segments": 3, "resent": True, "provider": "aliyun"},
            "m 发给 r-1，角色 owner，渠道 sms：已发送，服务商 aliyun，第 2 次，3 条短信，再次发送",
        ),
        (
            "held",
            FAILED | {"reason": "merge", "until": "2026-03-02T09:05:00+08:00"},
            "m 发给 r-1，角色 owner，渠道 sms：暂缓至 2026-03-02 09:05，同一事项合并发送",
        ),
        ("merged", FAILED | {"into": "7m2f"}, "m 发给 r-1，角色 owner，渠道 sms：并入 7m2f 发出"),
        (
            "suppressed",
            FAILED | {"reason": "silenced", "silence": "s-7"},
            "m 发给 r-1，角色 owner，渠道 sms：未发送（被静默 s-7）",
        ),
        (
            "acknowledged",
            FAILED | {"answer": "delayed", "minutes": 30, "answered_by": "link"},
            "r-1 答复 m：已延后 30 分钟（链接）",
        ),
    ],
)
def test_phrases_in_chinese(what: str, keys: dict[str, Any], text: str) -> None:
    assert phrase(what, keys, "zh") == text


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("what", get_args(EffectName))
def test_every_effect_has_a_phrase_even_without_its_keys(what: str, lang: str) -> None:
    assert what in PHRASES
    said = phrase(what, {}, lang)
    assert said
    assert said.isascii() == (lang == "en")


def test_a_reason_names_the_rule_and_what_brought_it_on() -> None:
    assert because({"because": {"rule": "a.yaml:3", "clock": "pay"}}) == "a.yaml:3 (clock pay)"
    assert because({"because": {"rule": "a.yaml:3", "event": "e-1"}}) == "a.yaml:3 (event e-1)"
    assert because({"because": {"rule": "a.yaml:3", "clock": "pay"}}, "zh") == "a.yaml:3（时限 pay）"
    assert because({"because": {"rule": "a.yaml:3"}}) == "a.yaml:3"
    assert because({}) == ""


def test_text_from_outside_cannot_steer_the_terminal() -> None:
    assert shown("T-1\x1b[2J\x07") == "T-1\N{REPLACEMENT CHARACTER}[2J\N{REPLACEMENT CHARACTER}"


def test_a_posted_event_is_told_without_its_data() -> None:
    event = {"type": "ticket.opened", "id": "e-1", "site": "here", "subject": "T-1", "data": {"room": "12-501"}}
    text = "".join(part if isinstance(part, str) else part[0] for part in one_liner("events.here", event))
    assert "here/T-1" in text
    assert "12-501" not in text


@pytest.mark.parametrize(
    ("lang", "said"), [("en", "closed: paid  ← a.yaml:3 (event e-1)"), ("zh", "结案：paid  ← a.yaml:3（事件 e-1）")]
)
def test_a_message_of_a_case_is_told_in_the_language_asked_for(lang: str, said: str) -> None:
    reason = {"rule": "a.yaml:3", "event": "e-1"}
    event = {
        "type": "cases.closed",
        "correlationid": "g/arrears/B-1",
        "data": {"outcome": "paid", "because": reason},
    }
    text = "".join(part if isinstance(part, str) else part[0] for part in one_liner("cases.g", event, lang))
    assert text.endswith(f"g/arrears/B-1  {said}")
