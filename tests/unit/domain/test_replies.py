"""Short replies: what people write is understood or left alone, never guessed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from reeve.domain.replies import MOST_MINUTES, USUAL_MINUTES, Reply, parse_reply

ACK = Reply("acknowledged")
UP = Reply("escalated")

UNDERSTOOD = {
    "1": ACK,
    " １ ": ACK,
    "①": ACK,
    "1。": ACK,
    "1, thanks": ACK,
    "“1”": ACK,
    "收到": ACK,
    "收到，谢谢！": ACK,
    "好的 收到": ACK,
    "好的，马上处理": ACK,
    "ＯＫ": ACK,
    "Ok.": ACK,
    "ack": ACK,
    "Got it, thank you": ACK,
    "👍": ACK,
    "2": UP,
    "转上级": UP,
    "请升级，谢谢": UP,
    "Escalate now!": UP,
    "3 45": Reply("delayed", 45),
    "３，45分钟": Reply("delayed", 45),
    "3-45 min": Reply("delayed", 45),
    "3": Reply("delayed", USUAL_MINUTES),
    "稍等": Reply("delayed", USUAL_MINUTES),
    "稍等15分钟": Reply("delayed", 15),
    "需要半小时": Reply("delayed", 30),
    "再给我1小时": Reply("delayed", 60),
    "3 2小时": Reply("delayed", 120),
    "I need 20 more": Reply("delayed", 20),
    "more time 20m": Reply("delayed", 20),
    "3 500": Reply("delayed", 500),
    "3 3小时": Reply("delayed", 180),
    "1 K7": Reply("acknowledged", code="K7"),
    "k7 1": Reply("acknowledged", code="K7"),
    "１ｋ７": Reply("acknowledged", code="K7"),
    "3 K7 45": Reply("delayed", 45, "K7"),
    "3 45 k7": Reply("delayed", 45, "K7"),
    "2 (K77)": Reply("escalated", code="K77"),
    "1\n> complaint T-1, please attend": ACK,
    "\n\n1\n\n在2026年写道：3": ACK,
    "1【阳光花园】重大投诉，单号T-1": ACK,
    "收到 --- original message": ACK,
}

LEFT_ALONE = [
    "",
    "   \n ",
    "4",
    "0",
    "11",
    "345",
    "1 2",
    "收到 升级",
    "未收到",
    "没有收到",
    "收到不了",
    "收到？",
    "ok?",
    "not ok",
    "确认不了",
    "确认一下是哪一栋",
    "好像不对",
    "1号楼没有漏水",
    "1小时",
    "1 hour",
    "30分钟后到",
    "2点到",
    "3 0",
    "3 楼",
    "需要",
    "需要帮助",
    "1 but I can't come",
    "okra",
    "wait what",
    "1 K7 K8",
    "退订",
    "STOP",
    "Liked “Sunshine: complaint T-1”",
    "【阳光花园】1",
    "> 1",
    "谢谢",
    "K7",
]


@pytest.mark.parametrize(("text", "meant"), UNDERSTOOD.items())
def test_what_people_answer(text: str, meant: Reply) -> None:
    assert parse_reply(text) == meant


@pytest.mark.parametrize("text", LEFT_ALONE)
def test_what_is_none_of_these_says_nothing(text: str) -> None:
    assert parse_reply(text) is None


def _full_width(text: str) -> str:
    return "".join(chr(ord(each) + 0xFEE0) if "!" <= each <= "~" else each for each in text)


PLAIN = [text for text in UNDERSTOOD if "\n" not in text]


@given(some.sampled_from(PLAIN), some.text(" \t\u3000", max_size=3), some.text(" \t\u3000\r\n", max_size=3))
def test_blanks_and_width_and_case_change_nothing(text: str, before: str, after: str) -> None:
    meant = UNDERSTOOD[text]
    assert parse_reply(before + text + after) == meant
    assert parse_reply(_full_width(text)) == meant
    assert parse_reply(text.upper()) == meant


@given(some.sampled_from(PLAIN), some.text(max_size=300))
def test_what_is_quoted_below_changes_nothing(text: str, quoted: str) -> None:
    assert parse_reply(f"{text}\n{quoted}") == UNDERSTOOD[text]


@given(some.text(max_size=400))
def test_any_text_is_read_and_whatever_is_understood_can_become_an_event(text: str) -> None:
    reply = parse_reply(text)
    if reply is not None:
        assert (reply.minutes is not None) == (reply.answer == "delayed")
        assert reply.minutes is None or reply.minutes >= 1
        assert reply.code is None or reply.code.isalnum()


@given(some.integers(1, MOST_MINUTES), some.sampled_from(["{}", "{}分钟", "{} 分", "{} minutes", "，{}min"]))
def test_minutes_come_through_as_written(minutes: int, form: str) -> None:
    assert parse_reply("3 " + form.format(minutes)) == Reply("delayed", minutes)
    assert parse_reply("稍等 " + form.format(minutes)) == Reply("delayed", minutes)


@given(some.sampled_from(PLAIN), some.sampled_from(["不", "没", "未", "not ", "别", "no, ", "为什么"]))
def test_a_denial_in_front_is_never_an_answer(text: str, denial: str) -> None:
    assert parse_reply(denial + text) is None
