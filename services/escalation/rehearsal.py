"""What other rules would do to open cases at once: decided for real on a sample, and nothing of it kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson

from reeve.domain.bundle import Bundle
from reeve.ports import CaseRecord
from services.escalation.batch import decide_batch
from services.escalation.work import Item, ReviseWork

_AT_ONCE = 100


@dataclass(slots=True)
class Rehearsal:
    """What would happen to the sampled cases of one policy the moment they follow."""

    policy: str
    looked_at: int = 0
    """Cases of the sample."""
    grades: Counter[tuple[str | None, str]] = field(default_factory=Counter)
    """(grade before, grade after) → cases."""
    breached: int = 0
    """Clocks that would run out at once."""
    notifications: int = 0
    """Notifications that would be requested at once."""
    closed: int = 0
    failed: int = 0
    """Cases that could not be decided."""

    @property
    def quiet(self) -> bool:
        """Whether nothing would happen but that the cases go on with another file."""
        return not (self.grades or self.breached or self.notifications or self.closed or self.failed)

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "policy": self.policy,
            "looked_at": self.looked_at,
            "grades": [{"was": was, "grade": grade, "cases": n} for (was, grade), n in self.grades.most_common()],
            "breached": self.breached,
            "notifications": self.notifications,
            "closed": self.closed,
            "failed": self.failed,
        }


async def rehearse(
    record: CaseRecord, bundle: Bundle, policy: str, case_ids: Sequence[str], now: datetime
) -> Rehearsal:
    """The cases, revised at `now` under `bundle` as the sweep after an activation would; nothing is written.

    Raises StoreAway.
    """
    found = Rehearsal(policy)
    for start in range(0, len(case_ids), _AT_ONCE):
        some = case_ids[start : start + _AT_ONCE]
        items: list[Item] = [ReviseWork(case_id, lane=-1) for case_id in some]
        outcome = await decide_batch(record, items, bundle, now)
        found.looked_at += len(some)
        found.failed += len(outcome.failures)
        for row in outcome.changes.decisions:
            found.notifications += len(row.requested)
            for line in orjson.loads(row.lines):
                match line["effect"]:
                    case "graded":
                        found.grades[line["was"], line["grade"]] += 1
                    case "breached":
                        found.breached += 1
                    case "closed":
                        found.closed += 1
    return found
