"""What asking for more time comes to: so much as is left of two hours for one step, and when it speaks again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from reeve.domain.case import Case
from reeve.domain.replies import MOST_MINUTES

MORE_TIME = "more_time"
"""The message to who asked by SMS or mail for more than was granted."""


@dataclass(frozen=True, slots=True)
class MoreTime:
    """What was asked for, and what is granted of it."""

    asked: int
    granted: int
    """Minutes; 0: no more is possible."""
    left: int
    """Minutes that can be granted after that."""
    next_at: datetime | None = None
    """When the step tells somebody next, with the minutes granted; None: nothing more is to come of it."""

    @property
    def less(self) -> bool:
        """Whether it is less than was asked for."""
        return self.granted < self.asked


def more_time(case: Case | None, step: str, asked: int, noted: int) -> MoreTime:
    """What is granted of `asked` minutes for a step of the case, None where nobody knows it.

    `noted`: minutes that were granted for the step in this run of the case, known to it by now or not.
    """
    state = case.steps.get(step) if case is not None else None
    known = state.delayed if state is not None else 0
    used = min(max(known, noted), MOST_MINUTES)
    granted = max(0, min(asked, MOST_MINUTES - used))
    ladder = state.ladder if state is not None else None
    next_at = ladder.next_at if ladder is not None else None
    if next_at is not None:
        next_at += timedelta(minutes=used - known + granted)
    return MoreTime(asked, granted, MOST_MINUTES - used - granted, next_at)
