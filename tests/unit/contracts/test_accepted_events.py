"""The short way of a good event asks the same questions as the long one that names what is wrong."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reeve.contracts.events import EVENT_TYPES, _accepted, _examined
from reeve.contracts.problems import InvalidEvent
from reeve.contracts.schemas import EXAMPLE_EVENT
from reeve.domain.events import Event

NOW = datetime(2026, 11, 20, 1, tzinfo=UTC)
COUNTS = frozenset({"complaints_on_incident", "grade"})
DEEP: Any = []
for _ in range(40):
    DEEP = [DEEP]

VALUES: list[Any] = [
    *(None, True, 0, 5, -1, 2**63 - 1, 2**63, -(2**63) - 1, 1.5, 1e300, "", " ", "x", "a\0b", "a\nb", "x" * 600),
    *("12.50", "12.505", 10**15, "complaint", "serious", "1.0", "/pms", "sunshine-garden", "Not.A.Site"),
    *("2026-11-20T09:00:00+08:00", "2026-11-20T09:00:00", "2026-11-20T09:05:01+08:00", "9999-12-31T00:00:00Z"),
    *("2026-02-30", "2026-11-20", "application/json", "text/plain", "grade", "major"),
    *([], [1], {}, {"a\0": 1}, {"b": [2**70]}, DEEP),
    *EVENT_TYPES,
]
NAMES = [
    *(
        "category",
        "loss_cny",
        "bonus_cny",
        "due_at",
        "due_on",
        "deaths",
        "paid",
        "amount_cny",
        "paid_cny",
        "colour",
    ),
    *("grade", "today", "complaints_on_incident", "a\0b", "$x", "by"),
]
ATTRIBUTES = [*EXAMPLE_EVENT, "datacontenttype", "dataschema", "data_base64", "traceparent", "Not-One"]

data = st.dictionaries(st.sampled_from(NAMES), st.sampled_from(VALUES), max_size=4)
events = st.builds(
    lambda attributes, fields, missing: {
        name: value
        for name, value in {**EXAMPLE_EVENT, "data": {**EXAMPLE_EVENT["data"], **fields}, **attributes}.items()
        if name != missing
    },
    st.dictionaries(st.sampled_from(ATTRIBUTES), st.sampled_from(VALUES), max_size=2),
    data,
    st.none() | st.sampled_from(ATTRIBUTES),
)


def examined(body: dict[str, Any]) -> Event | None:
    try:
        return _examined(body, NOW, COUNTS)
    except InvalidEvent:
        return None


@settings(deadline=None, max_examples=1500)
@given(events)
def test_what_the_short_way_takes_the_long_one_takes_as_the_same(body: dict[str, Any]) -> None:
    event = _accepted(body, NOW, COUNTS)
    assert event is None or event == examined(body)


@pytest.mark.parametrize("kind", sorted(EVENT_TYPES))
def test_a_good_event_goes_the_short_way(kind: str) -> None:
    fields = {"amount_cny": "12.50", "paid_cny": 5, "due_on": "2026-12-01", "category": "visit", "kind": "letter"}
    fields["minutes"] = 30
    known = EVENT_TYPES[kind].model_fields
    fields = {name: value for name, value in fields.items() if name in known}
    grade = {"grade": "major"} if kind == "ticket.regraded" else {}
    body = {**EXAMPLE_EVENT, "type": kind, "traceparent": "00-0", "data": {**fields, **grade, "colour": ["red"]}}
    event = _accepted(body, NOW, frozenset({"complaints_on_incident"}))
    assert event is not None
    assert event == examined(body)


@pytest.mark.parametrize("empty", [{}, {"data": None}])
def test_an_event_that_needs_no_data_goes_the_short_way_without(empty: dict[str, Any]) -> None:
    body = {name: value for name, value in EXAMPLE_EVENT.items() if name != "data"}
    body |= {"type": "ticket.acknowledged", **empty}
    assert (event := _accepted(body, NOW, COUNTS)) is not None
    assert event.data == {}
