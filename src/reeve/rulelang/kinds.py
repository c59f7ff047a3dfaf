"""The kinds of values that conditions compare, and when two values are equal or in order.

Kinds never mix: text is not a number, `true` is not 1, a date is not a moment. What has no kind (lists,
nested objects, numbers that are not finite, moments without a zone) is comparable with nothing.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum, auto
from typing import Any

from reeve.domain.calendar import add_months
from reeve.domain.durations import Duration, Elapsed, Months
from reeve.domain.expressions import CompareOp

Order = Callable[[Any, Any], bool]

ORDERS: dict[CompareOp, Order] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}

MIRRORED: dict[CompareOp, CompareOp] = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
"""`a op b` is `b MIRRORED[op] a`."""

OPPOSITE: dict[CompareOp, CompareOp] = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "=="}
"""What holds of two values of one ordered kind exactly when `op` does not."""


class Kind(Enum):
    """What a value is to a condition; only values of one kind are ever equal or in order."""

    TRUTH = auto()
    """true or false: equal or not, never in order."""
    NUMBER = auto()
    """Compared exactly, whether it came as int, Decimal or float."""
    TEXT = auto()
    """In order by code point."""
    DATE = auto()
    MOMENT = auto()
    LENGTH = auto()
    """An elapsed length (`open_for`)."""


def plain(value: Any) -> tuple[Kind, Any] | None:
    """A value's kind, and the value in the form in which it is compared; None if it compares with nothing.

    A float counts as the decimal number it is written as: 0.1 posted is the 0.1 of a rule.
    """
    kind = _KINDS.get(type(value))
    if kind is Kind.NUMBER:
        if type(value) is float:
            return (kind, Decimal(repr(value))) if math.isfinite(value) else None
        if type(value) is Decimal and not value.is_finite():
            return None
    elif kind is Kind.MOMENT:
        return (kind, value) if value.tzinfo is not None else None
    elif kind is None:
        if isinstance(value, Elapsed):
            try:
                return Kind.LENGTH, value.timedelta
            except OverflowError:
                return None
        return None
    return kind, value


_KINDS: dict[type, Kind] = {
    bool: Kind.TRUTH,
    int: Kind.NUMBER,
    float: Kind.NUMBER,
    Decimal: Kind.NUMBER,
    str: Kind.TEXT,
    date: Kind.DATE,
    datetime: Kind.MOMENT,
    timedelta: Kind.LENGTH,
}


def equal(a: Any, b: Any) -> bool:
    """Whether two values are of one kind and the same."""
    left, right = plain(a), plain(b)
    return left is not None and right is not None and left[0] is right[0] and bool(left[1] == right[1])


def compare(op: CompareOp, a: Any, b: Any) -> bool:
    """`a op b`: false if one is absent or the kinds differ; `!=` is exactly not `==`; truth has no order."""
    if op == "==":
        return equal(a, b)
    if op == "!=":
        return not equal(a, b)
    left, right = plain(a), plain(b)
    if left is None or right is None or left[0] is not right[0] or left[0] is Kind.TRUTH:
        return False
    return ORDERS[op](left[1], right[1])


def shifted(value: Any, sign: int, by: Duration) -> date | datetime | None:
    """A date or moment moved by a length, or None where that means nothing without a calendar.

    A date moves by whole days and by months (clamped to the month's last day); a moment by elapsed lengths.
    """
    try:
        if type(value) is datetime:
            return value + sign * by.timedelta if isinstance(by, Elapsed) else None
        if type(value) is not date:
            return None
        if isinstance(by, Elapsed):
            days, rest = divmod(by.seconds, 86_400)
            return None if rest else value + timedelta(days=sign * days)
        if isinstance(by, Months):
            return add_months(value, sign * by.months)
    except (OverflowError, ValueError):  # outside the years 1 to 9999
        return None
    return None
