"""NATS subjects (contracts.md §2): built and read back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reeve.contracts import subjects
from reeve.domain.case import CaseKey

_TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=200)
_SITE = st.from_regex(r"[a-z0-9-]{1,64}", fullmatch=True)


@given(_TEXT)
def test_a_token_is_one_printable_ascii_token_and_reads_back(text: str) -> None:
    token = subjects.token(text)
    assert token.isascii()
    assert token.isprintable()
    assert not set(token) & set(" .*>")
    assert subjects.text_of(token) == text


@given(_TEXT, _TEXT)
def test_different_texts_have_different_tokens(one: str, other: str) -> None:
    assert (subjects.token(one) == subjects.token(other)) == (one == other)


@pytest.mark.parametrize(
    ("text", "token"),
    [
        ("T-1001", "T-1001"),
        ("ledger_check/2026-11-20", "ledger_check/2026-11-20"),
        ("T-1~follow_up", "T-1~follow_up"),
        ("a.b c", "a%2Eb%20c"),
        ("*>%", "%2A%3E%25"),
        ("单", "%E5%8D%95"),
    ],
)
def test_tokens_by_example(text: str, token: str) -> None:
    assert subjects.token(text) == token


@pytest.mark.parametrize("token", ["", "a.b", "a b", "%", "%zz", "%e5", "%FF", "a*"])
def test_what_is_no_token_of_ours(token: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # three kinds of fault, one answer
        subjects.text_of(token)


def test_an_empty_text_has_no_token() -> None:
    with pytest.raises(ValueError, match="empty"):
        subjects.token("")


@given(_SITE, _TEXT, _TEXT)
def test_every_subject_reads_back(site: str, policy: str, key: str) -> None:
    case = CaseKey(site, policy.replace("/", "-"), key)
    assert subjects.parse_cases(subjects.cases_subject(case, "breached")) == subjects.Told(case, "breached")
    assert subjects.parse_notifications(subjects.notifications_subject(site, "sent", key)) == subjects.Notified(
        site, "sent", key
    )
    accepted = subjects.Accepted(site, "mail.received", key)
    assert subjects.parse_events(subjects.events_subject(site, "mail.received", key)) == accepted
    assert subjects.parse_timer(subjects.timer_subject(case)) == case
    assert subjects.parse_timer(subjects.timer_due_subject(3, case)) == case


def test_intake_subjects() -> None:
    assert subjects.intake_subject("garden", "ticket.opened") == "intake.garden.ticket.opened"
    assert subjects.parse_intake("intake.garden.ticket.opened") == subjects.Posted("garden", "ticket.opened")


@pytest.mark.parametrize(
    "subject", ["intake.garden.ticket", "intake.Garden.ticket.opened", "intake.a.b.c.d", "x.a.b.c"]
)
def test_what_is_no_intake_subject(subject: str) -> None:
    with pytest.raises(ValueError, match="expected intake"):
        subjects.parse_intake(subject)


def test_a_site_that_can_be_no_token_is_an_underscore() -> None:
    assert subjects.dead_subject("intake", "garden") == "dead.intake.garden"
    assert subjects.dead_subject("intake", "a.b") == "dead.intake._"
    assert subjects.dead_subject("intake", None) == "dead.intake._"
    assert subjects.rejected_subject("a>") == "rejected._"
