"""`reeve scores`: what escalation decided, added up by department and month, each point with its case."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from reeve.ports import Changes, DecisionRow
from reeve.runtime.store import cases
from reeve.runtime.store.mongo import ensure_indexes, open_database
from tests.support.patient_store import patient_store
from tests.support.shared_servers import SharedServers
from tests.support.waiting import PATIENCE

pytestmark = pytest.mark.integration
NAME = "scores"
NOW = datetime(2026, 11, 20, tzinfo=UTC)


def row(subject: str, at: str, points: int, to: str | None, site: str = "sunshine-garden") -> DecisionRow:
    line = {"at": at, "case": subject, "policy": "complaint", "effect": "scored", "points": points, "to": to}
    line |= {"fact": "SCORE-01", "because": {"rule": "score.yaml:2", "clock": "resolve"}}
    other = {**line, "effect": "breached"}
    case, decided = f"{site}/complaint/{subject}", datetime.fromisoformat(at)
    return DecisionRow(case, 1, decided, None, None, "v", orjson.dumps([other, line]), (), (), 0)


@pytest.fixture
async def environment(shared_servers: SharedServers) -> dict[str, str]:
    client = patient_store(shared_servers.urls.mongo_url, NAME)
    database = open_database(client, NAME)
    await client.drop_database(NAME)
    await ensure_indexes(database, cases.INDEXES)
    rows = [
        row("T-1", "2026-11-03T10:00:00+08:00", -2, "finance"),
        row("T-2", "2026-11-04T10:00:00+08:00", -2, "finance"),
        row("T-3", "2026-11-04T10:00:00+08:00", 5, "u-4"),
        row("T-4", "2026-11-01T00:10:00+08:00", -1, None),
        row("T-5", "2026-10-31T23:50:00+08:00", -9, "finance"),
        row("T-6", "2026-11-05T10:00:00+08:00", -2, "finance", site="elsewhere"),
    ]
    await cases.MongoCaseRecord(client, database).commit(Changes(NOW, decisions=rows))
    await client.close()
    return {"REEVE_MONGO_URL": shared_servers.urls.mongo_url, "REEVE_MONGO_DATABASE": NAME}


def scores(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "reeve.cli.main", "scores", *arguments],
        env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False,
    )  # fmt: skip


def test_points_are_added_up_per_department_in_the_sites_own_month(environment: dict[str, str]) -> None:
    done = scores(environment, "--month", "2026-11", "--site", "sunshine-garden")
    assert done.returncode == 0, done.stderr
    found = [line.split()[:2] for line in done.stdout.splitlines()]
    assert found == [["-4", "finance"], ["-1", "-"], ["+5", "u-4"]]


def test_every_point_names_its_case_and_rule(environment: dict[str, str]) -> None:
    done = scores(environment, "--month", "2026-11", "--to", "finance", "--json")
    lines: list[dict[str, Any]] = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(line["case"], line["points"], line["rule"], line["fact"]) for line in lines] == [
        ("sunshine-garden/complaint/T-1", -2, "score.yaml:2", "SCORE-01"),
        ("sunshine-garden/complaint/T-2", -2, "score.yaml:2", "SCORE-01"),
        ("elsewhere/complaint/T-6", -2, "score.yaml:2", "SCORE-01"),
    ]


def test_a_month_that_is_none_is_refused(environment: dict[str, str]) -> None:
    done = scores(environment, "--month", "2026-13")
    assert done.returncode == 2
    assert "2026-11" in done.stderr
