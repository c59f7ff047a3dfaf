"""Collection `recipients`: people and systems by place, as imported. Addresses go nowhere but to channels."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from pymongo import IndexModel, ReplaceOne

from reeve.domain.recipients import Recipient
from reeve.runtime.store.mongo import Collection as MongoCollection
from reeve.runtime.store.mongo import Database, Document, store_errors

COLLECTION = "recipients"

INDEXES: dict[str, Sequence[IndexModel]] = {
    COLLECTION: (
        IndexModel([("place", 1), ("roles", 1)]),
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

    async def find(
        self,
        places: Collection[str],
        roles: Collection[str],
        customers: Collection[str] = (),
        ids: Collection[str] = (),
    ) -> list[Recipient]:
        """Those of these places with such a role, customer or id; ordered by place and id."""
        either: list[dict[str, Any]] = [{"roles": {"$in": list(roles)}}]
        if customers:
            either.append({"customers": {"$in": list(customers)}})
        if ids:
            either.append({"_id": {"$in": [_id(place, one) for place in places for one in ids]}})
        with store_errors():
            documents = await self._collection.find({"place": {"$in": list(places)}, "$or": either}).to_list()
        return sorted((_recipient(each) for each in documents), key=lambda one: (one.place, one.id))

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
    return {
        "_id": _id(person.place, person.id),
        "recipient": person.id,
        "place": person.place,
        "roles": sorted(person.roles),
        "language": person.language,
        "addresses": dict(sorted(person.addresses.items())),
        "customers": sorted(person.customers),
        "name": person.name,
    }


def _recipient(document: Document) -> Recipient:
    return Recipient(
        id=document["recipient"],
        place=document["place"],
        roles=frozenset(document["roles"]),
        language=document["language"],
        addresses=document["addresses"],
        customers=frozenset(document["customers"]),
        name=document["name"],
    )
