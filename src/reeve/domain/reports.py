"""A report: the cases of a period, counted by what they have in common. Source: COMPLAINT-14, FEE-14."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from reeve.domain.bundle import Matcher
from reeve.domain.case import Case
from reeve.domain.facts import typed
from reeve.domain.sampling import in_sample
from reeve.domain.schedules import Report

COUNT = "count"
"""The column of how many cases a row stands for; `having` reads it."""


@dataclass(frozen=True, slots=True)
class Table:
    """What a report says. Values are text, numbers, or None where a case has no such fact."""

    columns: tuple[str, ...]
    """The names of `by`, `count`, then those of `sum`."""
    rows: tuple[tuple[Any, ...], ...]
    """The most cases first."""
    cases: int
    """How many cases there were, those of rows that `having` left out included."""


def tabulate(report: Report, cases: Iterable[Case], matcher: Matcher) -> Table:
    """The table of these cases: of the report's policies, opened in its period, in any order."""
    counts: dict[tuple[Any, ...], int] = {}
    sums: dict[tuple[Any, ...], list[Decimal]] = {}
    seen = 0
    for case in cases:
        if report.sample is not None and not in_sample(case.key, report.sample):
            continue
        scope = scope_of_case(case)
        if report.when is not None and not matcher.holds(report.when, scope):
            continue
        seen += 1
        row = tuple(_shown(scope.get(name)) for name in report.by)
        counts[row] = counts.get(row, 0) + 1
        totals = sums.setdefault(row, [Decimal(0)] * len(report.sum))
        for index, name in enumerate(report.sum):
            value = scope.get(name)
            totals[index] += value if isinstance(value, Decimal | int) and not isinstance(value, bool) else 0
    rows = [
        (*row, count, *sums[row])
        for row, count in counts.items()
        if report.having is None or matcher.holds(report.having, _row_scope(report, row, count))
    ]
    place = len(report.by)
    rows.sort(key=lambda row: (-row[place], [str(value) for value in row[:place]]))
    return Table((*report.by, COUNT, *report.sum), tuple(rows), seen)


def _row_scope(report: Report, row: tuple[Any, ...], count: int) -> dict[str, Any]:
    return {**{name: value for name, value in zip(report.by, row, strict=True) if value is not None}, COUNT: count}


def scope_of_case(case: Case) -> dict[str, Any]:
    """What a report's conditions see of a case: its facts, and the names that only reports have."""
    scope: dict[str, Any] = {name: typed(name, value) for name, value in case.facts.items() if value is not None}
    computed: Mapping[str, Any] = {
        "case": case.key.subject,
        "policy": case.key.policy,
        "site": case.key.site,
        "grade": case.grade,
        "grade_was": case.grade_was,
        "owed_cny": case.account.owed if case.account else None,
        "state": "open" if case.open else "closed",
        "outcome": case.outcome,
        "breached": [name for name, clock in case.clocks.items() if clock.breached_at is not None],
    }
    return scope | {name: value for name, value in computed.items() if value is not None}


def _shown(value: Any) -> Any:
    """A value as it stands in a row: lists and objects, which any field may hold, as text: equal ones meet."""
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return json.dumps(value, ensure_ascii=False, sort_keys=True) if isinstance(value, dict) else value
