"""GET /v1/cases: the cases of a site with their clocks, and one case with the timeline that says why."""

from __future__ import annotations

import base64
import binascii
import sys
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from typing import Literal as OneOf

import orjson
from pydantic import BaseModel, Field

from reeve.contracts.timeline import TimelineLine
from reeve.domain.case import Case, ClockState
from reeve.domain.stored import load_case
from reeve.ports import TimeSource
from reeve.runtime.delivery_lines import deliveries_of_case, whole_timeline
from reeve.runtime.store.mongo import Database, Document, store_errors

_MOST_LOOKED_AT = 5000
"""Cases read for one page: `overdue` is told from their clocks."""


class ClockView(BaseModel):
    """One clock of a case."""

    clock: str
    status: OneOf["idle", "running", "paused", "stopped"]
    run: int = Field(description="Counts its starts")
    started_at: datetime | None
    due: datetime | None = Field(description="When it runs out, null while unknown")
    provisional: bool = Field(description="Reckoned beyond the last year the calendar knows")
    breached_at: datetime | None
    stopped_at: datetime | None
    met: bool | None


State = OneOf["open", "closed", "scheduled"]
"""`scheduled`: a duty's next occurrence, which opens at `next_due`."""


class CaseView(BaseModel):
    """A case as integrators see it; what was posted about people stays in the record."""

    site: str
    policy: str
    subject: str
    state: State
    grade: str | None
    opened_at: datetime
    acknowledged_at: datetime | None
    closed_at: datetime | None
    outcome: str | None
    next_due: datetime | None = Field(description="When something happens by itself next")
    overdue: bool = Field(description="A clock has run out and was not stopped")
    clocks: list[ClockView]


class CaseDetail(CaseView):
    """A case and everything that happened to it, in order, with what became of every message about it."""

    timeline: list[TimelineLine]


class CasePage(BaseModel):
    """Some cases, ordered by site, policy and subject."""

    cases: list[CaseView]
    next: str | None = Field(description="Pass it as `cursor` for the next page; null: there is none")


class BadCursor(ValueError):
    """The cursor is none of ours."""


class CaseReader:
    """Reads cases. Every method raises StoreAway when the record can't be reached."""

    def __init__(self, database: Database, time: TimeSource) -> None:
        self._database = database
        self._cases = database["cases"]
        self._decisions = database["decisions"]
        self._time = time

    async def page(
        self,
        *,
        sites: frozenset[str] | None,
        policy: str | None,
        state: State | None,
        grade: str | None,
        overdue: bool | None,
        limit: int,
        cursor: str | None,
    ) -> dict[str, Any]:
        """At most `limit` cases; None as a filter takes all, but no duties to come. Raises BadCursor."""
        query: Document = {}
        if sites is not None:
            query["site"] = {"$in": sorted(sites)}
        if policy is not None:
            query["policy"] = policy
        if state == "scheduled":
            query |= {"unopened": True, "next_due": {"$type": "date"}}
        else:
            query["unopened"] = {"$ne": True}
            if state is not None:
                query["open"] = state == "open"
        if grade is not None:
            query["grade"] = grade
        if cursor is not None:
            query["_id"] = {"$gt": _read_cursor(cursor)}
        now = self._time.now()
        rows: list[dict[str, Any]] = []
        looked_at, last = 0, None
        with store_errors():
            async for document in self._cases.find(query, {"state": 1}).sort("_id", 1).limit(_MOST_LOOKED_AT):
                view = case_view(load_case(document["state"]), now)
                looked_at, last = looked_at + 1, document["_id"]
                if overdue is None or view["overdue"] is overdue:
                    rows.append(view)
                if len(rows) == limit:
                    break
        more = last is not None and (len(rows) == limit or looked_at == _MOST_LOOKED_AT)
        return {"cases": rows, "next": _cursor(last) if more and last is not None else None}

    async def one(self, case_id: str) -> dict[str, Any] | None:
        """The case with its timeline, deliveries among it; None if there is none."""
        with store_errors():
            document = await self._cases.find_one({"_id": case_id}, {"state": 1})
            if document is None:
                return None
            decisions = await self._decisions.find({"case": case_id}, {"lines": 1, "at": 1}).to_list()
        decisions.sort(key=_in_order)
        decided = [line for decision in decisions for line in orjson.loads(decision["lines"])]
        timeline = whole_timeline(decided, *await deliveries_of_case(self._database, case_id))
        return {**case_view(load_case(document["state"]), self._time.now()), "timeline": timeline}


def _in_order(decision: Mapping[str, Any]) -> tuple[datetime, int]:
    """When it was decided, then the case's version; what notify adds (no version) comes behind its cause."""
    version = decision["_id"].rpartition("#")[2]
    return decision["at"], int(version) if version.isdigit() else sys.maxsize


def case_view(case: Case, now: datetime) -> dict[str, Any]:
    """What may be shown of a case (PRIVACY-01): no facts, which hold rooms and free text."""
    clocks = [_clock_view(name, clock) for name, clock in case.clocks.items() if clock.run]
    late = any(
        clock.live and (clock.breached_at is not None or (clock.due is not None and clock.due.at <= now))
        for clock in case.clocks.values()
    )
    return {
        "site": case.key.site,
        "policy": case.key.policy,
        "subject": case.key.subject,
        "state": "scheduled" if case.scheduled else "open" if case.open else "closed",
        "grade": case.grade,
        "opened_at": case.opened_at,
        "acknowledged_at": case.acknowledged_at,
        "closed_at": case.closed_at,
        "outcome": case.outcome,
        "next_due": case.next_due,
        "overdue": case.open and late,
        "clocks": clocks,
    }


def _clock_view(name: str, clock: ClockState) -> dict[str, Any]:
    return {
        "clock": name,
        "status": clock.status,
        "run": clock.run,
        "started_at": clock.started_at,
        "due": None if clock.due is None else clock.due.at,
        "provisional": clock.due is not None and clock.due.provisional,
        "breached_at": clock.breached_at,
        "stopped_at": clock.stopped_at,
        "met": clock.met,
    }


def _cursor(case_id: str) -> str:
    return base64.urlsafe_b64encode(case_id.encode()).decode()


def _read_cursor(cursor: str) -> str:
    try:
        return base64.b64decode(cursor, altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        raise BadCursor("the cursor is none of ours") from None
