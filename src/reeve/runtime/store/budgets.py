"""Collection `sms_budgets`: SMS segments used, by site and month. One document a site and month.

A delivery carries in `uncounted` the segments that no month has yet: they move over in one transaction, so that
each is counted exactly once, whoever dies.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pymongo import IndexModel, UpdateOne

from reeve.ports import Conflict
from reeve.runtime.store.deliveries import COLLECTION as DELIVERIES
from reeve.runtime.store.mongo import Collection as MongoCollection
from reeve.runtime.store.mongo import Database, Document, store_errors

COLLECTION = "sms_budgets"

INDEXES: dict[str, Sequence[IndexModel]] = {
    COLLECTION: (IndexModel([("month", 1), ("site", 1)]),),
    DELIVERIES: (
        IndexModel([("uncounted", 1)], name="uncounted", partialFilterExpression={"uncounted": {"$gt": 0}}),
    ),
}

COUNTED_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Month:
    """What a site has used in a month of its zone."""

    site: str
    month: str
    """`2026-11`"""
    segments: int
    told: tuple[int, ...] = ()
    """The percentages somebody has been warned of."""


class BudgetStore:
    """Raises StoreAway when the record can't be reached."""

    def __init__(self, database: Database) -> None:
        self._client = database.client
        self._collection: MongoCollection = database[COLLECTION]
        self._deliveries: MongoCollection = database[DELIVERIES]

    async def load(self, wanted: Collection[tuple[str, str]]) -> dict[str, Month]:
        """Site → what it has used in that month, of those (site, month) that have used anything."""
        with store_errors():
            ids = [_id(site, month) for site, month in wanted]
            documents = await self._collection.find({"_id": {"$in": ids}}).to_list()
        return {each["site"]: _month(each) for each in documents}

    async def of_months(self, months: Collection[str]) -> list[Month]:
        """What every site has used in these months."""
        if not months:
            return []
        with store_errors():
            documents = await self._collection.find({"month": {"$in": sorted(months)}}).to_list()
        return [_month(each) for each in documents]

    async def count(self, month_of: Callable[[str, datetime], str]) -> int:
        """Segments not counted yet are, up to some hundred deliveries; how many deliveries that were.

        `month_of` says to which month a moment belongs at a site: that of the last try. 0 also where another
        process was counting the same ones.
        """
        with store_errors():
            query = {"uncounted": {"$gt": 0}}
            wanted = {"site": 1, "uncounted": 1, "attempts.at": 1, "due_at": 1}
            found = await self._deliveries.find(query, wanted).limit(COUNTED_AT_ONCE).to_list()
        if not found:
            return 0
        used: dict[tuple[str, str], int] = defaultdict(int)
        moved = []
        for each in found:
            at = each["attempts"][-1]["at"] if each.get("attempts") else each["due_at"]
            used[each["site"], month_of(each["site"], at)] += each["uncounted"]
            change: Document = {"$inc": {"uncounted": -each["uncounted"]}}
            moved.append(UpdateOne({"_id": each["_id"], "uncounted": {"$gte": each["uncounted"]}}, change))
        added = [
            UpdateOne(
                {"_id": _id(site, month)},
                {"$inc": {"segments": segments}, "$setOnInsert": {"site": site, "month": month, "told": []}},
                upsert=True,
            )
            for (site, month), segments in sorted(used.items())
        ]
        try:
            with store_errors():
                return await self._move(moved, added)
        except Conflict:
            return 0

    async def told(self, site: str, month: str, percent: int) -> None:
        """Somebody is warned of it."""
        with store_errors():
            await self._collection.update_one({"_id": _id(site, month)}, {"$addToSet": {"told": percent}})

    async def _move(self, moved: list[UpdateOne], added: list[UpdateOne]) -> int:
        async with self._client.start_session() as session, await session.start_transaction():
            result = await self._deliveries.bulk_write(moved, ordered=False, session=session)
            if result.matched_count != len(moved):
                raise Conflict("another process counted some of them")
            await self._collection.bulk_write(added, ordered=False, session=session)
        return len(moved)


def _id(site: str, month: str) -> str:
    return f"{site}@{month}"


def _month(document: dict[str, Any]) -> Month:
    return Month(document["site"], document["month"], document["segments"], tuple(sorted(document["told"])))
