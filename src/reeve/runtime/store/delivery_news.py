"""Collection `deliveries`, as the outbox of notifications.>: what the bus has been told, and what it has not.

Whoever changes a delivery so that the bus should hear of it sets `unpublished`. What was told is kept by the name
of the outcome, so that of two that happen between two rounds neither is lost, and none is told again weeks later.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass
from datetime import datetime

from pymongo import UpdateMany

from reeve.runtime.store.deliveries import COLLECTION, Answer, Delivery, delivery_of
from reeve.runtime.store.mongo import Collection as MongoCollection
from reeve.runtime.store.mongo import Database, Document, store_errors


@dataclass(frozen=True, slots=True)
class News:
    """A delivery of which the bus may not have heard everything."""

    delivery: Delivery
    told: frozenset[str]
    """Names of the outcomes that it has acknowledged."""


class DeliveryNews:
    """Raises StoreAway when the record can't be reached."""

    def __init__(self, database: Database) -> None:
        self._collection: MongoCollection = database[COLLECTION]

    async def untold(self, most: int) -> list[News]:
        """Deliveries that have changed since the bus was told of them."""
        with store_errors():
            documents = await self._collection.find({"unpublished": True}).limit(most).to_list()
        return [News(delivery_of(each), frozenset(each.get("told", ()))) for each in documents]

    async def mark_told(self, told: Iterable[tuple[Delivery, Collection[str]]], now: datetime) -> None:
        """The bus has acknowledged these outcomes of each delivery, as it was read.

        One that has changed since is untold still: what is new of it comes in the next round.
        """
        alike: dict[tuple[object, ...], tuple[list[str], Document, Document]] = {}
        for delivery, names in told:
            answers = len(delivery.answers)
            seen = {
                "state": delivery.state,
                "attempts": {"$size": len(delivery.attempts)},
                "answers": {"$size": answers} if answers else None,
            }
            change = {
                "$set": {"published_at": now, **{f"told.{name}": now for name in sorted(names)}},
                "$unset": {"unpublished": ""},
            }
            key = (delivery.state, len(delivery.attempts), answers, *sorted(names))
            alike.setdefault(key, ([], seen, change))[0].append(delivery.id)
        writes = [UpdateMany({"_id": {"$in": ids}, **seen}, change) for ids, seen, change in alike.values()]
        if writes:
            with store_errors():
                await self._collection.bulk_write(writes, ordered=False)

    async def tell_again(self, since: datetime) -> int:
        """What was told since then counts as untold: another bus came back, which may lack it. How many changed."""
        older = {
            "$arrayToObject": {
                "$filter": {
                    "input": {"$objectToArray": {"$ifNull": ["$told", {}]}},
                    "cond": {"$lt": ["$$this.v", since]},
                }
            }
        }
        with store_errors():
            result = await self._collection.update_many(
                {"published_at": {"$gte": since}}, [{"$set": {"told": older, "unpublished": True}}]
            )
        return result.modified_count

    async def note_answer(
        self,
        notification: str,
        recipient: str,
        answer: Answer,
        channel: str | None = None,
    ) -> bool:
        """The answer stands at one of the recipient's deliveries of the notification, once, and will be told.

        `channel` is the one the answered message came on, if that is known. False: there is no such delivery, or
        the answer stands there already.
        """
        with store_errors():
            found = await self._collection.find({"notification": notification, "recipient": recipient}).to_list()
            if not found or any(answer.id == each["id"] for one in found for each in one.get("answers", ())):
                return False
            wanted = channel or answer.how
            one = min(found, key=lambda each: (each["channel"] != wanted, not _out(each), each["_id"]))
            result = await self._collection.update_one(
                {"_id": one["_id"], "answers.id": {"$ne": answer.id}},
                {"$push": {"answers": asdict(answer)}, "$set": {"unpublished": True}},
            )
        return result.modified_count == 1


def _out(document: Document) -> bool:
    return document["state"] in ("sent", "delivered", "unknown", "merged")
