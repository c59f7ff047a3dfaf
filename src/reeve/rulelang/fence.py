"""The part of durable-rules that was found sound, as limits; what lies inside is written as its JSON.

Outside this fence the engine crashes, hangs or answers wrongly on ordinary rules and data, so a condition
that is too wide for it is refused with a reason.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from reeve.domain.bundle import Scope
from reeve.domain.expressions import Condition, Position
from reeve.rulelang.lowering import Field, Join, Leaf, Lowering, Node

MOST_GROUPS = 15
"""`and`/`or` groups in one rule, nested or side by side: the engine's limit."""
MOST_COMBINATIONS = 64
"""A rule fires once per combination of true alternatives; beyond this it floods the engine."""
MOST_ALTERNATIVES = 38
"""Alternatives of all `or`s of a rule: with the rules of a guard, the guards and the last rule that makes 62,
and the engine fails at 65 conditions pending at once."""
MOST_ORS = 40
"""`or`s, and tests for absence, in one set of rules."""
RULES_PER_GUARD = 20
GUARDS = 3
MOST_FIELDS = 200

LAST = "__end"
"""The rule that fires last whatever the fact: it warms the state up and proves that all had a turn."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """One set of rules for the engine. A rule's name is its condition's index in the group."""

    rules: str
    """JSON as the engine reads it."""
    fields: tuple[Field, ...]
    base: dict[str, int | str]
    """Fields of every fact: the message's fixed id and the guards."""

    def fact(self, scope: Scope) -> dict[str, int | str]:
        """The flat fact for a scope: only what the rules read, each of its one kind."""
        fact = dict(self.base)
        for item in self.fields:
            value = item.read(scope)
            if value is not None:
                fact[item.key] = value
        return fact


class OutsideFence(ValueError):
    """A condition that durable-rules can't be trusted with; `problems` says why, a sentence each."""

    def __init__(self, problems: list[str], pos: Position) -> None:
        super().__init__(f"{pos}: {'; '.join(problems)}")
        self.problems = problems
        self.pos = pos


def fence_problems(condition: Condition) -> list[str]:
    """Why durable-rules must not evaluate the condition, a sentence each; empty when it may."""
    lowering = Lowering()
    return _size_problems(lowering.lower(condition, positive=True)) + lowering.problems


def chunks_of(group: tuple[Condition, ...]) -> tuple[Chunk, ...]:
    """Sets of rules that together say which conditions hold, in the group's order.

    Raises OutsideFence (permanent) for the first condition that `fence_problems` finds fault with.
    """
    chunks: list[Chunk] = []
    lowering, rules = Lowering(), list[tuple[int, Node]]()
    ors = absences = 0
    for index, condition in enumerate(group):
        problems = fence_problems(condition)
        if problems:
            raise OutsideFence(problems, condition.pos)
        own = _measure(Lowering().lower(condition, positive=True))
        full = (
            len(rules) == RULES_PER_GUARD * GUARDS
            or ors + own.ors > MOST_ORS
            or absences + own.absences > MOST_ORS
            or len(lowering.fields) + own.leaves > MOST_FIELDS
        )
        if full and rules:
            chunks.append(_chunk(rules, lowering))
            lowering, rules, ors, absences = Lowering(), [], 0, 0
        rules.append((index, lowering.lower(condition, positive=True)))
        ors += own.ors
        absences += own.absences
    if rules:
        chunks.append(_chunk(rules, lowering))
    return tuple(chunks)


# --- size ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Size:
    groups: int = 0
    combinations: int = 1
    alternatives: int = 0
    ors: int = 0
    absences: int = 0
    leaves: int = 0


def _measure(node: Node) -> _Size:
    if isinstance(node, bool):
        return _Size()
    if isinstance(node, Leaf):
        return _Size(absences=int(node.is_absence), leaves=1)
    parts = [_measure(item) for item in node.items]
    combinations = 1 if node.how == "and" else 0
    for part in parts:
        combinations = combinations * part.combinations if node.how == "and" else combinations + part.combinations
    is_or = node.how == "or"
    return _Size(
        groups=1 + sum(part.groups for part in parts),
        combinations=combinations,
        alternatives=len(parts) * is_or + sum(part.alternatives for part in parts),
        ors=int(is_or) + sum(part.ors for part in parts),
        absences=sum(part.absences for part in parts),
        leaves=sum(part.leaves for part in parts),
    )


def _size_problems(node: Node) -> list[str]:
    size = _measure(node)
    limits = (
        (size.groups + 1, MOST_GROUPS, "and/or groups (a negated comparison counts as one)"),
        (size.combinations, MOST_COMBINATIONS, "combinations of alternatives"),
        (size.alternatives, MOST_ALTERNATIVES, "alternatives"),
        (size.ors, MOST_ORS, "`or`s"),
        (size.absences, MOST_ORS, "tests for absence"),
        (size.leaves, MOST_FIELDS, "tests"),
    )
    return [
        f"it has {found} {what}; durable-rules is sound up to {most}"
        for found, most, what in limits
        if found > most
    ]


# --- the engine's JSON --------------------------------------------------------------------------------------


def _chunk(rules: list[tuple[int, Node]], lowering: Lowering) -> Chunk:
    written: dict[str, Any] = {}
    guards = 0
    for number, (index, node) in enumerate(rules):
        if node is False:
            continue
        guard = number // RULES_PER_GUARD
        guards = max(guards, guard + 1)
        tests = [{"_k": "s"}, {f"_g{guard}": 1}, *_and_tests(node)]
        written[str(index)] = {"pri": number, "all": [{"m": {"$and": tests}}]}
    written[LAST] = {"pri": 65_000, "all": [{"m": {"_k": "s"}}]}
    base: dict[str, int | str] = {"id": "e", "_k": "s", **{f"_g{guard}": 1 for guard in range(guards)}}
    return Chunk(json.dumps(written, ensure_ascii=False), tuple(lowering.fields.values()), base)


def _and_tests(node: Node) -> Iterator[dict[str, Any]]:
    """The tests of an `and`, single ones first: the engine wants its `or`s last."""
    if isinstance(node, bool):
        return
    items = node.items if isinstance(node, Join) and node.how == "and" else (node,)
    yield from (item.test for item in items if isinstance(item, Leaf))
    yield from (_written(item) for item in items if isinstance(item, Join))


def _written(node: Leaf | Join) -> dict[str, Any]:
    if isinstance(node, Leaf):
        return node.test
    if node.how == "and":
        return {"$and": list(_and_tests(node))}
    return {"$or": [_written(item) for item in node.items]}
