"""What a killed notify noted on disk: sent stays sent, what was never begun is queued, the rest is unknown."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from reeve.domain.case import CaseKey
from reeve.runtime.store.deliveries import Attempt, Delivery, DeliveryStore, Settlement
from reeve.runtime.time_source import SystemTime
from services.notify import journal as journals
from services.notify.journal import Journal, take_over
from tests.integration.notify.world import MANAGER, SITE, World

pytestmark = pytest.mark.integration

NOW = SystemTime().now()
CLAIM = "host-1-abcd"
IDS = ("ended", "begun", "in hand", "refused", "recorded", "ended before")


def held(id: str) -> Delivery:
    return Delivery(
        id=id,
        notification="n-1",
        case=CaseKey(SITE, "complaint", "T-1"),
        recipient=MANAGER.id,
        place=SITE,
        channel="email",
        message="complaint_reported",
        role="property_manager",
        rung=0,
        step="report_up",
        level=0,
        round=1,
        run=1,
        ack_ends=True,
        reminds=True,
        at=NOW,
        requested_at=NOW,
        rank=1,
        state="claimed",
        due_at=NOW + timedelta(hours=1),
        claim=CLAIM,
    )


def sent(id: str) -> Settlement:
    return Settlement(id, "sent", NOW, NOW, CLAIM, (Attempt(NOW, "sent", "accepted", "<ref>", "smtp"),))


def files(folder: Path) -> list[Path]:
    return [each for each in folder.iterdir() if each.is_file()]


async def left_behind(here: World, folder: Path) -> DeliveryStore:
    """As after a kill: the file is there and nobody holds it."""
    store = DeliveryStore(here.database)
    await store.insert([held(each) for each in IDS])
    journal = Journal(folder, "the record", CLAIM)
    journal.begun([*IDS[:2], "refused"])
    journal.refused(["refused"])
    journal.ended(sent("ended"))
    journal.begun(["recorded", "ended before"])
    journal.ended(sent("recorded"))
    journal.ended(replace(sent("ended before"), state="queued", attempts=()))
    await store.record([sent("recorded")])
    journal.recorded(["recorded"])
    journal.begun(["ended before"])
    journal.close()
    return store


async def states(here: World) -> dict[str, tuple[str, bool, int]]:
    """Delivery → state, whether it is due, number of attempts."""
    now = SystemTime().now()
    found = await here.database["deliveries"].find().to_list()
    return {each["_id"]: (each["state"], each["due_at"] <= now, len(each["attempts"])) for each in found}


async def test_each_goes_on_from_where_it_was(here: World, tmp_path: Path) -> None:
    store = await left_behind(here, tmp_path)
    (file,) = files(tmp_path)
    file.write_bytes(file.read_bytes() + b'{"ended":{"id":"in ha')
    await take_over(tmp_path, "another record", store, SystemTime())
    for _ in range(2):
        await take_over(tmp_path, "the record", store, SystemTime())
        assert await states(here) == {
            "ended": ("sent", True, 1),
            "begun": ("claimed", True, 0),
            "in hand": ("queued", True, 0),
            "refused": ("queued", True, 0),
            "recorded": ("sent", True, 1),
            "ended before": ("claimed", True, 0),
        }
    assert not files(tmp_path)


async def test_nobody_takes_over_from_the_living_or_believes_another_boot(
    here: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = await left_behind(here, tmp_path)
    before = await states(here)
    living = Journal(tmp_path, "the record", "host-2-efgh")
    boot = tmp_path / "boot_id"
    boot.write_text("of-another-boot\n")
    monkeypatch.setattr(journals, "_BOOT_ID", boot)
    await take_over(tmp_path, "the record", store, SystemTime())
    assert await states(here) == before
    assert [each.name.rpartition(".")[2] for each in files(tmp_path) if each != boot] == ["host-2-efgh"]
    living.close()


async def test_a_long_one_is_written_anew_with_what_still_matters(
    here: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = await left_behind(here, tmp_path / "other")
    monkeypatch.setattr(journals, "_LARGEST_BYTES", 500)
    journal = Journal(tmp_path, "the record", CLAIM)
    journal.begun(["begun"])
    for _ in range(10):
        journal.begun(["recorded"])
        journal.ended(sent("recorded"))
        journal.recorded(["recorded"])
    journal.begun(["ended"])
    journal.ended(sent("ended"))
    (file,) = files(tmp_path)
    assert file.stat().st_size < 1000
    journal.close()
    await take_over(tmp_path, "the record", store, SystemTime())
    found = await states(here)
    assert (found["begun"], found["ended"]) == (("claimed", True, 0), ("sent", True, 1))
    assert found["in hand"] == found["ended before"] == ("queued", True, 0)
