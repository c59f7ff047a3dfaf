"""The accepted events as the record has them, in order of acceptance, and how far back a replay must begin."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from datetime import datetime, timedelta
from typing import Any

from reeve.domain.bundle import Bundle
from reeve.domain.events import Event
from reeve.runtime.store.events import COLLECTION, event_of
from reeve.runtime.store.mongo import Database, Document, store_errors

LONGEST_WARM_UP = timedelta(days=400)
"""A case that was open for longer than this when a comparison begins is not rebuilt: last year's bills are."""


class RecordedEvents:
    """Events of one site, or of all. Raises StoreAway when the record can't be reached."""

    def __init__(self, database: Database, site: str | None = None) -> None:
        self._database = database
        self._site: Document = {} if site is None else {"site": site}

    async def count(self, first: datetime, last: datetime) -> int:
        """How many have their own time between these, both included."""
        with store_errors():
            return await self._database[COLLECTION].count_documents(self._between(first, last))

    async def between(self, first: datetime, last: datetime) -> AsyncIterator[Event]:
        """Those whose own time lies between these, both included, in order of acceptance.

        The server sorts, on its disk if need be; here one batch is held at a time.
        """
        order = [("received_at", 1), ("place", 1), ("_id", 1)]
        with store_errors():
            cursor = self._database[COLLECTION].find(self._between(first, last), {"body": 1}).sort(order)
            async for document in cursor.allow_disk_use(True):
                yield event_of(document)

    async def warm_up_from(self, since: datetime, bundles: Iterable[Bundle]) -> datetime:
        """Where a replay begins so that at `since` the cases are what they were.

        At the earliest opening among those open then and their parents, and as far back as any count looks; at
        most LONGEST_WARM_UP before.
        """
        windows = [
            rule.within.timedelta for each in bundles for policy in each.policies.values() for rule in policy.counts
        ]
        start = since - max(windows, default=timedelta())
        for oldest in (await self._oldest_open(since), await self._oldest_decided(since)):
            if oldest is not None:
                start = min(start, oldest)
        return max(start, since - LONGEST_WARM_UP)

    async def _oldest_open(self, since: datetime) -> datetime | None:
        """The earliest opening among cases that are open still."""
        return await self._oldest("cases", [{"$match": {**self._site, "open": True, "opened_at": {"$lt": since}}}])

    async def _oldest_decided(self, since: datetime) -> datetime | None:
        """The same among cases of which something has been decided since, which are closed by now or not."""
        case: Document = {}
        if self._site:
            site = self._site["site"]
            case = {"case": {"$gte": f"{site}/", "$lt": f"{site}0"}}
        return await self._oldest(
            "decisions",
            [
                {"$match": {**case, "at": {"$gte": since}}},
                {"$group": {"_id": "$case"}},
                {"$lookup": {"from": "cases", "localField": "_id", "foreignField": "_id", "as": "case"}},
                {"$unwind": "$case"},
                {"$replaceWith": "$case"},
                {"$match": {"opened_at": {"$lt": since}}},
            ],
        )

    async def _oldest(self, collection: str, cases: list[Document]) -> datetime | None:
        # A child opened later than its parent, and a replay must begin with the parent.
        kin: list[Document] = [
            {"$lookup": {"from": "cases", "localField": "routes", "foreignField": "routes", "as": "kin"}},
            {"$group": {"_id": None, "oldest": {"$min": {"$min": "$kin.opened_at"}}}},
        ]
        with store_errors():
            cursor: Any = await self._database[collection].aggregate([*cases, *kin], allowDiskUse=True)
            found = await cursor.to_list()
        oldest: datetime | None = found[0]["oldest"] if found else None
        return oldest

    def _between(self, first: datetime, last: datetime) -> Document:
        return {**self._site, "at": {"$gte": first, "$lte": last}}
