"""JSON Schemas of provider files for editors, made of the models that the loader itself uses."""

from __future__ import annotations

from typing import Any, cast

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from reeve.rulelang.file_schemas import DIALECT
from reeve.rulelang.key_notes import Note
from reeve.runtime.providers.key_notes import COMMON_NOTES
from reeve.runtime.providers.key_notes_of_kinds import KIND_NOTES
from reeve.runtime.providers.load import KINDS

NOTES = {**COMMON_NOTES, **KIND_NOTES}


def provider_schemas() -> dict[str, dict[str, Any]]:
    """Kind of file → schema."""
    return {kind: _schema(kind, model) for kind, model in KINDS.items()}


def note_for(model: type[BaseModel], key: str) -> Note | None:
    """What is known about a key of a model; its bases are asked where it has no note of its own."""
    return next((NOTES[each][key] for each in model.__mro__ if each in NOTES and key in NOTES[each]), None)


def _schema(kind: str, model: type[BaseModel]) -> dict[str, Any]:
    schema = model.model_json_schema(schema_generator=_Generator, ref_template="#/definitions/{model}")
    definitions = schema.pop("$defs", {})
    head = {"$schema": DIALECT, "$comment": f"Of provider files of kind {kind}", "definitions": definitions}
    return {**schema, **head}


class _Generator(GenerateJsonSchema):
    """Pydantic's generator, with what the notes say and nothing that editors have no use for."""

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def tagged_union_schema(self, schema: core_schema.TaggedUnionSchema) -> JsonSchemaValue:
        found = super().tagged_union_schema(schema)
        return {key: value for key, value in found.items() if key != "discriminator"}

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        json_schema = super().model_schema(schema)
        model = cast("type[BaseModel]", schema["cls"])
        json_schema.pop("description", None)
        if (about := note_for(model, "")) is not None:
            json_schema |= _told(about)
        properties = json_schema.get("properties", {})
        for key, value in properties.items():
            value.pop("title", None)
            if (note := note_for(model, key)) is not None:
                # Nothing may stand beside a reference in draft 7.
                properties[key] = _told(note) | ({"allOf": [value]} if "$ref" in value else value)
        return json_schema


def _told(note: Note) -> dict[str, Any]:
    told: dict[str, Any] = {"title": note.title, "description": note.en, "markdownDescription": note.markdown}
    if note.examples:
        told["defaultSnippets"] = [{"label": each, "body": _body(each)} for each in note.examples]
    return told


def _body(example: str) -> str | int | float:
    """What is inserted: a number as one, lest editors put it into quotes."""
    try:
        return float(example) if "." in example else int(example)
    except ValueError:
        return example
