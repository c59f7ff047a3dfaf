"""What the fields of a gateway's file are made of: templates, patterns, paths; and what they may not hold."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, Any

import re2
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from reeve.rulelang.templates import Renderer, TemplateRefused

RENDERER = Renderer({})
"""For everything in the file but the parameters of provider templates, which read a case as messages do."""


class Strict(BaseModel):
    """Unknown keys are faults, and no fault quotes what was written: it may be a password."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


def checked(value: str, renderer: Renderer = RENDERER) -> str:
    """The template as it is. Raises ValueError, saying what is wrong with it."""
    try:
        renderer.check(value)
    except TemplateRefused as error:
        raise ValueError(f"template: {error}") from None
    return value


def _secret(value: str) -> str:
    if not any(use.name == "secrets" for use in RENDERER.names(checked(value))):
        raise ValueError(
            "a secret must not stand here: name an environment variable under `secrets` "
            "and write {{ secrets.<name> }}"
        )
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


TemplateText = Annotated[str, AfterValidator(checked)]
SecretText = Annotated[str, AfterValidator(_secret)]
Pattern = Annotated[str, AfterValidator(_pattern)]
JsonPath = Annotated[str, Field(pattern=r"^[^.]+(\.[^.]+)*$")]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")]
