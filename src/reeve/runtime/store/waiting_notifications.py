"""Collection `notifications`, as far as they wait for their hour: nobody has a delivery of their roles yet."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from datetime import datetime

from reeve.runtime.store.mongo import Collection as MongoCollection
from reeve.runtime.store.mongo import Database, Document, store_errors
from reeve.runtime.store.notifications import COLLECTION, Requested, requested_of

_AT_ONCE = 500


class WaitingNotifications:
    """Raises StoreAway when the record can't be reached."""

    def __init__(self, database: Database) -> None:
        self._collection: MongoCollection = database[COLLECTION]

    async def of_cases(self, cases: Collection[str], now: datetime) -> list[Requested]:
        """Those of these cases all of whose untold roles wait for an hour later than `now`."""
        query = _waiting(now) | {"case": {"$in": list(cases)}}
        with store_errors():
            found = [requested_of(each) for each in await self._collection.find(query).to_list()]
        return [each for each in found if not each.due_roles(now)]

    async def all(self, now: datetime) -> AsyncIterator[list[Requested]]:
        """All of which that is so, some hundred at a time."""
        batch: list[Requested] = []
        with store_errors():
            async for each in self._collection.find(_waiting(now)):
                # One that was asked for this moment has a look ahead of it, too, but no hour.
                if not (requested := requested_of(each)).due_roles(now):
                    batch.append(requested)
                if len(batch) == _AT_ONCE:
                    yield batch
                    batch = []
        if batch:
            yield batch


def _waiting(now: datetime) -> Document:
    return {"state": "requested", "look_at": {"$gt": now}}
