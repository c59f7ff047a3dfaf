"""Several processes share a simulation: nothing of what they make together differs from what one makes alone."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import orjson
import pytest

from reeve.cli.rules.simulating import WORTH_SHARING
from tests.support.simulation import moment

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are shared on Linux only")

ROOT = Path(__file__).parents[3]
PATIENCE = 300


def program(*arguments: str, stdin: bytes | None = None) -> bytes:
    found = subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=ROOT,
        input=stdin,
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    assert found.returncode == 0, found.stderr
    return found.stdout


@pytest.mark.parametrize("how", ["until", "open"])
def test_late_news_repeats_and_duties_come_out_in_the_order_of_a_single_run(how: str) -> None:
    word, effects, late = program("tests.support.shared_run", how).split()
    assert word == b"same"
    assert int(effects) > 500
    assert int(late) > 20


def test_a_process_that_ends_before_its_time_is_told_about() -> None:
    assert b"ended before its time" in program("tests.support.shared_run", "killed")


def test_a_large_file_gives_what_the_same_events_from_a_pipe_give(tmp_path: Path) -> None:
    lines = []
    for number in range(120):
        body = {"specversion": "1.0", "id": f"e{number}", "source": "/test", "site": f"site-{number % 7}"}
        data = {"category": "complaint", "title": "leak", "description": "wet " * 2400}
        at = moment("2026-03-02 09:00") + timedelta(minutes=number // 5)
        body |= {"type": "ticket.opened", "subject": f"T-{number}", "time": at.isoformat()}
        lines.append(orjson.dumps({**body, "data": data}))
    lines.insert(50, b'{"type": "no.such"}')
    file = tmp_path / "events.ndjson"
    file.write_bytes(b"\n".join(lines))
    assert file.stat().st_size >= WORTH_SHARING
    command = ("reeve.cli.main", "rules", "simulate", "rules")
    options = ("--until", "2026-03-02 12:00", "--json")
    shared, alone = (
        subprocess.run(
            [sys.executable, "-m", *command, name, *options],
            cwd=ROOT,
            input=stdin,
            capture_output=True,
            timeout=PATIENCE,
            check=False,
        )
        for name, stdin in ((str(file), None), ("-", file.read_bytes()))
    )
    assert shared.stdout == alone.stdout
    assert len(shared.stdout.splitlines()) > 500
    assert (shared.returncode, shared.stderr) == (alone.returncode, alone.stderr)
    assert shared.returncode == 1
    assert b"line 51" in shared.stderr
