"""The typed tree that every condition, limit and trigger of a rule file becomes.

Pure data with positions. Matching, `rules check` and explanations all read this tree; nothing evaluates text.

Names in a tree are already the English fact names (the site's `vocabulary` is applied while parsing).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from typing import Literal as OneOf

from reeve.domain.durations import Duration


@dataclass(frozen=True, slots=True)
class Position:
    """Where something stands in a rule file; line and column count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


NOWHERE = Position("", 0, 0)

Constant = bool | Decimal | str | date | datetime | Duration


# --- values -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant. Numbers are Decimal; text is str; a `date` is never a `datetime`; a length is a Duration."""

    value: Constant
    pos: Position = NOWHERE


@dataclass(frozen=True, slots=True)
class Fact:
    """A fact of the case or a computed name (`grade`, `owed_cny`, a count …)."""

    name: str
    pos: Position = NOWHERE


@dataclass(frozen=True, slots=True)
class EventField:
    """`event.x`: a field of the event in hand; absent when a deadline, not an event, is in hand."""

    name: str
    pos: Position = NOWHERE


@dataclass(frozen=True, slots=True)
class EventType:
    """`event` alone: the type of the event in hand, as text."""

    pos: Position = NOWHERE


@dataclass(frozen=True, slots=True)
class Shifted:
    """A date or moment moved by a length: `starts_at - 24h`, `today + 3d`."""

    base: Fact | EventField
    sign: OneOf[1, -1]
    by: Duration
    pos: Position = NOWHERE


Value = Literal | Fact | EventField | EventType | Shifted


# --- conditions ---------------------------------------------------------------------------------------------

CompareOp = OneOf["==", "!=", "<", "<=", ">", ">="]


@dataclass(frozen=True, slots=True)
class Compare:
    """Two values compared; false when one is absent or the kinds differ, and `!=` is exactly not `==`."""

    op: CompareOp
    left: Value
    right: Value
    pos: Position = NOWHERE


@dataclass(frozen=True, slots=True)
class In:
    """`x in [a, b]`: equal to one of the options."""

    item: Value
    options: tuple[Literal, ...]
    pos: Position = NOWHERE


@dataclass(frozen=True, slots=True)
class Contains:
    """`text contains "x"`, or a list that holds the value."""

    whole: Value
    part: Value
    pos: Position = NOWHERE


@dataclass(frozen=True, slots=True)
class Matches:
    """`text matches "pattern"`: the pattern is found somewhere in the text; a time-safe engine runs it."""

    text: Value
    pattern: str
    pos: Position = NOWHERE


@dataclass(frozen=True, slots=True)
class Known:
    """`known(x)`: the fact is there and not null."""

    item: Fact | EventField
    pos: Position = NOWHERE


@dataclass(frozen=True, slots=True)
class IsTrue:
    """A bare fact (`broken_promise`): it is there and is `true`; or the constants true and false."""

    item: Fact | EventField | Literal
    pos: Position = NOWHERE


@dataclass(frozen=True, slots=True)
class And:
    """Every item holds."""

    items: tuple[Condition, ...]
    pos: Position = NOWHERE


@dataclass(frozen=True, slots=True)
class Or:
    """At least one item holds."""

    items: tuple[Condition, ...]
    pos: Position = NOWHERE


@dataclass(frozen=True, slots=True)
class Not:
    """The item does not hold; so `not (x > 5)` means 'not known, or not above 5'."""

    item: Condition
    pos: Position = NOWHERE


Condition = Compare | In | Contains | Matches | Known | IsTrue | And | Or | Not


# --- limits -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ClockRef:
    """The due moment of another clock of the case: `resolve - 2h`."""

    clock: str
    pos: Position = NOWHERE


@dataclass(frozen=True, slots=True)
class LimitTerm:
    """One way to find a due moment: a length from the start, or a fact or clock, moved by a length or not.

    `base` None: `by` counts from the clock's start (sign 1). `base` set and `by` None: the named moment itself.
    """

    base: Fact | ClockRef | None
    sign: OneOf[1, -1]
    by: Duration | None
    pos: Position = NOWHERE


@dataclass(frozen=True, slots=True)
class Limit:
    """`A or B`: the first term that is known gives the due moment; none known: the due is unknown."""

    terms: tuple[LimitTerm, ...]
    text: str = ""
    pos: Position = NOWHERE


