"""What a delivery did, read from the delivery: for the bus and for the case's timeline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reeve.cli.wording import phrase
from reeve.contracts.timeline import TimelineLine
from reeve.domain.effects import Because, Effect, Notification
from reeve.runtime.delivery_life import happenings, outcomes
from reeve.runtime.delivery_lines import Line, whole_timeline
from reeve.runtime.store.deliveries import NOBODY, Answer, Delivery
from reeve.runtime.store.notifications import Requested
from reeve.runtime.store.short_ids import as_typed, short_id
from tests.support.deliveries import AT, CASE, delivery

BECAUSE = Because("complaint.yaml:57", clock="respond")


@pytest.mark.parametrize(
    ("of", "lived", "told"),
    [
        (delivery(state="queued"), [], []),
        (delivery("sent"), ["sent"], ["sent"]),
        (delivery("sent", "delivered", state="delivered"), ["sent", "delivered"], ["sent", "delivered"]),
        (delivery("sent", "not_delivered", state="failed"), ["sent", "failed"], ["sent", "failed"]),
        (delivery("sent", "not_delivered", state="queued"), ["sent", "retried"], ["sent"]),
        (delivery("sent", "not_delivered", "sent"), ["sent", "retried", "sent"], ["sent"]),
        (delivery("suppressed/silenced", "sent"), ["suppressed", "sent"], ["suppressed", "sent"]),
        (delivery("transient/busy", "sent"), ["retried", "sent"], ["sent"]),
        (delivery("permanent/refused/a", "sent/accepted/b"), ["retried", "sent"], ["sent"]),
        (delivery("transient/busy", state="queued"), ["retried"], []),
        (delivery("transient/busy", "permanent/refused", state="failed"), ["retried", "failed"], ["failed"]),
        (delivery("unknown/timeout", state="unknown"), ["unknown"], []),
        (delivery("unknown/timeout", "resent"), ["unknown", "sent"], ["sent"]),
        (delivery("unknown/timeout", "delivered", state="delivered"), ["unknown", "delivered"], ["delivered"]),
        (delivery("unknown/timeout", "unknown/timeout", state="failed"), ["unknown", "failed"], ["failed"]),
        (delivery("sent", "sent"), ["sent", "sent"], ["sent"]),
        (delivery("suppressed/silenced", state="suppressed", silence="s1"), ["suppressed"], ["suppressed"]),
        (delivery(state="merged", into="n0#gm-1#sms"), ["merged"], ["sent"]),
        (delivery("permanent/refused", state="failed", into="n0"), ["failed", "merged"], ["failed", "sent"]),
        (delivery(state="failed"), ["failed"], ["failed"]),
        (delivery(state="queued", hold="quiet"), ["held"], []),
        (delivery("sent", hold="digest"), ["held", "sent"], ["sent"]),
        (delivery("undeliverable/nobody", state="undeliverable"), ["undeliverable"], ["undeliverable"]),
    ],
)
def test_what_a_delivery_did(of: Delivery, lived: list[str], told: list[str]) -> None:
    assert [each.what for each in happenings(of)] == lived
    assert [each.what for each in outcomes(of)] == told


def test_tries_are_counted_and_receipts_are_none() -> None:
    attempts = ("transient/busy/a", "unknown/timeout/a", "resent/accepted/b", "delivered/accepted/b")
    lived = happenings(delivery(*attempts, state="delivered"))
    assert [(each.attempt, each.provider, each.reason) for each in lived] == [
        (1, "a", "busy"),
        (2, "a", "timeout"),
        (3, "b", None),
        (3, "b", None),
    ]
    assert [each.resent for each in lived] == [False, False, True, False]


ANSWERS = [
    Answer("e-1", AT + timedelta(minutes=7), "delayed", "sms", 30),
    Answer("e-2", AT + timedelta(minutes=9), "acknowledged", "link"),
]


def test_every_answer_is_told() -> None:
    told = outcomes(delivery("sent", answers=ANSWERS))
    assert [each.what for each in told] == ["sent", "acknowledged", "acknowledged"]
    assert len({each.key for each in told}) == 3
    assert all(each.key.replace("_", "").isalnum() for each in told), "they are field names in the record"


RESULTS = st.sampled_from(
    ["sent", "resent", "transient", "permanent", "unknown", "delivered", "not_delivered", "suppressed"]
)
STATES = st.sampled_from(
    ["queued", "claimed", "unknown", "sent", "delivered", "failed", "suppressed", "merged", "undeliverable"]
)


@given(st.lists(RESULTS, max_size=6), RESULTS, STATES)
def test_what_was_told_stays_told(before: list[str], later: str, state: str) -> None:
    """Whatever is added, no key vanishes that the bus may have had."""
    early = {each.key for each in outcomes(delivery(*before, state="sent"))}
    late = [each.key for each in outcomes(delivery(*before, later, state=state))]
    assert early <= set(late) | {"sent"}
    assert len(late) == len(set(late))


def request() -> Requested:
    wanted = Notification("report_up", 0, 1, 1, ("general_manager",), ("sms",), "reported", "major", True)
    return Requested(Effect("notify", CASE, AT, "n1", BECAUSE, {}, wanted), wanted, "done", (), AT)


def decided(minute: int, effect: str, event: str, **keys: Any) -> Line:
    at = (AT + timedelta(minutes=minute)).astimezone().isoformat()
    return {"at": at, "case": "T-1", "policy": "complaint", "effect": effect, **keys, "because": {"event": event}}


def view(lines: Sequence[Line], *those: Delivery) -> list[Line]:
    return whole_timeline(lines, {"n1": request()}, those)


def test_deliveries_stand_among_the_decisions_in_order_of_time() -> None:
    lines = view(
        [decided(0, "opened", "e-0"), decided(3, "breached", "e-0", clock="respond")],
        delivery("transient/busy/a", "sent/accepted/b", "delivered", state="delivered", segments=2),
    )
    assert [line["effect"] for line in lines] == ["opened", "retried", "sent", "breached", "delivered"]
    sent = lines[2]
    assert {name: value for name, value in sent.items() if name not in ("at", "delivery")} == {
        "case": "T-1",
        "policy": "complaint",
        "effect": "sent",
        "step": "report_up",
        "message": "reported",
        "recipient": "gm-1",
        "role": "general_manager",
        "channel": "sms",
        "provider": "b",
        "attempt": 2,
        "segments": 2,
        "notification": "n1",
        "because": {"rule": "complaint.yaml:57", "clock": "respond"},
    }
    for line in lines:
        TimelineLine.model_validate({**line, "because": {"rule": "x", **line["because"]}})


def test_the_line_that_an_answer_made_says_who_answered_and_no_other_does() -> None:
    answered = delivery("sent", answers=ANSWERS)
    lines = view([decided(9, "acknowledged", "e-2", step="report_up")], answered)
    assert [line["effect"] for line in lines] == ["sent", "acknowledged", "acknowledged"]
    asked, taken = lines[1:]
    assert (asked["answer"], asked["minutes"], asked["recipient"]) == ("delayed", 30, "gm-1")
    assert (taken["recipient"], taken["answered_by"], "notification" in taken) == ("gm-1", "link", False)
    assert phrase("acknowledged", taken).endswith("by gm-1 (link)")


def test_what_a_decision_says_already_is_not_said_again() -> None:
    nobody = delivery("undeliverable/nobody", state="undeliverable")
    assert view([decided(0, "undeliverable", "e")], replace(nobody, recipient=NOBODY)) == [
        decided(0, "undeliverable", "e")
    ]


def test_a_message_sent_again_says_for_whom() -> None:
    [line] = view([], delivery("sent", resend_of="n0#gm-1#sms", by="wang", note="张三的手机坏了"))
    assert (line["resend_of"], line["by"]) == (short_id("n0#gm-1#sms"), "wang")
    assert "张三" not in str(line)


@pytest.mark.parametrize(
    ("of", "text"),
    [
        (delivery("sent/accepted/aliyun", segments=2), "through aliyun, 2 SMS"),
        (delivery(state="queued", hold="quiet"), "reported to gm-1 as general_manager by sms waits until"),
        (delivery("unknown/timeout", state="unknown"), "nobody knows whether it arrived (timeout)"),
        (delivery("transient/busy", state="queued"), "attempt 1 came to nothing (busy)"),
        (delivery("suppressed/silenced", state="suppressed", silence="s1"), "not sent to gm-1"),
        (delivery(state="merged", into="x"), f"went out with {short_id('x')}"),
        (delivery("permanent/refused", state="failed"), "failed to gm-1 as general_manager by sms (refused)"),
        (delivery(answers=ANSWERS[:1], state="queued"), "gm-1 answered reported: delayed by 30 minutes (sms)"),
    ],
)
def test_phrases(of: Delivery, text: str) -> None:
    [line] = view([], of)
    assert text in phrase(line["effect"], line)


@given(st.text(max_size=80))
def test_short_names_are_read_however_they_are_typed(id: str) -> None:
    name = short_id(id)
    assert len(name) == 9
    assert as_typed(name) == name
    assert as_typed(f" {name.upper().replace('-', '').replace('0', 'O').replace('1', 'l')} ") == name
    assert name.startswith(as_typed(name[:6]) or "?")


@pytest.mark.parametrize("text", ["", "a", "!!!!", "n1#gm-1#sms", "12345678901"])
def test_what_is_no_short_name(text: str) -> None:
    assert as_typed(text) is None
