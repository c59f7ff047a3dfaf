"""Bases and field types of the file models: strict, keys as operators write them, lists where one may stand.

What each type takes is said twice: to pydantic, and as JSON Schema for editors (`file_schemas`).
"""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Generic, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, RootModel, WithJsonSchema
from pydantic_core import PydanticCustomError


class Shape(BaseModel):
    """A map in a rule file: unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=False, defer_build=True)


_Inside = TypeVar("_Inside")


class Whole(RootModel[_Inside], Generic[_Inside]):
    """A file that is a list, or a map whose keys are the operator's."""

    model_config = ConfigDict(defer_build=True)


def _fault(code: str, **particulars: object) -> PydanticCustomError:
    return PydanticCustomError(code, "{code}", {"code": code, **particulars})


def _whole_number(least: int, most: int, example: str) -> BeforeValidator:
    def number(value: Any) -> int:
        text = str(value)
        if (
            isinstance(value, str | int)
            and re.fullmatch(r"[+-]?\d{1,9}", text, re.ASCII)
            and least <= int(text) <= most
        ):
            return int(text)
        raise _fault("expected_number", found=text[:40], least=least, most=most, right=example)

    return BeforeValidator(number)


def _written_number(least: int, most: int) -> WithJsonSchema:
    whole = {"type": "integer", "minimum": least, "maximum": most}
    return WithJsonSchema({"anyOf": [whole, {"type": "string", "pattern": "^[+-]?[0-9]{1,9}$"}]})


def _truth(value: Any) -> bool:
    if value in ("true", "True", "TRUE", True):
        return True
    if value in ("false", "False", "FALSE", False):
        return False
    raise _fault("expected_truth", found=str(value)[:40])


def _share(value: Any) -> Decimal:
    match = re.fullmatch(r"(\d{1,3}(?:\.\d{1,4})?)\s*[%％]", value, re.ASCII) if isinstance(value, str) else None
    share = Decimal(match[1]) / 100 if match else Decimal(0)
    if not 0 < share <= 1:
        raise _fault("expected_percent", found=str(value)[:40])
    return share


def _day(value: Any) -> date:
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", value, re.ASCII):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    raise _fault("expected_date", found=str(value)[:40])


def _some(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _texts(value: Any) -> Any:
    return {"": value} if isinstance(value, str) else value


def _name(value: str) -> str:
    if not re.fullmatch(r"[^\W\d]\w{0,62}", value):
        raise _fault("bad_name", found=value[:40])
    return value


def _label(value: str) -> str:
    if not re.fullmatch(r"\w[\w-]{0,62}", value):
        raise _fault("bad_name", found=value[:40])
    return value


_SIGNS = r"\s!-,./:-@\[-\^`{-~" + "\u3000-\u3004\u3008-\u3020\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65"
"""No part of a name, for a pattern: `\\w` is another set of characters in every editor."""
NAME_PATTERN = rf"^[^{_SIGNS}\-0-9][^{_SIGNS}\-]{{0,62}}$"
LABEL_PATTERN = rf"^[^{_SIGNS}\-][^{_SIGNS}]{{0,62}}$"
_PERCENT = r"^(?=.*[1-9])(100(\.0{1,4})?|0?[0-9]{1,2}(\.[0-9]{1,4})?)\s*[%％]$"
_DAY = "^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$"
_LABEL = {"type": ["string", "integer", "boolean"], "pattern": LABEL_PATTERN, "minimum": 0}

Truth = Annotated[
    bool,
    BeforeValidator(_truth),
    WithJsonSchema(
        {"anyOf": [{"type": "boolean"}, {"type": "string", "pattern": "^(true|True|TRUE|false|False|FALSE)$"}]}
    ),
]
Times = Annotated[int, _whole_number(1, 1000, "3"), _written_number(1, 1000)]
Raise = Annotated[int, _whole_number(0, 20, "1"), _written_number(0, 20)]
Points = Annotated[int, _whole_number(-1000, 1000, "-2"), _written_number(-1000, 1000)]
Segments = Annotated[int, _whole_number(0, 100_000_000, "5000"), _written_number(0, 100_000_000)]
Share = Annotated[Decimal, BeforeValidator(_share), WithJsonSchema({"type": "string", "pattern": _PERCENT})]
Day = Annotated[date, BeforeValidator(_day), WithJsonSchema({"type": "string", "format": "date", "pattern": _DAY})]
Some = Annotated[list[str], BeforeValidator(_some, json_schema_input_type=list[str] | str)]
"""One text, or a list of them."""
Words = Annotated[dict[str, str], BeforeValidator(_texts, json_schema_input_type=dict[str, str] | str)]
"""Language → text; a single text is under the empty key until the site's language is known."""
Name = Annotated[
    str,
    AfterValidator(_name),
    WithJsonSchema({"type": ["string", "boolean"], "pattern": NAME_PATTERN}),
]
"""A name that conditions can use: letters of any script, digits, `_`."""
Label = Annotated[str, AfterValidator(_label), WithJsonSchema(_LABEL)]
"""A name that is only referred to: `-` may stand in it too."""
Expression = str
"""A condition, a limit or a trigger: docs/rule-language.md §3."""
