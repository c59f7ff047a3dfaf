"""What stands in a rota file (`reeve shifts import`), before names and hours mean anything."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema

from reeve.rulelang.shapes import Day, Label, Name, Shape, Some, Truth, Whole, Words

SPAN_PATTERN = r"^\s*[0-9]{1,2}[:：][0-9]{2}\s*[-–—－~～至]\s*[0-9]{1,2}[:：][0-9]{2}\s*$"

Hours = Annotated[str, WithJsonSchema({"type": "string", "pattern": SPAN_PATTERN})]


def _turns(value: Any) -> Any:
    if isinstance(value, dict):
        return [value]
    if not isinstance(value, list):
        return value
    return [{"": each} if isinstance(each, str | list) else each for each in value]


class LayerShape(Shape):
    """Shifts that repeat, and the groups that take turns."""

    start: Day | None = None
    until: Day | None = None
    shifts: dict[Name, Hours] = Field(default={})
    every: str | None = None
    days: Some = Field(default=[])
    turns: Annotated[
        list[dict[str, Some]],
        BeforeValidator(_turns, json_schema_input_type=list[str | list[str] | dict[str, Some]] | dict[str, Some]),
    ] = Field(default=[])


class RotaShape(LayerShape):
    """One rota: of a role at a place."""

    place: str
    role: Label
    title: Words = Field(default={})
    zone: str | None = None
    hand_over: Truth = True
    groups: dict[Label, Some] = Field(default={})
    layers: list[LayerShape] = Field(default=[])


class ShiftsShape(Whole[list[RotaShape]]):
    """`shifts.yaml`."""
