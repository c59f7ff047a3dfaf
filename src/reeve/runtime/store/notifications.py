"""Collection `notifications`: what escalation asked for. It is the truth; the message on the bus a wake-up.

Escalation inserts a document in the transaction that decided it; notify alone changes it afterwards.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from typing import Literal as OneOf

from pymongo import IndexModel, UpdateMany

from reeve.domain.case import CaseKey
from reeve.domain.effects import Because, Effect, Notification
from reeve.domain.telling import due_roles, moment_of, next_hour
from reeve.runtime.store.mongo import Collection as MongoCollection
from reeve.runtime.store.mongo import Database, Document, store_errors

COLLECTION = "notifications"

State = OneOf["requested", "done", "suppressed"]
"""requested: a role still waits to be resolved; done: everybody to be told has a delivery, or the timeline
says that nobody can be; suppressed: the case no longer wanted it before anybody was told."""

SWEEP_AFTER = timedelta(seconds=5)
"""How long the wake-up message has before the sweep takes a notification straight from the record."""

INDEXES: dict[str, Sequence[IndexModel]] = {
    COLLECTION: (
        IndexModel([("look_at", 1)], name="waiting", partialFilterExpression={"state": "requested"}),
        IndexModel([("case", 1)]),
    )
}


@dataclass(frozen=True, slots=True)
class Requested:
    """A notification as asked for, and how far it has come."""

    effect: Effect
    """The `notify` effect, its `notification` set, `details` as on the timeline."""
    wanted: Notification
    state: State
    told: tuple[str, ...]
    """Roles that have been resolved already; the others wait for their hour."""
    requested_at: datetime
    """When it was written."""

    @property
    def key(self) -> str:
        """Key of the effect."""
        return self.effect.key

    def due_roles(self, now: datetime) -> tuple[str, ...]:
        """Roles not yet resolved whose hour has come."""
        return due_roles(self.wanted, self.told, now)

    def next_hour(self, now: datetime) -> datetime | None:
        """The earliest hour later than `now` that a role waits for; None: no role waits."""
        return next_hour(self.wanted, self.told, now)

    def moment(self, role: str) -> datetime:
        """The logical moment at which the role is told: that of the request, or the hour it waits for."""
        return moment_of(self.effect, self.wanted, role)


def requested_document(effect: Effect, now: datetime) -> Document:
    """The document that escalation inserts for a `notify` effect. `now` is the moment of writing.

    Raises ValueError for an effect without a notification (a mistake of the caller).
    """
    wanted = effect.notification
    if wanted is None:
        raise ValueError(f"effect {effect.what} asks for no notification")
    return {
        "_id": effect.key,
        "site": effect.case.site,
        "policy": effect.case.policy,
        "subject": effect.case.subject,
        "case": str(effect.case),
        "at": effect.at,
        "because": {
            "rule": effect.because.rule,
            "event": effect.because.event,
            "clock": effect.because.clock,
        },
        "step": wanted.step,
        "level": wanted.level,
        "round": wanted.round,
        "run": wanted.run,
        "to": list(wanted.to),
        "via": list(wanted.via),
        "message": wanted.message,
        "grade": wanted.grade,
        "ack_ends": wanted.ack_ends,
        "reminds": wanted.reminds,
        "late": wanted.late,
        "not_before": wanted.not_before,
        "owner_not_before": wanted.owner_not_before,
        "state": "requested",
        "told": [],
        "requested_at": now,
        "look_at": now + SWEEP_AFTER,
    }


def requested_of(document: Document) -> Requested:
    """The notification of a stored document."""
    wanted = Notification(
        step=document["step"],
        level=document["level"],
        round=document["round"],
        run=document["run"],
        to=tuple(document["to"]),
        via=tuple(document["via"]),
        message=document["message"],
        grade=document["grade"],
        ack_ends=document["ack_ends"],
        reminds=document["reminds"],
        late=document["late"],
        not_before=document["not_before"],
        owner_not_before=document.get("owner_not_before"),
    )
    effect = Effect(
        what="notify",
        case=CaseKey(document["site"], document["policy"], document["subject"]),
        at=document["at"],
        key=document["_id"],
        because=Because(**document["because"]),
        details={"to": list(wanted.to), "via": list(wanted.via), "message": wanted.message},
        notification=wanted,
    )
    return Requested(effect, wanted, document["state"], tuple(document["told"]), document["requested_at"])


class NotificationStore:
    """Requested notifications. Raises StoreAway when the record can't be reached."""

    def __init__(self, database: Database) -> None:
        self._collection: MongoCollection = database[COLLECTION]

    async def load(self, keys: Collection[str]) -> dict[str, Requested]:
        """Those that are stored, by key, whatever their state."""
        with store_errors():
            documents = await self._collection.find({"_id": {"$in": list(keys)}}).to_list()
        return {each["_id"]: requested_of(each) for each in documents}

    async def overdue(self, now: datetime, most: int) -> list[Requested]:
        """Requested ones whose wake-up did not come or whose hour has come, longest waiting first."""
        query = {"state": "requested", "look_at": {"$lte": now}}
        with store_errors():
            documents = await self._collection.find(query).sort("look_at", 1).limit(most).to_list()
        return [requested_of(each) for each in documents]

    async def progress(self, changes: Iterable[Progress]) -> None:
        """What was decided about each is recorded; the same change again changes nothing."""
        alike: dict[Progress, list[str]] = {}
        for change in changes:
            alike.setdefault(replace(change, key=""), []).append(change.key)
        requests = [UpdateMany({"_id": {"$in": keys}}, change.update()) for change, keys in alike.items()]
        if requests:
            with store_errors():
                await self._collection.bulk_write(requests, ordered=False)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a notification has come."""

    key: str
    state: State
    told: tuple[str, ...] = ()
    """Roles resolved now, in addition to those before."""
    look_at: datetime | None = None
    """When to look again; only while it is `requested`."""

    def update(self) -> dict[str, Any]:
        change: dict[str, Any] = {"$set": {"state": self.state}}
        if self.told:
            change["$addToSet"] = {"told": {"$each": list(self.told)}}
        if self.look_at is not None:
            change["$set"]["look_at"] = self.look_at
        return change
