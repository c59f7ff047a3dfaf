"""`reeve demo` from nothing: it starts Reeve, plays the morning, and everything that it promises happens."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

pytestmark = [pytest.mark.acceptance, pytest.mark.long]


def test_the_morning_plays_out_in_under_two_minutes_and_leaves_nothing_behind(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "reeve.cli.main", "demo", "--json", "--pace", "0"],
        cwd=ROOT,
        env={**os.environ, "REEVE_DATA": str(tmp_path / "none"), "TMPDIR": str(tmp_path), "REEVE_INTAKE_PORT": "9"},
        capture_output=True,
        text=True,
        timeout=540,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    rows = [json.loads(line) for line in ran.stdout.splitlines()]
    summary = rows[-1]
    assert summary["kind"] == "summary"
    assert summary["missing"] == []
    assert summary["events"] == 28
    assert summary["grades"]["extraordinary"] == 10
    # Two older rounds; and what was paid before the dunning letter and the proof of it were on their way.
    assert 2 <= summary["suppressed"] <= 4
    assert summary["arrived"]["sms"] > 0

    reported = [
        row
        for row in rows
        if row["kind"] == "notification"
        and row["type"] == "notifications.requested"
        and row["data"]["message"] == "complaint_reported"
        and row["data"]["to"] == ["general_manager"]
    ]
    assert len(reported) == 1  # ten cases of one incident: one message
    dunning = [
        row["data"]["message"]
        for row in rows
        if row["kind"] == "notification" and "owner" in row["data"].get("to", [])
    ]
    for letter in ("friendly_reminder", "second_reminder", "dunning_letter"):
        assert dunning.count(letter) == 1
    assert not list(tmp_path.glob("reeve-demo-*"))
