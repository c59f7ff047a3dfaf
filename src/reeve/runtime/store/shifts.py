"""Collection `shifts`: the rota of each place and role, and the overrides and swaps that people have entered.

Who is on shift is reckoned from both (`reeve.domain.shifts`); nothing about single shifts is stored.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

from pymongo import IndexModel, ReplaceOne

from reeve.domain.rotas import Change, Exchange, Layer, Rota, Shift
from reeve.domain.shifts import on_shift
from reeve.runtime.store.mongo import Collection, Database, Document, store_errors

COLLECTION = "shifts"

INDEXES: dict[str, Sequence[IndexModel]] = {
    COLLECTION: (IndexModel([("kind", 1), ("end", 1)], name="changes"),),
}

RELOAD = timedelta(seconds=5)
"""What is in hand is at most so old."""
_BACK = timedelta(days=40)
"""Changes that ended longer ago are not looked at when messages are sent."""


@dataclass(frozen=True, slots=True)
class Rotas:
    """All rotas with what was changed about them."""

    rotas: Mapping[tuple[str, str], Rota] = field(default_factory=dict)
    """(place, role) → rota."""
    changes: Mapping[tuple[str, str], Sequence[Change]] = field(default_factory=dict)
    """(place, role) → changes, in the order in which they were made."""

    def of(self, place: str, role: str) -> tuple[Rota | None, Sequence[Change]]:
        """The rota and its changes; None: there is none."""
        return self.rotas.get((place, role)), self.changes.get((place, role), ())

    def on_shift(self, place: str, role: str, at: datetime) -> frozenset[str] | None:
        """The ids of those who are on; an empty set: nobody. None: no rota speaks of that role, place and time."""
        rota, changes = self.of(place, role)
        return None if rota is None else on_shift(rota, changes, at)

    def hands_over(self, place: str, role: str, at: datetime) -> bool:
        """Whether a rota speaks of that role, place and time, and tells its hand-overs."""
        rota, _ = self.of(place, role)
        return rota is not None and rota.hands_over and self.on_shift(place, role, at) is not None


class ShiftStore:
    """Rotas and changes. Raises StoreAway when the record can't be reached."""

    def __init__(self, database: Database) -> None:
        self._collection: Collection = database[COLLECTION]

    async def load(self, ended_after: datetime | None = None) -> Rotas:
        """All rotas, and all changes, or those that end later than that."""
        query: Document = {} if ended_after is None else {"$or": [{"kind": "rota"}, {"end": {"$gt": ended_after}}]}
        with store_errors():
            documents = await self._collection.find(query).to_list()
        rotas = [rota_of(each) for each in documents if each["kind"] == "rota"]
        changes: dict[tuple[str, str], list[Change]] = {}
        made = [change_of(each) for each in documents if each["kind"] != "rota"]
        for change in sorted(made, key=lambda each: (each.made_at, each.id)):
            changes.setdefault((change.place, change.role), []).append(change)
        return Rotas({(rota.place, rota.role): rota for rota in sorted(rotas, key=_key)}, changes)

    async def save(self, rotas: Iterable[Rota], now: datetime) -> None:
        """Each replaces the one of its place and role, as of `now`; changes made about it stay."""
        requests = [
            ReplaceOne(
                {"_id": rota_id(rota.place, rota.role)}, rota_document(replace(rota, since=now)), upsert=True
            )
            for rota in rotas
        ]
        if requests:
            with store_errors():
                await self._collection.bulk_write(requests, ordered=False)

    async def add(self, change: Change) -> None:
        """The override or swap counts from now on."""
        with store_errors():
            await self._collection.insert_one(change_document(change))

    async def take_back(self, id: str, now: datetime) -> Change | None:
        """The change counts no longer; what was until now stays as it was. None: there is none of that id."""
        with store_errors():
            found = await self._collection.find_one_and_update(
                {"_id": id, "kind": {"$ne": "rota"}, "removed_at": None}, {"$set": {"removed_at": now}}
            )
        return None if found is None else change_of(found)

    async def remove(self, place: str, role: str) -> bool:
        """The rota is gone, and its changes with it; whether there was one."""
        with store_errors():
            gone = await self._collection.delete_one({"_id": rota_id(place, role)})
            await self._collection.delete_many({"place": place, "role": role})
        return gone.deleted_count > 0


