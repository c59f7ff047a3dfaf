"""Collection `recipients`: people and systems by place, as imported. Addresses go nowhere but to channels."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import date, time
from typing import Any

from pymongo import IndexModel, ReplaceOne

from reeve.domain.recipients import Absence, Area, QuietHours, Recipient, Term
from reeve.runtime.store.mongo import Collection as MongoCollection
from reeve.runtime.store.mongo import Database, Document, store_errors

COLLECTION = "recipients"

INDEXES: dict[str, Sequence[IndexModel]] = {
    COLLECTION: (
        IndexModel([("place", 1), ("roles", 1)]),
        IndexModel([("place", 1), ("terms.role", 1)]),
        IndexModel([("place", 1), ("customers", 1)]),
    )
}


class RecipientStore:
    """The recipients of every place. Raises StoreAway when the record can't be reached."""

    def __init__(self, database: Database) -> None:
        self._collection: MongoCollection = database[COLLECTION]

    async def save(self, recipients: Iterable[Recipient]) -> int:
        """Each replaces the one with its place and id; how many documents are different now."""
        requests = [
            ReplaceOne({"_id": _id(person.place, person.id)}, _document(person), upsert=True)
            for person in recipients
        ]
        if not requests:
            return 0
        with store_errors():
            result = await self._collection.bulk_write(requests, ordered=False)
        return result.modified_count + result.upserted_count

    async def remove(self, those: Iterable[tuple[str, str]]) -> int:
        """Those of these (place, id) pairs are gone; how many were there."""
        ids = [_id(place, one) for place, one in those]
        if not ids:
            return 0
        with store_errors():
            result = await self._collection.delete_many({"_id": {"$in": ids}})
        return result.deleted_count

    async def find(
        self,
        places: Collection[str],
        roles: Collection[str],
        customers: Collection[str] = (),
        ids: Collection[str] = (),
    ) -> list[Recipient]:
        """Those of these places with such a role (at some time), customer or id, and whoever stands in for them
        at some time, and so on; ordered by place and id."""
        either: list[dict[str, Any]] = [
            {"roles": {"$in": list(roles)}},
            {"terms.role": {"$in": list(roles)}},
        ]
        if customers:
            either.append({"customers": {"$in": list(customers)}})
        if ids:
            either.append({"_id": {"$in": [_id(place, one) for place in places for one in ids]}})
        found: dict[tuple[str, str], Recipient] = {}
        query: dict[str, Any] = {"place": {"$in": list(places)}, "$or": either}
        while True:
            with store_errors():
                documents = await self._collection.find(query).to_list()
            fresh = [_recipient(each) for each in documents]
            found |= {(one.place, one.id): one for one in fresh}
            others = {(place, other) for one in fresh for other in one.stand_ins for place in places} - found.keys()
            if not others:
                return [found[key] for key in sorted(found)]
            query = {"_id": {"$in": [_id(place, other) for place, other in sorted(others)]}}

    async def by_id(self, wanted: Collection[tuple[str, str]]) -> dict[tuple[str, str], Recipient]:
        """(place, id) → recipient, of those that are still there."""
        with store_errors():
            documents = await self._collection.find(
                {"_id": {"$in": [_id(place, one) for place, one in wanted]}}
            ).to_list()
        return {(each["place"], each["recipient"]): _recipient(each) for each in documents}

    async def all(self, place: str | None = None) -> list[Recipient]:
        """Everybody, or everybody of one place; ordered by place and id."""
        query = {} if place is None else {"place": place}
        with store_errors():
            documents = await self._collection.find(query).sort("_id", 1).to_list()
        return [_recipient(each) for each in documents]


def _id(place: str, id: str) -> str:
    # One person may work at two sites under one id; each place has its own entry.
    return f"{place}/{id}"


def _document(person: Recipient) -> Document:
    document: Document = {
        "_id": _id(person.place, person.id),
        "recipient": person.id,
        "place": person.place,
        "roles": sorted(person.roles),
        "language": person.language,
        "addresses": dict(sorted(person.addresses.items())),
        "customers": sorted(person.customers),
        "name": person.name,
        "terms": [
            {
                "role": term.role,
                "since": _text(term.since),
                "until": _text(term.until),
                "areas": [[area.building, area.unit] for area in sorted(term.areas)],
            }
            for term in person.terms
        ],
        "away": [
            {"since": _text(each.since), "until": _text(each.until), "stand_in": each.stand_in}
            for each in person.away
        ],
        # Pairs, not keys: a grade may be named with a dot.
        "channel_order": [[urgency, list(channels)] for urgency, channels in sorted(person.channel_order.items())],
        "unverified": sorted(person.unverified),
        "quiet": [person.quiet.start.isoformat(), person.quiet.end.isoformat()] if person.quiet else None,
    }
    return document


def _recipient(document: Document) -> Recipient:
    """The recipient of a document; those of earlier releases lack what is read with `get`."""
    quiet = document.get("quiet")
    return Recipient(
        id=document["recipient"],
        place=document["place"],
        roles=frozenset(document["roles"]),
        language=document["language"],
        addresses=document["addresses"],
        customers=frozenset(document["customers"]),
        name=document["name"],
        terms=tuple(
            Term(
                each["role"],
                _day(each["since"]),
                _day(each["until"]),
                frozenset(Area(building, unit) for building, unit in each["areas"]),
            )
            for each in document.get("terms", ())
        ),
        away=tuple(
            Absence(date.fromisoformat(each["since"]), _day(each["until"]), each["stand_in"])
            for each in document.get("away", ())
        ),
        channel_order={urgency: tuple(channels) for urgency, channels in document.get("channel_order", ())},
        unverified=frozenset(document.get("unverified", ())),
        quiet=QuietHours(time.fromisoformat(quiet[0]), time.fromisoformat(quiet[1])) if quiet else None,
    )


def _text(day: date | None) -> str | None:
    return day.isoformat() if day is not None else None


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text is not None else None
