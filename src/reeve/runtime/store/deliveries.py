"""Collection `deliveries`: one notification to one recipient on one channel, and every attempt of it.

A delivery is claimed in the record before it is sent, and a claim is a lease: whoever dies with it leaves a
delivery of which nobody knows whether it went out. It is noted as `unknown` and sent again (`resent`): a
crash costs at most one repeat and never silence. No addresses here: they are looked up when it is sent.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from typing import Literal as OneOf

from pymongo import IndexModel, UpdateOne
from pymongo.errors import BulkWriteError

from reeve.domain.case import CaseKey
from reeve.runtime.store.mongo import Collection as MongoCollection
from reeve.runtime.store.mongo import Database, Document, store_errors
from reeve.runtime.store.short_ids import short_id

COLLECTION = "deliveries"

NOBODY = "-"
"""Recipient and channel of an entry that stands for a notification nobody gets."""

State = OneOf[
    "queued", "claimed", "unknown", "sent", "delivered", "failed", "suppressed", "merged", "undeliverable"
]
"""queued: waits for `due_at`; claimed: a process has it in hand until `due_at`; unknown: it may have gone out, and
a receipt is awaited until `due_at`. The others are final, but that a receipt makes sent into delivered or failed.
merged: what it says went out with the delivery `into`."""

OPEN_STATES = ("queued", "claimed", "unknown")

Hold = OneOf["", "quiet", "merge", "daily", "digest", "budget"]
"""Why a queued delivery waits: the person's quiet hours, the window of its matter, the one payment reminder of the
day, the digest of mild grades, the month's budget; empty: it does not, or waits for a retry."""

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
    )
}


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try of a delivery."""

    at: datetime
    result: str
    """sent, resent, transient, permanent, unknown; of a receipt: delivered, not_delivered; suppressed."""
    reason: str
    reference: str | None = None
    """The provider's own id of the message."""
    provider: str = ""
    """Name of the provider that was tried; empty: none was."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a recipient answered, from the message itself."""

    id: str
    """Id of the event that it became."""
    at: datetime
    what: OneOf["acknowledged", "escalated", "delayed"]
    how: str
    """The way it came: `link`, or the channel of the reply (`sms`, `email`)."""
    minutes: int | None = None
    """delayed: how many more were asked for."""


@dataclass(slots=True)
class Delivery:
    """One notification to one recipient on one channel."""

    id: str
    notification: str
    """Key of the notify effect."""
    case: CaseKey
    recipient: str
    place: str
    channel: str
    message: str
    role: str
    """The role the rule named."""
    rung: int
    step: str
    level: int
    round: int
    run: int
    ack_ends: bool
    reminds: bool
    """These five are the notification's: see `reeve.domain.effects.Notification`."""
    at: datetime
    """Logical moment of the notification."""
    requested_at: datetime
    """When it was asked for, or the hour it waited for."""
    rank: int
    """0 is the worst grade; the lowest goes first."""
    state: State
    due_at: datetime
    """queued: not before; claimed: the end of the lease; final: when it was settled."""
    claim: str | None = None
    attempts: list[Attempt] = field(default_factory=list)
    next_role: str | None = None
    """undeliverable: the role that is told instead."""
    hold: Hold = ""
    group: str = ""
    """Queued deliveries of one group that are due go out as one message; empty: it stands alone."""
    into: str | None = None
    """merged: id of the delivery whose message says this one's matter, too."""
    merged: int = 0
    """How many others went out with it."""
    silence: str | None = None
    """suppressed: id of the silence that hides it."""
    segments: int = 0
    """SMS segments that were handed to a provider."""
    resend_of: str | None = None
    """Id of the delivery that a person had sent again by this one."""
    by: str = ""
    """Who had it sent again."""
    note: str = ""
    """Why, in that person's words."""
    answers: list[Answer] = field(default_factory=list)
    """What the recipient has answered to it, first things first."""

    @property
    def open(self) -> bool:
        return self.state in OPEN_STATES

    @property
    def short(self) -> str:
        """What people call it: `7m2f-0q3d`."""
        return short_id(self.id)


