"""What conditions mean, written a third time and as plainly as possible: slow, and independent of both matchers."""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from reeve.domain.bundle import Scope
from reeve.domain.durations import Elapsed, Months
from reeve.domain.expressions import (
    And,
    Compare,
    Condition,
    Contains,
    EventField,
    EventType,
    Fact,
    In,
    IsTrue,
    Known,
    Literal,
    Matches,
    Not,
    Or,
    Shifted,
    Value,
)


def holds(condition: Condition, scope: Scope) -> bool:  # noqa: C901 - one case per sort of condition
    """Whether the condition holds. Patterns are Python's here: tests use only what RE2 reads alike."""
    match condition:
        case And(items):
            return all(holds(item, scope) for item in items)
        case Or(items):
            return any(holds(item, scope) for item in items)
        case Not(item):
            return not holds(item, scope)
        case IsTrue(item):
            return value_of(item, scope) is True
        case Known(item):
            return value_of(item, scope) is not None
        case In(item, options):
            return any(same(value_of(item, scope), value_of(option, scope)) for option in options)
        case Contains(whole, part):
            held, value = value_of(whole, scope), value_of(part, scope)
            if isinstance(held, list):
                return any(same(entry, value) for entry in held)
            return isinstance(held, str) and isinstance(value, str) and value in held
        case Matches(text, pattern):
            found = value_of(text, scope)
            return isinstance(found, str) and re.search(pattern, found) is not None
        case Compare(op, left, right):
            a, b = value_of(left, scope), value_of(right, scope)
            if op == "==":
                return same(a, b)
            if op == "!=":
                return not same(a, b)
            sign = order(a, b)
            if sign is None:
                return False
            return {"<": sign < 0, "<=": sign <= 0, ">": sign > 0, ">=": sign >= 0}[op]


def value_of(value: Value, scope: Scope) -> Any:
    match value:
        case Literal(constant):
            return constant.timedelta if isinstance(constant, Elapsed) else constant
        case Fact(name):
            return scope.get(name)
        case EventField(name):
            return scope.get("event." + name)
        case EventType():
            return scope.get("event")
        case Shifted(base, sign, by):
            return moved(value_of(base, scope), sign, by)


def moved(value: Any, sign: int, by: object) -> Any:
    if isinstance(value, datetime) and isinstance(by, Elapsed):
        return value + timedelta(seconds=sign * by.seconds)
    if isinstance(value, datetime) or not isinstance(value, date):
        return None
    if isinstance(by, Elapsed) and by.seconds % 86_400 == 0:
        return value + timedelta(seconds=sign * by.seconds)
    if isinstance(by, Months):
        year, month, left = value.year, value.month, by.months
        while left:
            month += sign
            left -= 1
            if month in (0, 13):
                year, month = year + sign, 1 if sign > 0 else 12
        return date(year, month, min(value.day, monthrange(year, month)[1]))
    return None


def kind_of(value: Any) -> str | None:
    for name, types in (
        ("truth", bool),
        ("number", int | float | Decimal),
        ("text", str),
        ("moment", datetime),
        ("date", date),
        ("length", timedelta),
    ):
        if isinstance(value, types):
            return name
    return None


def exact(value: Any) -> Any:
    if isinstance(value, float):
        return Fraction(repr(value))
    return Fraction(value) if kind_of(value) == "number" else value


def same(a: Any, b: Any) -> bool:
    return kind_of(a) is not None and kind_of(a) == kind_of(b) and bool(exact(a) == exact(b))


def order(a: Any, b: Any) -> int | None:
    """-1, 0 or 1; None where two values are in no order."""
    if kind_of(a) in (None, "truth") or kind_of(a) != kind_of(b):
        return None
    left, right = exact(a), exact(b)
    return int(left > right) - int(left < right)
