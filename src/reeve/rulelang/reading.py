"""A document held against the model of its file: the model, and every problem of shape where it stands.

What is wrong is taken out and the rest validated again, so that one slip hides no other.
"""

from __future__ import annotations

import copy
import types
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, Union, cast, get_args, get_origin

from pydantic import BaseModel, RootModel, ValidationError

from reeve.domain.expressions import Position
from reeve.rulelang.problems import Choice, Particular, Problem, problem
from reeve.rulelang.texts_of_facts import FACT_TEXTS
from reeve.rulelang.texts_of_files import SHAPE_TEXTS
from reeve.rulelang.texts_of_policies import POLICY_TEXTS
from reeve.rulelang.yamlfaults import wide_sign
from reeve.rulelang.yamltree import Document, Mapping, Scalar, Sequence, plain

Model = TypeVar("Model", bound=BaseModel)

Path = tuple[str | int, ...]
_MOST_TOLD = 100
"""A file with more faults of shape than this is another kind of file."""
_ROUNDS = 5
"""How often what is wrong is taken out before the file is given up."""


@dataclass(frozen=True)
class Shaped(Generic[Model]):
    """What is left of a file once everything of a wrong shape is taken out."""

    model: Model | None
    """None: nothing usable is left."""
    doc: Document
    """The nodes behind the model, so that their places still agree."""
    problems: list[Problem]


def read_shape(doc: Document, model: type[Model], data: Any = None) -> Shaped[Model]:
    """The file as its model, without the parts that have problems. The document given stays as it is.

    `data` is what the document says, where that is not all of it; it is used up.
    """
    data = plain(doc.root) if data is None else data
    if data is None:
        return Shaped(None, doc, [problem(Position(doc.file, 1, 1), "empty_file")])
    problems: list[Problem] = []
    untouched = True
    for _ in range(_ROUNDS):
        try:
            return Shaped(model.model_validate(data), doc, problems)
        except ValidationError as error:
            faults = error.errors(include_url=False)
        renamed = {guess for fault in faults if (guess := _meant(model, fault))}
        told = [fault for fault in faults if not _follows(doc, fault, renamed)]
        problems.extend(_problem(doc, model, fault) for fault in told[:_MOST_TOLD])
        paths = {_real(data, fault["loc"]) for fault in faults}
        if () in paths:
            break
        if untouched:
            untouched = False
            doc = Document(doc.file, copy.deepcopy(doc.root))
        for path in sorted(paths, key=_late_first, reverse=True):
            _take_out(data, doc, path)
    return Shaped(None, doc, problems)


def _meant(model: type[BaseModel], fault: Any) -> Path | None:
    """The place of the key that a misspelt one was meant to be."""
    if fault["type"] != "extra_forbidden":
        return None
    *above, found = fault["loc"]
    best = Choice(str(found), _keys(model, tuple(above))).best
    return (*above, best) if best is not None else None


def _follows(doc: Document, fault: Any, renamed: set[Path]) -> bool:
    """Whether a key is only missing because it was misspelt, or was wrong and is said already."""
    if fault["type"] != "missing":
        return False
    *above, key = fault["loc"]
    node = doc.node(*above)
    return fault["loc"] in renamed or (isinstance(node, Mapping) and key in node.values)


def _late_first(path: Path) -> tuple[tuple[int, str | int], ...]:
    return tuple((step, "") if isinstance(step, int) else (0, step) for step in path)


def _real(data: Any, loc: Path) -> Path:
    """The part of an error's place that exists in the data as written."""
    path: list[str | int] = []
    for step in loc:
        in_map = isinstance(data, dict) and step in data
        in_list = isinstance(data, list) and isinstance(step, int) and step < len(data)
        if in_map or in_list:
            data = cast("Any", data)[step]
            path.append(step)
    return tuple(path)


def _take_out(data: Any, doc: Document, path: Path) -> None:
    """Removes what stands at a path; from a list in the document too, so that the items keep their places."""
    *above, last = path
    holder = data
    for step in above:
        holder = holder.get(step) if isinstance(holder, dict) else holder[step]
        if holder is None:
            return
    if isinstance(holder, dict):
        holder.pop(last, None)
    elif isinstance(last, int):
        node = doc.node(*above)
        holder.pop(last)
        if isinstance(node, Sequence):
            node.items.pop(last)


