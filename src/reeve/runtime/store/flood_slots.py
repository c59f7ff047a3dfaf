"""Collection `flood_slots`: windows of matters and days of payment reminders, as earlier messages left them.

A slot is saved only over the revision it was read at, so that two processes never give the same place twice; it
goes by itself when nothing depends on it any more.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from pymongo import IndexModel, InsertOne, UpdateOne, WriteConcern
from pymongo.errors import BulkWriteError
from pymongo.read_concern import ReadConcern

from reeve.domain.flood.days import Days, Taken
from reeve.domain.flood.tempering import Ledger
from reeve.domain.flood.windows import Window
from reeve.runtime.store.mongo import Collection as MongoCollection
from reeve.runtime.store.mongo import Database, Document, store_errors

COLLECTION = "flood_slots"

INDEXES: dict[str, Sequence[IndexModel]] = {COLLECTION: (IndexModel([("gone_at", 1)], expireAfterSeconds=0),)}

_Change = UpdateOne | InsertOne[Document]

_KEPT = timedelta(days=4)
"""After its last moment. A window may be a day long, and days look back over three."""


@dataclass(slots=True)
class Slots:
    """What was read, and at which revisions."""

    ledger: Ledger
    revisions: dict[str, int] = field(default_factory=dict)


class SlotStore:
    """Raises StoreAway when the record can't be reached."""

    def __init__(self, database: Database) -> None:
        # Read as the primary has it, or what was just written would look as if somebody else had changed it.
        self._days: MongoCollection = database[COLLECTION].with_options(read_concern=ReadConcern("local"))
        # A window is a courtesy: what a failover loses of it is a message that comes by itself, and every mild
        # message would wait for the journal.
        self._windows = self._days.with_options(write_concern=WriteConcern(w=1))

    async def load(self, keys: Collection[str]) -> Slots:
        """The slots of these keys; what is not there yet is empty."""
        slots = Slots(Ledger())
        if not keys:
            return slots
        with store_errors():
            documents = await self._days.find({"_id": {"$in": list(keys)}}).to_list()
        for each in documents:
            key = each["_id"]
            slots.revisions[key] = each["rev"]
            if "days" in each:
                slots.ledger.days[key] = _days(each["days"])
            else:
                slots.ledger.windows[key] = Window(each["until"], each["by"], each["held"])
        return slots

    async def save(self, slots: Slots) -> bool:
        """Whether everything changed is in the record. False: some was changed by others first; load again."""
        days: list[_Change] = []
        windows: list[_Change] = []
        for key in sorted(slots.ledger.changed):
            revision = slots.revisions.get(key)
            window = slots.ledger.windows.get(key)
            values = _window(window) if window is not None else _of_days(slots.ledger.days[key])
            change: _Change
            if revision is None:  # an upsert costs the server ten times as much
                change = InsertOne({"_id": key, **values, "rev": 1})
            else:
                change = UpdateOne({"_id": key, "rev": revision}, {"$set": values | {"rev": revision + 1}})
            (days if window is None else windows).append(change)
        try:
            with store_errors():
                return await self._written(self._days, days) and await self._written(self._windows, windows)
        except _TakenFirst:
            return False

    async def _written(self, collection: MongoCollection, changes: list[_Change]) -> bool:
        if not changes:
            return True
        try:
            result = await collection.bulk_write(changes, ordered=False)
        except BulkWriteError as error:
            faults = error.details.get("writeErrors", ())
            if error.details.get("writeConcernErrors") or any(each["code"] != 11000 for each in faults):
                raise
            raise _TakenFirst from error
        return result.matched_count + result.inserted_count == len(changes)


class _TakenFirst(Exception):
    """Another process made one of the slots."""


def _window(window: Window) -> Document:
    return {"until": window.until, "by": window.by, "held": window.held, "gone_at": window.until + _KEPT}


def _of_days(days: Days) -> Document:
    last = max(taken.due for taken in days.values())
    listed = [{"day": day.isoformat(), "due": taken.due, "by": taken.by} for day, taken in sorted(days.items())]
    return {"days": listed, "gone_at": last + _KEPT}


def _days(listed: Sequence[dict[str, Any]]) -> Days:
    return {date.fromisoformat(each["day"]): Taken(each["due"], each["by"]) for each in listed}
