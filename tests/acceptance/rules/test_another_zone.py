"""The shipped rules at a site whose clocks go forward and back: days of 23 and 25 hours, an hour that is missing.

No such site is shipped: its file is added to the bundle here.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from reeve.contracts.events import parse_event
from reeve.contracts.timeline import timeline_line
from reeve.domain.bundle import Bundle
from reeve.domain.effects import Effect
from reeve.domain.simulate import Simulation
from reeve.rulelang.load import load_bundle, read_folder

RULES = Path(__file__).parents[3] / "rules"
SITE = "linden-court"
SITE_FILE = b"zone: Europe/Berlin\nlocale: en\ncalendar: none\ntitle: {en: Linden Court}\n"
BERLIN = ZoneInfo("Europe/Berlin")


@cache
def bundle() -> Bundle:
    return load_bundle({**read_folder(RULES), f"sites/{SITE}.yaml": SITE_FILE}).require()


def run(until: str, *events: tuple[str, str, dict[str, Any]]) -> list[dict[str, Any]]:
    """The timeline of one ticket or parcel, in the site's own time."""
    simulation = Simulation(bundle())
    effects: list[Effect] = []
    for number, (at, type_, data) in enumerate(events):
        body = {"specversion": "1.0", "id": f"e{number}", "source": "/test", "type": type_, "site": SITE}
        event = parse_event(json.dumps(body | {"subject": "T-1", "time": at, "data": data}).encode())
        effects += simulation.feed(event)
    effects += simulation.finish(datetime.fromisoformat(until).astimezone(UTC))
    lines = [timeline_line(effect, BERLIN) for effect in effects]
    return [line for line in lines if line["case"].startswith("T-1")]


def moments(lines: list[dict[str, Any]], **keys: Any) -> list[str]:
    return [line["at"] for line in lines if keys.items() <= line.items()]


def test_the_site_is_another_one() -> None:
    settings = bundle().site(SITE)
    assert (settings.zone, settings.calendar.known_until) == ("Europe/Berlin", None)
    assert bundle().site("sunshine-garden").zone == "Asia/Shanghai"


@pytest.mark.parametrize(
    ("starts", "due"),
    [
        ("2026-03-29T10:00:00+02:00", "2026-03-28T09:00:00+01:00"),  # the clock says 25 hours
        ("2026-10-25T10:00:00+01:00", "2026-10-24T11:00:00+02:00"),  # the clock says 23
        ("2026-10-25T02:30:00+02:00", "2026-10-24T02:30:00+02:00"),
        ("2026-10-25T02:30:00+01:00", "2026-10-24T03:30:00+02:00"),  # half past two for the second time
        ("2026-03-30T02:30:00+02:00", "2026-03-29T01:30:00+01:00"),  # half past two did not exist the day before
    ],
)
def test_24_hours_ahead_are_24_hours_whatever_the_clocks_show(starts: str, due: str) -> None:
    opened = (starts[:8] + "20T09:00:00+01:00", "ticket.opened", {"category": "notice", "starts_at": starts})
    in_time = run(starts, opened, (due, "ticket.posted", {"stage": "general_manager"}))
    assert moments(in_time, effect="clock_stopped", clock="announce", met=True) == [due]
    assert moments(in_time, effect="breached") == []
    assert moments(run(starts, opened), effect="breached", clock="announce") == [due]


@pytest.mark.parametrize(
    ("received", "midnight"),
    [
        ("2026-03-29T00:30:00+01:00", "2026-03-30T00:00:00+02:00"),  # 22.5 hours
        ("2026-10-25T00:30:00+02:00", "2026-10-26T00:00:00+01:00"),  # 24.5 hours
        ("2026-10-25T23:59:00+01:00", "2026-10-26T00:00:00+01:00"),
    ],
)
def test_the_same_day_ends_at_the_sites_midnight(received: str, midnight: str) -> None:
    parcel = run(midnight, (received, "mail.received", {"kind": "parcel"}))
    assert moments(parcel, effect="breached", clock="contact") == [midnight]
    courier = run(midnight, (received, "ticket.opened", {"category": "courier"}))
    assert moments(courier, effect="breached", clock="dispatch") == [midnight]


@pytest.mark.parametrize(
    ("opened", "due"),
    [
        ("2026-03-28T20:00:00+01:00", "2026-03-29T09:00:00+02:00"),
        ("2026-10-24T20:00:00+02:00", "2026-10-25T07:00:00+01:00"),
    ],
)
def test_twelve_hours_elapse_through_the_night_of_the_change(opened: str, due: str) -> None:
    lines = run(due, (opened, "ticket.opened", {"category": "complaint"}))
    assert moments(lines, effect="breached", clock="resolve") == [due]