def _problem(doc: Document, model: type[BaseModel], fault: Any) -> Problem:
    loc: Path = fault["loc"]
    keys = [step for step in _in_document(doc, loc) if isinstance(step, str)]
    key = str(keys[-1]) if keys else doc.file
    kind, context = fault["type"], fault.get("ctx", {})
    if wide := _wide(doc, loc, kind):
        return wide
    if kind == "extra_forbidden":
        return problem(
            doc.at_key(*loc), "unknown_key", key=str(loc[-1]), choice=Choice(str(loc[-1]), _keys(model, loc[:-1]))
        )
    if kind == "missing":
        return problem(doc.at(*loc[:-1]), "missing_key", key=str(loc[-1]))
    if fault["input"] is None:
        return problem(doc.at_key(*loc), "empty_value", key=key)
    if kind in SHAPE_TEXTS or kind in POLICY_TEXTS or kind in FACT_TEXTS:
        words: dict[str, Particular] = {"key": key}
        words.update({k: v for k, v in context.items() if isinstance(v, str | int) and k != "code"})
        return problem(doc.at(*loc), kind, **words)
    if kind == "literal_error":
        allowed = tuple(part.strip("'") for part in str(context["expected"]).replace(" or ", ", ").split(", "))
        found = str(fault["input"])[:40]
        return problem(doc.at(*loc), "expected_choice", key=key, found=found, choice=Choice(found, allowed))
    shape = _EXPECTED.get(kind)
    if shape is not None:
        return problem(doc.at(*loc), shape, key=key, found=_shown(doc, loc))
    return problem(doc.at(*loc), "bad_shape", key=key, why=str(fault["msg"]))


def _wide(doc: Document, loc: Path, kind: str) -> Problem | None:
    """A full-width sign where a key or a map should be: it made one text of what stands on both its sides."""
    node = doc.node(*loc[:-1])
    scalar: object = doc.node(*loc)
    if kind == "extra_forbidden":
        scalar = node.keys.get(str(loc[-1])) if isinstance(node, Mapping) else None
    elif _EXPECTED.get(kind) not in ("expected_map", "expected_list"):
        return None
    if isinstance(scalar, Scalar) and not scalar.style:
        return wide_sign(scalar.source, scalar.start, scalar.end)
    return None


_EXPECTED = {
    "string_type": "expected_text",
    "list_type": "expected_list",
    "tuple_type": "expected_list",
    "dict_type": "expected_map",
    "model_type": "expected_map",
    "model_attributes_type": "expected_map",
}


def _in_document(doc: Document, loc: Path) -> Path:
    node: object = doc.root
    path: list[str | int] = []
    for step in loc:
        below = doc.node(*path, step)
        if below is not node:
            node = below
            path.append(step)
    return tuple(path)


def _shown(doc: Document, loc: Path) -> str:
    match doc.node(*loc):
        case Scalar(text=text):
            return f"`{text[:40]}`"
        case Sequence():
            return "[…]"
        case Mapping():
            return "{…}"


def _keys(model: type[BaseModel], loc: Path) -> tuple[str, ...]:
    """The keys that may stand at a place of a model."""
    annotation: Any = model
    for step in loc:
        annotation = _inside(annotation, step)
    found = _model_in(annotation)
    if found is None:
        return ()
    return tuple(field.alias or name for name, field in found.model_fields.items())


def _inside(annotation: Any, step: str | int) -> Any:
    model = _model_in(annotation)
    if model is not None and issubclass(model, RootModel):
        annotation = model.model_fields["root"].annotation
        model = None
    if model is not None:
        for name, field in model.model_fields.items():
            if (field.alias or name) == step:
                return field.annotation
        return None
    for part in _parts(annotation):
        arguments = get_args(part)
        if get_origin(part) in (list, tuple) and isinstance(step, int):
            return arguments[0]
        if get_origin(part) is dict and len(arguments) == 2:
            return arguments[1]
    return None


def _model_in(annotation: Any) -> type[BaseModel] | None:
    for part in _parts(annotation):
        if isinstance(part, type) and not get_args(part) and issubclass(part, BaseModel):
            return part
    return None


def _parts(annotation: Any) -> list[Any]:
    """An annotation without Annotated, and the members of a union."""
    if hasattr(annotation, "__metadata__"):
        return _parts(annotation.__origin__)
    if get_origin(annotation) in (Union, types.UnionType):
        return [inner for part in get_args(annotation) for inner in _parts(part)]
    return [annotation]
