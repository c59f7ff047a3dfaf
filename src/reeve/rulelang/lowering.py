"""Conditions lowered to tests of flat fields, the only shape in which durable-rules sees them.

Each (name, kind) is a field of its own, so a value of another kind is simply absent. Numbers, moments and
lengths become whole numbers that keep their order. `not` is pushed down to the comparisons, where it means
'absent or the opposite'. Tests that the engine can't be trusted with (patterns, `contains`, text in order,
two facts compared, shifted dates) are made here in Python and handed in as 0 or 1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import MAX_EMAX, MIN_EMIN, ROUND_FLOOR, Context, Decimal
from typing import Any
from typing import Literal as OneOf

from reeve.domain.bundle import Scope
from reeve.domain.expressions import (
    And,
    Compare,
    CompareOp,
    Condition,
    EventField,
    EventType,
    Fact,
    In,
    IsTrue,
    Known,
    Literal,
    Not,
    Or,
)
from reeve.rulelang.closures import compiled, scope_name
from reeve.rulelang.kinds import MIRRORED, OPPOSITE, Kind, plain

MOST_TEXT_BYTES = 60_000
"""The engine keeps lengths in 16 bits."""
MOST_NUMBER = 10_000_000_000
DECIMALS = 4
"""Decimal places of a number in a condition; finer data lies between two such numbers: still exact."""

_CLAMP = 2**53
_STEPS = 2 * 10_000
_OPERATORS: dict[CompareOp, str] = {"!=": "$neq", "<": "$lt", "<=": "$lte", ">": "$gt", ">=": "$gte"}


@dataclass(frozen=True, slots=True)
class Field:
    """One flat field of the engine's fact; `read` gives its value from a scope, None leaves it out."""

    key: str
    read: Callable[[Scope], int | str | None]


@dataclass(frozen=True, slots=True)
class Leaf:
    """One test of one field, as the engine writes it."""

    test: dict[str, Any]

    @property
    def is_absence(self) -> bool:
        return "$nex" in self.test


@dataclass(frozen=True, slots=True)
class Join:
    how: OneOf["and", "or"]
    items: tuple[Leaf | Join, ...]


Node = Leaf | Join | bool


def _join(how: OneOf["and", "or"], nodes: list[Node]) -> Node:
    """The nodes joined; constants are folded, nested groups of one sort become one."""
    kept: list[Leaf | Join] = []
    for node in nodes:
        if isinstance(node, bool):
            if node is (how == "or"):
                return node
        elif isinstance(node, Join) and node.how == how:
            kept.extend(node.items)
        else:
            kept.append(node)
    if not kept:
        return how == "and"
    return kept[0] if len(kept) == 1 else Join(how, tuple(kept))


