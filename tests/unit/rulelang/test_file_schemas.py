"""The schemas of rule files take what the loader takes, and say about every key what it is for."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator
from pydantic import BaseModel

from reeve.rulelang.file_schemas import FILES, NOTES, note_for, rule_schemas
from reeve.rulelang.files import GradesShape
from reeve.rulelang.key_notes_of_files import EXPECTATION_NOTES
from reeve.rulelang.load import read_folder
from reeve.rulelang.offered_words import names_in, offered
from reeve.rulelang.reading import read_shape
from reeve.rulelang.scenarios import LINE_KEYS
from reeve.rulelang.shapes import Shape
from reeve.rulelang.yamlfile import read_yaml
from reeve.rulelang.yamltree import typed

ROOT = Path(__file__).parents[3]
CORPUS = ROOT / "tests" / "corpus" / "rules"
SCHEMAS = rule_schemas()
CHECKED_LATER = {
    "policy": {"takes", "via"},
    "site": {"language", "opening", "channels"},
    "calendar": {"known_until", "holidays", "workdays"},
    "duties": {"via"},
    "score": set[str](),
    "facts": set[str](),
    "scenarios": {"type", "expect", "never"},
    "shifts": {"shifts"},
}
"""Keys whose words the loader holds against its lists only after the shape; the schemas name the words at once."""


def shapes() -> list[type[Shape]]:
    """Every map that can stand in a rule file."""
    found: dict[type[Shape], None] = {}

    def take(model: type[BaseModel]) -> None:
        for each in model.__subclasses__():
            take(each)
            if issubclass(each, Shape):
                found[each] = None

    take(Shape)
    return [each for each in found if each is not GradesShape]


@pytest.mark.parametrize("shape", shapes(), ids=lambda shape: shape.__name__)
def test_every_key_is_explained_in_both_languages(shape: type[Shape]) -> None:
    keys = {field.alias or name for name, field in shape.model_fields.items()}
    assert {key for key in keys if note_for(shape, key) is None} == set(), (
        "give it a note: rulelang/key_notes_of_*.py"
    )
    assert set(NOTES.get(shape, {})) <= {*keys, ""}
    for note in NOTES.get(shape, {}).values():
        assert note.en.endswith(".")
        assert note.zh.endswith("。")


def test_every_key_of_an_expected_line_is_explained() -> None:
    assert EXPECTATION_NOTES.keys() == {*LINE_KEYS, ""}


@pytest.mark.parametrize("kind", sorted(FILES))
def test_every_schema_is_one_and_what_it_refers_to_is_in_it(kind: str) -> None:
    schema = SCHEMAS[kind]
    Draft7Validator.check_schema(schema)
    references = [value for key, value in _everything(schema) if key == "$ref"]
    assert {each.removeprefix("#/definitions/") for each in references} <= schema["definitions"].keys()


def _everything(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key, inner
            yield from _everything(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _everything(inner)


def test_an_example_is_something_that_may_stand_there() -> None:
    for kind, schema in SCHEMAS.items():
        for _, value in _everything(schema):
            if isinstance(value, dict) and isinstance(value.get("examples"), list):
                validator = Draft7Validator({**value, "definitions": schema["definitions"]})
                for example in value["examples"]:
                    assert validator.is_valid(example), (kind, value["title"], example)


_ODD: list[Any] = [
    "x",
    "two words",
    "-",
    "",
    7,
    -3,
    2.5,
    True,
    None,
    [],
    ["a"],
    [7],
    [[]],
    {},
    {"x": "y"},
    {"x": []},
]


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from _places(inner, (*path, key))


def _files() -> list[tuple[str, Any]]:
    duties = [
        {"duty": "a", "every": "day", "who": ["b"], "late": {"notify": "c"}, "limit": "1d"},
        {"duty": "d", "every": "year", "who": "b", "report": {"cases": "p", "period": "month", "by": ["grade"]}},
    ]
    site = {"quiet": {"from": "21:00", "to": "08:00", "except": ["x"]}, "ladder": {"a": "b"}, "title": {"en": "x"}}
    shipped = [("policy", name) for name in ("complaint", "arrears", "pass")]
    policies = [
        (kind, typed(read_yaml(name, (ROOT / "rules" / f"{name}.yaml").read_bytes()).root))
        for kind, name in shipped
    ]
    return [
        *policies,
        (
            "policy",
            {
                "takes": "mail",
                "grades": "from kind",
                "steps": [{"name": "a", "on": "opened", "open": "b", "sample": "5%"}],
            },
        ),
        ("site", site),
        ("site", {"quiet": "none", "zone": "UTC", "vocabulary": {"损失": "loss_cny"}, "parent": "p"}),
        ("duties", duties),
        (
            "scenarios",
            [
                {
                    "test": "a",
                    "site": "b",
                    "policy": "c",
                    "until": "2026-01-01",
                    "events": [{"at": "2026-01-01", "type": "ticket.opened", "subject": 7, "data": {"x": None}}],
                    "recipients": [{"id": "r"}],
                }
            ],
        ),
        ("score", [{"points": -2, "on": "a.b breached", "to": "c", "fact": "S-1"}]),
        (
            "facts",
            {
                "PAY-1": {"kind": "limit", "text": {"en": "x"}},
                "PAY-2": {"kind": "manner", "text": "y", "reason": "z"},
            },
        ),
        ("shifts", typed(read_yaml("shifts.yaml", (ROOT / "examples" / "shifts.yaml").read_bytes()).root)),
    ]


@settings(deadline=None, max_examples=400, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_schema_and_loader_agree_about_shapes(data: st.DataObject) -> None:
    """A file is changed in one place; both take it, or neither does."""
    kind, file = data.draw(st.sampled_from(_FILES))
    file = copy.deepcopy(file)
    path = data.draw(
        st.sampled_from([each for each in _places(file) if each and not CHECKED_LATER[kind] & set(each)])
    )
    holder = file
    for step in path[:-1]:
        holder = holder[step]
    change = data.draw(st.sampled_from(["put", "drop", "rename"]))
    if change == "put":
        holder[path[-1]] = data.draw(st.sampled_from(_ODD))
    else:
        value = holder.pop(path[-1])
        if change == "rename" and isinstance(holder, dict):
            holder[f"{path[-1]}x"] = value
    doc = read_yaml("x.yaml", json.dumps(file, ensure_ascii=False).encode())
    taken = not any(found.is_error for found in read_shape(doc, FILES[kind][0]).problems)
    assert Draft7Validator(SCHEMAS[kind]).is_valid(file) == taken, json.dumps(file, ensure_ascii=False)


_FILES = _files()


def test_a_folder_offers_its_own_names() -> None:
    names = names_in(read_folder(CORPUS / "good" / "shipped-example"))
    words = {offer: [word.text for word in words] for offer, words in offered(names).items()}
    assert "complaint" in words["policies"]
    assert words["grades"] == ["extraordinary", "major", "serious", "ordinary"]
    assert "complaint_reported" in words["messages"]
    assert {"respond breached", "resolve 80%"} <= set(words["triggers"])
    assert {"损失 >= 1", "times_on_incident >= 2"} <= set(words["conditions"])
    assert words["facts"][0] == "损失"
    assert not set(words["roles"]) & {"none", ""}


def test_what_cannot_be_read_offers_nothing() -> None:
    files = {
        "site.yaml": b"a: &x 1",
        "complaint.yaml": b"takes: [",
        "messages.yaml": b"\xff\xfe\x00",
        "pass.yaml": b"x",
    }
    names = names_in(files)
    assert list(names.policies) == ["complaint", "pass"]
    assert not names.messages
    assert rule_schemas(names).keys() == SCHEMAS.keys()
