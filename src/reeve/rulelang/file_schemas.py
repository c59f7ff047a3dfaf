"""JSON Schemas of the rule files for editors, made of the models that the loader itself uses.

Draft 7, which every version of yaml-language-server knows. A rule file's values are text as written, so a schema
also takes the numbers and truths that YAML makes of them; editors are not asked to offer those. `description` is
English, for tools; `markdownDescription`, which editors show, has Chinese below it. `defaultSnippets` are words to
complete with: unlike `examples` they are not listed in every explanation.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast

from pydantic import BaseModel, RootModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from reeve.rulelang.facts import FactsShape
from reeve.rulelang.files import CalendarShape, DutiesShape, MessagesShape, PolicyShape, ScoresShape, SiteShape
from reeve.rulelang.key_notes import Note, Notes, Offer
from reeve.rulelang.key_notes_of_files import EXPECTATION_NOTES, FILE_NOTES
from reeve.rulelang.key_notes_of_policies import POLICY_NOTES
from reeve.rulelang.key_notes_of_shifts import SHIFT_NOTES
from reeve.rulelang.known_names import CHANNELS, FIELD_KINDS, FIELD_VALUES
from reeve.rulelang.offered_words import Names, Word, offered
from reeve.rulelang.scenarios import LINE_KEYS, EventShape, ScenarioShape, ScenariosShape
from reeve.rulelang.shapes import LABEL_PATTERN, Shape
from reeve.rulelang.shift_shapes import ShiftsShape

DIALECT = "http://json-schema.org/draft-07/schema#"
FILES: dict[str, tuple[type[BaseModel], str]] = {
    "policy": (PolicyShape, "<policy>.yaml"),
    "site": (SiteShape, "site.yaml, sites/<site>.yaml"),
    "messages": (MessagesShape, "messages.yaml, messages/<name>.yaml"),
    "calendar": (CalendarShape, "calendars/<name>.yaml"),
    "duties": (DutiesShape, "duties.yaml"),
    "score": (ScoresShape, "score.yaml"),
    "facts": (FactsShape, "facts.yaml"),
    "scenarios": (ScenariosShape, "tests/<name>.test.yaml"),
    "shifts": (ShiftsShape, "shifts.yaml"),
}
"""Name of a schema → the model of the files it is for, and which files these are."""

NOTES: dict[type[Shape], Notes] = {**POLICY_NOTES, **FILE_NOTES, **SHIFT_NOTES}
_TEXT = ["string", "number", "boolean"]


def rule_schemas(names: Names | None = None) -> dict[str, dict[str, Any]]:
    """Schema name (`policy`) → schema. With names, those are offered as well."""
    words = offered(names)
    return {kind: _schema(model, files, words) for kind, (model, files) in FILES.items()}


def note_for(model: type[BaseModel], key: str) -> Note | None:
    """What is known about a key of a model; its bases are asked where it has no note of its own."""
    for each in model.__mro__:
        if (notes := NOTES.get(each)) is not None and key in notes:
            return notes[key]
    return None


def _schema(model: type[BaseModel], files: str, words: Mapping[Offer, tuple[Word, ...]]) -> dict[str, Any]:
    generator = type("_Generator", (_Generator,), {"words": words})
    schema = model.model_json_schema(schema_generator=generator, ref_template="#/definitions/{model}")
    if model is MessagesShape:
        schema = _messages(words)
    elif model is ScenariosShape:
        schema = {"anyOf": [schema, {"$ref": "#/definitions/ScenarioShape"}], "$defs": schema["$defs"]}
    definitions = schema.pop("$defs", {})
    about = note_for(model, "")
    head = {"$schema": DIALECT, "title": about.title if about else files, "$comment": f"Of {files}"}
    return cast("dict[str, Any]", _quietly({**schema, **head, "definitions": definitions}))


class _Generator(GenerateJsonSchema):
    """Pydantic's generator, with what the notes say, and for values that stay as they were written."""

    words: Mapping[Offer, tuple[Word, ...]]

    def str_schema(self, schema: core_schema.StringSchema) -> JsonSchemaValue:
        return {"type": _TEXT}

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        inner = self.generate_inner(schema["schema"])
        some = inner["anyOf"] if set(inner) == {"anyOf"} else [inner]
        return {"anyOf": [*some, {"type": "null"}]}

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def dict_schema(self, schema: core_schema.DictSchema) -> JsonSchemaValue:
        keys = self.generate_inner(schema["keys_schema"]) if "keys_schema" in schema else {}
        values = self.generate_inner(schema["values_schema"]) if "values_schema" in schema else {}
        names = {"propertyNames": {"title": "name", "pattern": keys["pattern"]}} if "pattern" in keys else {}
        return {"type": "object", "additionalProperties": values or True, **names}

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        json_schema = super().model_schema(schema)
        model = cast("type[BaseModel]", schema["cls"])
        if issubclass(model, RootModel):
            return {key: value for key, value in json_schema.items() if key not in ("title", "description")}
        about = note_for(model, "")
        json_schema |= _told(about) if about is not None else {}
        properties = json_schema.get("properties", {})
        for key, value in properties.items():
            value.pop("title", None)
            if (note := note_for(model, key)) is not None:
                properties[key] = _noted(value, note, self.words)
        if model is ScenarioShape:
            for key in ("expect", "never"):
                properties[key]["items"] = _expectation(self.words)
        if model is EventShape:
            properties["data"]["properties"] = _data_fields()
        return json_schema


