"""A simulation with recipients says what notify says: who stands in, at which hour, and what was moot by then."""

from __future__ import annotations

from typing import Any

import pytest

from reeve.domain.recipients import Recipient
from tests.support.simulation import SITE_YAML, brief, bundle_of, event, run

POLICY = """
policy: complaint
takes: ticket
grades: [{grade: major, if: loss_cny >= 10000}, {grade: ordinary}]
clocks: {respond: {start: ticket.opened, stop: ticket.acknowledged, limit: 10m}}
steps:
  - {name: say, on: graded, notify: [front_desk, owner]}
  - {name: late, on: respond breached, notify: service_supervisor, repeat: {every: 2h, times: 2}}
close: ticket.closed
"""
QUIET = (
    SITE_YAML
    + 'quiet: {from: "21:00", to: "08:00", except: [major]}\nparent: company\nowner_messages: opening hours\n'
)
RULES = bundle_of(POLICY, site=QUIET)


def person(id: str, role: str = "", place: str = "s", **more: Any) -> Recipient:
    addresses = more.pop("addresses", {"email": f"{id}@example.org"})
    return Recipient(id, place, frozenset(role.split()), addresses=addresses, **more)


DESK, BOSS = person("d", "front_desk"), person("b", "service_supervisor")
OWNER = person("o", customers=frozenset({"C-1"}))
TOP = person("top", "general_manager", place="company")


def told(people: list[Recipient] | None, *events: Any, until: str = "2026-03-03 12:00") -> list[str]:
    return brief(run(RULES, list(events), until, people), "notify", "undeliverable", "escalated", "suppressed")


def opened(at: str, **data: Any) -> Any:
    return event(at, "ticket.opened", customer="C-1", **data)


def test_without_recipients_nothing_is_said_of_them() -> None:
    acknowledged = event("2026-03-02 09:01", "ticket.acknowledged")
    asked = ["03-02 09:00 notify say front_desk,owner"]
    assert told(None, opened("2026-03-02 09:00"), acknowledged) == asked
    assert told([DESK, OWNER], opened("2026-03-02 09:00"), acknowledged) == asked


@pytest.mark.parametrize(
    "nobody",
    [
        [],
        [person("d", "front_desk", addresses={})],
        [person("d", "front_desk", addresses={"sms": "+1"})],  # a channel the site does not use
        [person("d", "front_desk", place="elsewhere")],
    ],
)
def test_who_stands_in_is_found_up_the_ladder_to_the_organisation_above(nobody: list[Recipient]) -> None:
    acknowledged = event("2026-03-02 09:01", "ticket.acknowledged")
    assert told([*nobody, OWNER, TOP], opened("2026-03-02 09:00"), acknowledged) == [
        "03-02 09:00 notify say front_desk,owner",
        "03-02 09:00 undeliverable say",
        "03-02 09:00 escalated say",
        "03-02 09:00 notify say service_supervisor",
        "03-02 09:00 undeliverable say",
        "03-02 09:00 escalated say",
        "03-02 09:00 notify say property_manager",
        "03-02 09:00 undeliverable say",
        "03-02 09:00 escalated say",
        "03-02 09:00 notify say general_manager",
    ]


def test_an_owner_is_that_of_the_case() -> None:
    acknowledged = event("2026-03-02 09:01", "ticket.acknowledged")
    other = person("x", customers=frozenset({"C-2"}))
    assert told([DESK, other], opened("2026-03-02 09:00"), acknowledged) == [
        "03-02 09:00 notify say front_desk,owner",
        "03-02 09:00 undeliverable say",
    ]


def test_nobody_is_looked_for_before_the_hour() -> None:
    # Major: the desk is told at night, the owner only when the site opens.
    acknowledged = event("2026-03-02 22:01", "ticket.acknowledged")
    assert told([], opened("2026-03-02 22:00", loss_cny=10000), acknowledged)[-1:] == [
        "03-03 08:30 undeliverable say"
    ]
    assert told([DESK], opened("2026-03-02 22:00", loss_cny=10000), acknowledged) == [
        "03-02 22:00 notify say front_desk,owner",
        "03-03 08:30 undeliverable say",
    ]
    assert told([DESK], opened("2026-03-02 22:00"), acknowledged)[-1:] == ["03-03 08:30 undeliverable say"]


def test_a_reminder_that_is_moot_by_its_hour_is_not_sent() -> None:
    acknowledged = event("2026-03-03 07:00", "ticket.acknowledged")
    assert told([DESK, OWNER, BOSS], opened("2026-03-02 20:55"), acknowledged) == [
        "03-02 20:55 notify say front_desk,owner",
        "03-02 21:05 notify late service_supervisor",
        "03-02 23:05 notify late service_supervisor",
        "03-03 08:00 suppressed late",
        "03-03 08:00 suppressed late",
    ]
