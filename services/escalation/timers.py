"""A case's one schedule on the bus: a stored message that becomes a tick at the case's next moment.

It is only a wake-up. `next_due` in the record is the truth, and a tick re-reads the case.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from reeve.contracts.subjects import timer_due_subject, timer_subject
from reeve.domain.case import Case, CaseKey
from reeve.ports import Message

TICK_KEPT = "1h"
"""How long a tick that nobody takes stays on the bus; after that the reconciler has long run the case."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """A wish to be woken."""

    key: CaseKey
    version: int
    at: datetime
    lane: int
    again: str = ""
    """Tells a repeated wish for the same version from the first one, which the bus would call a duplicate."""

    @classmethod
    def of(cls, case: Case, lane: int, *, again_at: datetime | None = None) -> Alarm:
        """The wish for the case's next moment. Raises ValueError if it has none."""
        if case.next_due is None:
            raise ValueError("nothing is due on this case")
        at, again = case.next_due, ""
        if again_at is not None:
            again = f"~{int(again_at.timestamp() * 1000)}"
        return cls(case.key, case.version, at, lane, again)

    def message(self) -> Message:
        """The schedule: a message on the same subject replaces the one before.

        The bus rounds down to its own tick, so a moment is rounded up to the millisecond: never early.
        """
        at = (self.at.astimezone(UTC) + timedelta(microseconds=999)).isoformat(timespec="milliseconds")
        return Message(
            timer_subject(self.key),
            f"{self.key}#{self.version}@{at}{self.again}",
            b"",
            {
                "Nats-Schedule": f"@at {at.replace('+00:00', 'Z')}",
                "Nats-Schedule-Target": timer_due_subject(self.lane, self.key),
                "Nats-Schedule-TTL": TICK_KEPT,
            },
        )
