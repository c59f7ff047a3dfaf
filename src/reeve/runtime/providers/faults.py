"""What is wrong with a provider's file, where, and how it is mended; never a word of a secret."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import BaseModel
from ruamel.yaml.nodes import MappingNode, Node, SequenceNode

from reeve.domain.errors import ReeveError

Place = tuple[str | int, ...]

_AUTH_KINDS = ("aliyun", "basic", "bearer", "tencent")
_CHECK_KINDS = ("hmac", "token", "twilio")
_NO_PLACES = ("[key]", "dict[str,str]", "list[str]")


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault."""

    source: str
    """The file, or the setting it comes from."""
    line: int | None
    place: str
    """Dotted path of the key; empty for the file as a whole."""
    sentence: str

    def __str__(self) -> str:
        line = f":{self.line}" if self.line else ""
        return f"{self.source}{line}: {self.place or 'the file'}: {self.sentence}"


class ProvidersRefused(ReeveError):
    """Provider files can't be used; the message has all faults, a line each, and never a secret."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("\n".join(str(fault) for fault in faults))
        self.faults = tuple(faults)


def fault_at(source: str, root: Node | None, place: Place, sentence: str) -> Fault:
    """The fault at the line of the innermost part of its place that is in the file."""
    return Fault(source, line_of(root, place), ".".join(str(part) for part in place), sentence)


def sentence_of(
    fault: Mapping[str, Any], model: type[BaseModel], others: Mapping[str, type[BaseModel]]
) -> tuple[Place, str]:
    """Where a fault of pydantic is, and a sentence for somebody who knows YAML and not pydantic.

    `others`: the models of the other kinds of files.
    """
    place = _written(fault["loc"])
    match fault["type"]:
        case "extra_forbidden":
            key = str(place[-1])
            close = difflib.get_close_matches(key, sorted(set(_keys(model))), 1)
            elsewhere = [kind for kind, other in others.items() if key in _own_keys(other)]
            if len(place) == 1 and elsewhere:
                return place, f"there is no such key here; files of kind {' and '.join(elsewhere)} have one"
            if close:
                return place, f"there is no such key here; did you mean {close[0]}?"
            return place, "there is no such key here"
        case "missing":
            return place, "this is missing"
        case "union_tag_not_found":
            return place, f"kind is missing: one of {_kinds_at(place)}"
        case "union_tag_invalid":
            return (*place, "kind"), f"there is no such kind: one of {_kinds_at(place)}"
        case "model_type" | "model_attributes_type" | "dict_type":
            return place, "this should be keys with values"
        case "tuple_type" | "list_type":
            return place, "this should be a list"
        case _:
            return place, str(fault["msg"]).removeprefix("Value error, ")


def line_of(root: Node | None, place: Place) -> int | None:
    """The line of the innermost part of the place that is in the file; None where there is no file."""
    node, line = root, 1 if root is not None else None
    for part in place:
        if isinstance(node, MappingNode):
            pair = next((pair for pair in node.value if pair[0].value == str(part)), None)
            if pair is None:
                break
            line, node = pair[0].start_mark.line + 1, pair[1]
        elif isinstance(node, SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
        else:
            break
    return line


def _written(loc: Sequence[str | int]) -> Place:
    place: Place = tuple(part for part in loc if part not in _NO_PLACES)
    if "auth" in place:
        after = place.index("auth") + 1
        if len(place) > after and place[after] in (*_AUTH_KINDS, *_CHECK_KINDS):
            place = place[:after] + place[after + 1 :]
    return place


def _kinds_at(place: Place) -> str:
    return ", ".join(_CHECK_KINDS if "webhooks" in place else _AUTH_KINDS)


def _own_keys(model: type[BaseModel]) -> set[str]:
    return {field.alias or name for name, field in model.model_fields.items()}


def _keys(model: type[BaseModel]) -> Iterator[str]:
    """Every key of a file of this model, at whatever depth."""
    for name, field in model.model_fields.items():
        yield field.alias or name
        for inner in _models_in(field.annotation):
            yield from _keys(inner)


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for each in get_args(annotation):
        yield from _models_in(each)
