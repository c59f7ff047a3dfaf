"""Kinds of values that event fields hold, each strict: nothing is guessed from a value of another kind."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, Strict, WithJsonSchema
from pydantic_core import PydanticCustomError

EARLIEST_YEAR, LATEST_YEAR = 1900, 2999
"""Years in which moments and dates may lie, so that limits added to them stay what a date can hold."""

NOT_MONEY = 'yuan as text with at most 2 decimals ("1234.50") or as a whole number'
NOT_A_MOMENT = "a moment with offset like 2026-11-20T09:00:00+08:00"
NOT_A_DAY = "a date like 2026-11-20"

_MONEY = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,2})?")
_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOST_YUAN = 10**15


def is_money(value: object) -> bool:
    """Whether a value of a `*_cny` field is exact: text with at most 2 decimals or an integer.

    Negative amounts are let through: a payment taken back is a negative payment.
    """
    if isinstance(value, str):
        return _MONEY.fullmatch(value) is not None
    return isinstance(value, int) and not isinstance(value, bool) and -_MOST_YUAN < value < _MOST_YUAN


def read_moment(value: object) -> datetime | None:
    """The moment that an RFC 3339 text with an offset names, with that offset; None if it is none."""
    if not isinstance(value, str) or _MOMENT.fullmatch(value) is None:
        return None
    try:
        moment = datetime.fromisoformat(value.upper())
    except ValueError:
        return None
    return moment if EARLIEST_YEAR <= moment.year <= LATEST_YEAR else None


def read_day(value: object) -> date | None:
    """The date that a text like 2026-11-20 names; None if it is none."""
    if not isinstance(value, str) or _DAY.fullmatch(value) is None:
        return None
    try:
        day = date.fromisoformat(value)
    except ValueError:
        return None
    return day if EARLIEST_YEAR <= day.year <= LATEST_YEAR else None


def _refused(expected: str) -> PydanticCustomError:
    return PydanticCustomError("field_kind", "{expected}", {"expected": expected})


def _only(accepts: Callable[[Any], bool], expected: str) -> BeforeValidator:
    def check(value: Any) -> Any:
        if not accepts(value):
            raise _refused(expected)
        return value

    return BeforeValidator(check)


def _read(read: Callable[[Any], Any], expected: str) -> BeforeValidator:
    def check(value: Any) -> Any:
        found = read(value)
        if found is None:
            raise _refused(expected)
        return found

    return BeforeValidator(check)


Money = Annotated[
    Any,
    _only(is_money, NOT_MONEY),
    WithJsonSchema(
        {
            "description": "Yuan, exact: text with at most 2 decimals, or an integer; never a fraction",
            "anyOf": [{"type": "string", "pattern": r"^-?[0-9]{1,15}(\.[0-9]{1,2})?$"}, {"type": "integer"}],
        }
    ),
]
Moment = Annotated[
    Any,
    _read(read_moment, NOT_A_MOMENT),
    WithJsonSchema({"type": "string", "format": "date-time", "description": "RFC 3339 with an offset"}),
]
Day = Annotated[
    Any,
    _read(read_day, NOT_A_DAY),
    WithJsonSchema({"type": "string", "format": "date", "description": "A local date of the site"}),
]
Text = Annotated[str, Strict()]
Flag = Annotated[bool, Strict()]
Place = Annotated[
    Any,
    WithJsonSchema({"description": "A text or number, as the site writes it"}),
]
"""Sites post these in their own way and did before we read them: nothing is refused, and what is no text or number
names no place."""
Count = Annotated[int, Strict(), Field(ge=0, le=1_000_000_000)]

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def _without_control(value: str) -> str:
    if _CONTROL.search(value) or not value.strip():
        raise _refused("text without control characters, not blank")
    return value


Subject = Annotated[str, Strict(), Field(min_length=1, max_length=200), AfterValidator(_without_control)]
Id = Annotated[str, Strict(), Field(min_length=1, max_length=256), AfterValidator(_without_control)]
Source = Annotated[str, Strict(), Field(min_length=1, max_length=512), AfterValidator(_without_control)]
Site = Annotated[str, Strict(), Field(pattern=r"^[a-z0-9-]{1,64}$")]


class Data(BaseModel):
    """Typed fields of one event family. Further fields pass through untouched."""

    model_config = ConfigDict(extra="ignore", frozen=True, json_schema_extra={"additionalProperties": True})
