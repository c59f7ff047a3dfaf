"""Leases on lanes: replicas of a service share the lanes, and each lane has one active worker.

A lease only keeps order and saves conflicts; safety never rests on it, every write names its version.
Time is the database's own, so replicas' clocks may differ.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import timedelta

from bson import Binary
from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError, OperationFailure

from reeve.runtime.store.mongo import Database, Document, store_errors

_UNAUTHORISED = 13


@dataclass(frozen=True, slots=True)
class Shares:
    """What a turn found: lanes this holder has now, and those it has but should give to a new replica."""

    held: frozenset[int]
    to_release: frozenset[int]


class Leases:
    """One holder's leases on the lanes of one group (`escalation`)."""

    def __init__(self, database: Database, group: str, holder: str, lanes: int, length: timedelta) -> None:
        """`holder` is unique per process; call `turn` at least three times per `length`."""
        self._collection = database["leases"]
        self._group = group
        self._holder = holder
        self._lanes = lanes
        self._milliseconds = int(length.total_seconds() * 1000)
        self._noted: set[bytes] = set()
        self._turning: asyncio.Task[Shares] | None = None

    async def turn(self, held: Collection[int]) -> Shares:
        """This holder's leases run for another `length`; free lanes of its share are taken.

        Lanes are dealt out evenly over the replicas alive. Raises StoreAway: what was held is still held
        until its time is over. A turn that has begun goes on if its caller is cancelled; `leave` waits for it.
        """
        self._turning = asyncio.create_task(self._turn(held))
        self._turning.add_done_callback(_looked_at)
        return await asyncio.shield(self._turning)

    async def _turn(self, held: Collection[int]) -> Shares:
        with store_errors():
            await self._take(self._member)
            members = await self._members()
            mine = {lane for lane in range(self._lanes) if members[lane % len(members)] == self._holder}
            kept = {lane for lane in sorted(mine | set(held)) if await self._take(self._lane(lane))}
        return Shares(frozenset(kept), frozenset(kept - mine))

    async def release(self, lanes: Iterable[int]) -> None:
        """Others may take these lanes at once; the caller has stopped working on them."""
        ids = [self._lane(lane) for lane in lanes]
        with store_errors():
            await self._collection.delete_many({"_id": {"$in": ids}, "holder": self._holder})

    async def leave(self) -> None:
        """This holder is gone, and all that it had is free. Raises StoreAway."""
        if self._turning is not None:  # it could take again what is given back here
            await asyncio.gather(self._turning, return_exceptions=True)
        with store_errors():
            await self._collection.delete_many(
                {"holder": self._holder, "_id": {"$gte": f"{self._group}/", "$lt": f"{self._group}0"}}
            )

    async def note_session(self, session: Binary) -> None:
        """Should this holder die within a transaction of the session, `end_abandoned` ends it. Raises StoreAway."""
        if session in self._noted:
            return
        note = {"$set": {"holder": self._holder, "session": session}}
        with store_errors():
            await self._collection.update_one({"_id": f"{self._sessions}{session.hex()}"}, note, upsert=True)
        self._noted.add(session)

    async def end_abandoned(self) -> int:
        """Transactions of holders that are gone are ended; how many sessions they had. Raises StoreAway.

        MongoDB keeps the transaction of a killed process, and every write conflicts with it, for a minute.
        """
        with store_errors():
            alive = await self._members()
            query: Document = {"_id": {"$gte": self._sessions, "$lt": f"{self._group}/session0"}}
            left = await self._collection.find({**query, "holder": {"$nin": alive}}, {"session": 1}).to_list()
            if left:
                sessions = [{"id": Binary.from_uuid(each["session"].as_uuid())} for each in left]
                try:
                    await self._collection.database.client.admin.command("killSessions", sessions)
                except OperationFailure as error:
                    if error.code != _UNAUTHORISED:  # then they end by themselves, later
                        raise
                await self._collection.delete_many({"_id": {"$in": [each["_id"] for each in left]}})
        return len(left)

    @property
    def _sessions(self) -> str:
        return f"{self._group}/session/"

    def _lane(self, lane: int) -> str:
        return f"{self._group}/lane/{lane}"

    @property
    def _member(self) -> str:
        return f"{self._group}/member/{self._holder}"

    async def _take(self, id: str) -> bool:
        """Whether the lease is ours from now on: it was already, or it was free or over."""
        free: Document = {
            "$or": [
                {"$eq": [{"$ifNull": ["$holder", self._holder]}, self._holder]},
                {"$lt": ["$until", "$$NOW"]},
            ]
        }
        ours = {"holder": self._holder, "until": {"$add": ["$$NOW", self._milliseconds]}}
        update = [{"$set": {name: {"$cond": [free, value, f"${name}"]} for name, value in ours.items()}}]
        try:
            lease = await self._collection.find_one_and_update(
                {"_id": id}, update, upsert=True, return_document=ReturnDocument.AFTER
            )
        except DuplicateKeyError:  # somebody else took it for the first time at the same moment
            return False
        return lease is not None and lease["holder"] == self._holder

    async def _members(self) -> list[str]:
        """Holders alive, in an order that all replicas agree on; this one among them."""
        query: Document = {
            "_id": {"$gte": f"{self._group}/member/", "$lt": f"{self._group}/member0"},
            "$expr": {"$gte": ["$until", "$$NOW"]},
        }
        documents = await self._collection.find(query, {"holder": 1}).to_list()
        return sorted({document["holder"] for document in documents} | {self._holder})


def _looked_at(turn: asyncio.Task[Shares]) -> None:
    """Its error is known to whoever waited for it; if nobody did, it matters no more."""
    if not turn.cancelled():
        turn.exception()