# --- triggers -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OnEvent:
    """An event of this type (`ticket.opened`), if `when` holds."""

    type: str
    when: Condition | None = None
    pos: Position = NOWHERE


@dataclass(frozen=True, slots=True)
class OnCondition:
    """A condition on its own (`owed_cny <= 0`): looked at after every event of the case."""

    when: Condition
    pos: Position = NOWHERE


CaseMoment = OneOf["opened", "graded", "reopened", "acknowledged", "closed"]


@dataclass(frozen=True, slots=True)
class OnCase:
    """Something that happened to the case itself: `graded` is the first grade and each worse one."""

    what: CaseMoment
    when: Condition | None = None
    pos: Position = NOWHERE


ClockMoment = OneOf["started", "breached", "stopped", "paused", "resumed"]


@dataclass(frozen=True, slots=True)
class OnClock:
    """`respond breached`, `pay stopped` …"""

    clock: str
    what: ClockMoment
    when: Condition | None = None
    pos: Position = NOWHERE


@dataclass(frozen=True, slots=True)
class OnShare:
    """`resolve 80%`: that share of the way from the clock's start to its due; once per run."""

    clock: str
    percent: Decimal
    when: Condition | None = None
    pos: Position = NOWHERE


@dataclass(frozen=True, slots=True)
class OnUndated:
    """`resolve undated 24h`: the due is still unknown this long after the clock started."""

    clock: str
    after: Duration
    when: Condition | None = None
    pos: Position = NOWHERE


@dataclass(frozen=True, slots=True)
class OnClockOffset:
    """`pay + 3 months`: this long after (or before) the clock's due, while the clock is not stopped."""

    clock: str
    sign: OneOf[1, -1]
    by: Duration
    when: Condition | None = None
    pos: Position = NOWHERE


@dataclass(frozen=True, slots=True)
class OnFact:
    """`starts_at - 1 month`, `appointment_at`: a moment named by a fact, moved by a length or not."""

    fact: str
    sign: OneOf[1, -1]
    by: Duration | None
    when: Condition | None = None
    pos: Position = NOWHERE


Alternative = OnEvent | OnCondition | OnCase | OnClock | OnShare | OnUndated | OnClockOffset | OnFact


@dataclass(frozen=True, slots=True)
class Trigger:
    """`A or B if C`: any of the alternatives; the `if` belongs to B alone."""

    alternatives: tuple[Alternative, ...]
    text: str = ""
    pos: Position = NOWHERE


# --- reading a tree -----------------------------------------------------------------------------------------

Node = Condition | Value


def walk(node: Node) -> Iterator[Node]:
    """The node and everything below it, parents first."""
    waiting = [node]
    while waiting:
        node = waiting.pop()
        yield node
        below = _BELOW.get(type(node))
        if below is not None:
            waiting.extend(below(node))


_BELOW: dict[type[Node], Callable[[Any], Sequence[Node]]] = {
    And: lambda node: node.items[::-1],
    Or: lambda node: node.items[::-1],
    Not: lambda node: (node.item,),
    Known: lambda node: (node.item,),
    IsTrue: lambda node: (node.item,),
    Compare: lambda node: (node.right, node.left),
    In: lambda node: (*node.options[::-1], node.item),
    Contains: lambda node: (node.part, node.whole),
    Matches: lambda node: (node.text,),
    Shifted: lambda node: (node.base,),
}
"""What is right below a node, last first; a leaf is not in it."""


def facts_read(node: Node) -> frozenset[str]:
    """Names of the case facts and computed names a tree reads; fields of the event in hand excluded."""
    return frozenset(n.name for n in walk(node) if isinstance(n, Fact))


def event_fields_read(node: Node) -> frozenset[str]:
    """Names `x` of the `event.x` a tree reads; the event's type counts as the empty name."""
    fields = {n.name for n in walk(node) if isinstance(n, EventField)}
    if any(isinstance(n, EventType) for n in walk(node)):
        fields.add("")
    return frozenset(fields)


def names_read(node: Node) -> frozenset[str]:
    """Scope names a tree reads: facts by their name, `event` and `event.<field>`."""
    fields = event_fields_read(node)
    return facts_read(node) | {f"event.{name}" if name else "event" for name in fields}


def conditions_of(trigger: Trigger) -> Iterator[Condition]:
    """The conditions inside a trigger, in the order written."""
    for alternative in trigger.alternatives:
        if alternative.when is not None:
            yield alternative.when
