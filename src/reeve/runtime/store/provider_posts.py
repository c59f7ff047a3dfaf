"""Collection `provider_posts`: what providers posted to us (receipts, replies) and mails that answer, as they came.

Personal data: it stays in the record, for a week. A post is stored before the provider is answered, and worked
through by notify, which claims it for a while: whoever dies with it leaves it to the next.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from typing import Literal as OneOf

from bson.binary import Binary
from pymongo import IndexModel, UpdateOne

from reeve.runtime.store.mongo import Collection as MongoCollection
from reeve.runtime.store.mongo import Database, Document, insert_missing, store_errors

COLLECTION = "provider_posts"

Kind = OneOf["receipts", "inbound"]

INDEXES: dict[str, Sequence[IndexModel]] = {
    COLLECTION: (
        IndexModel([("kind", 1), ("look_at", 1)], name="open", partialFilterExpression={"open": True}),
        IndexModel([("replies.reference", 1)], name="replies", sparse=True),
        IndexModel([("forget_at", 1)], name="forget", expireAfterSeconds=0),
    )
}

MAIL = "-mail"
"""Stands for the provider of mails that a mail server's pipe hands in."""

KEPT_FOR = timedelta(days=7)
"""A provider that repeats a post does it within this time."""
_SAME_FOR = timedelta(minutes=10)
"""The same bytes that come later than this are another message, where nothing in them tells."""


@dataclass(frozen=True, slots=True)
class ProviderPost:
    """One post of a provider."""

    id: str
    provider: str
    kind: Kind
    method: str
    query: str
    """As sent, without the `?` and without what proved it."""
    content_type: str
    body: bytes = field(repr=False)
    received_at: datetime
    replies: tuple[Mapping[str, Any], ...] | None = None
    """What its replies answer, once that was decided; None: not yet."""
    claims: int = 1
    """How often it was claimed: who takes it again and again may die of it."""

    def __repr__(self) -> str:
        # It holds people's numbers and texts.
        return f"ProviderPost(id={self.id!r}, provider={self.provider!r}, kind={self.kind!r})"


def post_id(provider: str, kind: Kind, query: str, body: bytes) -> str:
    """The same for the same content, whoever posts it again."""
    said = hashlib.sha256(f"{provider}\0{kind}\0{query}\0".encode())
    said.update(body)
    return said.hexdigest()


class ProviderPostStore:
    """Every method raises StoreAway when the record can't be reached."""

    def __init__(self, database: Database) -> None:
        self._posts: MongoCollection = database[COLLECTION]

    async def add(
        self,
        *,
        provider: str,
        kind: Kind,
        method: str,
        query: str,
        content_type: str,
        body: bytes,
        now: datetime,
        unmistakable: bool = True,
    ) -> str:
        """The post is in the record, once however often it comes; its id.

        `unmistakable`: the provider gives every message an id or a moment, so that the same bytes are the same
        message. Where it does not, they are the same within ten minutes only.
        """
        key = post_id(provider, kind, query, body)
        if not unmistakable:
            key = await self._same_or_new(key, now)
        document: Document = {
            "_id": key,
            "provider": provider,
            "kind": kind,
            "method": method,
            "query": query,
            "content_type": content_type,
            "body": Binary(body),
            "received_at": now,
            "forget_at": now + KEPT_FOR,
            "open": True,
            "look_at": now,
            "claim": None,
        }
        with store_errors():
            await insert_missing(self._posts, [document])
        return key

    async def _same_or_new(self, key: str, now: datetime) -> str:
        """The id of these bytes if they came within the last ten minutes, else one that they never had."""
        query = {"_id": {"$gte": key, "$lt": key + "~"}}
        with store_errors():
            found = await self._posts.find(query, {"received_at": 1}).sort("received_at", -1).limit(1).to_list()
        if not found:
            return key
        latest = found[0]
        return str(latest["_id"]) if now - latest["received_at"] < _SAME_FOR else f"{key}-{now.timestamp():.0f}"

    async def claim(
        self, kind: Kind, now: datetime, lease: timedelta, claim: str, most: int = 100
    ) -> list[ProviderPost]:
        """Those waiting for `now` are claimed as `claim` alone until `now + lease`, oldest first."""
        query: Document = {"kind": kind, "open": True, "look_at": {"$lte": now}}
        with store_errors():
            found = await self._posts.find(query, {"look_at": 1}).sort("look_at", 1).limit(most).to_list()
            if not found:
                return []
            change = {"$set": {"claim": claim, "look_at": now + lease}, "$inc": {"claims": 1}}
            await self._posts.bulk_write(
                [UpdateOne({"_id": one["_id"], "look_at": one["look_at"], "open": True}, change) for one in found],
                ordered=False,
            )
            ids = [each["_id"] for each in found]
            mine = await self._posts.find({"_id": {"$in": ids}, "claim": claim, "open": True}).to_list()
        return sorted((_post(each) for each in mine), key=lambda one: one.received_at)

    async def decided(self, id: str, replies: Sequence[Mapping[str, Any]]) -> None:
        """What the post's replies answer is decided: whoever takes it after a crash does the same."""
        with store_errors():
            await self._posts.update_one({"_id": id}, {"$set": {"replies": [dict(each) for each in replies]}})

    async def decided_elsewhere(self, references: Collection[str], id: str) -> frozenset[str]:
        """Those of these replies that another post brought already."""
        if not references:
            return frozenset()
        query = {"replies.reference": {"$in": list(references)}, "_id": {"$ne": id}}
        with store_errors():
            found = await self._posts.find(query, {"replies.reference": 1}).to_list()
        known = {reply["reference"] for each in found for reply in each["replies"]}
        return frozenset(known & set(references))

    async def settle(
        self,
        id: str,
        look_at: datetime | None = None,
        outcomes: Sequence[str] = (),
        minutes: Sequence[int | None] = (),
    ) -> None:
        """The post is worked through; with `look_at` it waits until then and is claimed again.

        `outcomes`: what became of its replies in the end, in their order; `minutes` of more time they were granted.
        """
        change: Document = {"open": False} if look_at is None else {"look_at": look_at}
        change |= {"claim": None} | {f"replies.{place}.outcome": each for place, each in enumerate(outcomes)}
        change |= {f"replies.{place}.minutes": each for place, each in enumerate(minutes)}
        with store_errors():
            await self._posts.update_one({"_id": id}, {"$set": change})

    async def latest(self, kind: Kind, most: int, outcome: str | None = None) -> list[ProviderPost]:
        """The posts that came last, newest first; with an outcome, those of which some reply came to that."""
        query: Document = {"kind": kind} | ({"replies.outcome": outcome} if outcome is not None else {})
        with store_errors():
            found = await self._posts.find(query).sort("received_at", -1).limit(most).to_list()
        return [_post(each) for each in found]

    async def named(self, start: str, most: int = 2) -> list[ProviderPost]:
        """The posts whose ids begin so."""
        with store_errors():
            query = {"_id": {"$gte": start, "$lt": start + "~"}}
            found = await self._posts.find(query).limit(most).to_list()
        return [_post(each) for each in found]


def _post(document: Document) -> ProviderPost:
    replies = document.get("replies")
    return ProviderPost(
        id=document["_id"],
        provider=document["provider"],
        kind=document["kind"],
        method=document["method"],
        query=document["query"],
        content_type=document["content_type"],
        body=bytes(document["body"]),
        received_at=document["received_at"],
        replies=None if replies is None else tuple(replies),
        claims=document.get("claims", 1),
    )
