"""What can and can't be is decided: held against every case of a small world."""

from __future__ import annotations

import itertools
import time
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reeve.domain import expressions as x
from reeve.rulelang.kinds import compare, equal
from reeve.rulelang.load import load_bundle
from reeve.rulelang.parse import parse_condition
from reeve.rulelang.regions import Cases, ways
from reeve.rulelang.value_cells import Facts

TICKET = Facts("ticket", frozenset({"times"}), ("major", "ordinary"))

WORLD: dict[str, tuple[Any, ...]] = {
    "deaths": (None, *range(6)),
    "loss_cny": (None, *(Decimal(n) / 100 for n in (-1, 0, 1, 99, 100, 101, 199, 200, 201, 299, 300, 301))),
    "paid": (None, True, False),
    "injury": (None, "none", "minor", "serious"),
    "times": tuple(range(5)),
    "own": (
        None,
        True,
        False,
        "a",
        "b",
        "other",
        Decimal(0),
        Decimal("1.5"),
        Decimal(2),
        Decimal("2.5"),
        Decimal(3),
    ),
}
"""Every value that matters of each fact: `deaths` and `times` are whole, money has cents, `own` can be anything."""

ATOMS = st.one_of(
    st.builds("deaths {} {}".format, st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), st.integers(0, 4)),
    st.builds("{} {} deaths".format, st.integers(0, 4), st.sampled_from(["<", "<=", ">", ">=", "=="])),
    st.builds("loss_cny {} {}".format, st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), st.integers(1, 3)),
    st.builds("times {} {}".format, st.sampled_from(["<", ">=", "=="]), st.integers(0, 3)),
    st.builds("own {} {}".format, st.sampled_from(["<", ">=", "==", "!="]), st.sampled_from(['"a"', "2", "true"])),
    st.sampled_from(
        [
            "paid",
            "not paid",
            "paid == false",
            'injury == "minor"',
            'injury != "minor"',
            "known(own)",
            "known(paid)",
            'injury in ["minor", "serious"]',
            'not (own in ["a", 2])',
            "deaths in [1, 3]",
            "deaths == 1.5",
        ]
    ),
)
CONDITIONS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.builds("({} and {})".format, inner, inner),
        st.builds("({} or {})".format, inner, inner),
        st.builds("not ({})".format, inner),
    ),
    max_leaves=6,
)


def holds(node: x.Condition, case: dict[str, Any]) -> bool:
    """The meaning of a condition, told in the plainest way."""

    def value(of: x.Value) -> Any:
        return of.value if isinstance(of, x.Literal) else case.get(of.name)  # type: ignore[union-attr]

    match node:
        case x.And(items):
            return all(holds(item, case) for item in items)
        case x.Or(items):
            return any(holds(item, case) for item in items)
        case x.Not(item):
            return not holds(item, case)
        case x.Known(item):
            return value(item) is not None
        case x.IsTrue(item):
            return value(item) is True
        case x.In(item, options):
            return any(equal(value(item), option.value) for option in options)
        case x.Compare(op, left, right):
            return compare(op, value(left), value(right))
    raise AssertionError(node)


def world(*conditions: x.Condition | None) -> list[dict[str, Any]]:
    names = sorted({name for condition in conditions if condition for name in x.facts_read(condition)})
    return [dict(zip(names, case, strict=True)) for case in itertools.product(*(WORLD[name] for name in names))]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(CONDITIONS, st.booleans()), min_size=1, max_size=3))
def test_possible_is_what_some_case_of_the_world_shows(wanted: list[tuple[str, bool]]) -> None:
    parsed = [(parse_condition(text), wish) for text, wish in wanted]
    conditions = [condition for condition, _ in parsed]
    if len({name for condition in conditions for name in x.facts_read(condition)}) > 4:
        return
    shown = any(all(holds(one, case) is wish for one, wish in parsed) for case in world(*conditions))
    assert Cases(TICKET, conditions).possible(*parsed) is shown


@settings(max_examples=50, deadline=None)
@given(CONDITIONS)
def test_the_ways_of_a_condition_together_are_the_condition(text: str) -> None:
    condition = parse_condition(text)
    found = ways(condition)
    if len(x.facts_read(condition)) > 4 or not found:
        return
    for case in world(condition):
        assert holds(condition, case) is any(holds(way, case) for _, way in found)


POLICY = "policy: p\ntakes: ticket\n"
POLICY += "counts: {{times: {{of: ticket.opened, same: incident, within: 9d}}}}\n{}close: ticket.closed\n"


def problems(*conditions: str) -> dict[int, list[str]]:
    """The codes found at each grade, by its number from 0."""
    lines = "".join(f"  - {{grade: g{n}, if: '{one}'}}\n" for n, one in enumerate(conditions))
    text = POLICY.format(f"grades:\n{lines}  - grade: rest\n")
    found: dict[int, list[str]] = {}
    for problem in load_bundle({"site.yaml": b"language: 1\n", "p.yaml": text.encode()}).problems:
        if problem.file == "p.yaml":
            found.setdefault(problem.line - 5, []).append(problem.code)
    return found


UNREACHABLE = {"grade_impossible", "grade_unreachable", "grade_unreachable_by_several"}


@settings(max_examples=40, deadline=None)
@given(st.lists(CONDITIONS.filter(lambda text: '"a"' not in text and "own" not in text), min_size=1, max_size=4))
def test_a_grade_is_called_unreachable_exactly_if_no_case_reaches_it(texts: list[str]) -> None:
    texts = [text.replace("'", "").replace("deaths == 1.5", "deaths == 1") for text in texts]
    conditions = [parse_condition(text) for text in texts]
    if len({name for condition in conditions for name in x.facts_read(condition)}) > 4:
        return
    reached = {
        next((n for n, one in enumerate(conditions) if holds(one, case)), len(conditions))
        for case in world(*conditions)
    }
    found = problems(*texts)
    for number in range(len(conditions)):
        assert bool(UNREACHABLE.intersection(found.get(number, []))) is (number not in reached), (texts, found)


