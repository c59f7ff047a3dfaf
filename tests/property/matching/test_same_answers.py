"""Every matcher gives the answers of the reference, on any condition and any facts."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reeve.domain.expressions import And, Compare, Condition, Fact, In, Literal
from reeve.rulelang.fence import fence_problems
from tests.property.matching import reference, strategies
from tests.support.matchers import NAMES, durable_rules, matcher

both = pytest.mark.parametrize("name", NAMES)
thorough = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@both
@thorough
@given(condition=strategies.conditions, scope=strategies.scopes)
def test_a_condition_means_what_the_reference_says(name: str, condition: Condition, scope: dict[str, Any]) -> None:
    assert matcher(name).holds(condition, scope) is reference.holds(condition, scope)


@both
@thorough
@given(group=strategies.groups, scopes=st.lists(strategies.scopes, min_size=1, max_size=3))
def test_the_first_of_a_group_is_the_first_that_holds(
    name: str, group: tuple[Condition | None, ...], scopes: list[dict[str, Any]]
) -> None:
    asked = matcher(name)
    for scope in scopes:
        expected = [i for i, item in enumerate(group) if item is None or reference.holds(item, scope)]
        assert asked.first(group, scope) == (expected[0] if expected else None)


@both
@thorough
@given(
    wanted=st.lists(st.sampled_from(("complaint", "repair", "visit", "")), min_size=8, max_size=40),
    lists=st.lists(st.booleans(), min_size=40, max_size=40),
    extras=st.lists(strategies.leaves, min_size=40, max_size=40),
    scope=strategies.scopes,
    category=st.sampled_from(("complaint", "repair", "visit", "", "other", 1, None)),
)
def test_groups_that_hang_on_one_equality_are_no_different(
    name: str,
    wanted: list[str],
    lists: list[bool],
    extras: list[Condition],
    scope: dict[str, Any],
    category: object,
) -> None:
    def of(category: str, as_list: bool) -> Condition:
        fact = Fact("category")
        return In(fact, (Literal(category), Literal("more"))) if as_list else Compare("==", fact, Literal(category))

    group = tuple(And((of(w, in_list), e)) for w, in_list, e in zip(wanted, lists, extras, strict=False))
    facts = {**scope, "category": category}
    expected = [i for i, item in enumerate(group) if reference.holds(item, facts)]
    assert matcher(name).first(group, facts) == (expected[0] if expected else None)


@thorough
@given(condition=strategies.conditions, scope=strategies.scopes)
def test_inside_the_fence_durable_rules_itself_answers(condition: Condition, scope: dict[str, Any]) -> None:
    engine = durable_rules()
    stood_in = engine.stand_ins
    engine.holds(condition, scope)
    assert (engine.stand_ins == stood_in) is (fence_problems(condition) == [])
    assert engine.deaths == 0
