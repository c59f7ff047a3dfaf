"""Keys of site.yaml that keep people from being flooded, before they mean anything."""

from __future__ import annotations

from typing import Annotated, Any
from typing import Literal as OneOf

from pydantic import BeforeValidator, Field

from reeve.rulelang.shapes import Segments, Shape, Some

NONE = ("none", "off")
"""What takes a setting of site.yaml back at one site."""


def none_is_empty(value: Any) -> Any:
    """`none` as a map without keys."""
    return {} if value in NONE else value


def none_is_nothing(value: Any) -> Any:
    """`sms_budget: none` as no segments."""
    return {"segments": 0} if value in NONE else value


class DigestShape(Shape):
    """`digest: {grades: [ordinary], at: ["09:00", "17:00"]}`; empty: none."""

    grades: Some = Field(default=[])
    at: Some = Field(default=[])
    every: str | None = None


class BudgetShape(Shape):
    """`sms_budget: {segments: 5000}`."""

    segments: Segments


NoneOr = OneOf["none", "off"]

OptionalDigest = Annotated[
    DigestShape | None,
    BeforeValidator(none_is_empty, json_schema_input_type=DigestShape | NoneOr | None),
]
OptionalBudget = Annotated[
    BudgetShape | None,
    BeforeValidator(none_is_nothing, json_schema_input_type=BudgetShape | NoneOr | None),
]
