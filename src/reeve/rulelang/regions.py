"""What a condition asks of each fact: its alternatives, each as intervals and values, to compare conditions.

An approximation that errs to one side: what can't be reckoned with is kept as an opaque part that only equals
itself, so "covered" and "contradictory" are said only when they are certain.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from reeve.domain import expressions as x
from reeve.rulelang.show import show

MOST_ALTERNATIVES = 256
"""Conditions with more alternatives than this are not analysed."""


@dataclass(frozen=True, slots=True)
class Interval:
    """Values from `low` to `high`; None is without end."""

    low: Any = None
    low_in: bool = True
    high: Any = None
    high_in: bool = True

    def empty(self) -> bool:
        if self.low is None or self.high is None:
            return False
        return bool(self.low > self.high or (self.low == self.high and not (self.low_in and self.high_in)))

    def inside(self, other: Interval) -> bool:
        low = other.low is None or (
            self.low is not None
            and (self.low > other.low or (self.low == other.low and (other.low_in or not self.low_in)))
        )
        high = other.high is None or (
            self.high is not None
            and (self.high < other.high or (self.high == other.high and (other.high_in or not self.high_in)))
        )
        return bool(low and high)

    def meet(self, other: Interval) -> Interval:
        low, low_in = self.low, self.low_in
        if other.low is not None and (low is None or other.low > low or (other.low == low and not other.low_in)):
            low, low_in = other.low, other.low_in
        high, high_in = self.high, self.high_in
        if other.high is not None and (
            high is None or other.high < high or (other.high == high and not other.high_in)
        ):
            high, high_in = other.high, other.high_in
        return Interval(low, low_in, high, high_in)

    def holds(self, value: Any) -> bool:
        return Interval(value, True, value, True).inside(self)


@dataclass(frozen=True, slots=True)
class Region:
    """What one alternative asks of one fact. Asking anything means that the fact is known."""

    interval: Interval | None = None
    values: frozenset[Any] | None = None

    def impossible(self) -> bool:
        return (self.values is not None and not self.values) or (
            self.interval is not None and self.interval.empty()
        )

    def inside(self, other: Region) -> bool:
        if other.values is not None and not (self.values is not None and self.values <= other.values):
            return False
        return other.interval is None or (
            self.interval is not None
            and _kind(self.interval) == _kind(other.interval)
            and self.interval.inside(other.interval)
        )

    def meet(self, other: Region) -> Region:
        values = self.values
        if other.values is not None:
            values = other.values if values is None else values & other.values
        interval = self.interval
        if other.interval is not None:
            if interval is not None and _kind(interval) != _kind(other.interval):
                return Region(None, frozenset())
            interval = other.interval if interval is None else interval.meet(other.interval)
        if values is not None and interval is not None:
            values = frozenset()  # a text or truth and a number at once
        return Region(interval, values)


def _kind(interval: Interval) -> type:
    return type(interval.low if interval.low is not None else interval.high)


@dataclass(frozen=True, slots=True)
class Alternative:
    """One way for a condition to hold: all of these at once."""

    regions: dict[str, Region] = field(default_factory=dict)
    opaque: frozenset[str] = frozenset()
    absent: frozenset[str] = frozenset()
    said: frozenset[str] = frozenset()
    """Every comparison in it as text, to find its own negation."""
    never: bool = False
    pos: x.Position = x.NOWHERE

    def contradictory(self) -> bool:
        return (
            self.never
            or any(region.impossible() for region in self.regions.values())
            or any(name in self.regions for name in self.absent)
            or any(f"not ({part})" in self.opaque for part in self.said)
        )

    def implies(self, other: Alternative) -> bool:
        """Whether every case that this one takes, the other takes too."""
        return (
            other.opaque <= self.opaque
            and other.absent <= self.absent
            and not other.never
            and all(key in self.regions and self.regions[key].inside(r) for key, r in other.regions.items())
        )

    def meet(self, other: Alternative) -> Alternative:
        regions = dict(self.regions)
        for key, region in other.regions.items():
            regions[key] = regions[key].meet(region) if key in regions else region
        pos = self.pos if self.pos != x.NOWHERE else other.pos
        return Alternative(
            regions,
            self.opaque | other.opaque,
            self.absent | other.absent,
            self.said | other.said,
            self.never or other.never,
            pos,
        )


Alternatives = tuple[Alternative, ...]


def alternatives(condition: x.Condition | None) -> Alternatives | None:
    """The ways in which a condition can hold; None where there are too many to look at."""
    if condition is None:
        return (Alternative(),)
    try:
        return tuple(_expand(condition, False))
    except _TooMany:
        return None


def compatible(a: Alternatives | None, b: Alternatives | None) -> bool:
    """Whether both can hold of one case; true where that can't be told."""
    if a is None or b is None:
        return True
    return any(not one.meet(other).contradictory() for one in a for other in b)


class _TooMany(Exception):
    """More alternatives than are worth looking at."""


def _expand(node: x.Condition, negated: bool) -> list[Alternative]:
    match node:
        case x.Not(item):
            return _expand(item, not negated)
        case x.And(items) | x.Or(items):
            if isinstance(node, x.Or) != negated:
                found = [one for item in items for one in _expand(item, negated)]
            else:
                found = [Alternative()]
                for item in items:
                    part = _expand(item, negated)
                    _limit(len(found) * len(part))
                    found = [one.meet(other) for one in found for other in part]
            _limit(len(found))
            return found
    atom = _atom(node, negated)
    return [replace(atom, pos=node.pos)]


def _limit(count: int) -> None:
    if count > MOST_ALTERNATIVES:
        raise _TooMany


def _atom(node: x.Condition, negated: bool) -> Alternative:
    if isinstance(node, x.IsTrue) and isinstance(node.item, x.Literal):
        return Alternative(never=bool(node.item.value) == negated)
    if negated:
        if isinstance(node, x.Known):
            return Alternative(absent=frozenset({show(node.item)}))
        return Alternative(opaque=frozenset({f"not ({show(node)})"}))
    for key, region in _regions(node):
        return Alternative({key: region}, said=frozenset({show(node)}))
    text = frozenset({show(node)})
    return Alternative(opaque=text, said=text)


_MIRROR = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}


def _regions(node: x.Condition) -> Iterator[tuple[str, Region]]:
    match node:
        case x.IsTrue(item=(x.Fact() | x.EventField()) as item):
            yield show(item), Region(values=frozenset({True}))
        case x.Known(item):
            yield show(item), Region()
        case x.In(item=(x.Fact() | x.EventField() | x.EventType()) as item, options=options):
            values = [option.value for option in options]
            if all(isinstance(value, str) for value in values):
                yield show(item), Region(values=frozenset(values))
        case x.Compare(op, left, x.Literal(value)) if not isinstance(left, x.Literal | x.Shifted):
            yield from _compared(show(left), op, value)
        case x.Compare(op, x.Literal(value), right) if not isinstance(right, x.Literal | x.Shifted):
            yield from _compared(show(right), _MIRROR.get(op, op), value)
        case _:
            return


def _compared(key: str, op: str, value: x.Constant) -> Iterator[tuple[str, Region]]:
    if isinstance(value, bool | str):
        if op == "==":
            yield key, Region(values=frozenset({value}))
        return
    if not isinstance(value, Decimal | date | datetime):
        return
    match op:
        case "==":
            yield key, Region(Interval(value, True, value, True))
        case "<" | "<=":
            yield key, Region(Interval(None, True, value, op == "<="))
        case ">" | ">=":
            yield key, Region(Interval(value, op == ">=", None, True))
