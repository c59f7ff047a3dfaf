"""Conditions, limits and triggers: every form of the grammar, and what is said about what is none."""

from __future__ import annotations

from decimal import Decimal

import pytest

from reeve.domain.durations import Duration, Elapsed, Months, SameDay, WorkingDays, WorkingHours
from reeve.domain.expressions import (
    And,
    ClockRef,
    Compare,
    EventField,
    EventType,
    Fact,
    IsTrue,
    Literal,
    Not,
    OnCase,
    OnClock,
    OnClockOffset,
    OnCondition,
    OnEvent,
    OnFact,
    OnShare,
    OnUndated,
    Or,
    Position,
)
from reeve.rulelang.build import Names
from reeve.rulelang.parse import Inline, parse_condition, parse_length, parse_limit, parse_trigger
from reeve.rulelang.problems import BadRule
from reeve.rulelang.show import show

NAMES = Names({"损失": "loss_cny", "响应": "respond"}, frozenset({"respond", "resolve", "pay"}))


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("loss_cny >= 10000", "loss_cny >= 10000"),
        ("loss_cny>=0.5", "loss_cny >= 0.5"),
        ("balance < -5", "balance < -5"),
        ("损失 ≥ １００００", "loss_cny >= 10000"),
        ("损失＞＝１００", "loss_cny >= 100"),
        ("（a == “x” and b）", 'a == "x" and b'),
        ("a ！= ‘x’", 'a != "x"'),
        ("a == 「重大」", 'a == "重大"'),
        ('title contains "他说“好”"', 'title contains "他说“好”"'),
        ("a and b or c and not d", "a and b or c and not (d)"),
        ("not a and b", "not (a) and b"),
        ("(a or b) and c", "(a or b) and c"),
        ("not (a and b)", "not (a and b)"),
        ('kind in ["letter", "paper"]', 'kind in ["letter", "paper"]'),
        ("kind in ［“letter”，“paper”］", 'kind in ["letter", "paper"]'),
        ("n in [1, 2,]", "n in [1, 2]"),
        ("n not in [1]", "not (n in [1])"),
        ("known(event.due_at) and not known(due_at)", "known(event.due_at) and not (known(due_at))"),
        ('title matches "漏水|渗水"', 'title matches "漏水|渗水"'),
        ('event == "ticket.opened"', 'event == "ticket.opened"'),
        ("today >= 2026-01-31", "today >= 2026-01-31"),
        ("due_at > 2026-01-31T17:00+08:00", "due_at > 2026-01-31T17:00:00+08:00"),
        ("open_for > 3d", "open_for > 3d"),
        ("starts_at - 24h < due_at", "starts_at - 1d < due_at"),
        ("paid == true or false", "paid == true or false"),
        ("order and incident and known_x", "order and incident and known_x"),
        ("损失 >= 100 or死亡人数 >= 1", "loss_cny >= 100 or 死亡人数 >= 1"),
    ],
)
def test_a_condition_means_what_it_says(text: str, meaning: str) -> None:
    assert show(parse_condition(text, names=NAMES)) == meaning


def test_not_binds_closer_than_and_and_and_closer_than_or() -> None:
    tree = parse_condition("a or not b and c")
    assert isinstance(tree, Or)
    second = tree.items[1]
    assert isinstance(second, And)
    assert isinstance(second.items[0], Not)


