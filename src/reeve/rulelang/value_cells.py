"""The values that one fact can have, cut into cells within which no condition of a group can tell two apart.

One value of each cell stands for all of it, so a question about all values is one about a few. A cell is left out
only where the contract lets no value into it: no whole number lies between 2 and 3, no money between 1.00 and 1.01.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any

from reeve.domain import expressions as x
from reeve.domain.bundle import Policy
from reeve.rulelang.kinds import Kind, plain
from reeve.rulelang.known_names import COMPUTED, FIELD_KINDS, FIELD_VALUES, kind_of

_CENT = Decimal("0.01")
_OTHER_TEXT = "\N{REPLACEMENT CHARACTER} any other text"
_ALWAYS = frozenset({"today"})
"""Computed names that always have a value; counts have one too."""


@dataclass(frozen=True, slots=True)
class Cell:
    """Values that are all alike to the conditions; `value` is one of them, None: the fact is absent."""

    value: Any
    low: Any = None
    """Least value, or the bound below where there is no least; None without end, and where nothing is in order."""
    high: Any = None


ABSENT = Cell(None)


@dataclass(frozen=True)
class Facts:
    """What the contract says of the facts that conditions of one family read."""

    family: str
    counts: frozenset[str] = frozenset()
    grades: tuple[str, ...] = ()

    @classmethod
    def of(cls, policy: Policy) -> Facts:
        """Those of a policy's conditions."""
        return cls(policy.family, frozenset(count.name for count in policy.counts), policy.grade_order)

    def cells(self, read: x.Fact | x.EventField | x.EventType, constants: Collection[Any]) -> tuple[Cell, ...]:
        """Every cell of a fact that is compared with these constants, absent first, then in order."""
        if isinstance(read, x.EventType):
            return (ABSENT, *_texts(constants))
        name, in_event = read.name, isinstance(read, x.EventField)
        if not in_event and name in self.counts:
            return _numbers(constants, Decimal(1), Decimal(0))
        if not in_event and name in ("grade", "grade_was") and self.grades:
            return (ABSENT, *(Cell(grade) for grade in self.grades))
        if allowed := FIELD_VALUES.get(self.family, {}).get(name):
            return (ABSENT, *(Cell(value) for value in allowed))
        promised = name in FIELD_KINDS.get(self.family, {}) or (name in COMPUTED and not in_event)
        there = self._promised(name, in_event, constants) if promised else self._any(name, in_event, constants)
        return there if not in_event and name in _ALWAYS else (ABSENT, *there)

    def _promised(self, name: str, in_event: bool, constants: Collection[Any]) -> tuple[Cell, ...]:
        match kind_of(name, self.family, in_event):
            case "number" if name.endswith("_cny"):
                return _numbers(constants, _CENT, None)
            case "number":
                return _numbers(constants, Decimal(1), Decimal(0))
            case "truth":
                return _TRUTHS
            case "date":
                return _dates(constants)
            case "moment":
                return _moments(constants)
            case "length":
                return _lengths(constants)
        return _texts(constants)

    def _any(self, name: str, in_event: bool, constants: Collection[Any]) -> tuple[Cell, ...]:
        """A field that no contract has: the end of its name says what it should be, and nobody that it is."""
        match kind_of(name, self.family, in_event):
            case "date":
                return (*_dates(constants), *_texts(constants))
            case "moment":
                return (*_moments(constants), *_texts(constants))
        return (*_TRUTHS, *_texts(constants), *_numbers(constants, None, None))


_TRUTHS = (Cell(True), Cell(False))


def _of_kind(constants: Collection[Any], kind: Kind) -> list[Any]:
    values = {found[1] for constant in constants if (found := plain(constant)) is not None and found[0] is kind}
    return sorted(values)


def _texts(constants: Collection[Any]) -> tuple[Cell, ...]:
    return (*(Cell(text) for text in _of_kind(constants, Kind.TEXT)), Cell(_OTHER_TEXT))


@dataclass
class _Line:
    """Cells along a line of values in order: the constants, and what lies between them."""

    points: list[Any]
    cells: list[Cell] = field(default_factory=list)

    def cut(self, least: Any, step: Any, below: Any, above: Any) -> tuple[Cell, ...]:
        """`step` None: there is always one between two. `below` and `above` lie beyond all points."""
        last = None
        for point in self.points:
            if least is not None and point < least:
                continue
            self._between(last, point, least, step, below)
            if not isinstance(point, Decimal) or step is None or point % step == 0:
                self.cells.append(Cell(point, point, point))
            last = point
        self._between(last, None, least, step, above)
        return tuple(self.cells)

    def _between(self, low: Any, high: Any, least: Any, step: Any, beyond: Any) -> None:
        if low is None:
            if least is None:
                self.cells.append(Cell(beyond, None, high))
            elif high is None or least < high:
                self.cells.append(Cell(least, least, self._last_below(high, step)))
        elif high is None:
            self.cells.append(Cell(beyond, low if step is None else self._first_above(low, step), None))
        elif step is None:
            self.cells.append(Cell(low + (high - low) / 2, low, high))
        elif (first := self._first_above(low, step)) < high:
            self.cells.append(Cell(first, first, self._last_below(high, step)))

    @staticmethod
    def _first_above(low: Any, step: Any) -> Any:
        if isinstance(low, Decimal):
            return ((low / step).to_integral_value(ROUND_FLOOR) + 1) * step
        return low + step

    @staticmethod
    def _last_below(high: Any, step: Any) -> Any:
        if high is None or step is None:
            return high
        if isinstance(high, Decimal):
            return ((high / step).to_integral_value(ROUND_CEILING) - 1) * step
        return high - step


def _numbers(constants: Collection[Any], step: Decimal | None, least: Decimal | None) -> tuple[Cell, ...]:
    points = [Decimal(value) for value in _of_kind(constants, Kind.NUMBER)]
    if any(abs(point) > 10**18 for point in points):  # too far for a cent to count: nothing is left out
        step = None
    low, high = (points[0], points[-1]) if points else (Decimal(0), Decimal(0))
    return _Line(points).cut(least, step, low - 1, max(high, least if least is not None else high) + 1)


def _dates(constants: Collection[Any]) -> tuple[Cell, ...]:
    points = [day for day in _of_kind(constants, Kind.DATE) if date.min < day < date.max]
    return _Line(points).cut(None, timedelta(days=1), date.min, date.max)


def _moments(constants: Collection[Any]) -> tuple[Cell, ...]:
    points = _of_kind(constants, Kind.MOMENT)
    first, last = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    return _Line([point for point in points if first < point < last]).cut(
        None, timedelta(microseconds=1), first, last
    )


def _lengths(constants: Collection[Any]) -> tuple[Cell, ...]:
    points = _of_kind(constants, Kind.LENGTH)
    return _Line(points).cut(timedelta(0), timedelta(microseconds=1), None, timedelta.max)
