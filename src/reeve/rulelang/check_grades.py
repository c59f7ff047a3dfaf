"""Grades that can't be reached, and thresholds that leave a gap or overlap."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from reeve.domain import expressions as x
from reeve.domain.bundle import GradeRule, Policy
from reeve.rulelang.problems import Hint, Problem, problem
from reeve.rulelang.regions import Cases, ways
from reeve.rulelang.show import show, show_constant, spoken
from reeve.rulelang.value_cells import Facts


def check_grades(policy: Policy, words: Mapping[str, str]) -> Iterator[Problem]:
    """Everything wrong with a policy's own grades, in the words of the vocabulary that its file uses."""
    rules = policy.grades
    cases = Cases(Facts.of(policy), [rule.when for rule in rules])
    for index, rule in enumerate(rules):
        yield from _reachable(cases, rules[:index], rule)
    for key in cases.compared():
        yield from _Line(cases, rules, key, spoken(key, words)).problems()
    if rules and all(rule.when is not None for rule in rules):
        yield problem(rules[-1].pos, "grade_no_rest")


def _reachable(cases: Cases, earlier: tuple[GradeRule, ...], rule: GradeRule) -> Iterator[Problem]:
    if cases.possible((rule.when, True)) is False:
        yield problem(rule.pos, "grade_impossible", grade=rule.grade)
        return
    if covering := _covering(cases, earlier, rule.when):
        yield _covered("grade_unreachable", rule.pos, covering, grade=rule.grade)
        return
    for pos, way in ways(rule.when) if rule.when is not None else ():
        if cases.possible((way, True)) is False:
            yield problem(pos, "contradiction")
        elif covering := _covering(cases, earlier, way):
            yield _covered("grade_part_covered", pos, covering)


def _covering(cases: Cases, earlier: tuple[GradeRule, ...], when: x.Condition | None) -> tuple[GradeRule, ...]:
    """The earlier grades that take every case of a condition, no more than are needed; empty if a case is left.

    A last grade without `if` is a safety net: that others leave it nothing to catch is nothing to mend.
    """
    if not earlier or cases.possible((when, True), *((one.when, False) for one in earlier)) is not False:
        return ()
    for one in earlier:
        if cases.possible((when, True), (one.when, False)) is False:
            return (one,)
    if when is None:
        return ()
    needed = list(earlier)
    for one in earlier:
        without = [other for other in needed if other is not one]
        if cases.possible((when, True), *((other.when, False) for other in without)) is False:
            needed = without
    return tuple(needed)


def _covered(code: str, pos: x.Position, covering: tuple[GradeRule, ...], **words: str) -> Problem:
    if len(covering) == 1:
        return problem(pos, code, earlier=covering[0].grade, line=covering[0].pos.line, **words)
    names = "`, `".join(one.grade for one in covering)
    return problem(pos, f"{code}_by_several", earlier=names, **words)


# --- thresholds of one fact ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Run:
    """Cells beside one another, `first` to `last`, that go the same way."""

    first: int
    last: int
    grade: int


class _Line:
    """What becomes of a case that has one fact only, from its least value to its greatest."""

    def __init__(self, cases: Cases, rules: tuple[GradeRule, ...], key: str, called: str) -> None:
        self._rules = rules
        self._called = called
        self._cells = cases.line(key)
        reading = [rule.when is not None and any(_reads(node, key) for node in x.walk(rule.when)) for rule in rules]
        self._reading = [*reading, False]
        self._holds = [
            [rule.when is None or cases.holds_at(rule.when, key, cell) for cell in self._cells] for rule in rules
        ]
        none = len(rules)
        self._grades = [
            next((number for number in range(none) if self._holds[number][cell]), none)
            for cell in range(len(self._cells))
        ]

    def problems(self) -> Iterator[Problem]:
        yield from self._gaps()
        for number in range(len(self._rules)):
            if self._reading[number]:
                yield from self._overlaps(number)

    def _gaps(self) -> Iterator[Problem]:
        """Values that fall through to the rest, between those of two grades."""
        runs = _runs(self._grades)
        for below, hole, above in zip(runs, runs[1:], runs[2:], strict=False):
            fallen = not self._reading[hole.grade] and hole.grade > max(below.grade, above.grade)
            if fallen and below.grade != above.grade and self._reading[below.grade] and self._reading[above.grade]:
                milder = self._rules[max(below.grade, above.grade)]
                names = {"lower": self._rules[below.grade].grade, "upper": self._rules[above.grade].grade}
                yield problem(milder.pos, "threshold_gap", fact=self._called, span=self._span(hole), **names)

    def _overlaps(self, number: int) -> Iterator[Problem]:
        """A bound of a milder grade that lies inside a worse one."""
        worse = [grade < number for grade in self._grades]
        for run in _runs([int(holds) for holds in self._holds[number]]):
            if not run.grade or all(worse[run.first : run.last + 1]):
                continue
            inside = [part for part in _runs([int(one) for one in worse]) if part.grade]
            for part in inside:
                at_top = part.first <= run.last < min(part.last + 1, len(worse) - 1) and part.first > run.first
                at_bottom = max(part.first, 1) <= run.first <= part.last and part.last < run.last
                if at_top or at_bottom:
                    both = _Run(max(part.first, run.first), min(part.last, run.last), 0)
                    upper = self._rules[self._grades[both.first]].grade
                    words = {"upper": upper, "lower": self._rules[number].grade, "fact": self._called}
                    yield problem(self._rules[number].pos, "threshold_overlap", span=self._span(both), **words)

    def _span(self, run: _Run) -> Hint:
        low, high = self._cells[run.first].low, self._cells[run.last].high
        if low == high:
            return Hint("exactly", show_constant(low))
        return Hint("from_to", f"{_bound(low)} … {_bound(high)}")


def _bound(value: Any) -> str:
    return "" if value is None else show_constant(value)


def _reads(node: x.Node, key: str) -> bool:
    return isinstance(node, x.Fact | x.EventField) and show(node) == key


def _runs(marks: list[int]) -> list[_Run]:
    runs: list[_Run] = []
    for index, mark in enumerate(marks):
        if runs and runs[-1].grade == mark:
            runs[-1] = _Run(runs[-1].first, index, mark)
        else:
            runs.append(_Run(index, index, mark))
    return runs