def test_numbers_are_exact_and_event_alone_is_its_type() -> None:
    number = parse_condition("event == 0.10")
    assert isinstance(number, Compare)
    assert isinstance(number.left, EventType)
    assert number.right == Literal(Decimal("0.10"), Position("", 1, 10))
    field = parse_condition("event.paid")
    assert isinstance(field, IsTrue)
    assert isinstance(field.item, EventField)


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("90s", Elapsed(90)),
        ("10m", Elapsed(600)),
        ("48h", Elapsed(48 * 3600)),
        ("5d", Elapsed(120 * 3600)),
        ("2 weeks", Elapsed(14 * 86400)),
        ("0.5h", Elapsed(1800)),
        ("1h30m", Elapsed(5400)),
        ("1h 30m", Elapsed(5400)),
        ("14 days", Elapsed(14 * 86400)),
        ("1 working day", WorkingDays(1)),
        ("２ working  days", WorkingDays(2)),
        ("4 working hours", WorkingHours(4 * 3600)),
        ("2 months", Months(2)),
        ("1 year", Months(12)),
        ("same day", SameDay()),
    ],
)
def test_lengths(text: str, length: Duration) -> None:
    assert parse_length(text) == length


def test_limits_are_tried_in_order_and_name_facts_or_clocks() -> None:
    due, length = parse_limit("due_at or 5d").terms
    assert (due.base, due.by) == (Fact("due_at", Position("", 1, 1)), None)
    assert (length.base, length.by) == (None, Elapsed(5 * 86400))
    (before,) = parse_limit("starts_at - 24h").terms
    assert (before.base, before.sign, before.by) == (Fact("starts_at", Position("", 1, 1)), -1, Elapsed(86400))
    (clock,) = parse_limit("resolve - 2h", names=NAMES).terms
    assert clock.base == ClockRef("resolve", Position("", 1, 1))
    assert parse_limit("due_at or 5d").text == "due_at or 5d"


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("ticket.opened", [OnEvent]),
        ("ticket.closed or ticket.cancelled", [OnEvent, OnEvent]),
        ("owed_cny <= 0", [OnCondition]),
        ("owed_cny <= 0 or ticket.closed", [OnCondition, OnEvent]),
        ("ticket.closed or owed_cny <= 0", [OnEvent, OnCondition]),
        ("graded", [OnCase]),
        ('graded if grade == "major" or reopened', [OnCase, OnCase]),
        ("respond breached", [OnClock]),
        ("响应 breached", [OnClock]),
        ("resolve 80%", [OnShare]),
        ("resolve ８０％ or respond stopped", [OnShare, OnClock]),
        ("resolve undated 24h", [OnUndated]),
        ("pay + 3 months", [OnClockOffset]),
        ("starts_at - 1 month", [OnFact]),
        ("appointment_at", [OnFact]),
        ("ticket.opened if a or b or ticket.closed", [OnEvent, OnEvent]),
        ("ticket.opened if a or respond breached", [OnEvent, OnClock]),
        ("ticket.opened if a or pay + 3 months", [OnEvent, OnClockOffset]),
        ("ticket.opened if a or due_at", [OnEvent, OnFact]),
        ('ticket.opened if a or event == "x" or event.y', [OnEvent]),
        ('ticket.opened if a or closed_by == "x"', [OnEvent]),
    ],
)
def test_triggers(text: str, kinds: list[type]) -> None:
    trigger = parse_trigger(text, names=NAMES)
    assert [type(alternative) for alternative in trigger.alternatives] == kinds


def test_the_if_belongs_to_the_last_alternative_alone() -> None:
    trigger = parse_trigger('ticket.closed or ticket.followed_up if event.satisfaction != "dissatisfied"')
    first, second = trigger.alternatives
    assert isinstance(first, OnEvent)
    assert isinstance(second, OnEvent)
    assert first.when is None
    assert show(second.when or Literal(False)) == 'event.satisfaction != "dissatisfied"'


