"""Collection `more_time`: the minutes that were granted of a step's two hours, in the order they were asked for.

One document for each step of a run of a case. Granting is one atomic change of it: of two who ask for the last
minutes in the same moment one gets them, and the other one hears so.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from pymongo import IndexModel, ReturnDocument
from pymongo.errors import DuplicateKeyError

from reeve.domain.replies import MOST_MINUTES
from reeve.runtime.store.mongo import Collection as MongoCollection
from reeve.runtime.store.mongo import Database, Document, store_errors

COLLECTION = "more_time"

INDEXES: dict[str, Sequence[IndexModel]] = {
    COLLECTION: (IndexModel([("forget_at", 1)], name="forget", expireAfterSeconds=0),)
}

_KEPT = timedelta(days=90)
"""After the last grant; what a step was put off by is in the case as well, by then."""


class Grant(NamedTuple):
    """What asking came to."""

    minutes: int
    """0: no more is possible."""
    before: int
    """Minutes that were granted already."""


class Grants:
    """Raises StoreAway when the record can't be reached."""

    def __init__(self, database: Database) -> None:
        self._collection: MongoCollection = database[COLLECTION]

    async def grant(self, step: str, answer: str, asked: int, known: int, now: datetime) -> Grant:
        """So many of the `asked` minutes as are left are this answer's, and nobody else's. Asked again with the
        same answer id it is the same grant.

        `step` names the step of a run of a case. `known`: minutes granted by what this collection does not know.
        """
        change = _granting(answer, asked, known, now + _KEPT)
        with store_errors():
            try:
                found = await self._change(step, change)
            except DuplicateKeyError:  # somebody else asked for the first time at the same moment
                found = await self._change(step, change)
        for each in found:
            if each["id"] == answer:
                return Grant(each["minutes"], each["before"])
        return Grant(0, MOST_MINUTES)

    async def give_back(self, step: str, answer: str) -> None:
        """The answer came to nothing: its minutes are there for others."""
        with store_errors():
            await self._collection.update_one({"_id": step}, {"$pull": {"grants": {"id": answer}}})

    async def _change(self, step: str, change: list[Document]) -> list[Document]:
        found = await self._collection.find_one_and_update(
            {"_id": step}, change, upsert=True, return_document=ReturnDocument.AFTER
        )
        return list(found["grants"]) if found is not None else []


def _granting(answer: str, asked: int, known: int, forget_at: datetime) -> list[Document]:
    own_id = {"$literal": answer}
    left = {"$subtract": [MOST_MINUTES, "$before"]}
    mine = {"id": own_id, "before": "$before", "minutes": {"$min": [max(0, asked), left]}}
    nothing = {"$or": [{"$in": [own_id, "$grants.id"]}, {"$lte": [left, 0]}, {"$lte": [asked, 0]}]}
    return [
        {"$set": {"grants": {"$ifNull": ["$grants", []]}, "forget_at": forget_at}},
        {"$set": {"before": {"$max": [known, {"$sum": "$grants.minutes"}]}}},
        {"$set": {"grants": {"$cond": [nothing, "$grants", {"$concatArrays": ["$grants", [mine]]}]}}},
        {"$unset": "before"},
    ]