def _told(note: Note) -> dict[str, Any]:
    return {"title": note.title, "description": note.en, "markdownDescription": note.markdown}


def _noted(value: dict[str, Any], note: Note, words: Mapping[Offer, tuple[Word, ...]]) -> dict[str, Any]:
    """A key's schema with its note; a reference is kept apart, because nothing may stand beside one."""
    value = {"allOf": [value]} if "$ref" in value else value
    value = cast("dict[str, Any]", _closed(value, note.only)) if note.only else value
    if note.keys or note.key_offer:
        value = _with_keys(value, note, words)
    schema = {**_told(note), **value}
    if plain := [each for each in note.examples if '"' not in each]:
        examples = [int(each) if each.lstrip("-").isdigit() else each for each in plain]
        schema["examples"] = [[each] for each in examples] if value.get("type") == "array" else examples
    # Editors put an example with quotes in it into quotes again; as a snippet it stays as it is.
    quoted = [Word(each) for each in note.examples if each not in plain]
    offers = (word for word in (words[note.offer] if note.offer else ()) if word.text not in note.examples)
    return schema | _snippets([*quoted, *offers])


def _snippets(words: Iterable[Word]) -> dict[str, Any]:
    snippets = [
        {"label": word.text, "body": word.text, **({"description": word.about} if word.about else {})}
        for word in words
    ]
    return {"defaultSnippets": snippets} if snippets else {}


def _closed(value: Any, only: tuple[str, ...]) -> Any:
    """The schema with every text in it held to a list; what YAML reads as a number is one all the same."""
    match value:
        case {"type": types} if types == _TEXT:
            return {"enum": [each for text in only for each in ((text, int(text)) if text.isdigit() else (text,))]}
        case dict():
            return {key: _closed(inner, only) for key, inner in value.items()}
        case list():
            return [_closed(inner, only) for inner in value]
    return value


def _with_keys(value: dict[str, Any], note: Note, words: Mapping[Offer, tuple[Word, ...]]) -> dict[str, Any]:
    """The schema with keys offered in its map."""
    if value.get("type") != "object":
        return {**value, "anyOf": [_with_keys(each, note, words) for each in value.get("anyOf", [])]}
    return _map_with_keys(value, note, words) if "additionalProperties" in value else value


def _map_with_keys(value: dict[str, Any], note: Note, words: Mapping[Offer, tuple[Word, ...]]) -> dict[str, Any]:
    offers = [Word(key) for key in note.keys]
    offers += words[note.key_offer] if note.key_offer else ()
    inner = value["additionalProperties"]
    properties = {word.text: {**inner, **({"description": word.about} if word.about else {})} for word in offers}
    return {**value, "properties": properties, "additionalProperties": False if note.only_keys else inner}