class ShiftBook:
    """The rotas in hand, read again when they may be old."""

    def __init__(self, store: ShiftStore) -> None:
        self._store = store
        self._read_at: datetime | None = None
        self.rotas = Rotas()

    async def refresh(self, now: datetime) -> None:
        """What is in hand (`rotas`) is at most 5 s old. Raises StoreAway; then the older one stays in hand."""
        if self._read_at is None or not timedelta() <= now - self._read_at < RELOAD:
            self.rotas = await self._store.load(now - _BACK)
            self._read_at = now

    def on_shift(self, place: str, role: str, at: datetime) -> frozenset[str] | None:
        """Who is on by what is in hand; None: no rota speaks of that role, place and time."""
        return self.rotas.on_shift(place, role, at)

    def hands_over(self, place: str, role: str, at: datetime) -> bool:
        """See `Rotas.hands_over`, by what is in hand."""
        return self.rotas.hands_over(place, role, at)


def rota_id(place: str, role: str) -> str:
    """The id of a rota's document."""
    return f"rota:{place}/{role}"


def _key(rota: Rota) -> tuple[str, str]:
    return rota.place, rota.role


def rota_document(rota: Rota) -> Document:
    """The rota as it is stored."""
    return {
        "_id": rota_id(rota.place, rota.role),
        "kind": "rota",
        "place": rota.place,
        "role": rota.role,
        "zone": rota.zone,
        "title": dict(rota.title),
        "hands_over": rota.hands_over,
        "since": rota.since,
        "layers": [
            {
                "start": layer.start.isoformat(),
                "until": layer.until.isoformat() if layer.until else None,
                "every": layer.every,
                "step": layer.step,
                "shifts": [
                    {"name": each.name, "start": each.start, "end": each.end, "days": sorted(each.days)}
                    for each in layer.shifts
                ],
                "turns": [[sorted(people) for people in turn] for turn in layer.turns],
            }
            for layer in rota.layers
        ],
    }


def rota_of(document: Document) -> Rota:
    """The rota of a stored document."""
    return Rota(
        place=document["place"],
        role=document["role"],
        zone=document["zone"],
        layers=tuple(_layer(each) for each in document["layers"]),
        title=document["title"],
        hands_over=document["hands_over"],
        since=document["since"],
    )


def _layer(stored: Mapping[str, Any]) -> Layer:
    shifts = tuple(
        Shift(each["name"], each["start"], each["end"], frozenset(each["days"])) for each in stored["shifts"]
    )
    return Layer(
        shifts=shifts,
        start=date.fromisoformat(stored["start"]),
        every=stored["every"],
        turns=tuple(tuple(frozenset(people) for people in turn) for turn in stored["turns"]),
        until=date.fromisoformat(stored["until"]) if stored["until"] else None,
        step=stored["step"],
    )


def change_document(change: Change) -> Document:
    """The change as it is stored."""
    return {
        "_id": change.id,
        "kind": change.kind,
        "place": change.place,
        "role": change.role,
        "exchanges": [
            {
                "start": each.start,
                "end": each.end,
                "comes": sorted(each.comes),
                "leaves": None if each.leaves is None else sorted(each.leaves),
            }
            for each in change.exchanges
        ],
        "author": change.author,
        "note": change.note,
        "made_at": change.made_at,
        "removed_at": change.removed_at,
        "end": change.end,
    }


def change_of(document: Document) -> Change:
    """The change of a stored document."""
    exchanges = tuple(
        Exchange(
            each["start"],
            each["end"],
            frozenset(each["comes"]),
            None if each["leaves"] is None else frozenset(each["leaves"]),
        )
        for each in document["exchanges"]
    )
    return Change(
        id=document["_id"],
        place=document["place"],
        role=document["role"],
        kind=document["kind"],
        exchanges=exchanges,
        author=document["author"],
        note=document["note"],
        made_at=document["made_at"],
        removed_at=document["removed_at"],
    )
