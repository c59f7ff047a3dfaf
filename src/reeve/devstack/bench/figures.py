"""What a benchmark says: figures with their unit, and the bar of the design where there is one."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from typing import Literal as OneOf


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of one section."""

    section: str
    what: str
    value: float
    unit: str
    bar: float | None = None
    """What the design asks for; None: a figure for orientation."""
    better: OneOf["more", "less"] = "more"
    runs: tuple[float, ...] = ()
    """Each run's own value, in the order of the runs; `value` is their median."""

    @property
    def met(self) -> bool | None:
        """Whether the bar is met; None without one."""
        if self.bar is None:
            return None
        return self.value >= self.bar if self.better == "more" else self.value <= self.bar

    def as_json(self) -> dict[str, Any]:
        """The line that `reeve bench --json` prints."""
        return {
            "section": self.section,
            "what": self.what,
            "value": round(self.value, 3),
            "unit": self.unit,
            "bar": self.bar,
            "met": self.met,
            "runs": [round(run, 3) for run in self.runs],
        }


def median_of(
    section: str,
    what: str,
    runs: Sequence[float],
    unit: str,
    bar: float | None = None,
    better: OneOf["more", "less"] = "more",
) -> Figure:
    """The median of several runs as a figure."""
    return Figure(section, what, statistics.median(runs), unit, bar, better, tuple(runs))


def percentile(values: Sequence[float], percent: float) -> float:
    """The value that this share of the values does not exceed; values must not be empty."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def ratio_of(
    section: str,
    what: str,
    ours: Sequence[float],
    reference: Sequence[float],
    bar: float | None = None,
    better: OneOf["more", "less"] = "more",
) -> Figure:
    """The median of ours ÷ reference, run by run: what disturbs the machine disturbs both of a pair."""
    return median_of(section, what, [a / b for a, b in zip(ours, reference, strict=True)], "times", bar, better)
