"""Random conditions and random facts that often concern each other, awkward values included."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from reeve.domain.durations import Duration, Elapsed, Months, SameDay, WorkingDays, WorkingHours
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

NAMES = (
    "loss_cny",
    "category",
    "n",
    "x",
    "损失",
    "$or",
    "id",
    "sid",
    "a.b",
    "due_at",
    "due_on",
    "open_for",
    "tags",
)
FIELDS = ("satisfaction", "x", "kind")

TEXTS = (
    "", "a", "ab", "ab c", "ab!", "9", "10", "true", "None", "complaint",
    "漏水", "投诉，漏水", '"', "\\", "\n", "\x00",
    "😀", "é", "e\u0301", "Z", "~", "2026-01-01", "a" * 65_536, "a" * 65_539,
)  # fmt: skip
NUMBERS: tuple[int | Decimal | float, ...] = (
    0, 1, -1, 2, 9, 10, 2000, 10**15, 2**53, 2**53 + 1, 2**63, 10**30, -(10**30),
    Decimal("0.1"), Decimal("0.10"), Decimal("12.34"), Decimal("12.345678"), Decimal("1999.99"), Decimal("1E+30"),
    Decimal("1E-30"), Decimal(2000), Decimal("-0.01"), 0.1, 0.2, 1e-7, 1e16, 1.0, -0.0, 12.34, 1e300,
)  # fmt: skip
EARLY, LATE = datetime(2026, 2, 13, 17, 50, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
DATES = (date(2026, 1, 31), date(2026, 2, 28), date(2026, 2, 13), date(2027, 1, 1))
MOMENTS = (
    EARLY,
    LATE,
    EARLY + timedelta(microseconds=1),
    EARLY - timedelta(microseconds=1),
    EARLY + timedelta(days=1),
)
LENGTHS = (timedelta(0), timedelta(hours=1), timedelta(days=5), timedelta(hours=1, microseconds=1), timedelta(-1))

_scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from(NUMBERS),
    st.integers(-3000, 3000),
    st.decimals(-3000, 3000, places=2),
    st.sampled_from(TEXTS),
    st.sampled_from(DATES),
    st.sampled_from(MOMENTS),
    st.sampled_from(LENGTHS),
)
_lists = st.lists(st.one_of(st.booleans(), st.integers(0, 10), st.sampled_from(TEXTS[:11])), max_size=4)
_values: st.SearchStrategy[Any] = st.one_of(_scalars, _lists, st.just({"nested": 1}))

scopes: st.SearchStrategy[dict[str, Any]] = st.dictionaries(
    st.sampled_from((*NAMES, "event", *(f"event.{name}" for name in FIELDS))), _values, max_size=12
)

durations: st.SearchStrategy[Duration] = st.one_of(
    st.builds(Elapsed, st.sampled_from((0, 90, 3600, 86_400, 432_000))),
    st.builds(Months, st.integers(0, 14)),
    st.just(WorkingDays(2)),
    st.just(WorkingHours(4)),
    st.just(SameDay()),
)

_constants = st.one_of(
    st.booleans(),
    st.sampled_from(tuple(Decimal(n) for n in (0, 1, 2, 9, 10, 2000, -1, 3000))),
    st.sampled_from((Decimal("0.1"), Decimal("12.34"), Decimal("1999.99"))),
    st.integers(-3000, 3000).map(Decimal),
    st.sampled_from(TEXTS[:-2]),
    st.sampled_from(DATES),
    st.sampled_from((EARLY, LATE)),
    durations,
)
literals = st.builds(Literal, _constants)
facts = st.builds(Fact, st.sampled_from(NAMES))
fields = st.builds(EventField, st.sampled_from(FIELDS))
references = st.one_of(facts, facts, fields)
values: st.SearchStrategy[Value] = st.one_of(
    references,
    references,
    literals,
    literals,
    st.just(EventType()),
    st.builds(Shifted, references, st.sampled_from((1, -1)), durations),
)
PATTERNS = ("漏", "^a", "b$", "[0-9]+", "a.c", "(ab|10)", "", "^$", "[一-龥]+")

leaves: st.SearchStrategy[Condition] = st.one_of(
    st.builds(Compare, st.sampled_from(("==", "!=", "<", "<=", ">", ">=")), references, literals),
    st.builds(Compare, st.sampled_from(("==", "!=", "<", "<=", ">", ">=")), values, values),
    st.builds(In, values, st.lists(literals, max_size=4).map(tuple)),
    st.builds(Contains, values, values),
    st.builds(Matches, values, st.sampled_from(PATTERNS)),
    st.builds(Known, references),
    st.builds(IsTrue, st.one_of(references, literals)),
)


def _larger(parts: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
    several = st.lists(parts, min_size=1, max_size=4).map(tuple)
    return st.one_of(st.builds(And, several), st.builds(Or, several), st.builds(Not, parts))


conditions: st.SearchStrategy[Condition] = st.recursive(leaves, _larger, max_leaves=10)
groups = st.lists(st.one_of(conditions, conditions, conditions, st.none()), max_size=24).map(tuple)
