"""What notify adds to a case's timeline: that nobody could be reached and who was told instead, or that a message
was not sent any more.

The entries are decisions like escalation's own, under keys of their own, and escalation publishes what of them
belongs on cases.> from the same outbox.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import orjson

from reeve.contracts.outgoing import messages_of
from reeve.contracts.timeline import timeline_line
from reeve.domain.bundle import SiteSettings
from reeve.domain.case import Case
from reeve.domain.effects import Effect
from reeve.domain.facts import zone_of
from reeve.ports import DecisionRow, Message
from reeve.runtime.bus.lanes import lane_of_case
from reeve.runtime.store.cases import append_decisions
from reeve.runtime.store.mongo import Database


def timeline_entry(
    key: str, effects: Sequence[Effect], case: Case, site: SiteSettings, bundle: str, now: datetime
) -> DecisionRow:
    """The entry of these lines; `key` makes it one of a kind: written again it is the same entry."""
    zone = zone_of(site.zone)
    lines = orjson.dumps([timeline_line(effect, zone) for effect in effects])
    messages = tuple(
        Message(message.subject, message.id, message.body)
        for effect in effects
        for message in messages_of(effect, case, zone)
    )
    return DecisionRow(
        case=str(case.key),
        version=case.version,
        at=now,
        event=None,
        event_key=None,
        bundle=bundle,
        lines=lines,
        messages=messages,
        requested=(),
        lane=lane_of_case(case),
        key=f"n:{key}",
    )


class TimelineWriter:
    """Raises StoreAway when the record can't be reached."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def write(self, entries: Sequence[DecisionRow]) -> None:
        """Each entry stands in the record, once, and escalation publishes its messages."""
        await append_decisions(self._database, entries)
