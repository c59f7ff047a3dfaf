"""Conditions and values as text, one way of writing each: for messages, and to tell two conditions apart."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from reeve.domain import expressions as x
from reeve.domain.durations import Duration, Elapsed, Months, SameDay, WorkingDays, WorkingHours


def show(node: x.Node) -> str:
    """The node as an operator could write it; equal text means equal meaning, whatever the positions."""
    match node:
        case x.And(items):
            return " and ".join(f"({show(i)})" if isinstance(i, x.Or) else show(i) for i in items)
        case x.Or(items):
            return " or ".join(show(item) for item in items)
        case x.Not(item):
            return f"not ({show(item)})"
        case x.Compare(op, left, right):
            return f"{show(left)} {op} {show(right)}"
        case x.In(item, options):
            return f"{show(item)} in [{', '.join(map(show, options))}]"
        case x.Contains(whole, part):
            return f"{show(whole)} contains {show(part)}"
        case x.Matches(text, pattern):
            return f'{show(text)} matches "{pattern}"'
        case x.Known(item):
            return f"known({show(item)})"
        case x.IsTrue(item):
            return show(item)
    return show_value(node)


def show_value(value: x.Value) -> str:
    """A value as written in a rule."""
    match value:
        case x.Fact(name):
            return name
        case x.EventField(name):
            return f"event.{name}"
        case x.EventType():
            return "event"
        case x.Shifted(base, sign, by):
            return f"{show_value(base)} {'+' if sign > 0 else '-'} {show_length(by)}"
        case x.Literal(constant):
            return show_constant(constant)


def show_constant(value: x.Constant) -> str:
    """A constant as written in a rule."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, date | datetime):
        return value.isoformat()
    return show_length(value)


def show_length(length: Duration) -> str:
    """A length of time as written in a rule."""
    match length:
        case Elapsed(seconds):
            for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
                if seconds % size == 0:
                    return f"{seconds // size}{unit}"
            return f"{seconds}s"
        case WorkingDays(days):
            return f"{days} working day{'s' * (days != 1)}"
        case WorkingHours(seconds):
            return f"{seconds // 3600} working hour{'s' * (seconds != 3600)}"
        case Months(months):
            return f"{months} month{'s' * (months != 1)}"
        case SameDay():
            return "same day"
