"""A message sent again because a person said so: when it may be, to whom, and that it is one of its own."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from reeve.domain.case import Case
from reeve.domain.recipients import Recipient
from reeve.domain.telling import moot
from reeve.runtime.resending import NotResent, again, channel_for, refuse_if_pointless
from reeve.runtime.store.deliveries import NOBODY, Answer, Delivery
from tests.support.deliveries import AT, CASE, delivery

LATER = AT + timedelta(hours=2)
PERSON = Recipient("pm-1", "garden", addresses={"email": "pm@example.org", "sms": "+447700900001"})


def test_it_is_a_delivery_of_its_own_due_at_once() -> None:
    was = delivery(
        *("transient/busy/a", "permanent/refused/a"),
        state="failed",
        hold="quiet",
        group="g",
        into="x",
        silence="s",
        segments=2,
        answers=[Answer("e", AT, "acknowledged", "link")],
    )
    made = again(was, [was], PERSON, "email", "wang", "wrong number", LATER)
    assert made.id == "n1~again1#pm-1#email"
    assert made.id != was.id
    assert (made.state, made.due_at, made.requested_at, made.claim) == ("queued", LATER, LATER, None)
    assert (made.hold, made.group, made.into, made.silence, made.segments) == ("", "", None, None, 0)
    assert (made.attempts, made.answers) == ([], [])
    assert (made.resend_of, made.by, made.note) == (was.id, "wang", "wrong number")
    assert (made.notification, made.message, made.rank) == (was.notification, was.message, was.rank)
    assert len(was.attempts) == 2, "the one it repeats stays as it was"


def test_two_who_ask_at_the_same_time_make_the_same_and_a_third_one_later_another() -> None:
    was = delivery("permanent/refused", state="failed")
    first = again(was, [was], PERSON, "sms", "wang", "", LATER)
    second = again(was, [was], PERSON, "sms", "li", "", LATER + timedelta(seconds=1))
    third = again(was, [was, first], PERSON, "sms", "li", "", LATER + timedelta(minutes=1))
    assert first.id == second.id != third.id


def test_what_was_acknowledged_before_does_not_stop_it() -> None:
    case = Case(CASE, "ticket", "d", AT, acknowledged_at=AT + timedelta(minutes=5))
    case.answered["report_up"] = AT + timedelta(minutes=5)
    was = delivery("sent")
    assert moot(case, was.at, was) == "acknowledged"
    made = again(was, [was], PERSON, "sms", "wang", "", LATER)
    assert moot(case, made.at, made) is None


@pytest.mark.parametrize(
    ("was", "elsewhere", "insist", "says"),
    [
        (delivery("permanent/refused", state="failed"), False, False, None),
        (delivery("suppressed/silenced", state="suppressed"), False, False, None),
        (delivery("sent"), False, False, None),
        (delivery(state="merged", into="x"), False, False, None),
        (delivery("sent", "delivered", state="delivered"), False, False, "--again"),
        (delivery("sent", "delivered", state="delivered"), False, True, None),
        (delivery("sent", "delivered", state="delivered"), True, False, None),
        (delivery(state="queued"), False, False, "goes out by itself"),
        (delivery(state="claimed"), False, True, "goes out by itself"),
        (delivery("unknown/timeout", state="unknown"), False, False, "goes out by itself"),
        (delivery(state="queued"), True, False, None),
        (delivery(state="undeliverable", recipient=NOBODY, channel=NOBODY), False, False, "--to RECIPIENT"),
        (delivery(state="undeliverable", recipient=NOBODY, channel=NOBODY), True, False, None),
    ],
)
def test_when_it_may_be(was: Delivery, elsewhere: bool, insist: bool, says: str | None) -> None:
    if says is None:
        refuse_if_pointless(was, elsewhere=elsewhere, insist=insist)
        return
    with pytest.raises(NotResent, match=says) as refused:
        refuse_if_pointless(was, elsewhere=elsewhere, insist=insist)
    assert was.short in str(refused.value)


@pytest.mark.parametrize(
    ("addresses", "asked", "channel"),
    [
        ({"email": "a", "sms": "b"}, None, "sms"),
        ({"email": "a", "sms": "b"}, "email", "email"),
        ({"email": "a", "sms": ""}, None, "email"),
        ({"email": "a"}, "sms", "there is: email"),
        ({}, None, "no address at all"),
    ],
)
def test_the_channel(addresses: dict[str, str], asked: str | None, channel: str) -> None:
    person = Recipient("pm-1", "garden", addresses=addresses)
    made: Any
    try:
        made = channel_for(delivery("sent"), person, asked)
    except NotResent as refused:
        made = str(refused)
    assert channel in made
