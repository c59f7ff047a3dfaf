"""Deliveries that were not sent on purpose, and may be after all: a silence has ended, an email did not arrive."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from pymongo import UpdateOne

from reeve.runtime.store.deliveries import COLLECTION, Delivery, Hold, delivery_of
from reeve.runtime.store.mongo import Collection as MongoCollection
from reeve.runtime.store.mongo import Database, Document, store_errors


@dataclass(frozen=True, slots=True)
class AfterAll:
    """One of them is sent."""

    id: str
    due_at: datetime
    group: str
    """What else of this name is due goes out with it."""
    hold: Hold = ""
    silence: str | None = None
    """It is hidden by this other silence instead."""


class SuppressedStore:
    """Raises StoreAway when the record can't be reached."""

    def __init__(self, database: Database) -> None:
        self._collection: MongoCollection = database[COLLECTION]

    async def hidden_by(self, silence: str) -> list[Delivery]:
        """The deliveries a silence hides, and those it hid and that have gone since; oldest first."""
        query = {"silence": silence}
        with store_errors():
            documents = await self._collection.find(query).sort([("at", 1), ("_id", 1)]).to_list()
        return [delivery_of(each) for each in documents]

    async def send(self, those: Iterable[AfterAll]) -> int:
        """They are queued, or hidden by another silence; how many were still suppressed. Again changes nothing."""
        changes = [UpdateOne({"_id": each.id, "state": "suppressed"}, {"$set": _values(each)}) for each in those]
        if not changes:
            return 0
        with store_errors():
            return (await self._collection.bulk_write(changes, ordered=False)).modified_count


def _values(each: AfterAll) -> Document:
    if each.silence is not None:
        return {"silence": each.silence}
    waits: Document = {"due_at": each.due_at, "hold": each.hold, "group": each.group}
    return {"state": "queued", "open": True, "claim": None} | waits
