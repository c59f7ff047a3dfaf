"""Notifications that nobody has a delivery of yet, because their hour has not come: quiet or opening hours."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from reeve.runtime.store.delivery_search import Wanted
from reeve.runtime.store.mongo import Database, Document, store_errors
from reeve.runtime.store.notifications import Requested, requested_of

Row = dict[str, Any]


async def waiting_for_their_hour(database: Database, wanted: Wanted, now: datetime, most: int) -> list[Row]:
    """A row for each that fits, the next one first; none if a person or channel is asked for. Raises StoreAway."""
    if wanted.recipient is not None or wanted.channel is not None or not (wanted.held or wanted.states is None):
        return []
    query: Document = {"state": "requested", "look_at": {"$gt": now}}
    if wanted.site is not None:
        query["site"] = wanted.site
    if wanted.case is not None:
        query["case"] = wanted.case
    if wanted.since is not None:
        query["requested_at"] = {"$gte": wanted.since}
    with store_errors():
        found = await database["notifications"].find(query).sort("look_at", 1).limit(most).to_list()
    asked = [requested_of(each) for each in found]
    return [_row(each, hour) for each in asked if (hour := each.next_hour(now)) is not None]


def _row(asked: Requested, hour: datetime) -> Row:
    """Like the row of a delivery, without the name that only deliveries have."""
    case, wanted = asked.effect.case, asked.wanted
    return {
        "id": None,
        "requested_at": asked.requested_at,
        "site": case.site,
        "case": str(case),
        "step": wanted.step,
        "message": wanted.message,
        "role": ", ".join(role for role in wanted.to if role not in asked.told),
        "recipient": None,
        "channel": None,
        "provider": None,
        "state": "requested",
        "reason": None,
        "waits_for": {"for": "hours", "until": hour, "together": 1},
        "attempts": 0,
        "segments": 0,
        "sends": 0,
        "merged": 0,
        "into": None,
        "silence": None,
        "resend_of": None,
        "by": None,
        "notification": asked.key,
    }
