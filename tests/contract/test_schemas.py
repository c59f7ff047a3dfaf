"""The committed schemas agree with the code, with each other, and with what the parser takes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from reeve.cli.schemas import generated
from reeve.contracts.events import EVENT_TYPES, canonical, parse_event
from reeve.contracts.problems import InvalidEvent
from reeve.contracts.schemas import EXAMPLE_EVENT, asyncapi, json_schemas
from reeve.contracts.subjects import (
    RULES_ACTIVATED,
    RULES_REJECTED,
    cases_subject,
    dead_subject,
    events_subject,
    intake_subject,
    notifications_subject,
    rejected_subject,
)
from reeve.domain.case import CaseKey
from reeve.domain.events import FAMILIES

ROOT = Path(__file__).parents[2]
SCHEMAS = json_schemas()
_JSON: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(-1e15, 1e15)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "$b", "c.d"]), inner, max_size=3)
    ),
    max_leaves=8,
)


def test_what_is_committed_is_what_the_code_says() -> None:
    folder = ROOT / "schemas"
    files = (path for path in folder.rglob("*") if path.is_file())
    present = {path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in files}
    assert present == generated()


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_every_schema_is_one(name: str) -> None:
    Draft202012Validator.check_schema(SCHEMAS[name])


@pytest.mark.parametrize("family", FAMILIES)
def test_every_type_of_a_family_is_in_its_schema(family: str) -> None:
    definitions = SCHEMAS[f"event-{family}"]["$defs"]
    types = {d["properties"]["type"]["const"] for d in definitions.values() if "type" in d.get("properties", {})}
    assert types == {name for name in EVENT_TYPES if name.startswith(f"{family}.")}


_VALUES: dict[str, list[Any]] = {
    "category": ["complaint", "visit", "nonsense", None],
    "loss_cny": [5, "5.25", 5.25, "five", None],
    "due_at": ["2026-11-20T09:00:00+08:00", 5, None],
    "deaths": [0, -1, "1", None],
    "paid": [True, "yes", None],
    "colour": ["red", [1]],
}


@settings(deadline=None)
@given(st.fixed_dictionaries({}, optional={name: st.sampled_from(values) for name, values in _VALUES.items()}))
def test_schema_and_parser_agree(data: dict[str, Any]) -> None:
    event = {**EXAMPLE_EVENT, "data": data}
    validator = Draft202012Validator(SCHEMAS["event-ticket"])
    try:
        parse_event(event)
        taken = True
    except InvalidEvent:
        taken = False
    assert validator.is_valid(event) == taken


@settings(deadline=None)
@given(
    st.dictionaries(
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1), _JSON, max_size=6
    )
)
def test_an_accepted_event_reads_back_the_same(data: dict[str, Any]) -> None:
    try:
        event = parse_event({**EXAMPLE_EVENT, "data": {**data, "category": "visit"}})
    except InvalidEvent:
        return
    again = parse_event(canonical(event))
    assert again == event
    assert canonical(again) == canonical(event)


@settings(deadline=None)
@given(st.binary(max_size=200) | _JSON.map(orjson.dumps))
def test_whatever_is_posted_is_an_event_or_refused(raw: bytes) -> None:
    try:
        event = parse_event(raw)
    except InvalidEvent as refused:
        assert refused.problems  # noqa: PT017  # the other outcome is as good
    else:
        assert event.key


def test_the_asyncapi_document_refers_only_to_what_it_holds() -> None:
    document = asyncapi("1")

    def resolve(value: Any) -> None:
        if isinstance(value, dict):
            if "$ref" in value:
                found: Any = document
                for step in value["$ref"].removeprefix("#/").split("/"):
                    found = found[step]
                assert found
            for item in value.values():
                resolve(item)
        elif isinstance(value, list):
            for item in value:
                resolve(item)

    resolve(document)
    assert {channel["address"].partition(".")[0] for channel in document["channels"].values()} == {
        "intake",
        "events",
        "cases",
        "notifications",
        "dead",
        "rejected",
        "rules",
    }


def test_the_asyncapi_document_names_the_subjects_that_the_code_builds() -> None:
    channels = asyncapi("1")["channels"]
    case = CaseKey("{site}", "{policy}", "{key}")
    assert {name: channel["address"] for name, channel in channels.items()} == {
        "intake": intake_subject("{site}", "{family}.{verb}"),
        "events": events_subject("{site}", "{family}.{verb}", "{key}"),
        "cases": cases_subject(case, "{what}"),
        "notificationsRequested": notifications_subject("{site}", "requested", "{key}"),
        "notificationsOutcome": notifications_subject("{site}", "{what}", "{key}"),
        "dead": dead_subject("{service}", "site").replace(".site", ".{site}"),
        "rejected": rejected_subject("site").replace(".site", ".{site}"),
        "rulesActivated": RULES_ACTIVATED,
        "rulesRejected": RULES_REJECTED,
    }
    for channel in channels.values():
        named = set(re.findall(r"\{(\w+)\}", channel["address"]))
        assert set(channel.get("parameters", {})) == named
