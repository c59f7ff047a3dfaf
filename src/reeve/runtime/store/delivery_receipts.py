"""Collection `deliveries`, as receipts change it: found by what a provider calls a message, changed only as read.

A receipt may come twice, out of order, or while the delivery is being sent again. So each change names the state
and the number of attempts it was decided on; whoever was first, the other reads again.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from pymongo import UpdateMany, UpdateOne

from reeve.runtime.store.deliveries import COLLECTION
from reeve.runtime.store.delivery import OPEN_STATES, Attempt, Delivery, State, attempt_document, delivery_of
from reeve.runtime.store.mongo import Collection as MongoCollection
from reeve.runtime.store.mongo import Database, Document, store_errors


def by_their_id(provider: str, reference: str) -> str:
    """How a delivery is found by the provider's own id of the message."""
    return f"{provider}/their/{reference}"


def by_our_id(provider: str, public_id: str) -> str:
    """How it is found by the id that we gave the provider."""
    return f"{provider}/our/{public_id}"


@dataclass(frozen=True, slots=True)
class Change:
    """What a receipt makes of a delivery."""

    delivery: Delivery
    """As it was read."""
    attempt: Attempt
    """What the receipt says; it is added."""
    state: State | None
    """The state from now on; None: it stays."""
    at: datetime


class DeliveryReceipts:
    """Raises StoreAway when the record can't be reached."""

    def __init__(self, database: Database) -> None:
        self._collection: MongoCollection = database[COLLECTION]

    async def find(self, references: Collection[str]) -> dict[str, Delivery]:
        """Reference → the delivery that was sent under it, of those that are known."""
        wanted = set(references)
        if not wanted:
            return {}
        with store_errors():
            documents = await self._collection.find({"references": {"$in": list(wanted)}}).to_list()
        return {name: delivery_of(each) for each in documents for name in each["references"] if name in wanted}

    async def apply(self, change: Change) -> bool:
        """Whether the change was made; False: the delivery has changed since it was read.

        What went out with its message follows it, and first: a crash in between leaves a receipt to apply again.
        """
        followers = _followers(change)
        where = _as_read(change.delivery)
        with store_errors():
            if followers is not None and await self._collection.count_documents(where, limit=1):
                await self._collection.bulk_write([followers])
            result = await self._collection.bulk_write([UpdateOne(where, _update(change))])
        return result.modified_count == 1


def _as_read(delivery: Delivery) -> Document:
    return {"_id": delivery.id, "state": delivery.state, "attempts": {"$size": len(delivery.attempts)}}


def _update(change: Change) -> Document:
    update: Document = {"$push": {"attempts": attempt_document(change.attempt)}}
    if change.state is not None:
        update["$set"] = _state_values(change.state, change.at)
        if change.state != "failed":
            update["$unset"] = {"climb": ""}
    return update


def _state_values(state: State, at: datetime) -> Document:
    settled = state not in OPEN_STATES
    values: Document = {"state": state, "due_at": at, "open": not settled, "claim": None, "unpublished": True}
    if settled:
        values["settled_at"] = at
    if state == "failed":
        values["climb"] = True
    return values


def _followers(change: Change) -> UpdateMany | None:
    """What becomes of those that went out with its message; None: nothing."""
    ids: Document = {"into": change.delivery.id, "state": {"$in": ["merged", "unknown"]}}
    match change.state:
        case "delivered":
            return UpdateMany(ids | {"state": "unknown"}, {"$set": _state_values("merged", change.at)})
        case "queued":
            return UpdateMany(ids, {"$set": _state_values("queued", change.at) | {"into": None}})
        case "failed":
            pushed = {"$push": {"attempts": attempt_document(change.attempt)}}
            return UpdateMany(ids, {"$set": _state_values("failed", change.at) | {"into": None}, **pushed})
        case _:
            return None
