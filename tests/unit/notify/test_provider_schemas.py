"""The schemas of provider files take what the loader takes, and say about every key what it is for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from jsonschema import Draft7Validator
from pydantic import BaseModel
from ruamel.yaml import YAML

from reeve.runtime.providers.load import KINDS, load_provider
from reeve.runtime.providers.schemas import NOTES, note_for, provider_schemas

ROOT = Path(__file__).parents[3]
EXAMPLES = sorted((ROOT / "examples" / "channels").glob("*.yaml"))
SCHEMAS = provider_schemas()
GUIDES = ("providers.md", "providers.zh.md")


def _models() -> list[type[BaseModel]]:
    """Every map that can stand in a provider's file."""
    found: dict[type[BaseModel], None] = {}

    def inside(annotation: Any) -> Iterator[type[BaseModel]]:
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            yield annotation
        for each in get_args(annotation):
            yield from inside(each)

    def take(model: type[BaseModel]) -> None:
        if model not in found:
            found[model] = None
            for field in model.model_fields.values():
                for each in inside(field.annotation):
                    take(each)

    for model in KINDS.values():
        take(model)
    return list(found)


@pytest.mark.parametrize("model", _models(), ids=lambda model: model.__name__)
def test_every_key_is_explained_in_both_languages(model: type[BaseModel]) -> None:
    keys = {field.alias or name for name, field in model.model_fields.items()}
    assert {key for key in keys if note_for(model, key) is None} == set()
    assert set(NOTES.get(model, {})) <= {*keys, ""}
    for note in NOTES.get(model, {}).values():
        assert note.en.endswith(".")
        assert note.zh.endswith("。")


@pytest.mark.parametrize("guide", GUIDES)
def test_the_guide_has_every_key(guide: str) -> None:
    text = (ROOT / "docs" / guide).read_text("utf-8")
    keys = {field.alias or name for model in _models() for name, field in model.model_fields.items()}
    assert {key for key in keys if f"`{key}`" not in text} == set()


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_schema_is_one(kind: str) -> None:
    Draft7Validator.check_schema(SCHEMAS[kind])
    assert SCHEMAS[kind]["properties"]["name"]["markdownDescription"]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_examples_fit_their_schema_and_a_slip_does_not(path: Path) -> None:
    kind = load_provider(str(path), {}, secrets="none").file.kind
    head = path.read_text("utf-8").partition("\n")[0]
    assert head == f"# yaml-language-server: $schema=../../schemas/channels/{kind}.schema.json"
    content = YAML(typ="safe", pure=True).load(path.read_text("utf-8"))
    validator = Draft7Validator(SCHEMAS[kind])
    assert list(validator.iter_errors(content)) == []
    assert list(validator.iter_errors(content | {"tiemout": "10s"}))
    assert list(validator.iter_errors(content | {"unknown": "resnd"}))
