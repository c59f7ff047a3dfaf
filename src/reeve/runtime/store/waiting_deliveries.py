"""Collection `deliveries`, as far as they wait for their moment: a retry, a window, a digest, another day."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Collection, Sequence
from datetime import datetime

from pymongo import UpdateOne

from reeve.runtime.store.deliveries import COLLECTION, Attempt, Delivery, Hold, delivery_of
from reeve.runtime.store.delivery import attempt_document
from reeve.runtime.store.mongo import Collection as MongoCollection
from reeve.runtime.store.mongo import Database, Document, store_errors

_AT_ONCE = 500


class WaitingDeliveries:
    """Raises StoreAway when the record can't be reached."""

    def __init__(self, database: Database) -> None:
        self._collection: MongoCollection = database[COLLECTION]
        self._notifications: MongoCollection = database["notifications"]

    async def of_cases(self, cases: Collection[str], now: datetime) -> list[Delivery]:
        """Those of these cases that wait for a moment later than `now`; nobody has them in hand."""
        with store_errors():
            # By their notifications, which have an index; deliveries have none by case.
            asked = await self._notifications.find({"case": {"$in": list(cases)}}, {"_id": 1}).to_list()
            if not asked:
                return []
            query = _waiting(now) | {"notification": {"$in": [each["_id"] for each in asked]}}
            return [delivery_of(each) for each in await self._collection.find(query).to_list()]

    async def all(self, now: datetime) -> AsyncIterator[list[Delivery]]:
        """All that wait for a moment later than `now`, some hundred at a time."""
        batch: list[Delivery] = []
        with store_errors():
            async for each in self._collection.find(_waiting(now)):
                batch.append(delivery_of(each))
                if len(batch) == _AT_ONCE:
                    yield batch
                    batch = []
        if batch:
            yield batch

    async def withdraw(self, those: Sequence[tuple[Delivery, Attempt]]) -> Counter[str]:
        """They are suppressed, and the attempt says why; how many of each channel this call has changed.

        One that somebody has taken since stays his, and one that another replica has withdrawn is counted there.
        """
        changes: dict[str, list[UpdateOne]] = {}
        for delivery, why in those:
            change = UpdateOne(
                {"_id": delivery.id, "state": "queued", "due_at": delivery.due_at},
                {"$set": _suppressed(why.at), "$push": {"attempts": attempt_document(why)}},
            )
            changes.setdefault(delivery.channel, []).append(change)
        gone: Counter[str] = Counter()
        with store_errors():
            for channel, of_channel in changes.items():
                # The record says how many of one call changed, not which: so one call for each channel.
                gone[channel] = (await self._collection.bulk_write(of_channel, ordered=False)).modified_count
        return gone

    async def put_off(self, those: Collection[Delivery], due_at: datetime, hold: Hold, group: str) -> None:
        """What is claimed is queued for that moment, untried, and goes out with what else is of the group then."""
        changes = [
            UpdateOne(
                {"_id": each.id, "state": "claimed", "claim": each.claim},
                {"$set": {"state": "queued", "claim": None, "due_at": due_at, "hold": hold, "group": group}},
            )
            for each in those
        ]
        with store_errors():
            await self._collection.bulk_write(changes, ordered=False)


def _waiting(now: datetime) -> Document:
    return {"open": True, "state": "queued", "due_at": {"$gt": now}}


def _suppressed(at: datetime) -> Document:
    settled: Document = {"unpublished": True, "settled_at": at}
    return {"state": "suppressed", "open": False, "claim": None, "due_at": at} | settled
