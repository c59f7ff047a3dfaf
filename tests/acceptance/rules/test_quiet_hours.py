"""What can't wait until morning is sent at night, and what can is not. Source: COMPLAINT-07, COMMUNITY-02."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from reeve.contracts.events import parse_event
from reeve.domain.bundle import Bundle
from reeve.domain.effects import Effect
from reeve.domain.simulate import Simulation
from reeve.rulelang.load import load_bundle, read_folder
from tests.support.simulation import moment

RULES = Path(__file__).parents[3] / "rules"
ACTIVITY = {"category": "activity", "starts_at": "2026-03-06T19:00:00+08:00"}


@cache
def bundle() -> Bundle:
    return load_bundle(read_folder(RULES)).require()


def told(at: str, until: str, data: dict[str, Any]) -> list[Effect]:
    """Every message that one ticket asks for."""
    body = {"specversion": "1.0", "id": "e1", "source": "/test", "type": "ticket.opened", "subject": "T-1"}
    body |= {"site": "sunshine-garden", "time": moment(at).isoformat()}
    simulation = Simulation(bundle(), duties=False)
    effects = list(simulation.feed(parse_event(json.dumps(body | {"data": data}).encode())))
    effects += simulation.finish(moment(until))
    return [effect for effect in effects if effect.what == "notify"]


def waits(effects: list[Effect], message: str) -> set[bool]:
    """Whether that message waits for the end of the quiet hours."""
    found = [effect for effect in effects if effect.details["message"] == message]
    assert found, message
    return {effect.notification is not None and effect.notification.not_before is not None for effect in found}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"category": "complaint", "deaths": 1}, "complaint_reported"),
        ({"category": "complaint", "loss_cny": 10000}, "complaint_reported"),
        ({"category": "complaint", "loss_cny": 2000}, "complaint_reported"),
        ({"category": "repair", "repair_class": "emergency"}, "call_engineering"),
        ({"category": "visit", "stage": "gate"}, None),
    ],
)
def test_what_is_grave_is_told_at_night(data: dict[str, Any], message: str | None) -> None:
    effects = told("2026-03-02 23:00", "2026-03-02 23:00", data)
    for name in [message] if message else {effect.details["message"] for effect in effects}:
        assert waits(effects, name) == {False}


@pytest.mark.parametrize(
    "data",
    [{"category": "complaint"}, {"category": "repair", "repair_class": "ordinary"}, {"category": "pass"}],
)
def test_what_is_not_waits_for_the_morning(data: dict[str, Any]) -> None:
    effects = told("2026-03-02 23:00", "2026-03-02 23:40", data)
    assert effects
    assert {effect.notification is not None and effect.notification.not_before for effect in effects} == {
        moment("2026-03-03 08:00")
    }


def test_at_ten_in_the_evening_an_activity_is_ended() -> None:  # COMMUNITY-02
    effects = told("2026-01-10 09:00", "2026-03-06 22:30", ACTIVITY)
    assert waits(effects, "ends_soon") == {False}
    assert waits(effects, "must_end") == {False}
