"""`reeve shifts` on a real record: in, shown, changed, taken back, exported, checked."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from icalendar import Calendar
from typer.testing import CliRunner

from reeve.cli.shifts.command import app
from reeve.domain.facts import zone_of
from reeve.domain.recipients import Recipient
from reeve.runtime.store.shifts import ShiftBook, ShiftStore
from reeve.runtime.time_source import SystemTime
from tests.integration.notify.world import SITE, World

pytestmark = pytest.mark.integration

ZONE = zone_of("Asia/Shanghai")
ROTA = """
- place: sunshine-garden
  role: guard
  start: 2026-01-01
  groups: {甲班: [guard-01, guard-02], 乙班: [guard-03]}
  every: day at 08:00
  turns: [甲班, 乙班]
- {place: sunshine-garden, role: courier, start: 2026-01-01, shifts: {day: "09:00-17:00"}, turns: {day: rider-1}}
"""


async def _reeve(here: World, *arguments: str) -> tuple[int, str, str]:
    environment = {
        "REEVE_MONGO_URL": here.urls.mongo_url,
        "REEVE_NATS_URL": here.urls.nats_url,
        "REEVE_MONGO_DATABASE": here.database.name,
    }
    result = await asyncio.to_thread(lambda: CliRunner().invoke(app, arguments, env=environment))
    return result.exit_code, result.stdout, result.stderr


def rows(out: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.splitlines()]


@pytest.mark.long
async def test_a_rota_comes_in_is_changed_and_goes_out_again(
    here: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reeve.cli.targets.configure_logging", lambda *_, **__: None)
    file = tmp_path / "shifts.yaml"
    file.write_text(ROTA.replace("turns:", "turn:", 1), encoding="utf-8")
    code, out, err = await _reeve(here, "import", str(file))
    assert (code, out) == (1, "")
    assert "shifts.yaml:7:3: error: `turn` is not known here → did you mean `turns`?" in err
    assert "^^^^" in err

    guards = [
        Recipient(
            f"guard-0{number}", SITE, frozenset({"guard"}), addresses={"sms": f"+44770090000{number}"}, name="王"
        )
        for number in range(1, 6)
    ]
    await here.people(*guards)
    file.write_text(ROTA, encoding="utf-8")
    code, out, _ = await _reeve(here, "import", str(file), "--dry-run", "--json")
    assert (code, rows(out)[-1]) == (0, {"new": 2, "changed": 0, "unchanged": 0, "dry_run": True})
    assert await here.database["shifts"].count_documents({}) == 0
    code, out, _ = await _reeve(here, "import", str(file))
    assert code == 0
    assert "sunshine-garden/courier: rider-1 is no recipient there" in out
    assert "sunshine-garden/courier: the rules tell no courier of a hand-over" in out

    store = ShiftStore(here.database)
    rota, _ = (await store.load()).of(SITE, "guard")
    assert rota is not None
    assert rota.since is not None

    # --- two people exchange two shifts; one stands in, and that is taken back
    coming = rows((await _reeve(here, "show", f"{SITE}/guard", "--days", "5", "--json"))[1])[2:]
    of_two = next(row for row in coming if "guard-02" in row["people"])
    of_three = next(row for row in coming if "guard-03" in row["people"])
    code, out, err = await _reeve(
        here,
        "swap",
        f"{SITE}/guard",
        f"guard-02@{of_two['from'][:10]}",
        f"guard-03@{of_three['from'][:16]}",
        *("--note", "exam", "--author", "chief", "--json"),
    )
    assert code == 0, err
    swapped = rows(out)
    assert [row["people"] for row in swapped] == [["guard-01", "guard-03"], ["guard-02"]]
    code, out, err = await _reeve(here, "override", f"{SITE}/guard", "--person", "guard-5", "--for", "1h")
    assert (code, err.strip()) == (1, "guard-5 is no recipient at sunshine-garden; did you mean guard-05?")
    code, out, _ = await _reeve(here, "override", f"{SITE}/guard", "--person", "guard-05", "--for", "2h", "--json")
    (stand_in,) = rows(out)
    assert stand_in["people"] == ["guard-05"]
    book = ShiftBook(store)
    await book.refresh(SystemTime().now())
    assert book.on_shift(SITE, "guard", SystemTime().now()) == frozenset({"guard-05"})
    assert book.on_shift(SITE, "technician", SystemTime().now()) is None
    listed = (await _reeve(here, "list"))[1]
    assert "swap: guard-03 instead of guard-02" in listed
    assert "by chief  “exam”" in listed
    code, out, _ = await _reeve(here, "remove", str(stand_in["id"]))
    assert (code, "counts no longer" in out) == (0, True)
    (on,) = rows((await _reeve(here, "now", f"{SITE}/guard", "--json"))[1])
    assert on["people"] in (["guard-01", "guard-02"], ["guard-03"])

    # --- out as a calendar, ids unless names are asked for, the same shift the same identity
    code, out, _ = await _reeve(here, "export", "--ical", "-", f"{SITE}/guard", "--days", "7")
    again = (await _reeve(here, "export", "--ical", "-", f"{SITE}/guard", "--days", "3", "--names"))[1]
    shifts = {str(event["uid"]): event for event in Calendar.from_ical(out).walk("VEVENT")}
    assert code == 0
    assert len(shifts) >= 7
    for event in shifts.values():
        start, end = event.decoded("dtstart"), event.decoded("dtend")
        assert start.utcoffset() == timedelta()
        assert (start.astimezone(ZONE).hour, end.astimezone(ZONE).hour) == (8, 8) or start <= SystemTime().now()
    assert "guard-03" in out
    assert "王" not in out
    assert "王" in again
    assert {str(event["uid"]) for event in Calendar.from_ical(again).walk("VEVENT")} <= shifts.keys()

    code, out, _ = await _reeve(here, "check", "--json", "--gaps")
    found = {(row["role"], row["what"]) for row in rows(out)}
    assert code == 1
    assert found - {("guard", "hand_over_untold")} == {  # the rules here are those for complaints alone
        ("courier", "unknown_person"),
        ("courier", "hand_over_untold"),
        ("courier", "gap"),
    }
    assert (await _reeve(here, "remove", f"{SITE}/courier", "--rota"))[0] == 0
    assert (await _reeve(here, "check"))[0] == 0