@dataclass(frozen=True, slots=True)
class Settlement:
    """What became of a delivery in hand. `state` queued with a later `due_at` is a retry."""

    id: str
    state: State
    at: datetime
    due_at: datetime
    attempt: Attempt | None
    claim: str | None


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
                await self._insert_many([_document(each) for each in deliveries])
        except _Repeated as repeated:
            return frozenset(ids) - {ids[index] for index in repeated.indexes}
        return frozenset(ids)

    async def claim_due(
        self, now: datetime, lease: timedelta, claim: str, room: Mapping[str, int], not_these: Collection[str]
    ) -> list[Delivery]:
        """Those due are now claimed as `claim` alone, worst grade first, at most `room[channel]` of a channel.

        One whose lease ran out gets an attempt `unknown` (`interrupted`): it may have gone out.
        """
        found: list[Document] = []
        with store_errors():
            for channel, most in room.items():
                query: Document = {"open": True, "due_at": {"$lte": now}, "channel": channel}
                cursor = self._collection.find(query, {"state": 1, "due_at": 1})
                found += await cursor.sort([("rank", 1), ("due_at", 1)]).limit(max(1, most)).to_list()
            # Ours are renewed long before they are due, so these are few; a query that excluded them is dear.
            found = [each for each in found if each["_id"] not in not_these]
            if not found:
                return []
            interrupted = _attempt_document(Attempt(now, "unknown", "interrupted"))
            changes = []
            for each in found:
                change: Document = {"$set": {"state": "claimed", "claim": claim, "due_at": now + lease}}
                if each["state"] == "claimed":
                    change["$push"] = {"attempts": interrupted}
                changes.append(
                    UpdateOne({"_id": each["_id"], "state": each["state"], "due_at": each["due_at"]}, change)
                )
            await self._collection.bulk_write(changes, ordered=False)
            ids = [each["_id"] for each in found]
            mine = await self._collection.find({"_id": {"$in": ids}, "claim": claim, "state": "claimed"}).to_list()
        return sorted((delivery_of(each) for each in mine), key=lambda one: one.rank)

    async def renew(self, ids: Collection[str], claims: Collection[str], until: datetime) -> None:
        """The leases of those still claimed so last until then."""
        query = {"_id": {"$in": list(ids)}, "claim": {"$in": list(claims)}, "state": "claimed"}
        with store_errors():
            await self._collection.update_many(query, {"$set": {"due_at": until}})

    async def record(self, outcomes: Sequence[Settlement]) -> None:
        """Each settlement is in the record. That something was sent stands whoever has the claim by now."""
        changes = []
        for outcome in outcomes:
            where: Document = {"_id": outcome.id}
            if outcome.state != "sent":
                where |= {"state": "claimed", "claim": outcome.claim}
            changes.append(UpdateOne(where, _outcome_change(outcome)))
        if changes:
            with store_errors():
                await self._collection.bulk_write(changes, ordered=False)

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

    async def waiting(self, now: datetime) -> int:
        """How many are due and not settled."""
        with store_errors():
            return await self._collection.count_documents({"open": True, "due_at": {"$lte": now}})

    async def _insert_many(self, documents: list[Document]) -> None:
        try:
            await self._collection.insert_many(documents, ordered=False)
        except BulkWriteError as error:
            faults: Iterable[dict[str, Any]] = error.details.get("writeErrors", ())
            if error.details.get("writeConcernErrors") or any(fault["code"] != 11000 for fault in faults):
                raise
            raise _Repeated([fault["index"] for fault in faults]) from error


class _Repeated(Exception):
    """Some of the documents stood already; the others are inserted."""

    def __init__(self, indexes: list[int]) -> None:
        super().__init__("documents stood already")
        self.indexes = indexes


def _outcome_change(outcome: Settlement) -> Document:
    settled = outcome.state not in OPEN_STATES
    values: Document = {"state": outcome.state, "due_at": outcome.due_at, "claim": None, "open": not settled}
    if settled:
        values |= {"unpublished": True, "settled_at": outcome.at}
    if outcome.state == "failed":
        values["climb"] = True
    change: Document = {"$set": values}
    if outcome.attempt is not None:
        change["$push"] = {"attempts": _attempt_document(outcome.attempt)}
    return change


def _document(delivery: Delivery) -> Document:
    document: Document = {
        "_id": delivery.id,
        "notification": delivery.notification,
        "site": delivery.case.site,
        "policy": delivery.case.policy,
        "subject": delivery.case.subject,
        "case": str(delivery.case),
        "recipient": delivery.recipient,
        "place": delivery.place,
        "channel": delivery.channel,
        "message": delivery.message,
        "role": delivery.role,
        "rung": delivery.rung,
        "step": delivery.step,
        "level": delivery.level,
        "round": delivery.round,
        "run": delivery.run,
        "ack_ends": delivery.ack_ends,
        "reminds": delivery.reminds,
        "at": delivery.at,
        "requested_at": delivery.requested_at,
        "rank": delivery.rank,
        "state": delivery.state,
        "due_at": delivery.due_at,
        "claim": delivery.claim,
        "attempts": [_attempt_document(each) for each in delivery.attempts],
        "open": delivery.open,
        "next_role": delivery.next_role,
        "hold": delivery.hold,
        "group": delivery.group,
        "into": delivery.into,
        "merged": delivery.merged,
        "silence": delivery.silence,
        "segments": delivery.segments,
        "short": delivery.short,
    }
    if delivery.resend_of is not None:
        document |= {"resend_of": delivery.resend_of, "by": delivery.by, "note": delivery.note}
    if not delivery.open:
        document |= {"unpublished": True, "settled_at": delivery.due_at}
    return document


def _attempt_document(attempt: Attempt) -> Document:
    return {
        "at": attempt.at,
        "result": attempt.result,
        "reason": attempt.reason,
        "reference": attempt.reference,
        "provider": attempt.provider,
    }


def delivery_of(document: Document) -> Delivery:
    """The delivery of a stored document."""
    return Delivery(
        id=document["_id"],
        notification=document["notification"],
        case=CaseKey(document["site"], document["policy"], document["subject"]),
        recipient=document["recipient"],
        place=document["place"],
        channel=document["channel"],
        message=document["message"],
        role=document["role"],
        rung=document["rung"],
        step=document["step"],
        level=document["level"],
        round=document["round"],
        run=document["run"],
        ack_ends=document["ack_ends"],
        reminds=document["reminds"],
        at=document["at"],
        requested_at=document["requested_at"],
        rank=document["rank"],
        state=document["state"],
        due_at=document["due_at"],
        claim=document["claim"],
        attempts=[Attempt(**each) for each in document["attempts"]],
        next_role=document.get("next_role"),
        hold=document.get("hold", ""),
        group=document.get("group", ""),
        into=document.get("into"),
        merged=document.get("merged", 0),
        silence=document.get("silence"),
        segments=document.get("segments", 0),
        resend_of=document.get("resend_of"),
        by=document.get("by", ""),
        note=document.get("note", ""),
        answers=[Answer(**each) for each in document.get("answers", ())],
    )
