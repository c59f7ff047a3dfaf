"""Whether a case can exist for which some conditions hold and others do not: decided, not guessed.

Every fact is cut into cells (`value_cells`), every comparison of a fact with constants is a table over its cells,
and the search goes through combinations of cells until one answers or none is left. What compares two facts, or
looks into a text, may hold or not, whatever the facts: so "impossible" is only said when it is certain.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from reeve.domain import expressions as x
from reeve.rulelang.kinds import MIRRORED, Kind, compare, equal, plain
from reeve.rulelang.show import show
from reeve.rulelang.value_cells import Cell, Facts

MOST_LOOKS = 20_000
"""Looks at single comparisons for one question; one that takes more stays unanswered."""
MOST_LOOKS_IN_ALL = 200_000
"""For all questions about one group of conditions: about a second."""

Wanted = tuple[x.Condition | None, bool]
"""A condition, and whether it is to hold; None holds always."""


class _TooMany(Exception):
    """More combinations than are worth looking at."""


# --- conditions as tables ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Constant:
    value: bool


@dataclass(frozen=True, slots=True)
class _Atom:
    """One comparison; it holds in the cells of its variable whose entry is true."""

    variable: int
    holds: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class _Group:
    """All items, or any of them."""

    every: bool
    items: tuple[_Node, ...]


@dataclass(frozen=True, slots=True)
class _Not:
    item: _Node


_Node = _Constant | _Atom | _Group | _Not
_Read = x.Fact | x.EventField | x.EventType
_EITHER = (Cell(False), Cell(True))
"""What can't be reckoned with holds or does not."""


class Cases:
    """All cases that a group of conditions can tell apart."""

    def __init__(self, facts: Facts, conditions: Iterable[x.Condition | None]) -> None:
        self._facts = facts
        self._reads: dict[str, _Read] = {}
        self._constants: dict[str, list[Any]] = {}
        self._numbers: dict[str, int] = {}
        self._cells: list[tuple[Cell, ...]] = []
        self._tables: dict[int, tuple[x.Condition, _Node]] = {}
        self._looks = MOST_LOOKS_IN_ALL
        given = [condition for condition in conditions if condition is not None]
        for condition in given:
            for node in x.walk(condition):
                self._note(node)
        for condition in given:
            self._table(condition)

    def possible(self, *wanted: Wanted) -> bool | None:
        """Whether one case can be as wanted in every point; None: too much to look at."""
        nodes = [(self._table(condition), holds) for condition, holds in wanted if condition is not None]
        if not all(holds for condition, holds in wanted if condition is None):
            return False
        search = _Search(nodes, self._cells, min(MOST_LOOKS, self._looks))
        try:
            return search.run()
        except _TooMany:
            return None
        finally:
            self._looks -= search.looked

    def line(self, key: str) -> tuple[Cell, ...]:
        """The cells of a fact whose values stand in order, lowest first; empty if there are none.

        `key` is the fact as written: `loss_cny`, `event.loss_cny`.
        """
        number = self._numbers.get(key)
        return tuple(cell for cell in self._cells[number] if _in_order(cell)) if number is not None else ()

    def compared(self) -> tuple[str, ...]:
        """The facts that conditions compare with constants."""
        return tuple(key for key in self._numbers if key in self._reads)

    def holds_at(self, condition: x.Condition, key: str, cell: Cell) -> bool:
        """Whether a condition holds of a case that has this one fact and nothing else."""
        number = self._numbers[key]
        node = self._table(condition)
        chosen: list[int | None] = [0] * len(self._cells)
        chosen[number] = self._cells[number].index(cell)
        return _Search([(node, True)], self._cells, MOST_LOOKS).truth(node, chosen) is True

    # --- building ---

    def _note(self, node: x.Node) -> None:
        match node:
            case x.Compare(left=left, right=x.Literal(value)) if isinstance(left, _Read):
                self._constant(left, value)
            case x.Compare(left=x.Literal(value), right=right) if isinstance(right, _Read):
                self._constant(right, value)
            case x.In(item=item, options=options) if isinstance(item, _Read):
                for option in options:
                    self._constant(item, option.value)
            case x.Known(item) | x.IsTrue(item) if isinstance(item, _Read):
                self._constant(item)

    def _constant(self, read: _Read, *values: Any) -> None:
        key = show(read)
        self._reads[key] = read
        self._constants.setdefault(key, []).extend(values)

    def _table(self, condition: x.Condition) -> _Node:
        kept = self._tables.get(id(condition))
        if kept is None or kept[0] is not condition:
            kept = self._tables[id(condition)] = (condition, self._node(condition))
        return kept[1]

    def _node(self, node: x.Condition) -> _Node:
        match node:
            case x.And(items) | x.Or(items):
                return _Group(isinstance(node, x.And), tuple(self._node(item) for item in items))
            case x.Not(item):
                return _Not(self._node(item))
            case x.IsTrue(x.Literal(value)):
                return _Constant(value is True)
            case x.IsTrue(item) if isinstance(item, _Read):
                return self._atom(node, item, lambda value: value is True, (True,))
            case x.Known(item):
                return self._atom(node, item, lambda value: value is not None)
            case x.In(item, options) if isinstance(item, _Read):
                values = tuple(option.value for option in options)
                return self._atom(node, item, lambda value: any(equal(value, one) for one in values), values)
            case x.In(x.Literal(value), options):
                return _Constant(any(equal(value, option.value) for option in options))
            case x.Compare():
                return self._comparison(node)
        return self._opaque(show(node))

    def _comparison(self, node: x.Compare) -> _Node:
        op, left, right = node.op, node.left, node.right
        if isinstance(left, x.Literal) and isinstance(right, x.Literal):
            return _Constant(compare(op, left.value, right.value))
        if isinstance(right, x.Literal) and isinstance(left, _Read):
            constant = right.value
            return self._atom(node, left, lambda value: compare(op, value, constant), (constant,))
        if isinstance(left, x.Literal) and isinstance(right, _Read):
            constant = left.value
            return self._atom(node, right, lambda value: compare(op, constant, value), (constant,))
        if op == "!=":
            return _Not(self._comparison(x.Compare("==", left, right)))
        if op in (">", ">="):
            op, left, right = MIRRORED[op], right, left
        return self._opaque(f"{show(left)} {op} {show(right)}")

    def _atom(
        self, node: x.Condition, read: _Read, holds: Callable[[Any], bool], constants: tuple[Any, ...] = ()
    ) -> _Node:
        key = show(read)
        self._reads.setdefault(key, read)
        number = self._variable(key, self._facts.cells(read, self._constants.get(key, ())))
        cells = self._cells[number]
        if constants and not _may_be(cells, constants):
            return self._opaque(
                show(node)
            )  # of another kind, or no value of the list: that is said where it stands
        return _Atom(number, tuple(bool(holds(cell.value)) for cell in cells))

    def _opaque(self, text: str) -> _Node:
        return _Atom(self._variable(f"? {text}", _EITHER), (False, True))

    def _variable(self, key: str, cells: tuple[Cell, ...]) -> int:
        if key not in self._numbers:
            self._numbers[key] = len(self._cells)
            self._cells.append(cells)
        return self._numbers[key]


