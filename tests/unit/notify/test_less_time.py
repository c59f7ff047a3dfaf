"""Who asked for more time than there is hears what was granted, once, in their language."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest

from reeve.domain.more_time import MORE_TIME, MoreTime
from reeve.rulelang.sms_segments import segments
from reeve.runtime.more_time_texts import more_time_text
from reeve.runtime.store.ack_tokens import AckToken, Asked
from reeve.runtime.store.deliveries import Delivery, DeliveryStore
from reeve.runtime.store.delivery import delivery_of, document_of
from services.notify.answers.less_time import LessTime, less_time
from tests.support.deliveries import AT, delivery

NOW = AT + timedelta(hours=1)
TWENTY = MoreTime(60, 20, 0, NOW + timedelta(minutes=25))
TOKEN = AckToken("h", Asked("n1", "gm-1", "garden", "ticket", "T-1", "report_up"), NOW, None)


class Record:
    """Deliveries of one notification."""

    def __init__(self, *those: Delivery) -> None:
        self.those = {each.id: each for each in those}

    async def of_notifications(self, keys: list[str]) -> dict[str, list[Delivery]]:
        return {key: [each for each in self.those.values() if each.notification == key] for key in keys}

    async def insert(self, deliveries: list[Delivery]) -> frozenset[str]:
        new = frozenset(each.id for each in deliveries) - self.those.keys()
        self.those |= {each.id: each for each in deliveries if each.id in new}
        return new


async def test_it_goes_to_who_asked_the_way_it_was_asked_once_for_each_reply() -> None:
    record = Record(
        delivery("sent"), delivery("sent", id="mail", channel="email"), delivery("sent", id="x", recipient="pm-1")
    )
    less = LessTime(cast("DeliveryStore", record))
    assert await less.tell(TOKEN, "sms", TWENTY, "reply-1", NOW)
    assert not await less.tell(TOKEN, "sms", TWENTY, "reply-1", NOW), "said already, before a crash"
    assert await less.tell(TOKEN, "email", TWENTY, "reply-2", NOW)
    assert not await less.tell(TOKEN, "chat", TWENTY, "reply-3", NOW), "nothing went to them that way"
    made = [each for each in record.those.values() if each.message == MORE_TIME]
    assert [(each.recipient, each.channel, each.state) for each in made] == [
        ("gm-1", "sms", "queued"),
        ("gm-1", "email", "queued"),
    ]


def test_it_is_a_message_of_its_own_that_is_stored_with_its_words() -> None:
    made = less_time(delivery("sent", segments=2, merged=1, into="y", hold="merge", group="g"), TWENTY, "r", NOW)
    assert (made.attempts, made.segments, made.merged, made.into, made.hold, made.group) == ([], 0, 0, None, "", "")
    assert (made.due_at, made.reminds, made.ack_ends) == (NOW, False, True)
    assert delivery_of(document_of(made)) == made
    assert made.words == {"asked": 60, "granted": 20, "next_at": TWENTY.next_at}
    assert "words" not in document_of(delivery("sent"))


def text(more: MoreTime, language: str, code: str = "K7", now: datetime = NOW) -> tuple[str, str]:
    zone = ZoneInfo("Asia/Shanghai")
    context: dict[str, Any] = {"site_title": "阳光花园" if language == "zh" else "Sunshine Garden"}
    context |= {"asked": more.asked, "granted": more.granted, "reply_code": code, "reply_hint": "hint"}
    context["next_at"] = more.next_at.astimezone(zone) if more.next_at else None
    return more_time_text((language,), context, "T-100001", now)


def test_it_says_what_was_granted_what_follows_and_what_can_still_be_answered() -> None:
    subject, body = text(TWENTY, "zh")
    assert subject == "T-100001：只延后20分钟，非60分钟"
    assert body == (
        "【阳光花园】T-100001：只延后20分钟，非60分钟（每步骤共120分钟）。下次通知10:25。回复1收到，2升级（编号K7）。"
    )
    assert segments(body) == 1
    subject, body = text(TWENTY, "en")
    assert subject == "T-100001: 20 more minutes instead of 60"
    assert body.endswith(
        "(120 in all for one step). Next message: 10:25. Reply 1 to take it, 2 to escalate (code K7)."
    )
    assert segments(body) == 1


@pytest.mark.parametrize(
    ("more", "language", "says"),
    [
        (MoreTime(30, 0, 0, TWENTY.next_at), "zh", "不能再延后（每步骤共120分钟）。下次通知10:25。"),
        (MoreTime(30, 0, 0, TWENTY.next_at), "en", "no more time (120 in all for one step). Next message: 10:25."),
        (MoreTime(30, 0, 0), "zh", "此后不再通知，时限不变。"),
        (MoreTime(30, 0, 0), "en", "Nothing more is sent of it; limits stay."),
        (MoreTime(30, 0, 0, NOW + timedelta(days=1)), "en", "Next message: 2026-11-21 10:00."),
    ],
)
def test_where_nothing_more_is_possible(more: MoreTime, language: str, says: str) -> None:
    assert says in text(more, language)[1]


def test_a_language_that_reeve_does_not_speak_is_english_and_a_mail_needs_no_code() -> None:
    assert "Reply 1 to take it, 2 to escalate." in text(TWENTY, "de", code="")[1]
