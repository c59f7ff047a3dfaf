"""Every sentence of contracts.md §1, as tables."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from reeve.contracts.events import EVENT_TYPES, canonical, digest, parse_event
from reeve.contracts.problems import InvalidEvent
from reeve.contracts.schemas import EXAMPLE_EVENT
from reeve.domain.events import event_key

NOW = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)

REQUIRED: dict[str, dict[str, Any]] = {
    "ticket.opened": {"category": "repair"},
    "ticket.regraded": {"grade": "major"},
    "mail.received": {"kind": "parcel"},
    "payment.billed": {"amount_cny": "120.50", "due_on": "2026-12-01"},
    "payment.reduced": {"amount_cny": 20},
    "payment.paid": {"paid_cny": "0.01"},
    **{f"{family}.delayed": {"minutes": 30} for family in ("ticket", "mail", "payment")},
}


def posted(data: dict[str, Any] | None = None, **attributes: Any) -> dict[str, Any]:
    """An event that is accepted, with changes; an attribute of None is left out."""
    kind = attributes.get("type", "ticket.opened")
    event = {**EXAMPLE_EVENT, "data": {**REQUIRED.get(kind, {}), **(data or {})}, **attributes}
    return {name: value for name, value in event.items() if value is not None}


def problems_of(event: dict[str, Any] | bytes, **options: Any) -> dict[str, str]:
    """Path → what was expected, of a refused event."""
    with pytest.raises(InvalidEvent) as caught:
        parse_event(event if isinstance(event, bytes) else orjson.dumps(event), **options)
    return {problem.path: problem.expected for problem in caught.value.problems}


def test_the_example_of_the_contract_is_an_event() -> None:
    event = parse_event(orjson.dumps(EXAMPLE_EVENT), now=NOW)
    assert event.site == "sunshine-garden"
    assert event.subject == "T-1001"
    assert (event.family, event.verb) == ("ticket", "opened")
    assert event.at == datetime(2026, 11, 20, 1, 0, tzinfo=UTC)
    assert event.at.tzinfo is UTC
    assert event.data == EXAMPLE_EVENT["data"]
    assert event.key == event_key("sunshine-garden", "/pms/front-desk", "c0ffee-1")


@pytest.mark.parametrize("kind", sorted(EVENT_TYPES))
def test_every_type_is_accepted(kind: str) -> None:
    assert parse_event(orjson.dumps(posted(type=kind))).type == kind


def test_the_types_are_those_of_the_contract() -> None:
    assert sorted(EVENT_TYPES) == sorted(
        [f"ticket.{verb}" for verb in _TICKET.split(", ")]
        + [f"mail.{verb}" for verb in _MAIL.split(", ")]
        + [f"payment.{verb}" for verb in _PAYMENT.split(", ")]
    )


_TICKET = (
    "opened, updated, acknowledged, escalated, delayed, assigned, arrived, waiting, resumed, approved, posted, "
    "withdrawn, resolved, informed, followed_up, regraded, reopened, closed, cancelled"
)
_MAIL = (
    "received, announced, contacted, acknowledged, escalated, delayed, accepted, declined, appointed, delivered, "
    "collected, returned"
)
_PAYMENT = (
    "billed, due, paid, reduced, contacted, acknowledged, escalated, delayed, disputed, promised, written_off"
)


@pytest.mark.parametrize(
    ("kind", "field"), [(kind, field) for kind, fields in REQUIRED.items() for field in fields]
)
@pytest.mark.parametrize("how", ["missing", "null"])
def test_a_required_field_is_missed_by_its_path(kind: str, field: str, how: str) -> None:
    event = posted(type=kind)
    if how == "missing":
        del event["data"][field]
    else:
        event["data"][field] = None
    assert f"$.data.{field}" in problems_of(event)


@pytest.mark.parametrize("attribute", ["specversion", "id", "source", "type", "site", "subject", "time"])
def test_a_missing_attribute_is_missed_by_its_path(attribute: str) -> None:
    assert list(problems_of(posted(**{attribute: None}))) == [f"$.{attribute}"]


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("specversion", "0.3"),
        ("specversion", 1.0),
        ("id", ""),
        ("id", 7),
        ("id", "x" * 257),
        ("id", "a\nb"),
        ("source", ""),
        ("source", "s" * 513),
        ("type", "ticket.opend"),
        ("type", "ticket"),
        ("type", 3),
        ("site", "sunshine.garden"),
        ("site", "sunshine>"),
        ("site", "*"),
        ("site", "Sunshine"),
        ("site", "阳光花园"),
        ("site", "a b"),
        ("site", ""),
        ("site", "s" * 65),
        ("site", "garden\n"),
        ("subject", ""),
        ("subject", "   "),
        ("subject", "x" * 201),
        ("subject", "T\t1"),
        ("subject", "T\u20281"),
        ("subject", 1001),
        ("time", "2026-11-20T09:00:00"),
        ("time", "2026-11-20 09:00:00+08:00"),
        ("time", "2026-11-20"),
        ("time", "2026-02-30T09:00:00+08:00"),
        ("time", "2026-11-20T09:00:00+0800"),
        ("time", "9999-12-31T23:59:59-08:00"),
        ("time", 1763600400),
        ("datacontenttype", "text/xml"),
        ("data", []),
        ("data", "text"),
    ],
)
def test_a_bad_attribute_is_refused_with_its_path(attribute: str, value: Any) -> None:
    assert f"$.{attribute}" in problems_of({**posted(), attribute: value})


@pytest.mark.parametrize(
    "time",
    ["2026-11-20T09:00:00+08:00", "2026-11-20T01:00:00Z", "2026-11-20t01:00:00.000z", "2026-11-20T01:00:00-00:00"],
)
def test_every_spelling_of_a_moment_is_the_same_event(time: str) -> None:
    assert parse_event(orjson.dumps(posted(time=time))).at == datetime(2026, 11, 20, 1, tzinfo=UTC)


def test_fractions_of_a_second_are_kept_to_the_microsecond() -> None:
    assert parse_event(orjson.dumps(posted(time="2026-11-20T01:00:00.123456789Z"))).at.microsecond == 123456


@pytest.mark.parametrize(("ahead", "taken"), [(0, True), (300, True), (301, False), (86400, False)])
def test_at_most_five_minutes_ahead_of_our_time(ahead: int, taken: bool) -> None:
    event = posted(time=(NOW + timedelta(seconds=ahead)).isoformat())
    if taken:
        assert parse_event(orjson.dumps(event), now=NOW).at == NOW + timedelta(seconds=ahead)
    else:
        assert problems_of(event, now=NOW) == {"$.time": "a moment at most 5 minutes ahead of ours"}


MONEY = [
    ("loss_cny", "ticket.opened"),
    ("amount_cny", "payment.billed"),
    ("paid_cny", "payment.paid"),
    ("fee_cny", "ticket.opened"),
    ("loss_cny", "mail.received"),
]


@pytest.mark.parametrize(("field", "kind"), MONEY)
@pytest.mark.parametrize("value", [0, 12000, "12000", "12000.5", "12000.50", "0.01", "-5.00"])
def test_money_is_exact(field: str, kind: str, value: Any) -> None:
    assert parse_event(orjson.dumps(posted({field: value}, type=kind))).data[field] == value


@pytest.mark.parametrize(("field", "kind"), MONEY)
@pytest.mark.parametrize(
    "value", [1.5, 12000.0, "1.234", "1,200", "1e5", "", " 1", "１２", "¥5", True, [], {}, 10**16, ".5", "5."]
)
def test_money_that_is_not_exact_is_refused(field: str, kind: str, value: Any) -> None:
    assert list(problems_of(posted({field: value}, type=kind))) == [f"$.data.{field}"]


@pytest.mark.parametrize(
    ("kind", "field", "good", "bad"),
    [
        ("ticket.opened", "category", ["complaint", "duty"], ["complaints", "", 1, True]),
        ("ticket.opened", "repair_class", ["emergency", "major", "ordinary"], ["urgent"]),
        ("ticket.opened", "channel", ["phone", "visit", "letter", "app", "email"], ["sms", 3]),
        ("ticket.opened", "injury", ["none", "minor", "serious"], ["grave", False]),
        ("ticket.followed_up", "satisfaction", ["satisfied", "fairly_satisfied", "dissatisfied"], ["good"]),
        ("ticket.opened", "deaths", [0, 3], [-1, 1.0, "1", True]),
        ("ticket.opened", "complainants", [10], ["10"]),
        ("ticket.opened", "broken_promise", [True, False], ["true", 1, 0]),
        ("ticket.opened", "title", ["漏水", ""], [5, ["x"], {"zh": "x"}]),
        ("ticket.opened", "room", ["3-1201"], [1201]),
        ("ticket.opened", "due_at", ["2026-11-21T18:00:00+08:00"], ["2026-11-21", "2026-11-21T18:00:00", 5]),
        ("ticket.opened", "appointment_at", ["2026-11-21T18:00:00Z"], ["tomorrow"]),
        ("ticket.regraded", "grade", ["major"], [2]),
        ("mail.received", "kind", ["letter", "registered"], ["box"]),
        ("mail.received", "moved_on", ["2026-11-01"], ["2026-11-01T00:00:00Z", "01.11.2026", "2026-11-31"]),
        ("mail.received", "count", [3], ["3", -3]),
        ("payment.billed", "due_on", ["2026-12-31"], ["2026-12-31T00:00:00+08:00", "31/12/2026", 20261231]),
        ("payment.contacted", "outcome", ["reached", "unreachable", "refused", "bad_service"], ["maybe"]),
        ("payment.billed", "period", ["2026-11"], [202611]),
    ],
)
def test_typed_fields(kind: str, field: str, good: list[Any], bad: list[Any]) -> None:
    for value in good:
        assert parse_event(orjson.dumps(posted({field: value}, type=kind))).data[field] == value
    for value in bad:
        assert f"$.data.{field}" in problems_of(posted({field: value}, type=kind)), value


@pytest.mark.parametrize("field", ["title", "loss_cny", "due_at", "deaths", "broken_promise", "injury", "tower"])
def test_null_is_allowed_for_every_optional_field(field: str) -> None:
    assert parse_event(orjson.dumps(posted({field: None}))).data[field] is None


@pytest.mark.parametrize("name", ["grade", "grade_was", "site", "owed_cny", "open_for", "today"])
def test_names_that_reeve_computes_are_refused(name: str) -> None:
    assert problems_of(posted({name: "x"}))[f"$.data.{name}"] == "another name for this field"


def test_the_names_of_counts_are_refused_where_the_rules_are_known() -> None:
    event = posted({"times_on_incident": 3})
    assert parse_event(orjson.dumps(event)).data["times_on_incident"] == 3
    assert list(problems_of(event, reserved=frozenset({"times_on_incident"}))) == ["$.data.times_on_incident"]


def test_grade_belongs_to_a_regrading_only() -> None:
    assert parse_event(orjson.dumps(posted(type="ticket.regraded"))).data["grade"] == "major"
    assert "$.data.grade" in problems_of(posted({"grade": "major"}, type="ticket.updated"))


def test_further_fields_pass_through_as_they_are() -> None:
    data = {f"field_{n}": n for n in range(300)} | {"$set": 1, "a.b": {"$c": [1, {"d.e": None}]}, "价": "五"}
    event = parse_event(orjson.dumps(posted(data)))
    assert {name: event.data[name] for name in data} == data


def test_data_may_be_absent_where_nothing_is_required() -> None:
    event = posted(type="ticket.closed")
    del event["data"]
    assert parse_event(orjson.dumps(event)).data == {}


def test_all_problems_are_told_at_once() -> None:
    event = posted({"category": "x", "loss_cny": 0.5, "today": 1}, site="A", time="soon")
    assert set(problems_of(event)) == {"$.site", "$.time", "$.data.category", "$.data.loss_cny", "$.data.today"}


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (b"", "malformed"),
        (b"{", "malformed"),
        (b"\xff{}", "malformed"),
        (b'{"data":{"x":NaN}}', "malformed"),
        (b'{"data":{"x":1e400}}', "malformed"),
        (b'{"data":{"x":"\\ud800"}}', "malformed"),
        (b'{"data":{"x":"\x00"}}', "malformed"),
        (b"[" * 5000, "malformed"),
        (b"[]", "invalid"),
        (b'"event"', "invalid"),
        (b"null", "invalid"),
        (b'{"x":"' + b"y" * 300 * 1024 + b'"}', "too_large"),
    ],
)
def test_what_is_no_event_at_all(raw: bytes, kind: str) -> None:
    with pytest.raises(InvalidEvent) as caught:
        parse_event(raw)
    assert caught.value.kind == kind
    assert caught.value.problems[0].path == "$"


@pytest.mark.parametrize(
    ("data", "path"),
    [
        ({"title": "a\0b"}, "$.data.title"),
        ({"a\0b": 1}, '$.data["a\\u0000b"]'),
        ({"x": [{"y": "\0"}]}, "$.data.x[0].y"),
        ({"x": 1e300}, "$.data.x"),
        ({"x": 2**63}, "$.data.x"),
    ],
)
def test_values_that_can_not_be_kept_are_refused_by_path(data: dict[str, Any], path: str) -> None:
    assert list(problems_of(posted(data))) == [path]


def test_nesting_is_bounded() -> None:
    deep: Any = 1
    for _ in range(40):
        deep = [deep]
    assert list(problems_of(posted({"x": deep}))) == ["$.data.x" + "[0]" * 31]


def test_one_event_is_at_most_256_kib() -> None:
    fits = posted({"description": "x" * (256 * 1024 - 400)})
    assert parse_event(orjson.dumps(fits)).subject == "T-1001"
    with pytest.raises(InvalidEvent) as caught:
        parse_event(posted({"description": "x" * 256 * 1024}))
    assert caught.value.kind == "too_large"
    assert caught.value.id == "c0ffee-1"


@pytest.mark.parametrize("name", ["Category", "sub_ject", "correlation-id"])
def test_attribute_names_are_those_of_cloudevents(name: str) -> None:
    assert len(problems_of({**posted(), name: "x"})) == 1


def test_extension_attributes_are_read_past() -> None:
    with_trace = {**posted(), "traceparent": "00-ab-cd-01", "dataschema": "https://example.org/x"}
    assert digest(parse_event(with_trace)) == digest(parse_event(posted()))


def test_problems_never_repeat_free_text() -> None:
    event = posted({"title": ["王小明 13800138000"], "room": 1201, "loss_cny": "王小明", "category": "王小明"})
    with pytest.raises(InvalidEvent) as caught:
        parse_event(orjson.dumps({**event, "subject": "王小明\n", "time": "王小明", "site": "王小明"}))
    told = " ".join(str(problem) for problem in caught.value.problems) + str(caught.value)
    assert len(caught.value.problems) == 7
    assert "王" not in told
    assert "1380" not in told
    assert "1201" not in told


def test_a_refused_event_still_says_which_it_was() -> None:
    with pytest.raises(InvalidEvent) as caught:
        parse_event(orjson.dumps(posted(type="ticket.opend")))
    assert (caught.value.id, caught.value.site) == ("c0ffee-1", "sunshine-garden")


def test_canonical_content_does_not_depend_on_spelling() -> None:
    spaced = orjson.dumps(dict(reversed(EXAMPLE_EVENT.items())), option=orjson.OPT_INDENT_2)
    utc = orjson.dumps({**EXAMPLE_EVENT, "time": "2026-11-20T01:00:00Z"})
    events = [parse_event(raw) for raw in (orjson.dumps(EXAMPLE_EVENT), spaced, utc)]
    assert len({canonical(event) for event in events}) == 1
    changed = parse_event({**EXAMPLE_EVENT, "data": {**EXAMPLE_EVENT["data"], "loss_cny": 12001}})
    assert digest(changed) != digest(events[0])


@pytest.mark.parametrize("minutes", [0, 121, -5, 1.5, "30", True, None])
def test_more_time_is_asked_for_in_whole_minutes_up_to_two_hours(minutes: Any) -> None:
    assert "$.data.minutes" in problems_of(posted({"minutes": minutes}, type="ticket.delayed"))


@pytest.mark.parametrize("building", ["3", 3, "３号楼", None, {"no": 3}])
def test_a_building_is_taken_as_the_site_writes_it(building: Any) -> None:
    posting = posted({"building": building, "unit": 2})
    assert parse_event(orjson.dumps(posting)).data["building"] == building