BOUNDS = st.lists(st.integers(1, 50), min_size=2, max_size=4, unique=True).map(sorted)


@settings(max_examples=25, deadline=None)
@given(BOUNDS, st.sampled_from(["deaths", "loss_cny", "times"]))
def test_thresholds_that_meet_are_no_gap_and_no_overlap(bounds: list[int], fact: str) -> None:
    texts = [f"{fact} >= {bounds[-1]}"]
    texts += [f"{fact} >= {low} and {fact} < {high}" for low, high in itertools.pairwise(bounds)][::-1]
    assert problems(*texts) == {}


@settings(max_examples=25, deadline=None)
@given(BOUNDS, st.sampled_from(["deaths", "loss_cny", "times"]), st.integers(1, 3))
def test_a_hole_between_two_grades_is_found(bounds: list[int], fact: str, hole: int) -> None:
    low, high = bounds[0], bounds[1] + hole
    found = problems(f"{fact} >= {high}", f"{fact} >= {low} and {fact} < {bounds[1]}")
    assert found == {1: ["threshold_gap"]}


@settings(max_examples=25, deadline=None)
@given(BOUNDS, st.sampled_from(["deaths", "loss_cny", "times"]), st.integers(0, 3))
def test_a_bound_inside_a_worse_grade_is_found(bounds: list[int], fact: str, over: int) -> None:
    found = problems(f"{fact} >= {bounds[1]}", f"{fact} >= {bounds[0]} and {fact} <= {bounds[1] + over}")
    assert found == {1: ["threshold_overlap"]}


@pytest.mark.parametrize(
    ("texts", "found"),
    [
        # whole numbers: none between 2 and 3; of money there is
        (["deaths > 2", "deaths >= 1 and deaths < 3"], {}),
        (["deaths > 2 and deaths < 3"], {0: ["grade_impossible"]}),
        (["times > 2 and times < 3"], {0: ["grade_impossible"]}),
        (["loss_cny > 2 and loss_cny < 3"], {}),
        (["loss_cny > 2.00 and loss_cny < 2.01"], {0: ["grade_impossible"]}),
        (["own > 2.00 and own < 2.01"], {}),
        (["times < 0"], {0: ["grade_impossible"]}),
        # several together cover what none covers alone
        (["deaths >= 5", "deaths < 5", "known(deaths)"], {2: ["grade_unreachable_by_several"]}),
        (["paid", "not paid", "loss_cny > 5"], {2: ["grade_unreachable_by_several"]}),
        (
            ['injury in ["none", "minor"]', 'injury == "serious"', "known(injury)"],
            {2: ["grade_unreachable_by_several"]},
        ),
        (['injury in ["none", "minor"]', "known(injury)"], {}),
        # one branch of several, deep inside
        (["loss_cny >= 100", "paid and (loss_cny >= 200 or deaths >= 1)"], {1: ["grade_part_covered"]}),
        (["loss_cny >= 100", "deaths >= 1 or (paid and not paid)"], {1: ["contradiction"]}),
        # what is not known is never above or below anything
        (["not (loss_cny < 100)", "known(loss_cny) and loss_cny >= 100"], {1: ["grade_unreachable"]}),
        (["loss_cny >= 100", "not (loss_cny < 100)"], {}),
        # two facts against each other, and texts that are looked into, may be either way
        (["loss_cny > deaths", "deaths < loss_cny"], {1: ["grade_unreachable"]}),
        (["loss_cny > deaths", "loss_cny <= deaths"], {}),
        (['title contains "x" and not (title contains "x")'], {0: ["grade_impossible"]}),
        # dates and moments
        (["due_at > 2026-01-31T00:00+08:00 and due_at < 2026-01-30T00:00+08:00"], {0: ["grade_impossible"]}),
        (["due_at >= 2026-01-31T08:00+08:00 and due_at <= 2026-01-31T00:00+00:00"], {}),
        (["today > 2026-01-31 and today < 2026-02-01"], {0: ["grade_impossible"]}),
        (["today >= 2026-02-01", "today >= 2026-01-01 and today <= 2026-01-30"], {1: ["threshold_gap"]}),
        # a fall to the rest between two grades, also where less is worse
        (["deaths <= 1", "deaths >= 4 and deaths <= 5"], {1: ["threshold_gap"]}),
        (["loss_cny < 1 or loss_cny > 9"], {}),
    ],
)
def test_what_is_said_of_grades(texts: list[str], found: dict[int, list[str]]) -> None:
    assert problems(*texts) == found


def test_what_is_too_much_to_look_at_is_left_open_in_bounded_time() -> None:
    """Nine letters in eight boxes, one to each: impossible, and famously long to prove by trying."""

    def put(letter: int, box: int) -> x.Condition:
        return x.IsTrue(x.Fact(f"letter{letter}_in{box}"))

    somewhere = [x.Or(tuple(put(letter, box) for box in range(8))) for letter in range(9)]
    alone = [
        x.Not(x.And((put(one, box), put(other, box))))
        for box in range(8)
        for one, other in itertools.combinations(range(9), 2)
    ]
    condition = x.And((*somewhere, *alone))
    cases = Cases(TICKET, [condition])
    started = time.process_time()
    assert [cases.possible((condition, True)) for _ in range(200)] == [None] * 200
    assert time.process_time() - started < 60
