"""Scenario files: what they hold once read."""

# ruff: noqa: DTZ001 -- a scenario's times are the site's local ones
from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from reeve.rulelang.scenarios import read_moment, read_scenarios
from reeve.rulelang.yamlfile import read_yaml

TEXT = b"""\
- test: first
  site: sunshine-garden
  policy: complaint
  events:
    - {at: 2026-02-13 17:50, type: ticket.opened, subject: T-1, data: {item: "7", loss_cny: 0.50}}
    - {at: 2026-02-13T10:00:00Z, type: ticket.closed, subject: T-1, id: own, source: /desk, site: north}
  expect:
    - {at: 2026-02-13 18:10, effect: notify, to: [property_manager]}
    - {effect: clock_stopped, met: true, due: 2026-02-13 24:00}
  never: [{effect: closed}]
  until: 2026-02-14
"""


def test_a_scenario_is_read() -> None:
    file, problems = read_scenarios(read_yaml("tests/a.test.yaml", TEXT))
    assert problems == []
    (one,) = file.scenarios
    assert (one.test, one.site, one.policy, one.until) == (
        "first",
        "sunshine-garden",
        "complaint",
        datetime(2026, 2, 14),
    )
    first, second = one.events
    assert first.at == datetime(2026, 2, 13, 17, 50)
    assert first.data == {"item": "7", "loss_cny": Decimal("0.50")}
    assert (first.source, first.id, first.site) == ("/test", "e1", None)
    assert (second.at, second.id, second.source, second.site) == (
        datetime(2026, 2, 13, 10, tzinfo=UTC), "own", "/desk", "north",
    )  # fmt: skip
    told, stopped = one.expect
    assert told.keys == {"at": datetime(2026, 2, 13, 18, 10), "effect": "notify", "to": ["property_manager"]}
    assert stopped.keys == {"effect": "clock_stopped", "met": True, "due": datetime(2026, 2, 14)}
    assert one.never[0].keys == {"effect": "closed"}
    assert (told.pos.line, first.pos.line) == (8, 5)


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        (b"ticket.opened", b"ticket.opend", "unknown_event_type"),
        (b"effect: notify", b"effect: notified", "unknown_effect"),
        (b"to: [property", b"too: [property", "unknown_key"),
        (b"2026-02-13 17:50", b"2026-02-30 17:50", "expected_moment"),
        (b"until: 2026-02-14", b"until: soon", "expected_moment"),
        (b"  site: sunshine-garden\n", b"", "missing_key"),
        (b"subject: T-1, data", b"sbject: T-1, data", "unknown_key"),
    ],
)
def test_a_scenario_that_is_wrong_is_explained(old: bytes, new: bytes, code: str) -> None:
    _, problems = read_scenarios(read_yaml("tests/a.test.yaml", TEXT.replace(old, new, 1)))
    assert [found.code for found in problems] == [code]


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-02-14", datetime(2026, 2, 14)),
        ("2026-02-14 7:05", datetime(2026, 2, 14, 7, 5)),
        ("2026-02-28 24:00", datetime(2026, 3, 1)),
        ("2026-02-14T07:05:06.5Z", datetime(2026, 2, 14, 7, 5, 6, 500_000, tzinfo=UTC)),
        ("2026-02-14 25:00", None),
        ("14.2.2026", None),
        ("", None),
    ],
)
def test_moments(text: str, moment: datetime | None) -> None:
    assert read_moment(text) == moment
