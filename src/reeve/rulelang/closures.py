"""The first matcher: every condition tree becomes a Python function, made when it is first asked for."""

from __future__ import annotations

import operator
from collections.abc import Callable
from decimal import Decimal
from typing import Any, assert_never

from reeve.domain.bundle import Scope
from reeve.domain.expressions import (
    And,
    Compare,
    CompareOp,
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
from reeve.rulelang.kept import MOST_KEPT, Group, Kept
from reeve.rulelang.kinds import MIRRORED, ORDERS, Kind, compare, equal, plain, shifted
from reeve.rulelang.patterns import searcher

Test = Callable[[Scope], bool]
Read = Callable[[Scope], Any]

_INDEX_FROM = 8
"""Groups this large are worth an index; below it, trying one after the other is quicker."""


class Closures:
    """Matcher by compiled Python functions; safe to share between threads and between bundles.

    Compiled functions are kept by the identity of the tree (which is kept alive with them): hashing a whole
    tree would cost more than evaluating it.
    """

    def __init__(self) -> None:
        self._tests: dict[int, Test] = {}
        self._trees: list[Condition] = []
        self._groups = Kept(_Group)

    def holds(self, condition: Condition, scope: Scope) -> bool:
        """Whether the condition holds. Never raises on data: what can't be compared is false."""
        test = self._tests.get(id(condition)) or self._compiled(condition)
        return test(scope)

    def first(self, group: Group, scope: Scope) -> int | None:
        """Index of the first condition that holds; None in the group always holds; None if nothing does."""
        return self._groups.get(group).first(scope)

    def _compiled(self, condition: Condition) -> Test:
        if len(self._trees) >= MOST_KEPT:
            self._tests.clear()
            self._trees.clear()
        test = compiled(condition)
        self._trees.append(condition)
        self._tests[id(condition)] = test
        return test


class _Group:
    """The tests of a group, with an index over the equality that most of them need.

    The index maps a text value of one scope name to the positions that can hold with it, in order; positions
    that need no such equality are in every list.
    """

    __slots__ = ("_by_value", "_key", "_others")

    def __init__(self, group: Group) -> None:
        self._others = tuple(enumerate(None if item is None else compiled(item) for item in group))
        self._key: str | None = None
        self._by_value: dict[str, tuple[tuple[int, Test | None], ...]] = {}
        if len(group) >= _INDEX_FROM:
            self._index(group)

    def first(self, scope: Scope) -> int | None:
        candidates = self._others
        if self._key is not None:
            value = scope.get(self._key)
            if type(value) is str:
                candidates = self._by_value.get(value, candidates)
        for position, test in candidates:
            if test is None or test(scope):
                return position
        return None

    def _index(self, group: Group) -> None:
        needs = [{} if item is None else _needed_texts(item) for item in group]
        users: dict[str, int] = {}
        for need in needs:
            for key in need:
                users[key] = users.get(key, 0) + 1
        if not users or max(users.values()) * 2 < len(group):
            return
        key = max(users, key=lambda name: users[name])
        self._key = key
        everything = self._others
        self._others = tuple(item for item in everything if key not in needs[item[0]])
        values = {value for need in needs for value in need.get(key, ())}
        for value in values:
            self._by_value[value] = tuple(
                item for item in everything if key not in needs[item[0]] or value in needs[item[0]][key]
            )


def _needed_texts(condition: Condition) -> dict[str, frozenset[str]]:
    """Scope name → the texts, one of which it must have for the condition to hold."""
    match condition:
        case Compare(op="==", left=left, right=right):
            for name, constant in ((left, right), (right, left)):
                key = _key_of(name)
                if key is not None and isinstance(constant, Literal) and isinstance(constant.value, str):
                    return {key: frozenset({constant.value})}
        case In(item=item, options=options):
            key = _key_of(item)
            if key is not None and all(isinstance(option.value, str) for option in options):
                return {key: frozenset(str(option.value) for option in options)}
        case And(items):
            needed: dict[str, frozenset[str]] = {}
            for part in items:
                for key, texts in _needed_texts(part).items():
                    needed[key] = needed[key] & texts if key in needed else texts
            return needed
    return {}


def compiled(condition: Condition) -> Test:
    """The condition as a function of a scope: its meaning, and it never raises."""
    match condition:
        case Compare(op, left, right):
            return _comparison(op, left, right)
        case In(item, options):
            return _membership(item, options)
        case Contains(whole, part):
            return _containment(whole, part)
        case Matches(text, pattern):
            return _match(text, pattern)
        case Known(item):
            key = scope_name(item)
            return lambda scope: scope.get(key) is not None
        case IsTrue(item):
            if isinstance(item, Literal):
                return _always(item.value is True)
            key = scope_name(item)
            return lambda scope: scope.get(key) is True
        case And(items):
            return _all_of([compiled(part) for part in items])
        case Or(items):
            return _any_of([compiled(part) for part in items])
        case Not(item):
            test = compiled(item)
            return lambda scope: not test(scope)
        case _:
            assert_never(condition)


def scope_name(value: Fact | EventField | EventType) -> str:
    """Under which name a scope holds the value: a fact's own, `event.<field>`, or `event` for the type."""
    match value:
        case Fact(name):
            return name
        case EventField(name):
            return f"event.{name}"
        case EventType():
            return "event"


def _key_of(value: Value) -> str | None:
    return scope_name(value) if isinstance(value, Fact | EventField | EventType) else None


def _reader(value: Value) -> Read:
    match value:
        case Literal(constant):
            return lambda scope: constant
        case Shifted(base, sign, by):
            key = scope_name(base)
            return lambda scope: shifted(scope.get(key), sign, by)
        case _:
            name = scope_name(value)
            return lambda scope: scope.get(name)


def _always(answer: bool) -> Test:
    return lambda scope: answer


def _all_of(tests: list[Test]) -> Test:
    match tests:
        case [one]:
            return one
        case [one, two]:
            return lambda scope: one(scope) and two(scope)
        case [one, two, three]:
            return lambda scope: one(scope) and two(scope) and three(scope)

    def every(scope: Scope) -> bool:
        for test in tests:  # noqa: SIM110 - a generator would double the cost
            if not test(scope):
                return False
        return True

    return every


def _any_of(tests: list[Test]) -> Test:
    match tests:
        case [one]:
            return one
        case [one, two]:
            return lambda scope: one(scope) or two(scope)
        case [one, two, three]:
            return lambda scope: one(scope) or two(scope) or three(scope)

    def some(scope: Scope) -> bool:
        for test in tests:  # noqa: SIM110 - a generator would double the cost
            if test(scope):
                return True
        return False

    return some


def _comparison(op: CompareOp, left: Value, right: Value) -> Test:
    if op == "!=":
        same = _comparison("==", left, right)
        return lambda scope: not same(scope)
    if isinstance(left, Literal) and not isinstance(right, Literal):
        op, left, right = MIRRORED[op], right, left
    key = _key_of(left)
    if key is None or not isinstance(right, Literal):
        read_left, read_right = _reader(left), _reader(right)
        return lambda scope: compare(op, read_left(scope), read_right(scope))
    constant = plain(right.value)
    if constant is None:
        return _always(False)
    return _against_constant(op, key, *constant)


def _against_constant(op: CompareOp, key: str, kind: Kind, constant: Any) -> Test:
    """`fact op constant`, the common case, without looking up the constant's kind each time."""
    if kind is Kind.NUMBER:
        return _number_against_constant(op, key, constant)
    if kind is Kind.TRUTH:
        return (lambda scope: scope.get(key) is constant) if op == "==" else _always(False)
    if kind is Kind.MOMENT:
        return lambda scope: compare(op, scope.get(key), constant)
    if op == "==":
        return lambda scope: bool(scope.get(key) == constant)  # no other kind equals text, a date or a length
    wanted = type(constant)
    order = ORDERS[op]

    def in_order(scope: Scope) -> bool:
        value = scope.get(key)
        return type(value) is wanted and order(value, constant)

    return in_order


def _number_against_constant(op: CompareOp, key: str, constant: Any) -> Test:
    order = ORDERS[op] if op != "==" else operator.eq
    # Two ints compare several times faster than an int with a Decimal.
    whole = int(constant) if _is_whole(constant) else constant

    def ordered(scope: Scope) -> bool:
        value = scope.get(key)
        if value is None:
            return False
        kind = type(value)
        if kind is int:
            return order(value, whole)
        if kind is Decimal:
            return value.is_finite() and order(value, constant)
        return kind is float and compare(op, value, constant)

    return ordered


def _is_whole(constant: Any) -> bool:
    return isinstance(constant, Decimal) and abs(constant) < 10**18 and constant == int(constant)


def _membership(item: Value, options: tuple[Literal, ...]) -> Test:
    read = _reader(item)
    if all(isinstance(option.value, str) for option in options):
        texts = frozenset(option.value for option in options)

        def among_texts(scope: Scope) -> bool:
            value = read(scope)
            return type(value) is str and value in texts

        return among_texts
    values: list[Any] = [option.value for option in options]

    def among(scope: Scope) -> bool:
        value = read(scope)
        return any(equal(value, option) for option in values)

    return among


def _containment(whole: Value, part: Value) -> Test:
    read_whole, read_part = _reader(whole), _reader(part)

    def contains(scope: Scope) -> bool:
        held, value = read_whole(scope), read_part(scope)
        if type(held) is str:
            return type(value) is str and value in held
        if type(held) in (list, tuple):
            return any(equal(entry, value) for entry in held)
        return False

    return contains


def _match(text: Value, pattern: str) -> Test:
    read, found = _reader(text), searcher(pattern)

    def matches(scope: Scope) -> bool:
        value = read(scope)
        return type(value) is str and found(value)

    return matches
