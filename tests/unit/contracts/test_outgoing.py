"""Timeline lines (contracts.md §5) and what effects publish (§2)."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from reeve.contracts.deliveries import NotificationOutcome, delivery_message
from reeve.contracts.notices import (
    DeadLetter,
    Rejected,
    RulesNotice,
    dead_letter,
    read_dead_letter,
    rejected_notice,
    rules_notice,
)
from reeve.contracts.outgoing import CaseEvent, NotificationSuppressed, messages_of, read_requested
from reeve.contracts.problems import Problem
from reeve.contracts.timeline import TimelineLine, timeline_line
from reeve.domain.case import Case, CaseKey
from reeve.domain.effects import Because, Effect, Notification

SHANGHAI = ZoneInfo("Asia/Shanghai")
KEY = CaseKey("sunshine-garden", "complaint", "T-1.5")
AT = datetime(2026, 2, 13, 9, 55, tzinfo=UTC)
CASE = Case(key=KEY, family="ticket", digest="d", opened_at=AT, grade="major")


def effect(what: Any, because: Because | None = None, wanted: Notification | None = None, **details: Any) -> Effect:
    """An effect of the case at AT."""
    because = because or Because("complaint.yaml:14", event="e-1")
    return Effect(what, KEY, AT, "effect-key", because, details, wanted)


WANTED = Notification(
    step="nobody_answered",
    level=1,
    round=2,
    run=1,
    to=("property_manager",),
    via=("sms", "email"),
    message="complaint_reported",
    grade="major",
    ack_ends=True,
    not_before=AT,
)


@pytest.mark.parametrize(
    ("line_of", "keys"),
    [
        (effect("opened"), []),
        (effect("graded", was=None, grade="major"), ["grade", "was"]),
        (effect("clock_started", run=1, due=AT, clock="respond"), ["clock", "due", "run"]),
        (effect("clock_resumed", run=1, clock="respond", due=None), ["clock", "due", "run"]),
        (effect("clock_paused", left=90, clock="respond"), ["clock", "left"]),
        (effect("clock_stopped", met=True, clock="respond"), ["clock", "met"]),
        (effect("breached", due=AT, clock="respond"), ["clock", "due"]),
        (effect("notify", message="m", via=["sms"], to=["owner"], late=True), ["to", "via", "message", "late"]),
        (effect("escalated", level=1, step="s"), ["step", "level"]),
        (effect("closed", outcome="ticket.closed"), ["outcome"]),
        (effect("suppressed", step="s", to=["owner"]), ["step", "to"]),
    ],
)
def test_lines_have_their_keys_in_the_order_of_the_contract(line_of: Effect, keys: list[str]) -> None:
    line = timeline_line(line_of, SHANGHAI)
    assert list(line) == ["at", "case", "policy", "effect", *keys, "because"]
    TimelineLine.model_validate(json.loads(json.dumps(line)))


def test_every_moment_has_the_offset_of_the_site() -> None:
    line = timeline_line(
        effect("breached", Because("complaint.yaml:9", clock="respond"), clock="respond", due=AT), SHANGHAI
    )
    assert line == {
        "at": "2026-02-13T17:55:00+08:00",
        "case": "T-1.5",
        "policy": "complaint",
        "effect": "breached",
        "clock": "respond",
        "due": "2026-02-13T17:55:00+08:00",
        "because": {"rule": "complaint.yaml:9", "clock": "respond"},
    }


def test_an_effect_is_published_with_its_key_as_id() -> None:
    (message,) = messages_of(effect("graded", grade="major", was=None), CASE, SHANGHAI, event_key="ab" * 16)
    assert message.subject == "cases.sunshine-garden.complaint.graded.T-1%2E5"
    assert message.id == "effect-key"
    told = CaseEvent.model_validate_json(message.body)
    assert told.type == "cases.graded"
    assert told.correlationid == "sunshine-garden/complaint/T-1.5"
    assert told.causationid == "ab" * 16
    assert told.data.grade == "major"
    assert told.data.because.rule == "complaint.yaml:14"
    assert told.time == "2026-02-13T17:55:00+08:00"


def test_a_deadline_is_the_cause_where_no_event_is() -> None:
    breach = effect("breached", Because("complaint.yaml:9", clock="respond"), clock="respond", due=AT)
    (message,) = messages_of(breach, CASE, SHANGHAI)
    cause = CaseEvent.model_validate_json(message.body).causationid
    assert cause == "sunshine-garden/complaint/T-1.5#respond@2026-02-13T09:55:00Z"


def test_the_same_effect_gives_the_same_bytes() -> None:
    breach = effect("breached", clock="respond", due=AT)
    assert messages_of(breach, CASE, SHANGHAI) == messages_of(breach, CASE.copy(), SHANGHAI)


def test_a_notification_is_requested_with_all_that_notify_needs() -> None:
    (message,) = messages_of(effect("notify", wanted=WANTED, to=["property_manager"]), CASE, SHANGHAI)
    assert message.subject == "notifications.sunshine-garden.requested.T-1%2E5"
    data = read_requested(message.body).data
    assert (data.step, data.level, data.round, data.run) == ("nobody_answered", 1, 2, 1)
    assert (data.to, data.via, data.message) == (["property_manager"], ["sms", "email"], "complaint_reported")
    assert data.not_before == "2026-02-13T17:55:00+08:00"


def test_a_suppressed_round_is_told_but_not_requested() -> None:
    (message,) = messages_of(effect("suppressed", wanted=WANTED, step="s"), CASE, SHANGHAI)
    assert message.subject == "notifications.sunshine-garden.suppressed.T-1%2E5"
    assert NotificationSuppressed.model_validate_json(message.body).type == "notifications.suppressed"


@pytest.mark.parametrize("what", ["suppressed", "undeliverable"])
def test_what_notify_tells_itself_is_not_told_twice(what: str) -> None:
    assert messages_of(effect(what, to=["owner"]), CASE, SHANGHAI) == []


def test_outcomes_of_deliveries() -> None:
    data = {
        "notification": "effect-key",
        "policy": "complaint",
        "step": "s",
        "level": 0,
        "round": 1,
        "message": "m",
        "recipient": "R-7",
        "channel": "sms",
    }
    message = delivery_message("sent", id="d-1", case=KEY, at=AT, zone=SHANGHAI, data=data)
    assert message.subject == "notifications.sunshine-garden.sent.T-1%2E5"
    told = NotificationOutcome.model_validate_json(message.body)
    assert (told.causationid, told.data.recipient, told.data.channel) == ("effect-key", "R-7", "sms")


def test_a_dead_letter_keeps_the_original_bytes() -> None:
    message = dead_letter(
        "intake", "a.b", reason="$.site: expected …", attempts=3, subject="intake.x.y.z", body=b"\xff\0", at=AT
    )
    assert message.subject == "dead.intake._"
    letter, body = read_dead_letter(message.body)
    assert isinstance(letter, DeadLetter)
    assert body == b"\xff\0"
    assert letter.data.model_dump(exclude={"body", "headers"}) == {
        "service": "intake",
        "site": "_",
        "reason": "$.site: expected …",
        "attempts": 3,
        "subject": "intake.x.y.z",
    }
    assert base64.b64decode(letter.data.body) == body


def test_a_rejected_notice_holds_id_and_reason_only() -> None:
    problem = Problem("$.data.due_on", "text", "a date like 2026-11-20")
    message = rejected_notice(
        "garden", id="e-1", problems=[problem], subject="intake.garden.a.b", message_id="m", at=AT
    )
    told = Rejected.model_validate_json(message.body)
    assert message.subject == "rejected.garden"
    assert told.data.model_dump() == {
        "id": "e-1",
        "subject": "intake.garden.a.b",
        "reason": "$.data.due_on: expected a date like 2026-11-20",
    }


@pytest.mark.parametrize(("what", "subject"), [("activated", "rules.activated"), ("rejected", "rules.rejected")])
def test_rules_notices(what: Any, subject: str) -> None:
    message = rules_notice(
        what, version="v1", files=["complaint.yaml"], by="wang", at=AT, errors=["x.yaml:1:1: no"]
    )
    assert message.subject == subject
    assert RulesNotice.model_validate_json(message.body).data.files == ["complaint.yaml"]
