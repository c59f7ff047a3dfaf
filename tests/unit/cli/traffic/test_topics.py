"""Which streams a subject is on, since when to follow, and where a dead letter goes back to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import typer

from reeve.cli.cases.reading import plain_facts
from reeve.cli.traffic.dead_letters import replay_subject
from reeve.cli.traffic.tail import read_since
from reeve.cli.traffic.topics import streams_for
from reeve.domain.case import Case, CaseKey

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("subject", "streams"),
    [
        ("cases.>", ["CASES"]),
        ("cases.here.complaint.graded.T-1", ["CASES"]),
        ("notifications.*.failed.>", ["NOTIFICATIONS"]),
        ("*.here.>", ["INTAKE", "EVENTS", "CASES", "NOTIFICATIONS", "RULES", "DEAD", "REJECTED", "TIMERS"]),
        ("cases", []),
        ("nothing.here", []),
    ],
)
def test_the_streams_of_a_subject(subject: str, streams: list[str]) -> None:
    assert streams_for(subject) == streams


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("90s", NOW - timedelta(seconds=90)),
        ("10m", NOW - timedelta(minutes=10)),
        ("2 h", NOW - timedelta(hours=2)),
        ("1d", NOW - timedelta(days=1)),
        ("2026-03-02T09:00:00+08:00", datetime(2026, 3, 2, 1, 0, tzinfo=UTC)),
    ],
)
def test_since(text: str, moment: datetime) -> None:
    assert read_since(text, NOW) == moment


@pytest.mark.parametrize("text", ["yesterday", "10", "2026-03-02T09:00:00", ""])
def test_a_since_that_says_no_moment_is_wrong_usage(text: str) -> None:
    with pytest.raises(typer.BadParameter):
        read_since(text, NOW)


@pytest.mark.parametrize(
    ("came_on", "goes_to"),
    [
        ("intake.here.ticket.opened", "intake.here.ticket.opened"),
        ("events.here.ticket.opened.T-1", "events.here.ticket.opened.T-1"),
        ("work.2.here.ticket.opened.T-1", "events.here.ticket.opened.T-1"),
    ],
)
def test_a_message_of_the_internal_stream_goes_back_by_the_public_one(came_on: str, goes_to: str) -> None:
    assert replay_subject(came_on) == goes_to


def test_facts_are_shown_without_what_may_be_personal() -> None:
    facts = {
        "category": "complaint",
        "loss_cny": 12000,
        "room": "12-501",
        "title": "x",
        "phone": "1",
        "customer": "C-1",
    }
    case = Case(CaseKey("here", "complaint", "T-1"), "ticket", "d", NOW, facts=facts)
    assert plain_facts(case) == {"category": "complaint", "loss_cny": 12000}