def test_two_weeks_for_a_letter_are_336_hours() -> None:
    lines = run(
        "2026-04-04T00:00:00+02:00",
        ("2026-03-20T10:00:00+01:00", "mail.received", {"kind": "letter", "addressee_moved": True}),
    )
    assert moments(lines, effect="breached", clock="collect") == ["2026-04-03T11:00:00+02:00"]


def test_a_month_ends_at_the_sites_midnight_on_either_side_of_the_change() -> None:
    lines = run(
        "2026-04-01T00:00:00+02:00",
        ("2026-02-28T09:00:00+01:00", "ticket.opened", {"category": "service"}),
        ("2026-02-28T10:00:00+01:00", "ticket.resolved", {}),
    )
    assert moments(lines, effect="breached", clock="settle") == ["2026-03-29T00:00:00+01:00"]


def test_a_working_day_over_the_change_ends_at_midnight() -> None:
    lines = run(
        "2026-10-28T00:00:00+01:00",
        ("2026-10-23T09:00:00+02:00", "ticket.opened", {"category": "courier"}),
        ("2026-10-23T15:00:00+02:00", "ticket.resolved", {}),
    )
    assert moments(lines, effect="breached", clock="follow_up") == ["2026-10-27T00:00:00+01:00"]  # Monday 26


def test_five_minutes_at_the_gate_in_the_hour_that_comes_twice() -> None:
    waiting = {"category": "visit", "stage": "gate"}
    lines = run("2026-10-25T02:30:00+01:00", ("2026-10-25T02:58:00+02:00", "ticket.opened", waiting))
    assert moments(lines, effect="notify", message="go_to_gate", to=["front_desk", "guard"]) == [
        "2026-10-25T02:03:00+01:00",
        "2026-10-25T02:08:00+01:00",
    ]


def test_the_handover_repeats_every_24_hours() -> None:
    """`1d` elapses: after the clocks went back the reminder comes an hour earlier by the clock."""
    lines = run(
        "2026-10-27T00:00:00+01:00",
        ("2026-10-24T10:00:00+02:00", "mail.received", {"kind": "parcel"}),
        ("2026-10-24T10:05:00+02:00", "mail.accepted", {}),
    )
    assert moments(lines, effect="notify", message="parcel_into_handover") == [
        "2026-10-25T00:00:00+02:00",
        "2026-10-25T23:00:00+01:00",
        "2026-10-26T23:00:00+01:00",
    ]


@pytest.mark.parametrize(
    ("starts", "ten"),
    [
        ("2026-03-29T19:00:00+02:00", "2026-03-29T22:00:00+02:00"),
        ("2026-10-25T19:00:00+01:00", "2026-10-25T22:00:00+01:00"),
    ],
)
def test_an_activity_ends_by_ten_on_the_day_of_the_change(starts: str, ten: str) -> None:
    lines = run(
        ten, (starts[:5] + "01-02T09:00:00+01:00", "ticket.opened", {"category": "activity", "starts_at": starts})
    )
    assert moments(lines, effect="breached", clock="over") == [ten]


def test_what_is_due_before_an_activity_is_reckoned_on_the_calendar_and_by_the_clock() -> None:
    opened = (
        "2026-01-02T09:00:00+01:00",
        "ticket.opened",
        {"category": "activity", "starts_at": "2026-03-31T19:00:00+02:00"},
    )
    lines = run("2026-03-31T19:00:00+02:00", opened)
    assert moments(lines, effect="breached", clock="plan") == [
        "2026-03-01T00:00:00+01:00"
    ]  # a month: the calendar's
    assert moments(lines, effect="breached", clock="meeting") == ["2026-03-21T18:00:00+01:00"]  # 240 hours
    assert moments(lines, effect="breached", clock="rehearsal") == ["2026-03-29T19:00:00+02:00"]


def test_a_bill_runs_out_at_the_sites_midnight() -> None:
    billed = ("2026-03-01T09:00:00+01:00", "payment.billed", {"amount_cny": 100, "due_on": "2026-03-29"})
    lines = run("2026-06-30T00:00:00+02:00", billed)
    assert moments(lines, effect="breached", clock="pay") == ["2026-03-30T00:00:00+02:00"]
    assert moments(lines, effect="notify", message="collection_notice") == ["2026-03-22T23:00:00+01:00"]
    assert moments(lines, effect="notify", message="dunning_letter") == ["2026-06-30T00:00:00+02:00"]
