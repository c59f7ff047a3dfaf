"""How much may differ before `reeve rules backtest` ends with 1: what a pipeline asks of a change of rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from reeve.runtime.backtest.findings import Findings, differs, sums


class FailOn(StrEnum):
    """Differences that make the command end with 1."""

    any = "any"
    grades = "grades"
    breaches = "breaches"
    notifications = "notifications"
    sms = "sms"
    worse = "worse"


class UnknownKind(ValueError):
    """No difference has this name."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """None and empty: no bound."""

    kinds: frozenset[FailOn] = frozenset()
    changed: int | None = None
    """Cases that may differ."""
    breaches: int | None = None
    """Breaches that may be gained."""
    sms: int | None = None
    """SMS segments that may be added."""


def kinds_of(given: Sequence[str]) -> frozenset[FailOn]:
    """The kinds named, each text one or several separated by commas. Raises UnknownKind."""
    words = [word.strip() for each in given for word in each.split(",") if word.strip()]
    unknown = [word for word in words if word not in set(FailOn)]
    if unknown:
        raise UnknownKind(f"--fail-on {unknown[0]}: one of {', '.join(FailOn)}.")
    return frozenset(map(FailOn, words))


def beyond(found: Findings, bounds: Bounds) -> list[str]:
    """The bounds that the differences exceed, each as its option and what was found; empty: within all."""
    total = sums(found)
    breaches, sms = total["breaches"], total["sms_segments"]
    unreached = found["undeliverable"]
    more_sms = sms["after"] - sms["before"]
    told = any(row["before"] != row["after"] for row in found["notifications"])
    worse = breaches["gained"] or total["cases_opened"]["lost"] or unreached["after"] > unreached["before"]
    holds = {
        FailOn.any: differs(found),
        FailOn.grades: bool(found["grades"]),
        FailOn.breaches: bool(breaches["gained"] or breaches["lost"] or breaches["moved"]),
        FailOn.notifications: told,
        FailOn.sms: more_sms != 0,
        FailOn.worse: bool(worse),
    }
    limits = (
        ("max-changed", found["changed_cases"], bounds.changed),
        ("max-breaches", breaches["gained"], bounds.breaches),
        ("max-sms", more_sms, bounds.sms),
    )
    return [f"fail-on {kind}" for kind in FailOn if kind in bounds.kinds and holds[kind]] + [
        f"{name} {most}: {count}" for name, count, most in limits if most is not None and count > most
    ]
