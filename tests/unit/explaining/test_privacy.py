"""PRIVACY-01: what a decision looked at goes into the record and nowhere else."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
import structlog

from reeve.runtime.store.cases import decision_document
from reeve.runtime.store.outbox import outbox_document
from tests.support.explaining import Desk
from tests.support.simulation import bundle_of, event
from tests.support.stage import Stage

ROOM, TITLE, REFUSED = "7-2-1401", "业主李晓梅家漏水", "李晓梅的访客"
NOSY = """
policy: complaint
takes: ticket
if: title matches "漏水"
grades:
  - {grade: major, if: room == "7-2-1401"}
  - {grade: ordinary}
clocks: {resolve: {start: ticket.opened, stop: ticket.resolved, limit: 1h}}
steps:
  - {name: a, on: opened, if: description contains "x", notify: front_desk, message: m}
  - {name: b, on: graded, if: room == "7-2-1401", notify: front_desk, message: m}
close: ticket.closed
"""


async def test_conditions_that_read_personal_facts_leave_no_trace_on_the_bus_or_in_logs(
    capfd: pytest.CaptureFixture[str],
) -> None:
    desk = Desk(bundle_of(NOSY, messages="m: {en: {email: {subject: s, body: b}}}"))
    with structlog.testing.capture_logs() as logged:
        await desk.take(
            event("2026-02-12 10:00", "ticket.opened", category="complaint", room=ROOM, title=TITLE),
            event("2026-02-12 10:00", "ticket.opened", "T-2", category="visit", title=REFUSED),
        )
        await desk.until("2026-02-12 12:00")
    rows = list(desk.record.decisions.values())
    kept = " ".join(decision_document(row)["facts"] for row in rows)
    assert all(secret in kept for secret in (ROOM, TITLE, REFUSED)), "or there would be nothing to hide"
    published = [message for row in rows for message in row.messages]
    outgoing = [outbox_document(stored.row) for stored in desk.record.outbox.values()]
    assert published
    assert outgoing
    elsewhere = [
        *(f"{m.subject} {m.headers} {m.payload.decode()}" for m in published),
        *(str(document) for document in outgoing),
        *(repr(row) for row in rows),
        *(row.lines.decode() for row in rows),
        *(row.trace.decode() for row in rows),
        json.dumps(logged, default=repr),
        *capfd.readouterr(),
    ]
    for text in elsewhere:
        assert not [secret for secret in (ROOM, TITLE, REFUSED, "李晓梅") if secret in text]
        assert '"scenes"' not in text or text in {row.trace.decode() for row in rows}


async def test_an_event_that_no_case_takes_tells_nobody() -> None:
    stage = Stage(datetime(2026, 2, 12, 2, 0, tzinfo=UTC))
    committed = await stage.events([event("2026-02-12 10:00", "ticket.opened", category="else", title=TITLE)])
    (row,) = committed.rows
    assert (row.taken, row.messages, row.requested) == (False, (), ())
    assert stage.memory.outbox == {}
