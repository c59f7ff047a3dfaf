"""The shipped duties at a site whose clocks go forward and back. No such site is shipped: it is added here."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from reeve.contracts.timeline import timeline_line
from reeve.domain.bundle import Bundle
from reeve.domain.duties import period_start
from reeve.domain.simulate import Simulation
from reeve.rulelang.load import load_bundle, read_folder

RULES = Path(__file__).parents[3] / "rules"
SITE = "linden-court"
SITE_FILE = b"zone: Europe/Berlin\nlocale: en\ncalendar: none\ntitle: {en: Linden Court}\n"
BERLIN = ZoneInfo("Europe/Berlin")


@cache
def bundle() -> Bundle:
    return load_bundle({**read_folder(RULES), f"sites/{SITE}.yaml": SITE_FILE}).require()


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def moments(since: str, until: str, duty: str, **keys: Any) -> list[str]:
    """When something happens to the cases of a duty, in the site's own time."""
    simulation = Simulation(bundle())
    simulation.start(SITE, local(since))
    lines = [timeline_line(effect, BERLIN) for effect in simulation.finish(local(until))]
    return [line["at"] for line in lines if line["case"].startswith(f"{duty}/") and keys.items() <= line.items()]


@pytest.mark.parametrize(
    ("since", "until", "handovers"),
    [
        (
            "2026-03-28T00:00:00+01:00",
            "2026-03-30T12:00:00+02:00",
            ["2026-03-28T08:00:00+01:00", "2026-03-29T08:00:00+02:00", "2026-03-30T08:00:00+02:00"],
        ),
        (
            "2026-10-24T00:00:00+02:00",
            "2026-10-26T12:00:00+01:00",
            ["2026-10-24T08:00:00+02:00", "2026-10-25T08:00:00+01:00", "2026-10-26T08:00:00+01:00"],
        ),
    ],
    ids=["forward", "back"],
)
def test_eight_oclock_is_eight_oclock(since: str, until: str, handovers: list[str]) -> None:
    assert moments(since, until, "day_handover", effect="opened") == handovers
    assert moments(since, until, "day_handover", effect="breached") == [
        each.replace("T08:00", "T08:30") for each in handovers
    ]


@pytest.mark.parametrize(
    ("since", "midnight"),
    [
        ("2026-03-29T12:00:00+02:00", "2026-03-30T00:00:00+02:00"),
        ("2026-10-25T12:00:00+01:00", "2026-10-26T00:00:00+01:00"),
    ],
)
def test_the_same_day_ends_at_the_sites_midnight(since: str, midnight: str) -> None:
    assert moments(since, midnight, "cash_to_finance", effect="breached") == [midnight]


def test_without_a_calendar_monday_to_friday_are_worked() -> None:
    opened = moments("2026-02-13T00:00:00+01:00", "2026-02-18T00:00:00+01:00", "ledger_check", effect="opened")
    assert [each[:10] for each in opened] == ["2026-02-13", "2026-02-16", "2026-02-17"]


@pytest.mark.parametrize(
    ("at", "since"),
    [
        ("2026-03-29T08:00:00+02:00", "2026-03-22T08:00:00+01:00"),
        ("2026-10-25T08:00:00+01:00", "2026-10-18T08:00:00+02:00"),
    ],
)
def test_a_week_of_open_matters_is_a_week_on_the_wall(at: str, since: str) -> None:
    begins = period_start(bundle().duties["day_handover"], local(at), bundle().site(SITE))
    assert begins.astimezone(BERLIN).isoformat() == since


def test_the_half_year_begins_with_the_sites_own() -> None:
    since, until = "2026-06-30T00:00:00+02:00", "2026-07-15T12:00:00+02:00"
    assert moments(since, until, "half_year_summary", effect="opened") == ["2026-07-01T09:00:00+02:00"]
    # ten working days from Wednesday 1 July: Wednesday 15th, to its end
    later = "2026-07-16T00:00:00+02:00"
    assert moments(since, later, "half_year_summary", effect="breached") == [later]
