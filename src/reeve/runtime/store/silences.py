"""Collection `silences`: what nobody is told for a time, who said so and why. The reason stays in here."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Literal as OneOf

from pymongo import IndexModel

from reeve.domain.flood.silences import Matchers, Silence
from reeve.runtime.store.deliveries import COLLECTION as DELIVERIES
from reeve.runtime.store.mongo import Collection as MongoCollection
from reeve.runtime.store.mongo import Database, Document, store_errors

COLLECTION = "silences"

INDEXES: dict[str, Sequence[IndexModel]] = {
    COLLECTION: (
        IndexModel([("until", 1)]),
        IndexModel([("released", 1)], name="unreleased", partialFilterExpression={"released": False}),
    ),
    DELIVERIES: (
        IndexModel([("silence", 1)], name="silence", partialFilterExpression={"silence": {"$type": "string"}}),
    ),
}

State = OneOf["active", "to come", "ended"]

_LETTERS = "23456789abcdefghjkmnpqrstuvwxyz"


@dataclass(frozen=True, slots=True)
class Kept:
    """A silence in the record."""

    silence: Silence
    place: str
    """Site or organisation where the author is a recipient."""
    created_at: datetime
    ended_by: str = ""
    """Recipient id of who ended it early."""
    warned: bool = False
    released: bool = False
    """It is over, and what it hid of open cases has been told."""

    def state(self, now: datetime) -> State:
        """Whether it hides anything now, later, or no more."""
        if self.silence.until <= now:
            return "ended"
        return "active" if self.silence.active(now) else "to come"


class SilenceStore:
    """All silences. Raises StoreAway when the record can't be reached."""

    def __init__(self, database: Database) -> None:
        self._collection: MongoCollection = database[COLLECTION]

    async def add(self, kept: Kept) -> None:
        """It stands in the record. Raises Conflict if its id is taken."""
        with store_errors():
            await self._collection.insert_one(_document(kept))

    async def all(self, since: datetime) -> list[Kept]:
        """Those that end later than that, the soonest first."""
        with store_errors():
            documents = await self._collection.find({"until": {"$gt": since}}).sort("until", 1).to_list()
        return [_kept(each) for each in documents]

    async def find(self, id: str) -> Kept | None:
        """The silence of that id."""
        with store_errors():
            document = await self._collection.find_one({"_id": id})
        return _kept(document) if document else None

    async def active(self, now: datetime) -> list[Silence]:
        """Those that hide something at that moment, the one that ends last first."""
        query = {"since": {"$lte": now}, "until": {"$gt": now}}
        with store_errors():
            documents = await self._collection.find(query).sort([("until", -1), ("_id", 1)]).to_list()
        return [_kept(each).silence for each in documents]

    async def end(self, id: str, until: datetime, by: str = "") -> bool:
        """It ends at that moment, earlier or later than it was to; whether it had not ended for good before."""
        change: Document = {"$set": {"until": until, "ended_by": by, "warned": False}}
        with store_errors():
            result = await self._collection.update_one({"_id": id, "released": False}, change)
        return result.matched_count == 1

    async def unreleased(self) -> list[Kept]:
        """Those that still hide something, or whose end has not been seen to."""
        with store_errors():
            documents = await self._collection.find({"released": False}).sort("until", 1).to_list()
        return [_kept(each) for each in documents]

    async def mark(self, kept: Kept, what: OneOf["warned", "released"]) -> None:
        """It is so, unless its end was moved meanwhile."""
        with store_errors():
            await self._collection.update_one(
                {"_id": kept.silence.id, "until": kept.silence.until}, {"$set": {what: True}}
            )


def new_id() -> str:
    """Short enough to type: `s-7kq2m`."""
    return "s-" + "".join(secrets.choice(_LETTERS) for _ in range(5))


def shown_since(now: datetime) -> datetime:
    """How far back ended ones are still listed."""
    return now - timedelta(days=7)


def _document(kept: Kept) -> Document:
    silence = kept.silence
    return {
        "_id": silence.id,
        "matchers": asdict(silence.matchers),
        "since": silence.since,
        "until": silence.until,
        "author": silence.author,
        "place": kept.place,
        "reason": silence.reason,
        "include_worst": silence.include_worst,
        "created_at": kept.created_at,
        "ended_by": kept.ended_by,
        "warned": kept.warned,
        "released": kept.released,
    }


def _kept(document: Document) -> Kept:
    silence = Silence(
        document["_id"],
        Matchers(**document["matchers"]),
        document["since"],
        document["until"],
        document["author"],
        document["reason"],
        document["include_worst"],
    )
    return Kept(
        silence,
        document["place"],
        document["created_at"],
        document["ended_by"],
        document["warned"],
        document["released"],
    )
