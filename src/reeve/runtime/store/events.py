"""Collection `events`: every accepted event for ever. Intake's outbox and escalation's work record at once.

`body` is the event as canonical JSON text, so that no key of its data (`$`, `.`) can trouble the record.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
from pymongo import IndexModel
from pymongo.errors import BulkWriteError

from reeve.contracts.events import canonical, digest_of
from reeve.domain.events import Event, event_key
from reeve.ports import StoreAway
from reeve.runtime.store.mongo import Collection as MongoCollection
from reeve.runtime.store.mongo import Database, Document, store_errors

COLLECTION = "events"

INDEXES: dict[str, Sequence[IndexModel]] = {
    COLLECTION: (
        IndexModel([("published_at", 1), ("received_at", 1), ("place", 1)], name="publication"),
        IndexModel(
            [("received_at", 1), ("place", 1)],
            name="unapplied",
            partialFilterExpression={"applied_at": None},
        ),
        IndexModel(
            [("site", 1), ("family", 1), ("subject", 1), ("at", 1)],
            name="waiting",
            partialFilterExpression={"waiting": True},
        ),
    )
}

_DUPLICATE_KEY = 11000


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of one event: it is in the record now, and whether it was there before."""

    duplicate: bool
    differs: bool = False
    """The earlier one under this site, source and id had other content; that one stays."""
    outgoing: Outgoing | None = None
    """What must go onto the bus now; None for a duplicate."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """An accepted event that must be on the bus."""

    key: str
    site: str
    type: str
    subject: str
    body: bytes


def event_document(event: Event, now: datetime, place: int) -> Document:
    """The document of an event accepted at `now`; `place` orders those of one write."""
    body = canonical(event)
    return {
        "_id": event.key,
        "site": event.site,
        "family": event.family,
        "subject": event.subject,
        "type": event.type,
        "at": event.at,
        "body": body.decode(),
        "digest": digest_of(body),
        "received_at": now,
        "place": place,
        "published_at": None,
        "applied_at": None,
        "waiting": False,
    }


def event_of(document: Document) -> Event:
    """The event of a stored document, exactly as accepted."""
    body: dict[str, Any] = orjson.loads(document["body"])
    return Event(
        site=body["site"],
        source=body["source"],
        id=body["id"],
        type=body["type"],
        subject=body["subject"],
        at=datetime.fromisoformat(body["time"]),
        data=body["data"],
        key=event_key(body["site"], body["source"], body["id"]),
    )


class EventStore:
    """The accepted events. Every method raises StoreAway when the record can't be reached."""

    def __init__(self, database: Database) -> None:
        self._events: MongoCollection = database[COLLECTION]
        self._settings: MongoCollection = database["settings"]

    async def insert(self, events: Sequence[Event], now: datetime) -> list[Stored]:
        """Each is in the record now, in one write for all; the answers are in the order given.

        StoreAway: any of them may be there; the same call again tells.
        """
        if not events:
            return []
        documents = [event_document(event, now, place) for place, event in enumerate(events)]
        repeats: dict[int, str] = {}
        with store_errors():
            try:
                await self._events.insert_many(documents, ordered=False)
            except BulkWriteError as error:
                faults = error.details.get("writeErrors", ())
                if error.details.get("writeConcernErrors") or any(f["code"] != _DUPLICATE_KEY for f in faults):
                    raise StoreAway("the record did not confirm the events") from error
                repeats = {fault["index"]: documents[fault["index"]]["_id"] for fault in faults}
        known = await self._digests(set(repeats.values())) if repeats else {}
        return [
            Stored(duplicate=True, differs=known[repeats[index]] != document["digest"])
            if index in repeats
            else Stored(duplicate=False, outgoing=_outgoing(document))
            for index, document in enumerate(documents)
        ]

    async def _digests(self, keys: Collection[str]) -> dict[str, str]:
        with store_errors():
            found = await self._events.find({"_id": {"$in": list(keys)}}, {"digest": 1}).to_list()
        if len(found) < len(keys):
            raise StoreAway("a repeated event is not confirmed by a majority yet")
        return {document["_id"]: document["digest"] for document in found}

    async def mark_published(self, keys: Collection[str], now: datetime) -> None:
        """The bus acknowledged these events at `now`."""
        if keys:
            with store_errors():
                await self._events.update_many({"_id": {"$in": list(keys)}}, {"$set": {"published_at": now}})

    async def unpublished(self, before: datetime, most: int) -> list[Outgoing]:
        """Accepted before that moment and never acknowledged by the bus, oldest first."""
        query = {"published_at": None, "received_at": {"$lt": before}}
        order = [("received_at", 1), ("place", 1)]
        with store_errors():
            found = await self._events.find(query, _OUTGOING).sort(order).limit(most).to_list()
        return [_outgoing(document) for document in found]

    async def published_since(self, moment: datetime, size: int = 1000) -> AsyncIterator[list[Outgoing]]:
        """All that the bus acknowledged since that moment, oldest first, in lists of at most `size`."""
        query = {"published_at": {"$gte": moment}}
        order = [("published_at", 1), ("received_at", 1), ("place", 1)]
        batch: list[Outgoing] = []
        with store_errors():
            async for document in self._events.find(query, _OUTGOING, batch_size=size).sort(order):
                batch.append(_outgoing(document))
                if len(batch) == size:
                    yield batch
                    batch = []
        if batch:
            yield batch

    async def load(self, keys: Collection[str]) -> dict[str, Event]:
        """Those that are stored, by key."""
        with store_errors():
            found = await self._events.find({"_id": {"$in": list(keys)}}, {"body": 1}).to_list()
        return {document["_id"]: event_of(document) for document in found}

    async def overlooked(self, now: datetime, after: timedelta, most: int) -> list[Event]:
        """Accepted longer ago than `after` and not yet decided, oldest first: the bus lost or delays them."""
        query = {"applied_at": None, "received_at": {"$lt": now - after}}
        order = [("received_at", 1), ("place", 1)]
        with store_errors():
            found = await self._events.find(query, {"body": 1}).sort(order).limit(most).to_list()
        return [event_of(document) for document in found]

    async def note_bus(self, server_id: str, now: datetime) -> None:
        """The bus was this server process at `now`."""
        change = {"$set": {"server_id": server_id, "seen_at": now}}
        with store_errors():
            await self._settings.update_one({"_id": _BUS}, change, upsert=True)

    async def last_bus(self) -> tuple[str, datetime] | None:
        """The server process that was the bus when it was last noted, and when."""
        with store_errors():
            found = await self._settings.find_one({"_id": _BUS})
        return None if found is None else (found["server_id"], found["seen_at"])


_BUS = "intake_bus"
_OUTGOING = {"site": 1, "type": 1, "subject": 1, "body": 1}


def _outgoing(document: Document) -> Outgoing:
    return Outgoing(
        key=document["_id"],
        site=document["site"],
        type=document["type"],
        subject=document["subject"],
        body=document["body"].encode(),
    )
