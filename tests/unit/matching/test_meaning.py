"""What conditions mean, as tables (rule-language.md §3, Conditions). Both matchers, the same tables."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from reeve.domain.durations import Duration, Elapsed, Months, SameDay, WorkingDays
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
)
from reeve.rulelang.patterns import pattern_problem
from tests.support.matchers import NAMES, matcher

both = pytest.mark.parametrize("name", NAMES)

NOON = datetime(2026, 2, 13, 12, tzinfo=UTC)
LOSS, INJURY, OPEN_FOR = Fact("loss_cny"), Fact("injury"), Fact("open_for")


def number(text: str) -> Literal:
    return Literal(Decimal(text))


@both
@pytest.mark.parametrize(
    ("op", "fact", "constant", "expected"),
    [
        (">=", Decimal(2000), Decimal(2000), True),
        (">=", Decimal("1999.99"), Decimal(2000), False),
        (">=", 2000, Decimal(2000), True),
        ("==", Decimal("2000.00"), Decimal(2000), True),
        ("==", 0.1, Decimal("0.1"), True),
        ("<", 10**30, Decimal(1000), False),
        (">", -(10**30), Decimal(1000), False),
        ("==", True, Decimal(1), False),
        (">", True, Decimal(0), False),
        ("==", "2000", Decimal(2000), False),
        (">", "9", Decimal(1), False),
        ("<", "9", Decimal(10), False),
        ("==", "", Decimal(0), False),
        ("==", Decimal(10), "10", False),
        ("==", "minor", "minor", True),
        ("==", "Minor", "minor", False),
        ("<", "ab", "ab c", True),
        ("<", "Z", "a", True),
        ("<", "啊", "中", False),
        ("==", True, True, True),
        ("==", 1, True, False),
        ("==", "true", True, False),
        ("<", False, True, False),
        ("<", date(2026, 1, 1), date(2026, 1, 2), True),
        ("==", NOON.date(), NOON.date(), True),
        ("<", NOON, date(2027, 1, 1), False),
        (">", date(2027, 1, 1), NOON, False),
        ("==", NOON.astimezone(timezone(timedelta(hours=8))), NOON, True),
        (">", NOON + timedelta(microseconds=1), NOON, True),
        (">", datetime(2027, 1, 1), NOON, False),  # noqa: DTZ001 - a moment without a zone is no moment
        (">", timedelta(hours=49), Elapsed(48 * 3600), True),
        ("<=", timedelta(hours=48), Elapsed(48 * 3600), True),
        (">", timedelta(hours=49), WorkingDays(1), False),
        (">", 49, Elapsed(48 * 3600), False),
        ("==", [1], Decimal(1), False),
        ("==", {"a": 1}, Decimal(1), False),
        ("<=", float("nan"), Decimal(1), False),
        ("<", float("-inf"), Decimal(1), False),
        ("<", Decimal("NaN"), Decimal(1), False),
    ],
)
def test_a_fact_against_a_constant(name: str, op: CompareOp, fact: Any, constant: Any, expected: bool) -> None:
    condition = Compare(op, Fact("x"), Literal(constant))
    assert matcher(name).holds(condition, {"x": fact}) is expected
    assert matcher(name).holds(Not(condition), {"x": fact}) is not expected


@both
@pytest.mark.parametrize("op", ["==", "<", "<=", ">", ">="])
@pytest.mark.parametrize("scope", [{}, {"loss_cny": None}, {"loss_cny": "much"}])
def test_an_absent_fact_or_one_of_another_kind_makes_a_comparison_false(
    name: str, op: CompareOp, scope: dict[str, Any]
) -> None:
    assert not matcher(name).holds(Compare(op, LOSS, number("2000")), scope)
    assert matcher(name).holds(Not(Compare(op, LOSS, number("2000"))), scope)


@both
@pytest.mark.parametrize(
    ("scope", "expected"),
    [({}, True), ({"injury": "none"}, True), ({"injury": "minor"}, False), ({"injury": 3}, True)],
)
def test_absent_counts_as_different(name: str, scope: dict[str, Any], expected: bool) -> None:
    assert matcher(name).holds(Compare("!=", INJURY, Literal("minor")), scope) is expected
    assert matcher(name).holds(Compare("!=", Literal("minor"), INJURY), scope) is expected


@both
@pytest.mark.parametrize(
    ("condition", "scope", "expected"),
    [
        (In(Fact("kind"), (Literal("letter"), Literal("paper"))), {"kind": "paper"}, True),
        (In(Fact("kind"), (Literal("letter"), Literal("paper"))), {"kind": "parcel"}, False),
        (In(Fact("kind"), (Literal("letter"), Literal("paper"))), {}, False),
        (Not(In(Fact("kind"), (Literal("letter"), Literal("paper")))), {}, True),
        (Not(In(Fact("kind"), (Literal("letter"), number("3")))), {"kind": 3}, False),
        (In(Fact("n"), (number("1"), number("2"))), {"n": Decimal("2.0")}, True),
        (In(Fact("n"), (number("1"), Literal("2"))), {"n": 2}, False),
        (In(Fact("n"), (Literal(True),)), {"n": 1}, False),
        (In(Fact("n"), ()), {"n": 1}, False),
        (In(OPEN_FOR, (Literal(Elapsed(3600)),)), {"open_for": timedelta(hours=1)}, True),
        (Contains(Fact("title"), Literal("漏水")), {"title": "天花板漏水了"}, True),
        (Contains(Fact("title"), number("1")), {"title": "1"}, False),
        (Contains(Fact("tags"), Literal("wet")), {"tags": ["dry", "wet"]}, True),
        (Contains(Fact("tags"), number("1")), {"tags": ["1", True]}, False),
        (Contains(Fact("tags"), number("1")), {"tags": [1.0]}, True),
        (Contains(Fact("tags"), Fact("absent")), {"tags": [None]}, False),
        (Contains(Fact("tags"), Literal("a")), {"tags": {"a": 1}}, False),
        (Matches(Fact("title"), "漏水$"), {"title": "天花板漏水"}, True),
        (Matches(Fact("title"), "^漏水"), {"title": "天花板漏水"}, False),
        (Matches(Fact("title"), "[0-9]+"), {"title": 12}, False),
        (Matches(Fact("title"), "(unclosed"), {"title": "(unclosed"}, False),
        (Matches(Fact("title"), "b"), {"title": "\ud800b"}, True),
        (Known(Fact("due_at")), {"due_at": NOON}, True),
        (Known(Fact("due_at")), {"due_at": None}, False),
        (Known(EventField("price_accepted")), {"event.price_accepted": False}, True),
        (Known(Fact("tags")), {"tags": []}, True),
        (IsTrue(Fact("broken_promise")), {"broken_promise": True}, True),
        (IsTrue(Fact("broken_promise")), {"broken_promise": 1}, False),
        (IsTrue(Fact("broken_promise")), {"broken_promise": "true"}, False),
        (IsTrue(Literal(True)), {}, True),
        (IsTrue(Literal(False)), {}, False),
        (Compare("==", EventType(), Literal("ticket.opened")), {"event": "ticket.opened"}, True),
        (
            Compare("==", EventField("satisfaction"), Literal("dissatisfied")),
            {"satisfaction": "dissatisfied"},
            False,
        ),
        (Compare("<", Fact("a"), Fact("b")), {"a": 1, "b": 1.5}, True),
        (Compare("<", Fact("a"), Fact("b")), {"a": 1}, False),
        (Compare("==", Fact("a"), Fact("b")), {}, False),
        (Compare("==", number("1"), number("1")), {}, True),
        (And(()), {}, True),
        (Or(()), {}, False),
    ],
)
def test_other_conditions(name: str, condition: Condition, scope: dict[str, Any], expected: bool) -> None:
    assert matcher(name).holds(condition, scope) is expected


@both
@pytest.mark.parametrize(
    ("value", "sign", "by", "is_now"),
    [
        (NOON, -1, Elapsed(86_400), NOON - timedelta(days=1)),
        (NOON, 1, Months(1), None),
        (NOON, 1, SameDay(), None),
        (date(2026, 1, 31), 1, Months(1), date(2026, 2, 28)),
        (date(2026, 3, 31), -1, Months(1), date(2026, 2, 28)),
        (date(2026, 1, 1), -1, Elapsed(3 * 86_400), date(2025, 12, 29)),
        (date(2026, 1, 1), 1, Elapsed(3600), None),
        (date(2026, 1, 1), 1, WorkingDays(1), None),
        (date(1, 1, 1), -1, Months(1), None),
        (datetime(1, 1, 1, tzinfo=UTC), -1, Elapsed(10**12), None),
        (NOON, 1, Elapsed(10**18), None),
        ("2026-01-01", 1, Elapsed(86_400), None),
        (None, 1, Elapsed(86_400), None),
    ],
)
def test_shifted_dates_and_moments(name: str, value: Any, sign: Any, by: Duration, is_now: Any) -> None:
    moved = Shifted(Fact("starts_at"), sign, by)
    scope = {"starts_at": value, "expected": is_now}
    assert matcher(name).holds(Compare("==", moved, Fact("expected")), scope) is (is_now is not None)
    constant = Literal(is_now if is_now is not None else date(2026, 1, 1))
    assert matcher(name).holds(Compare("<=", moved, constant), scope) is (is_now is not None)


@both
def test_the_grades_of_a_complaint(name: str) -> None:
    grades = (
        Or((Compare(">=", LOSS, number("100000")), Compare(">=", Fact("deaths"), number("1")))),
        Or((Compare(">=", LOSS, number("10000")), Compare("==", INJURY, Literal("serious")))),
        And((IsTrue(Fact("broken_promise")), Compare(">=", Fact("times_raised"), number("10")))),
        None,
    )
    asked = matcher(name)
    assert asked.first(grades, {"deaths": 1, "loss_cny": Decimal("12000.50")}) == 0
    assert asked.first(grades, {"loss_cny": Decimal("12000.50")}) == 1
    assert asked.first(grades, {"broken_promise": True, "times_raised": 10}) == 2
    assert asked.first(grades, {"broken_promise": True, "times_raised": 9}) == 3
    assert asked.first(grades[:3], {}) is None
    assert asked.first((), {}) is None


@both
def test_conditions_built_anew_each_time_are_answered_rightly(name: str) -> None:
    asked = matcher(name)
    for n in range(300):
        fresh = Compare("==", Fact("n"), number(str(n)))
        assert asked.holds(fresh, {"n": n})
        assert asked.first((fresh, None), {"n": n + 1}) == 1


@pytest.mark.parametrize("pattern", ["(a", "[z-a]", r"(a)\1", "(?=a)", "a{1000}{1000}", "(?:漏水.{0,900}){5}"])
def test_a_pattern_that_is_wrong_or_too_large_has_a_reason(pattern: str) -> None:
    assert pattern_problem(pattern)


@pytest.mark.parametrize("pattern", ["漏水", "^[一-龥]+$", r"\d{11}", "((a*)*)*b", ".*(c*)c|b.*"])
def test_an_ordinary_pattern_has_no_problem(pattern: str) -> None:
    assert pattern_problem(pattern) is None
