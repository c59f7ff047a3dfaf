"""A comparison as data for reports and programs: counts before and after, and the cases that changed most.

Ids only; nothing here names a person or quotes what one typed (PRIVACY-01).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reeve.contracts.timeline import timeline_line
from reeve.domain.bundle import Bundle
from reeve.domain.comparison import CaseDifference, Comparison, Pair
from reeve.domain.facts import zone_of

_MOST_PEOPLE = 20

Findings = dict[str, Any]
"""JSON values only."""


def findings(comparison: Comparison, rules: Bundle) -> Findings:
    """All that differs and what it differs from; lists are in a fixed order, grades worst first as in `rules`."""
    found = comparison

    def place(policy: str, grade: str) -> tuple[str, int, str]:
        order = rules.policies[policy].grade_order if policy in rules.policies else ()
        return policy, order.index(grade) if grade in order else len(order), grade

    openings, breaches = sorted(found.openings.items()), sorted(found.breaches.items())
    return {
        "changed_cases": found.changed_cases,
        "adopted": found.adopted,
        "grades": [
            {"policy": policy, "from": before, "to": after, "cases": count}
            for (policy, before, after), count in sorted(found.grades.items(), key=lambda each: str(each[0]))
        ],
        "gradings": [
            {"policy": policy, "grade": grade, **_pair(pair)}
            for (policy, grade), pair in sorted(found.gradings.items(), key=lambda each: place(*each[0]))
        ],
        "cases_opened": [
            {"policy": policy, **_pair(each), "gained": each.gained, "lost": each.lost} for policy, each in openings
        ],
        "breaches": [
            {"policy": policy, "clock": clock, **_pair(each)}
            | {"gained": each.gained, "lost": each.lost, "moved": each.moved}
            for (policy, clock), each in breaches
        ],
        "undeliverable": _pair(found.undeliverable),
        "notifications": [{"role": role, **_pair(pair)} for role, pair in sorted(found.told.items())],
        "notifications_per_day": [
            {"day": day.isoformat(), "role": role, **_pair(pair)}
            for (day, role), pair in sorted(found.told_on.items())
        ],
        "people": [{"recipient": name, **_pair(pair)} for name, pair in found.people(_MOST_PEOPLE)],
        "messages": [{"channel": channel, **_pair(pair)} for channel, pair in sorted(found.deliveries.items())],
        "sms_segments": [{"role": role, **_pair(pair)} for role, pair in sorted(found.segments.items())],
        "sms_not_rendered": [
            {"message": message, **_pair(pair)} for message, pair in sorted(found.stand_ins.items())
        ],
    }


def sums(found: Findings) -> dict[str, dict[str, int]]:
    """What the lists come to: {before, after} of breaches, notifications and SMS segments, gained and lost ones."""
    names = ("breaches", "cases_opened", "notifications", "sms_segments")
    return {name: {key: sum(row.get(key, 0) for row in found[name]) for key in _SUMMED} for name in names}


_SUMMED = ("before", "after", "gained", "lost", "moved")


def case_findings(found: CaseDifference, bundle: Bundle) -> Findings:
    """One case: its lines of either side that the other lacks, as timeline lines in order of time."""
    zone = zone_of(bundle.site(found.case.site).zone)
    grades = found.grades or (None, None)
    return {
        "case": str(found.case),
        "weight": found.weight,
        "differences": found.count,
        "grade": {"before": grades[0], "after": grades[1]} if grades[0] != grades[1] else None,
        **{
            name: [timeline_line(line, zone) for line in sorted(lines, key=lambda line: line.at)]
            for name, lines in zip(("active", "candidate"), found.lines, strict=True)
        },
        "left_out": {"active": found.more[0], "candidate": found.more[1]},
    }


def differs(found: Mapping[str, Any]) -> bool:
    """Whether the candidate changes anything at all."""
    rows = (*found["notifications"], *found["messages"], *found["sms_segments"], *found["people"])
    return bool(found["changed_cases"]) or any(row["before"] != row["after"] for row in rows)


def _pair(pair: Pair) -> dict[str, int]:
    return {"before": pair.before, "after": pair.after}
