"""Which message a reply without a code means, and what is answered with it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from reeve.domain.case import CaseKey
from reeve.runtime.store.ack_tokens import AckToken, Asked
from reeve.runtime.store.deliveries import Attempt
from reeve.runtime.store.reply_codes import number_of
from services.notify.answers.awaiting import Message, newest, together
from tests.support.deliveries import delivery

NOW = datetime(2026, 11, 20, 18, tzinfo=UTC)


def minutes_ago(minutes: int) -> datetime:
    return NOW - timedelta(minutes=minutes)


def message(name: str, *tries: tuple[int, str], subject: str = "T-1", **changes: Any) -> Message:
    """`tries`: how many minutes ago, and how it ended."""
    asked = Asked(f"n-{name}", "pm-1", "s1", "ticket", subject, "late", f"s1/complaint/{subject}")
    fixed: dict[str, Any] = {"expires_at": NOW + timedelta(days=1), "used_at": None}
    went_out = delivery(
        *(Attempt(minutes_ago(minutes), result, "accepted") for minutes, result in tries),
        id=name,
        notification=f"n-{name}",
        case=CaseKey("s1", "complaint", subject),
        recipient="pm-1",
        place="s1",
        step="late",
        at=minutes_ago(60),
        requested_at=minutes_ago(60),
        due_at=NOW,
    )
    return Message(AckToken(f"h-{name}", asked, **(fixed | changes)), went_out)


def test_the_newest_that_went_out_is_meant() -> None:
    older, newer = message("a", (9, "sent"), subject="T-2"), message("b", (5, "sent"))
    assert newest([older, newer], (), NOW) is newer
    assert newest([newer, older], {"h-b"}, NOW) is older


def test_what_may_have_arrived_counts_from_its_first_try() -> None:
    unknown = message("a", (9, "unknown"), (1, "resent"))
    assert newest([unknown, message("b", (5, "sent"))], (), NOW) == message("b", (5, "sent"))
    assert newest([unknown], (), NOW) is unknown


@pytest.mark.parametrize(
    "gone",
    [
        message("a"),
        message("a", (3, "transient")),
        message("a", (3, "sent"), used_at=NOW),
        message("a", (3, "sent"), expires_at=NOW),
    ],
    ids=["not tried", "not taken", "answered", "expired"],
)
def test_what_awaits_no_answer_is_passed_over(gone: Message) -> None:
    waiting = message("b", (20, "sent"), subject="T-2")
    assert newest([gone, waiting], (), NOW) is waiting
    assert newest([gone], (), NOW) is None


def test_who_took_a_matter_has_answered_what_was_said_of_it_before() -> None:
    other = message("a", (30, "sent"), subject="T-2")
    earlier, taken = message("b", (20, "sent")), message("c", (9, "sent"), used_at=minutes_ago(5))
    assert newest([other, earlier, taken], (), NOW) is other
    assert newest([other, earlier, message("c", (9, "sent"))], {"h-c"}, NOW) is other
    later = message("d", (1, "sent"))
    assert newest([other, earlier, taken, later], (), NOW) is later


def test_one_text_about_one_matter_is_answered_as_a_whole() -> None:
    first, second = message("a", (5, "sent")).token, message("b").token
    assert together([first, second], "acknowledged", named=False) == [first, second]
    assert together([first, second], "delayed", named=False) == [first], "one step is put off once"


def test_of_one_text_about_several_matters_only_a_code_says_which() -> None:
    first, other = message("a", (5, "sent")).token, message("b", subject="T-2").token
    assert together([first, other], "acknowledged", named=False) is None
    assert together([first, other], "acknowledged", named=True) == [first]


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("+86 138 0013 8000", "8613800138000"),
        ("008613800138000", "8613800138000"),
        ("86-138-0013-8000", "8613800138000"),
        ("１３８００１３８０００", "8613800138000"),
        ("13800138000", "8613800138000"),
        ("+447700900001", "447700900001"),
        ("00 44 7700 900001", "447700900001"),
        ("+1 (500) 555-0006", "15005550006"),
        ("10086", "10086"),
    ],
)
def test_a_number_is_the_same_however_it_is_written(written: str, number: str) -> None:
    assert number_of(written) == number
