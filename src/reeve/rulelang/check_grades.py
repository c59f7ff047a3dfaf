"""Grades that can't be reached, and thresholds that leave a gap or overlap."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from reeve.domain.bundle import GradeRule, Policy
from reeve.rulelang.known_names import FIELD_KINDS
from reeve.rulelang.problems import Hint, Problem, problem
from reeve.rulelang.regions import Alternatives, Interval, alternatives
from reeve.rulelang.show import show_constant


def check_grades(policy: Policy) -> Iterator[Problem]:
    """Everything wrong with a policy's own grades."""
    ways = [alternatives(rule.when) for rule in policy.grades]
    for index, rule in enumerate(policy.grades):
        yield from _reachable(policy.grades, ways, index, rule)
    yield from _thresholds(policy, ways)
    if policy.grades and all(rule.when is not None for rule in policy.grades):
        yield problem(policy.grades[-1].pos, "grade_no_rest")


def _reachable(
    rules: tuple[GradeRule, ...], ways: list[Alternatives | None], index: int, rule: GradeRule
) -> Iterator[Problem]:
    mine = ways[index]
    if mine is None:
        return
    possible = [way for way in mine if not way.contradictory()]
    if not possible:
        yield problem(rule.pos, "grade_impossible", grade=rule.grade)
        return
    covered: dict[int, GradeRule] = {}
    for number, way in enumerate(possible):
        for earlier, theirs in zip(rules[:index], ways[:index], strict=True):
            if theirs is not None and any(way.implies(other) for other in theirs if not other.contradictory()):
                covered[number] = earlier
                break
    if len(covered) == len(possible):
        earlier = covered[0]
        line = earlier.pos.line
        yield problem(rule.pos, "grade_unreachable", grade=rule.grade, earlier=earlier.grade, line=line)
        return
    for number, earlier in covered.items():
        pos = possible[number].pos
        yield problem(pos, "grade_part_covered", earlier=earlier.grade, line=earlier.pos.line)


@dataclass(frozen=True)
class _Stretch:
    """Values of one fact that alone make a grade."""

    index: int
    rule: GradeRule
    interval: Interval


def _thresholds(policy: Policy, ways: list[Alternatives | None]) -> Iterator[Problem]:
    stretches: dict[str, list[_Stretch]] = {}
    for index, (rule, mine) in enumerate(zip(policy.grades, ways, strict=True)):
        for way in mine or ():
            if len(way.regions) == 1 and not way.opaque and not way.absent and not way.never:
                ((key, region),) = way.regions.items()
                if region.interval is not None and not region.interval.empty():
                    stretches.setdefault(key, []).append(_Stretch(index, rule, region.interval))
    for key, found in stretches.items():
        if len({type(_bound(one.interval)) for one in found}) == 1:
            yield from _gaps(policy, key, found)
            yield from _overlaps(key, found)


def _bound(interval: Interval) -> object:
    return interval.low if interval.low is not None else interval.high


def _gaps(policy: Policy, key: str, found: list[_Stretch]) -> Iterator[Problem]:
    """Holes between the stretches: between the end of one and the next that begins above it."""
    for lower in found:
        end = lower.interval.high
        above = [one for one in found if one.interval.low is not None and end is not None]
        beyond = Interval(end, not lower.interval.high_in, None, True)
        if end is None or any(_reaches_past(one.interval, beyond) for one in found if one is not lower):
            continue
        if not (nexts := [one for one in above if one.interval.low >= end]):
            continue
        upper = min(nexts, key=lambda one: (one.interval.low, not one.interval.low_in))
        low, high = end, upper.interval.low
        if _whole(policy, key) and high - low <= (1 if lower.interval.high_in and upper.interval.low_in else 0):
            continue
        if lower.rule.grade != upper.rule.grade:
            names = {"upper": upper.rule.grade, "lower": lower.rule.grade}
            yield problem(lower.rule.pos, "threshold_gap", fact=key, span=_span(low, high), **names)


def _reaches_past(interval: Interval, beyond: Interval) -> bool:
    """Whether an interval holds the first values above an end."""
    starts = (
        interval.low is None
        or interval.low < beyond.low
        or (interval.low == beyond.low and (interval.low_in or not beyond.low_in))
    )
    ends = (
        interval.high is None
        or interval.high > beyond.low
        or (interval.high == beyond.low and interval.high_in and beyond.low_in)
    )
    return bool(starts and ends)


def _whole(policy: Policy, key: str) -> bool:
    """Whether a fact only has whole numbers: what is counted."""
    counted = key in {count.name for count in policy.counts}
    return counted or (not key.endswith("_cny") and FIELD_KINDS.get(policy.family, {}).get(key) == "number")


def _overlaps(key: str, found: list[_Stretch]) -> Iterator[Problem]:
    """A milder grade written with an upper bound that reaches into a worse one."""
    for lower in found:
        if lower.interval.high is None:
            continue
        for upper in found:
            both = upper.interval.meet(lower.interval)
            apart = upper.interval.low is None or lower.interval.inside(upper.interval)
            if upper.index >= lower.index or apart or both.empty():
                continue
            names = {"upper": upper.rule.grade, "lower": lower.rule.grade}
            span = _span(both.low, both.high)
            yield problem(lower.rule.pos, "threshold_overlap", fact=key, span=span, **names)


def _span(low: Decimal, high: Decimal) -> Hint:
    if low == high:
        return Hint("exactly", show_constant(low))
    return Hint("from_to", f"{show_constant(low)} … {show_constant(high)}")