def _messages(words: Mapping[Offer, tuple[Word, ...]]) -> dict[str, Any]:
    """Message → language → channel → template; which channel has which parts is not in the model."""
    template = {"type": _TEXT}
    subject = Note("Subject", "A Jinja2 template: `{{ case }}`.", "Jinja2 模板：`{{ case }}`。")
    both = {
        "type": "object",
        "properties": {
            "subject": {**_told(subject), **template},
            "body": {**_told(Note("Body", subject.en, subject.zh)), **template},
        },
        "required": ["subject", "body"],
        "additionalProperties": False,
    }
    either = "One text, or subject and body; else the `sms` text.", "文本或主题和正文；缺省用 `sms`。"
    parts = {
        "sms": {**_told(Note("SMS", "One text.", "一段文本。")), **template},
        "email": {**_told(Note("E-mail", "A subject and a body.", "主题和正文。")), **both},
        "chat": {**_told(Note("Chat", *either)), "anyOf": [template, both]},
        "webhook": {**_told(Note("Webhook", *either)), "anyOf": [template, both]},
    }
    channels = {
        "type": "object",
        "properties": {each: parts[each] for each in CHANNELS},
        "additionalProperties": False,
    }
    text, message = {"$ref": "#/definitions/Text"}, {"$ref": "#/definitions/Message"}
    about_text = Note("Text", "Channel → template.", "渠道 → 模板。")
    about_message = Note("A message", "Language → channel → template.", "语言 → 渠道 → 模板。")
    languages = {word.text: text for word in words["languages"]}
    return {
        **_open_map({word.text: message for word in words["messages"]}, message),
        "propertyNames": {"title": "name", "pattern": LABEL_PATTERN},
        "$defs": {
            "Text": {**_told(about_text), **channels},
            "Message": {**_told(about_message), **_open_map(languages, text)},
        },
    }


def _open_map(offered_keys: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": offered_keys, "additionalProperties": values}


def _expectation(words: Mapping[Offer, tuple[Word, ...]]) -> dict[str, Any]:
    properties = {key: _any() for key in LINE_KEYS}
    for key, note in EXPECTATION_NOTES.items():
        if key in properties:
            properties[key] = _noted({"enum": list(note.only)} if note.only else _any(), note, words)
    about = _told(EXPECTATION_NOTES[""])
    return {**about, "type": "object", "properties": properties, "additionalProperties": False}


_JSON_KINDS = {"number": "number", "truth": "boolean"}


def _any(first: str = "string") -> dict[str, Any]:
    """Anything, of which one type is offered."""
    return {"anyOf": [{"type": first}, {"not": {"type": first}}]}


def _data_fields() -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for family, kinds in FIELD_KINDS.items():
        for name, kind in kinds.items():
            values = [Word(value) for value in FIELD_VALUES.get(family, {}).get(name, ())]
            about = {"title": name, "description": f"Field of the contract: {kind}."}
            fields[name] = {**about, **_any(_JSON_KINDS.get(kind, "string")), **_snippets(values)}
    return fields


_LIMITS = ("pattern", "minimum")


def _quietly(schema: Any) -> Any:
    """Types that are accepted, but nobody would ask for, go where editors look for nothing to offer."""
    match schema:
        case {"type": "null", **rest} if not rest:
            return _unoffered(["null"], {})
        case {"type": [str() as first, *others], **rest}:
            limits = {key: value for key, value in rest.items() if key in _LIMITS}
            beside = {key: _quietly(value) for key, value in rest.items() if key not in _LIMITS}
            return {**beside, "anyOf": _told_apart([{"type": first, **limits}, _unoffered(others, limits)])}
        case dict():
            return {
                key: _told_apart(_quietly(value)) if key == "anyOf" else _quietly(value)
                for key, value in schema.items()
            }
        case list():
            return [_quietly(each) for each in schema]
    return schema


def _unoffered(types: list[str], limits: Mapping[str, Any]) -> dict[str, Any]:
    return {"if": {}, "then": {"type": types, "properties": {}, **limits}}


def _told_apart(branches: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The branches of an anyOf, side by side. yaml-language-server takes branches with equal titles, descriptions
    and properties for one, and then explains the key twice and in English only; `properties` that are their own,
    even if empty, keep them apart."""
    flat = [inner for each in branches for inner in (each["anyOf"] if set(each) == {"anyOf"} else [each])]
    return [each if "$ref" in each else {"properties": {}, **each} for each in flat]
