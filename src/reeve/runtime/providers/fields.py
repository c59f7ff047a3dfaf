"""What the fields of a provider's file are made of: templates, patterns, waits; and what they may not hold."""

from __future__ import annotations

import re
from datetime import timedelta
from functools import lru_cache
from typing import Annotated, Any

import re2
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from reeve.rulelang.template_limits import TemplateRefused
from reeve.rulelang.templates import Renderer

RENDERER = Renderer({})
"""For everything in a file but the parameters of provider templates, which read a case as messages do."""


class Strict(BaseModel):
    """Unknown keys are faults, and no fault quotes what was written: it may be a password."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


WRITTEN_OUT = (
    "a secret must not stand here: name an environment variable under `secrets` and write {{ secrets.<name> }}"
)


def checked(value: str, renderer: Renderer = RENDERER) -> str:
    """The template as it is. Raises ValueError, saying what is wrong with it."""
    try:
        renderer.check(value)
    except TemplateRefused as error:
        raise ValueError(f"template: {error}") from None
    return value


def _secret(value: str) -> str:
    if not any(use.name == "secrets" for use in RENDERER.names(checked(value))):
        raise ValueError(WRITTEN_OUT)
    return value


def _pattern(value: str) -> str:
    try:
        compile_pattern(value)
    except re2.error:
        raise ValueError("this pattern can't be read (RE2 syntax: no look-around, no back-references)") from None
    return value


@lru_cache(maxsize=256)
def compile_pattern(pattern: str) -> Any:
    """RE2, whose time grows with the text alone: an answer from outside can't make it hang."""
    options = re2.Options()
    options.log_errors = False
    return re2.compile(pattern.encode(), options)


def check_tree(tree: Any) -> None:
    """Every text in a JSON value is a template. Raises ValueError."""
    for text in texts_in(tree):
        checked(text)


def texts_in(tree: Any) -> list[str]:
    """Every text in a JSON value, keys left out."""
    if isinstance(tree, str):
        return [tree]
    inner = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ()
    return [text for value in inner for text in texts_in(value)]


def named_texts(tree: Any, place: tuple[str | int, ...] = ()) -> list[tuple[tuple[str | int, ...], str]]:
    """Every text in a JSON value that stands under a name, with where it stands."""
    if isinstance(tree, str):
        return [(place, tree)] if place else []
    inner = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list | tuple) else ()
    return [found for name, value in inner for found in named_texts(value, (*place, name))]


def for_posts(template: str) -> bool:
    """Whether it tells the provider where to post to: it is left out where posts can't come."""
    return any(use.name in ("receipts_url", "inbound_url") for use in RENDERER.names(template))


TemplateText = Annotated[str, AfterValidator(checked)]
SecretText = Annotated[str, AfterValidator(_secret)]
Pattern = Annotated[str, AfterValidator(_pattern)]
JsonPath = Annotated[str, Field(pattern=r"^[^.]+(\.[^.]+)*$")]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")]

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_LENGTH = r"^\d+(\.\d+)?\s*(ms|s|m|h|d)?$"


def _length(value: Any) -> Any:
    """`10s`, `1.5m` or a number of seconds."""
    if isinstance(value, timedelta):
        return value
    match = re.fullmatch(r"(\d{1,9}(?:\.\d{1,6})?)\s*(ms|s|m|h|d)?", str(value).strip())
    if match is None:
        raise ValueError("this is a length of time: 10s, 5m, 2h")
    return timedelta(seconds=float(match[1]) * _UNITS[match[2] or "s"])


Length = Annotated[
    timedelta,
    BeforeValidator(_length),
    WithJsonSchema({"anyOf": [{"type": "number", "minimum": 0}, {"type": "string", "pattern": _LENGTH}]}),
]
"""`10s 5m 2h`, or seconds as a number."""
EnvironmentName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,120}$")]