@pytest.mark.parametrize(
    ("text", "code", "column"),
    [
        ("", "empty_condition", 1),
        ("loss_cny >=", "condition_unfinished", 11),
        ("(a and b", "bracket_not_closed", 1),
        ("a and b)", "bracket_not_opened", 8),
        ("a = 1", "wrong_operator", 3),
        ("a =< 1", "wrong_operator", 3),
        ("a <> 1", "wrong_operator", 3),
        ("a && b", "wrong_operator", 3),
        ("a 且 b", "wrong_operator", 3),
        ("a > 1 并且 b", "wrong_operator", 7),
        ("a > 1或b", "wrong_operator", 6),
        ("1 < a < 3", "chained_comparison", 1),
        ("a == 'x", "quote_not_closed", 6),
        ("损失 ≥ １００ andd b", "unknown_operator", 10),
        ("a AND b", "keyword_case", 3),
        ("a == None", "no_null", 6),
        ("5", "not_a_condition", 1),
        ('"x"', "not_a_condition", 1),
        ("a + 5 > 3", "no_arithmetic", 1),
        ("a in []", "empty_list", 1),
        ("a in [b]", "list_needs_quotes", 7),
        ('a matches "("', "bad_pattern", 11),
        ("a matches b", "pattern_not_text", 11),
        ("known(1)", "known_needs_name", 7),
        ("count(x) > 1", "no_such_function", 6),
        ("ticket.opened", "type_in_condition", 1),
        ("evnt.x == 1", "unknown_dotted", 1),
        ("a == 2026-02-30", "no_such_date", 6),
        ("a > 2026-01-31 17:00", "moment_without_offset", 5),
        ("a > 1,000", "number_grouped", 5),
        ("a > 10%", "percent_here", 5),
        ("a if b", "if_not_here", 3),
        ("a # b", "unknown_sign", 3),
        ("a b", "missing_operator", 3),
        ("a == 1 andb", "unknown_operator", 8),
        ("a == (b and c)", "condition_as_value", 6),
        ("not " * 70 + "a", "nested_too_deep", 1),
        ("a" * 5000, "expression_too_long", 1),
    ],
)
def test_what_is_no_condition_is_explained(text: str, code: str, column: int) -> None:
    with pytest.raises(BadRule) as bad:
        parse_condition(text, Inline("complaint.yaml", 7, 1), NAMES)
    found = bad.value.problem
    assert (found.code, found.line, found.column) == (code, 7, column)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("ticket.opend", "unknown_event_type"),
        ("tickets.opened", "unknown_event_type"),
        ("respnd breached", "unknown_clock"),
        ("respond breachd", "unknown_moment"),
        ("respond", "bare_clock"),
        ("resolve undated", "undated_needs_length"),
        ("resolve breached 24h", "length_after_moment"),
        ("resolve 120%", "share_out_of_range"),
        ("event.due_at - 24h", "event_field_as_moment"),
        ("a > 1 if b", "if_after_condition"),
        ("somewhen if b", "unknown_trigger"),
        ("ticket.opened or", "trigger_unfinished"),
        ("ticket.opened ticket.closed", "missing_operator"),
    ],
)
def test_what_is_no_trigger_is_explained(text: str, code: str) -> None:
    with pytest.raises(BadRule) as bad:
        parse_trigger(text, names=NAMES)
    assert bad.value.problem.code == code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("10", "limit_without_unit"),
        ("-5m", "negative_limit"),
        ("0m", "length_zero"),
        ("0 working days", "length_zero"),
        ("4000000d", "length_too_long"),
        ("200 years", "length_too_long"),
        ("0.0001s", "part_of_second"),
        ("10x", "unknown_unit"),
        ("3M", "unknown_unit"),
        ("2个工作日", "unknown_unit"),
        ("due_at if x", "if_not_here"),
        ('"x"', "not_a_limit"),
        ("due_at or", "limit_unfinished"),
        ("5m 3", "limit_syntax"),
    ],
)
def test_what_is_no_limit_is_explained(text: str, code: str) -> None:
    with pytest.raises(BadRule) as bad:
        parse_limit(text)
    assert bad.value.problem.code == code


def test_a_misspelt_word_is_answered_with_the_one_that_was_meant() -> None:
    with pytest.raises(BadRule) as bad:
        parse_trigger("ticket.opend")
    assert bad.value.problem.mend == "did you mean `ticket.opened`?"
    assert bad.value.problem.say("zh-CN")[1] == "是不是想写 `ticket.opened`？"