@dataclass(slots=True)
class Lowering:
    """Turns conditions into tests of fields, collecting the fields and what can't be said."""

    fields: dict[tuple[str, Kind | str], Field] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def lower(self, condition: Condition, *, positive: bool) -> Node:
        match condition:
            case And(items) | Or(items):
                both = isinstance(condition, And) is positive
                return _join("and" if both else "or", [self.lower(i, positive=positive) for i in items])
            case Not(item):
                return self.lower(item, positive=not positive)
            case IsTrue(Literal(constant)):
                return (constant is True) is positive
            case IsTrue(Fact() | EventField() as item):
                return self._test(scope_name(item), Kind.TRUTH, "==", value=True, positive=positive)
            case Known(item):
                key = self._known(scope_name(item))
                return Leaf({"$ex": {key: 1}} if positive else {"$nex": {key: 1}})
            case Compare():
                return self._compare(condition, positive)
            case In(Fact() | EventField() | EventType() as item, options):
                return self._membership(scope_name(item), options, positive)
            case _:
                return self._handed_in(condition, positive)

    def _compare(self, condition: Compare, positive: bool) -> Node:
        op, left, right = condition.op, condition.left, condition.right
        if op == "!=":
            return self._compare(Compare("==", left, right, condition.pos), not positive)
        if isinstance(left, Literal):
            op, left, right = MIRRORED[op], right, left
        if not isinstance(left, Fact | EventField | EventType) or not isinstance(right, Literal):
            return self._handed_in(condition, positive)
        constant = plain(right.value)
        if constant is None or (constant[0] is Kind.TRUTH and op != "=="):
            return not positive
        kind, value = constant
        if kind is Kind.TEXT and op != "==":
            return self._handed_in(condition, positive)
        return self._test(scope_name(left), kind, op, value=value, positive=positive)

    def _membership(self, name: str, options: tuple[Literal, ...], positive: bool) -> Node:
        by_kind: dict[Kind, list[Any]] = {}
        for option in options:
            constant = plain(option.value)
            if constant is not None:
                by_kind.setdefault(constant[0], []).append(constant[1])
        nodes: list[Node] = []
        for kind, values in by_kind.items():
            key = self._field(name, kind)
            encoded = [self._constant(kind, value) for value in values]
            if positive:
                nodes.append(_join("or", [Leaf({key: value}) for value in encoded]))
            else:
                others = _join("and", [Leaf({"$neq": {key: value}}) for value in encoded])
                nodes.append(_join("or", [others, Leaf({"$nex": {key: 1}})]))
        return _join("or" if positive else "and", nodes)

    def _test(self, name: str, kind: Kind, op: CompareOp, *, value: Any, positive: bool) -> Node:
        key = self._field(name, kind)
        constant = self._constant(kind, value)
        if positive:
            return Leaf({key: constant} if op == "==" else {_OPERATORS[op]: {key: constant}})
        return Join("or", (Leaf({_OPERATORS[OPPOSITE[op]]: {key: constant}}), Leaf({"$nex": {key: 1}})))

    def _handed_in(self, condition: Condition, positive: bool) -> Node:
        test = compiled(condition)
        made = Field(f"h{len(self.fields)}", lambda scope: int(test(scope)))
        self.fields[made.key, "handed in"] = made
        return Leaf({made.key: int(positive)})

    def _known(self, name: str) -> str:
        found = self.fields.get((name, "known"))
        if found is None:
            found = Field(f"k{len(self.fields)}", lambda scope: None if scope.get(name) is None else 1)
            self.fields[name, "known"] = found
        return found.key

    def _field(self, name: str, kind: Kind) -> str:
        found = self.fields.get((name, kind))
        if found is None:

            def read(scope: Scope) -> int | str | None:
                value = plain(scope.get(name))
                return encoded(*value) if value is not None and value[0] is kind else None

            found = self.fields[name, kind] = Field(f"f{len(self.fields)}", read)
        return found.key

    def _constant(self, kind: Kind, value: Any) -> int | str:
        constant = encoded(kind, value)
        if constant is None:
            self.problems.append("a text constant is too long or not proper Unicode for durable-rules")
            return ""
        if isinstance(constant, int) and constant % 2 and kind in (Kind.NUMBER, Kind.MOMENT):
            finest = f"{DECIMALS} decimals" if kind is Kind.NUMBER else "whole seconds"
            self.problems.append(f"{value} is finer than the {finest} that durable-rules is given")
        if kind is Kind.NUMBER and abs(value) > MOST_NUMBER:
            self.problems.append(f"{value} is beyond the {MOST_NUMBER} up to which durable-rules is exact")
        return constant


# --- values -------------------------------------------------------------------------------------------------


def encoded(kind: Kind, value: Any) -> int | str | None:
    """A value as the engine compares it rightly: text as it is, everything else as a whole number in order.

    Even numbers are multiples of the finest step a constant may have, odd ones lie between two of them. None:
    a text that equals no constant the fence lets through.
    """
    match kind:
        case Kind.TEXT:
            return _encoded_text(value)
        case Kind.TRUTH:
            return int(value)
        case Kind.NUMBER:
            return _encoded_number(value)
        case Kind.DATE:
            return 2 * date.toordinal(value)
        case Kind.MOMENT:
            return _halves(value - datetime(1970, 1, 1, tzinfo=UTC))
        case Kind.LENGTH:
            return _halves(value)


def _encoded_text(text: str) -> str | None:
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        return None
    return text if size <= MOST_TEXT_BYTES else None


def _encoded_number(number: int | Decimal) -> int:
    if not -10 * MOST_NUMBER < number < 10 * MOST_NUMBER:
        return _CLAMP if number > 0 else -_CLAMP
    if isinstance(number, int):
        return number * _STEPS
    digits = Context(prec=len(number.as_tuple().digits) + DECIMALS + 20, Emax=MAX_EMAX, Emin=MIN_EMIN)
    scaled = digits.scaleb(number, DECIMALS)
    below = scaled.to_integral_value(ROUND_FLOOR, digits)
    return int(below) * 2 + (scaled != below)


def _halves(length: timedelta) -> int:
    return (length.days * 86_400 + length.seconds) * 2 + bool(length.microseconds)
