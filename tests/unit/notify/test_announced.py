"""What the bus is told of deliveries: each outcome under an id of its own, by the published schema, ids only."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from reeve.cli.notifications.rows import row_of
from reeve.contracts.deliveries import NotificationOutcome
from reeve.domain.effects import Because
from reeve.runtime.delivery_lines import delivery_lines
from reeve.runtime.store.deliveries import NOBODY, Answer, Delivery
from reeve.runtime.store.delivery_news import News
from reeve.runtime.store.short_ids import short_id
from services.notify.announcer import messages_of_news
from tests.support.deliveries import AT, delivery

ZONE = ZoneInfo("Asia/Shanghai")
NOTE = "李晓梅 13912345678 says the ceiling leaks"
LIVED = delivery(
    *("transient/busy/aliyun", "unknown/timeout/aliyun", "resent/accepted/twilio", "delivered/accepted/twilio"),
    state="delivered",
    segments=2,
    merged=3,
    resend_of="n0#gm-1#sms",
    by="wang",
    note=NOTE,
    answers=[
        Answer("e-1", AT + timedelta(minutes=7), "delayed", "sms", 30),
        Answer("e-2", AT + timedelta(minutes=9), "acknowledged", "link"),
    ],
)
OTHERS = [
    delivery("permanent/refused/aliyun", state="failed", note=NOTE, resend_of="n0"),
    delivery("suppressed/silenced", state="suppressed", silence="s-1"),
    delivery(state="merged", into="n0#gm-1#sms"),
    delivery("undeliverable/nobody", state="undeliverable", recipient=NOBODY, channel=NOBODY, next_role="owner"),
]


def test_a_delivery_that_lived_through_everything() -> None:
    told = [message for message, _ in messages_of_news(News(LIVED, frozenset()), ZONE)]
    assert [message.subject.split(".")[2] for message in told] == [
        "sent",
        "delivered",
        "acknowledged",
        "acknowledged",
    ]
    assert len({message.id for message in told}) == 4
    sent, delivered, delayed, taken = (NotificationOutcome.model_validate_json(each.body).data for each in told)
    assert (sent.provider, sent.attempt, sent.resent, sent.segments, sent.merged) == ("twilio", 3, True, 2, 3)
    assert (sent.resend_of, sent.delivery) == (short_id("n0#gm-1#sms"), LIVED.short)
    assert (delivered.provider, delivered.resent, delivered.segments) == ("twilio", False, 2)
    assert (delayed.answer, delayed.minutes, delayed.answered_by) == ("delayed", 30, "sms")
    assert (taken.answer, taken.minutes, taken.answered_by, taken.recipient) == (
        "acknowledged",
        None,
        "link",
        "gm-1",
    )


def test_what_was_told_is_not_told_again_and_the_rest_keeps_its_id() -> None:
    every = {key: message for message, key in messages_of_news(News(LIVED, frozenset()), ZONE)}
    rest = {key: message for message, key in messages_of_news(News(LIVED, frozenset({"sent"})), ZONE)}
    assert rest == {key: message for key, message in every.items() if key != "sent"}


@pytest.mark.parametrize("of", OTHERS)
def test_every_other_outcome_is_by_the_schema(of: Delivery) -> None:
    [(message, _)] = messages_of_news(News(of, frozenset()), ZONE)
    told = NotificationOutcome.model_validate_json(message.body)
    assert told.correlationid == "garden/complaint/T-1"
    if of.into:
        assert (told.type, told.data.into) == ("notifications.sent", short_id(of.into))
    if of.next_role:
        assert (told.data.recipient, told.data.next_role) == (None, "owner")


@pytest.mark.parametrize("of", [LIVED, *OTHERS])
def test_nothing_that_a_person_wrote_is_told(of: Delivery) -> None:
    said = [message.body.decode() for message, _ in messages_of_news(News(of, frozenset()), ZONE)]
    said += [str(line) for _, line in delivery_lines(of, Because("complaint.yaml:1"), lambda at: ZONE)]
    said.append(str(row_of(of)))
    for text in said:
        assert "李晓梅" not in text
        assert "ceiling" not in text
