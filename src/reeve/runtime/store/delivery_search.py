"""Collection `deliveries`, as people look through it: the latest, and one by the name it is called."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from reeve.runtime.store.deliveries import COLLECTION, Delivery, delivery_of
from reeve.runtime.store.mongo import Database, Document, store_errors
from reeve.runtime.store.short_ids import as_typed

_MOST_ALIKE = 20


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which deliveries; None takes all."""

    site: str | None = None
    case: str | None = None
    """`<site>/<policy>/<subject>`."""
    recipient: str | None = None
    channel: str | None = None
    states: Sequence[str] | None = None
    held: bool = False
    """Only those that wait on purpose."""
    since: datetime | None = None
    """Asked for at this moment or later."""


async def latest(database: Database, wanted: Wanted, most: int) -> list[Delivery]:
    """At most so many, the last one asked for first. Raises StoreAway."""
    query: Document = {
        name: value
        for name, value in {
            "site": wanted.site,
            "recipient": wanted.recipient,
            "channel": wanted.channel,
        }.items()
        if value is not None
    }
    if wanted.states is not None:
        query["state"] = {"$in": list(wanted.states)}
    if wanted.held:
        query |= {"state": "queued", "hold": {"$nin": ["", None]}}
    if wanted.since is not None:
        query["requested_at"] = {"$gte": wanted.since}
    with store_errors():
        if wanted.case is not None:
            # By its notifications, which have an index; deliveries have none by case.
            asked = await database["notifications"].find({"case": wanted.case}, {"_id": 1}).to_list()
            query["notification"] = {"$in": [each["_id"] for each in asked]}
        cursor = database[COLLECTION].find(query).sort("requested_at", -1).limit(most)
        return [delivery_of(each) for each in await cursor.to_list()]


async def named(database: Database, text: str) -> list[Delivery]:
    """Those that a person may mean: by (the beginning of) a short name, a whole id, or a notification's id.

    A few at most, in the order of their names. Raises StoreAway.
    """
    name = as_typed(text)
    either: list[Document] = [{"_id": text}, {"notification": text}]
    if name is not None:
        either.append({"short": {"$regex": f"^{re.escape(name)}"}})
    with store_errors():
        found = await database[COLLECTION].find({"$or": either}).sort("_id", 1).limit(_MOST_ALIKE).to_list()
    return [delivery_of(each) for each in found]


async def of_one_notification(database: Database, notification: str) -> list[Delivery]:
    """Everything that was tried for it, in the order asked for. Raises StoreAway."""
    with store_errors():
        found = await database[COLLECTION].find({"notification": notification}).to_list()
    return sorted((delivery_of(each) for each in found), key=lambda each: (each.requested_at, each.id))


async def waiting_in_group(database: Database, group: str) -> int:
    """How many deliveries wait to go out together. Raises StoreAway."""
    with store_errors():
        return await database[COLLECTION].count_documents({"open": True, "group": group})
