"""A person puts one case on the policy file of a version, or back on the current one: their choice, on record.

It is decided by the core and committed on the version of the case that was read, like everything else; whoever was
faster makes it be decided again. Its messages stand in the outbox, from where a running replica publishes them.
"""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from typing import Any

import orjson

from reeve.domain.case import Case
from reeve.domain.errors import PolicyMissing, ReeveError
from reeve.domain.inputs import Revise
from reeve.ports import CaseRecord, Conflict, TimeSource
from reeve.runtime.bus.lanes import lane_of_case
from reeve.runtime.verdicts import MOST_CONFLICTS
from services.escalation.batch import decide_batch
from services.escalation.loop import Rules
from services.escalation.outcome import Outcome
from services.escalation.timers import Alarm
from services.escalation.work import ReviseWork


class NotRepinned(ReeveError):
    """The case stays on its file; the text says why."""


@dataclass(frozen=True, slots=True)
class Repinned:
    """What a person's choice did."""

    was: str
    """Digest of the policy file before."""
    now: str
    lines: tuple[dict[str, Any], ...]
    """The timeline lines it caused, `adopted` first; empty: the case was on that file already."""
    alarms: tuple[Alarm, ...]
    """Schedules to set on the bus; without them a running replica comes a few seconds late."""


async def repin(record: CaseRecord, rules: Rules, case: Case, choice: Revise, time: TimeSource) -> Repinned:
    """The case runs on the policy file of digest `choice.to`, whatever `on_change` says, and says who chose it.

    `choice.at` is put right at each try. Raises NotRepinned, StoreAway, and Conflict if others change the case all
    the time.
    """
    to = choice.to or case.digest
    case_id = str(case.key)
    for attempt in range(MOST_CONFLICTS):
        await rules.recall(to)
        work = ReviseWork(case_id, lane_of_case(case), choice)
        outcome = await decide_batch(record, [work], rules.bundle, time.now())
        if digests := _missing(outcome):
            if any([await rules.recall(digest) for digest in digests if digest != to]):
                continue
            raise NotRepinned(f"No recorded version of the rules has that file for policy {case.key.policy}.")
        for failure in outcome.failures.values():
            raise NotRepinned(failure.reason) from failure.error
        lines = tuple(line for row in outcome.changes.decisions for line in orjson.loads(row.lines))
        if not outcome.changes.cases:
            return Repinned(case.digest, case.digest, (), ())
        try:
            await record.commit(outcome.changes)
        except Conflict:
            await asyncio.sleep(random.uniform(0, 0.01 * 2 ** min(attempt, 5)))
            continue
        adopted = next((line for line in lines if line["effect"] == "adopted"), None)
        was = adopted["was"] if adopted is not None else case.digest
        return Repinned(was, to, lines, tuple(outcome.alarms))
    raise Conflict(f"{case_id} is being changed by others all the time; try again")


def _missing(outcome: Outcome) -> set[str]:
    errors = (failure.error for failure in outcome.failures.values())
    return {error.digest for error in errors if isinstance(error, PolicyMissing)}
