"""GET /v1/cases: cases with their clocks, and the timeline."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import orjson
import pytest
from pymongo import MongoClient

from reeve.domain.case import Case, CaseKey, ClockState, Due
from reeve.runtime.store.cases import case_document
from tests.support.intake import Stack

pytestmark = pytest.mark.integration

AT = datetime(2026, 2, 13, 9, 50, tzinfo=UTC)


def _case(subject: str, site: str = "garden", **changes: Any) -> Case:
    values: dict[str, Any] = {
        "digest": "d",
        "family": "ticket",
        "opened_at": AT,
        "version": 2,
        "grade": "major",
        "facts": {"room": "3-1201", "title": "漏水"},
        "clocks": {
            "respond": ClockState(
                run=1, status="running", case_run=1, started_at=AT, due=Due(AT + timedelta(minutes=5))
            )
        },
    }
    return Case(key=CaseKey(site, "complaint", subject), **{**values, **changes})


def _record(servers: Stack, *cases: Case) -> None:
    client: MongoClient[dict[str, Any]] = MongoClient(servers.mongo.url)
    with client:
        client["reeve"]["cases"].insert_many([case_document(case) for case in cases])
        for case in cases:
            for version in (10, 9):  # stored in any order, told in the order of versions
                line = {"at": "2026-02-13T17:50:00+08:00", "effect": "graded", "n": version}
                client["reeve"]["decisions"].insert_one(
                    {
                        "_id": f"{case.key}#{version}",
                        "at": AT,
                        "case": str(case.key),
                        "lines": orjson.dumps([line]).decode(),
                    }
                )


async def test_cases_are_filtered_and_paged(servers: Stack) -> None:
    _record(
        servers,
        _case("T-1"),
        _case("T-2", open=False, closed_at=AT, outcome="ticket.closed"),
        _case("T-3", grade="ordinary", clocks={}),
        _case("T-4", site="harbour"),
        _case("T-5", open=False, scheduled=True, next_due=AT, clocks={}),
    )
    async with servers.intake() as (_, client):

        async def subjects(**query: Any) -> list[str]:
            answer = await client.get("/v1/cases", params=query)
            assert answer.status_code == 200, answer.text
            return [case["subject"] for case in answer.json()["cases"]]

        assert await subjects() == ["T-1", "T-2", "T-3", "T-4"]
        assert await subjects(site="garden") == ["T-1", "T-2", "T-3"]
        assert await subjects(state="closed") == ["T-2"]
        assert await subjects(state="scheduled") == ["T-5"]
        assert await subjects(grade="ordinary") == ["T-3"]
        assert await subjects(site="garden", overdue="true") == ["T-1"]
        assert await subjects(overdue="false") == ["T-2", "T-3"]
        assert await subjects(policy="repair") == []
        first = (await client.get("/v1/cases?limit=3")).json()
        rest = (await client.get("/v1/cases", params={"limit": 3, "cursor": first["next"]})).json()
        assert [case["subject"] for case in rest["cases"]] == ["T-4"]
        assert rest["next"] is None
        for wrong in ("limit=0", "state=ajar", "overdue=perhaps", "cursor=%FF"):
            assert (await client.get(f"/v1/cases?{wrong}")).status_code == 422


async def test_a_case_has_clocks_and_timeline_but_nothing_about_people(servers: Stack) -> None:
    _record(servers, _case("T/1 单"))
    async with servers.intake() as (_, client):
        answer = await client.get(f"/v1/cases/garden/complaint/{quote('T/1 单')}")
        assert (await client.get("/v1/cases/garden/complaint/T-9")).status_code == 404
    case = answer.json()
    assert case["clocks"][0] == {
        "clock": "respond",
        "status": "running",
        "run": 1,
        "started_at": "2026-02-13T09:50:00+00:00",
        "due": "2026-02-13T09:55:00+00:00",
        "provisional": False,
        "breached_at": None,
        "stopped_at": None,
        "met": None,
    }
    assert (case["state"], case["grade"], case["overdue"]) == ("open", "major", True)
    assert [line["n"] for line in case["timeline"]] == [9, 10]
    assert "漏水" not in answer.text
    assert "1201" not in answer.text
