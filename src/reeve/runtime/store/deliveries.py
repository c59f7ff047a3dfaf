"""Collection `deliveries`: one notification to one recipient on one channel, and every attempt of it.

A delivery is claimed in the record before it is sent, and a claim is a lease: whoever dies with it leaves a
delivery of which nobody knows whether it went out. It is noted as `unknown` and sent again (`resent`): a
crash costs at most one repeat and never silence. No addresses here: they are looked up when it is sent.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from pymongo import IndexModel, UpdateMany, UpdateOne
from pymongo.errors import BulkWriteError

from reeve.runtime.store.delivery import (
    NOBODY,
    OPEN_STATES,
    Answer,
    Attempt,
    Delivery,
    Hold,
    State,
    attempt_document,
    delivery_of,
    document_of,
)
from reeve.runtime.store.delivery_groups import groups_among, leaders
from reeve.runtime.store.mongo import Collection as MongoCollection
from reeve.runtime.store.mongo import Database, Document, store_errors
from reeve.runtime.store.settlements import Settlement, changes_of, changes_of_ours

__all__ = [
    "COLLECTION",
    "INDEXES",
    "NOBODY",
    "OPEN_STATES",
    "Answer",
    "Attempt",
    "Delivery",
    "DeliveryStore",
    "Hold",
    "Room",
    "Settlement",
    "State",
    "delivery_of",
]

COLLECTION = "deliveries"

INDEXES: dict[str, Sequence[IndexModel]] = {
    COLLECTION: (
        IndexModel(
            [("channel", 1), ("rank", 1), ("due_at", 1)], name="open", partialFilterExpression={"open": True}
        ),
        IndexModel([("notification", 1)]),
        IndexModel([("unpublished", 1)], name="unpublished", partialFilterExpression={"unpublished": True}),
        IndexModel([("climb", 1)], name="climb", partialFilterExpression={"climb": True}),
        IndexModel([("published_at", 1)], name="published", sparse=True),
        IndexModel([("short", 1)], name="short"),
        IndexModel([("requested_at", -1)], name="latest"),
        IndexModel([("group", 1)], name="grouped", partialFilterExpression={"open": True, "group": {"$gt": ""}}),
        IndexModel([("into", 1)], name="into", partialFilterExpression={"into": {"$type": "string"}}),
        IndexModel([("references", 1)], name="references", sparse=True),
    )
}

Room = Mapping[int, int]
"""Class of ranks → how many more may be claimed. The highest class stands for every milder rank, too."""


class DeliveryStore:
    """All deliveries. Raises StoreAway when the record can't be reached."""

    def __init__(self, database: Database) -> None:
        self._collection: MongoCollection = database[COLLECTION]

    async def insert(self, deliveries: Sequence[Delivery]) -> frozenset[str]:
        """The ids that are new; of those that stood already nothing changes."""
        if not deliveries:
            return frozenset()
        ids = [each.id for each in deliveries]
        try:
            with store_errors():
                await self._insert_many([document_of(each) for each in deliveries])
        except _Repeated as repeated:
            return frozenset(ids) - {ids[index] for index in repeated.indexes}
        return frozenset(ids)

    async def claim_due(
        self, now: datetime, lease: timedelta, claim: str, room: Mapping[str, Room], not_these: Collection[str]
    ) -> list[Delivery]:
        """Those due are now claimed as `claim` alone, worst grade first, at most `room[channel]` of a channel.

        With one of a group come all others of it that are due: they go out as one message. A group that another
        process has a member of in hand waits until that is settled. One whose lease ran out gets a try `unknown`
        (`interrupted`): it may have gone out. But one that `claim` itself has and that is none of `not_these` was
        never begun: the record went away between the claim and the caller.
        """
        found: list[Document] = []
        with store_errors():
            for channel, classes in room.items():
                found += await self._due(channel, now, classes)
            # Ours are renewed long before they are due, so these are few; a query that excluded them is dear.
            found = [each for each in found if each["_id"] not in not_these]
            if groups := groups_among(found):
                members = await self._collection.find({"$or": groups, "open": True}, _DUE_FIELDS).to_list()
                found = leaders(found, [each for each in members if each["_id"] not in not_these], claim, now)
            if not found:
                return []
            changes = [
                UpdateOne(
                    {"_id": each["_id"], "state": each["state"], "due_at": each["due_at"]},
                    _claimed(claim, now, lease, lapsed=each["state"] == "claimed" and each["claim"] != claim),
                )
                for each in found
            ]
            await self._collection.bulk_write(changes, ordered=False)
            mine = await self._mine([each["_id"] for each in found], claim)
            if leading := [each for each in mine if each.group]:
                mine += await self._claim_groups(leading, now, lease, claim, not_these)
        return sorted(mine, key=lambda one: one.rank)

    async def claim_stranded(
        self, now: datetime, lease: timedelta, claim: str, channels: Collection[str], since: datetime, most: int
    ) -> list[Delivery]:
        """Those due since then on a channel that is none of these are now claimed as `claim` alone."""
        query: Document = {"open": True, "channel": {"$nin": list(channels)}, "due_at": {"$lte": since}}
        with store_errors():
            found = await self._collection.find(query, {"state": 1, "due_at": 1}).limit(most).to_list()
            if not found:
                return []
            changes = [
                UpdateOne(
                    {"_id": each["_id"], "state": each["state"], "due_at": each["due_at"]},
                    _claimed(claim, now, lease, lapsed=each["state"] == "claimed"),
                )
                for each in found
            ]
            await self._collection.bulk_write(changes, ordered=False)
            return await self._mine([each["_id"] for each in found], claim)

    async def renew(self, ids: Collection[str], claims: Collection[str], until: datetime) -> None:
        """The leases of those still claimed so last until then."""
        query = {"_id": {"$in": list(ids)}, "claim": {"$in": list(claims)}, "state": "claimed"}
        with store_errors():
            await self._collection.update_many(query, {"$set": {"due_at": until}})

    async def record(self, outcomes: Sequence[Settlement]) -> None:
        """Each settlement is in the record. That something was sent stands whoever has the claim by now."""
        sent = [each for each in outcomes if each.state == "sent"]
        others = [each for each in outcomes if each.state != "sent"]
        with store_errors():
            if len(sent) == 1 or (sent and not await self._record_ours(sent)):
                others = list(outcomes)
            changes = [change for each in others for change in changes_of(each)]
            if changes:
                await self._collection.bulk_write(changes, ordered=False)

    async def _record_ours(self, sent: Sequence[Settlement]) -> bool:
        """The usual case at once. Whether that was the case for all; if not, some may be recorded nevertheless."""
        result = await self._collection.bulk_write(changes_of_ours(sent), ordered=False)
        return result.matched_count == len(sent)

    async def to_climb(self, most: int) -> frozenset[str]:
        """Keys of notifications with a failed delivery that nobody has looked for another way for."""
        with store_errors():
            documents = await self._collection.find({"climb": True}, {"notification": 1}).limit(most).to_list()
        return frozenset(each["notification"] for each in documents)

    async def climbed(self, ids: Collection[str]) -> None:
        """Another way was looked for after these failed."""
        with store_errors():
            await self._collection.update_many({"_id": {"$in": list(ids)}}, {"$unset": {"climb": ""}})

    async def of_notifications(self, keys: Collection[str]) -> dict[str, list[Delivery]]:
        """All deliveries by the key of their notification."""
        with store_errors():
            documents = await self._collection.find({"notification": {"$in": list(keys)}}).to_list()
        found: dict[str, list[Delivery]] = {}
        for each in documents:
            found.setdefault(each["notification"], []).append(delivery_of(each))
        return found

    async def held_by(self, claim: str, ids: Collection[str] | None = None) -> list[Delivery]:
        """Those claimed so; of these ids alone where some are given."""
        query: Document = {"open": True, "state": "claimed", "claim": claim}
        if ids is not None:
            query["_id"] = {"$in": list(ids)}
        with store_errors():
            documents = await self._collection.find(query).to_list()
        return [delivery_of(each) for each in documents]

    async def waiting(self, now: datetime) -> int:
        """How many are due and not settled."""
        with store_errors():
            return await self._collection.count_documents({"open": True, "due_at": {"$lte": now}})

    async def _due(self, channel: str, now: datetime, room: Room) -> list[Document]:
        """Those due that there is room for. One query tells, unless so many are due that milder ones are hidden."""
        most = min(sum(room.values()), _AT_ONCE)
        query: Document = {"open": True, "due_at": {"$lte": now}, "channel": channel}
        first = await self._worst(query, most)
        mildest = max(room)
        hidden = min(first[-1]["rank"], mildest) if first and len(first) == most else mildest + 1
        found: list[Document] = []
        for rank, space in room.items():
            here = [each for each in first if min(each["rank"], mildest) == rank]
            if rank >= hidden and len(here) < space:
                of_rank = {"rank": {"$gte": rank} if rank == mildest else rank}
                here = await self._worst(query | of_rank, min(space, _AT_ONCE))
            found += here[:space]
        return found

    async def _worst(self, query: Document, most: int) -> list[Document]:
        if most <= 0:
            return []
        cursor = self._collection.find(query, _DUE_FIELDS).sort([("rank", 1), ("due_at", 1)])
        return await cursor.limit(most).to_list()

    async def _mine(self, ids: Sequence[str], claim: str) -> list[Delivery]:
        query = {"_id": {"$in": ids}, "claim": claim, "state": "claimed"}
        return [delivery_of(each) for each in await self._collection.find(query).to_list()]

    async def _claim_groups(
        self, leading: Sequence[Delivery], now: datetime, lease: timedelta, claim: str, not_these: Collection[str]
    ) -> list[Delivery]:
        """The others of these deliveries' groups that are due, claimed."""
        groups: list[Document] = [
            {"group": each.group, "recipient": each.recipient, "place": each.place, "channel": each.channel}
            for each in leading
        ]
        due: Document = {"$or": groups, "open": True, "due_at": {"$lte": now}}
        found = await self._collection.find(due, {"_id": 1}).to_list()
        ids = [each["_id"] for each in found if each["_id"] not in not_these]
        if not ids:
            return []
        these: Document = {"_id": {"$in": ids}, "due_at": {"$lte": now}}
        lapsed = these | {"state": "claimed", "claim": {"$ne": claim}}
        others = these | {"$or": [{"state": {"$in": ["queued", "unknown"]}}, {"state": "claimed", "claim": claim}]}
        changes = [
            UpdateMany(lapsed, _claimed(claim, now, lease, lapsed=True)),
            UpdateMany(others, _claimed(claim, now, lease, lapsed=False)),
        ]
        await self._collection.bulk_write(changes, ordered=False)
        return await self._mine([each["_id"] for each in found], claim)

    async def _insert_many(self, documents: list[Document]) -> None:
        try:
            await self._collection.insert_many(documents, ordered=False)
        except BulkWriteError as error:
            faults: Iterable[dict[str, Any]] = error.details.get("writeErrors", ())
            if error.details.get("writeConcernErrors") or any(fault["code"] != 11000 for fault in faults):
                raise
            raise _Repeated([fault["index"] for fault in faults]) from error


_AT_ONCE = 256
"""Claimed of one class in one go."""
_DUE_FIELDS = {"state": 1, "claim": 1, "due_at": 1, "rank": 1, "group": 1, "recipient": 1, "place": 1, "channel": 1}


class _Repeated(Exception):
    """Some of the documents stood already; the others are inserted."""

    def __init__(self, indexes: list[int]) -> None:
        super().__init__("documents stood already")
        self.indexes = indexes


def _claimed(claim: str, now: datetime, lease: timedelta, *, lapsed: bool) -> Document:
    """The change that claims one; `lapsed`: from somebody who may have sent it."""
    change: Document = {"$set": {"state": "claimed", "claim": claim, "due_at": now + lease}}
    if lapsed:
        change["$push"] = {"attempts": attempt_document(Attempt(now, "unknown", "interrupted"))}
    return change