def _may_be(cells: Iterable[Cell], constants: Iterable[Any]) -> bool:
    """Whether any cell is of the kind of a constant; texts and truth are only of their own."""
    wanted = {_sort(constant) for constant in constants} - {None}
    return any(_sort(cell.value) in wanted for cell in cells)


def _sort(value: Any) -> tuple[Kind, Any] | None:
    """What two values have in common that one cell may stand for; None: it compares with nothing."""
    found = plain(value)
    return found if found is None or found[0] in (Kind.TEXT, Kind.TRUTH) else (found[0], None)


def _in_order(cell: Cell) -> bool:
    return cell.value is not None and not isinstance(cell.value, bool | str)


# --- the search ----------------------------------------------------------------------------------------------


class _Search:
    """Looks for one combination of cells; variables are chosen where the first open question needs them."""

    def __init__(self, wanted: Sequence[tuple[_Node, bool]], cells: Sequence[tuple[Cell, ...]], most: int) -> None:
        self._wanted = wanted
        self._cells = cells
        self._most = most
        self.looked = 0
        self._open = -1
        """The variable that the last open question waits for."""

    def run(self) -> bool:
        return self._from([None] * len(self._cells), 0)

    def _from(self, chosen: list[int | None], first: int) -> bool:
        """`first`: the questions before it are answered as wanted."""
        for number in range(first, len(self._wanted)):
            node, wanted = self._wanted[number]
            truth = self.truth(node, chosen)
            if truth is None:
                return self._choose(chosen, number)
            if truth is not wanted:
                return False
        return True

    def _choose(self, chosen: list[int | None], first: int) -> bool:
        variable = self._open
        for cell in range(len(self._cells[variable])):
            chosen[variable] = cell
            if self._from(chosen, first):
                return True
        chosen[variable] = None
        return False

    def truth(self, node: _Node, chosen: Sequence[int | None]) -> bool | None:
        """Whether it holds of every case with the chosen cells, or of none; None: that depends."""
        match node:
            case _Constant(value):
                return value
            case _Not(item):
                inner = self.truth(item, chosen)
                return None if inner is None else not inner
            case _Group(every, items):
                waits = -1
                for item in items:
                    inner = self.truth(item, chosen)
                    if inner is None:
                        waits = self._open if waits < 0 else waits
                    elif inner is not every:
                        return not every
                self._open = waits if waits >= 0 else self._open
                return every if waits < 0 else None
            case _Atom(variable, holds):
                self.looked += 1
                if self.looked > self._most:
                    raise _TooMany
                cell = chosen[variable]
                if cell is not None:
                    return holds[cell]
                self._open = variable
                return None


# --- the ways in which a condition can hold ------------------------------------------------------------------

MOST_WAYS = 64
"""Ways of one condition that are looked at one by one."""


def ways(condition: x.Condition) -> list[tuple[x.Position, x.Condition]]:
    """The condition once for each branch of its `or`s, with where that branch stands; empty without an `or`."""
    found = _ways(condition)
    return found if 1 < len(found) <= MOST_WAYS else []


def _ways(node: x.Condition) -> list[tuple[x.Position, x.Condition]]:
    match node:
        case x.Or(items):
            return [way for item in items for way in _ways(item)]
        case x.And(items):
            found: list[tuple[x.Position, x.Condition]] = []
            for index, item in enumerate(items):
                inner = _ways(item)
                for pos, one in inner if len(inner) > 1 else ():
                    found.append((pos, x.And((*items[:index], one, *items[index + 1 :]), node.pos)))
                if len(found) > MOST_WAYS:
                    break
            if found:
                return found
    return [(node.pos, node)]
