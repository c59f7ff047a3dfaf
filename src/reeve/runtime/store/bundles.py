"""Collections `bundles` and `settings`: every bundle that was ever active, and which one is now.

A bundle's document is written once, before it can become active, and never changed afterwards but for its list of
activations. The pointer in `settings` moves only from the version its mover saw.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from bson.binary import Binary
from pymongo import IndexModel
from pymongo.errors import DuplicateKeyError

from reeve.runtime.store.mongo import Collection, Database, Document, store_errors

BUNDLES = "bundles"
SETTINGS = "settings"

INDEXES: dict[str, Sequence[IndexModel]] = {
    BUNDLES: (IndexModel([("policies", 1)]), IndexModel([("activations.at", -1)])),
    SETTINGS: (),
}

_ACTIVE = "active_bundle"
_FOLDER = "folder_bundle"


@dataclass(frozen=True, slots=True)
class Activated:
    """One time at which a version became the active one."""

    version: str
    at: datetime
    author: str
    note: str
    announced: bool = False
    """Whether the bus has acknowledged `rules.activated` for it."""


@dataclass(frozen=True, slots=True)
class StoredBundle:
    """A version as it is kept: its files by path, and the digests of its policies."""

    version: str
    files: Mapping[str, bytes]
    policies: tuple[str, ...]
    follows: Mapping[str, str] = field(default_factory=dict)
    """Policy → digest of its file, of those whose open cases follow a change."""
    activations: tuple[Activated, ...] = ()
    """Oldest first; empty for one that lost the race to become active."""


class BundleStore:
    """The record of bundles. Raises StoreAway when it can't be reached."""

    def __init__(self, database: Database) -> None:
        self._bundles: Collection = database[BUNDLES]
        self._settings: Collection = database[SETTINGS]

    async def active(self) -> Activated | None:
        """The active version; None while the record has none."""
        with store_errors():
            document = await self._settings.find_one({"_id": _ACTIVE})
        return None if document is None else _activated(document)

    async def get(self, version: str) -> StoredBundle | None:
        """A version with its files."""
        with store_errors():
            document = await self._bundles.find_one({"_id": version})
        return None if document is None else _bundle(document)

    async def with_policy(self, digest: str) -> StoredBundle | None:
        """A version that holds the policy file of that digest."""
        with store_errors():
            document = await self._bundles.find_one({"policies": digest})
        return None if document is None else _bundle(document)

    async def save(
        self,
        version: str,
        files: Mapping[str, bytes],
        policies: Sequence[str],
        follows: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """The version is in the record; one that is there already stays as it is."""
        # A list, because a path has dots and a field name had better have none.
        kept = [{"path": path, "content": Binary(content)} for path, content in sorted(files.items())]
        document = {
            "files": kept,
            "policies": sorted(set(policies)),
            "follows": [{"policy": name, "digest": digest} for name, digest in sorted(follows.items())],
            "activations": [],
        }
        with store_errors():
            await self._bundles.update_one({"_id": version}, {"$setOnInsert": document}, upsert=True)

    async def switch(self, was: str | None, now: Activated) -> bool:
        """`now` is active if `was` still was (None: nothing was); false if somebody else was faster."""
        pointer = {
            "version": now.version,
            "at": now.at,
            "author": now.author,
            "note": now.note,
            "announced": now.announced,
        }
        with store_errors():
            if was is None:
                try:
                    await self._settings.insert_one({"_id": _ACTIVE, **pointer})
                except DuplicateKeyError:
                    return False
            else:
                result = await self._settings.update_one({"_id": _ACTIVE, "version": was}, {"$set": pointer})
                if not result.matched_count:
                    return False
        await self.write_down(now)
        return True

    async def write_down(self, activated: Activated) -> None:
        """The activation is in the history, once, however often this is called."""
        entry = {"at": activated.at, "author": activated.author, "note": activated.note}
        with store_errors():
            await self._bundles.update_one({"_id": activated.version}, {"$addToSet": {"activations": entry}})

    async def mark_announced(self, activated: Activated) -> None:
        """The bus has acknowledged this activation; nothing if another one is active by now."""
        with store_errors():
            await self._settings.update_one(
                {"_id": _ACTIVE, "version": activated.version, "at": activated.at}, {"$set": {"announced": True}}
            )

    async def history(self, most: int = 50) -> list[Activated]:
        """The latest activations, newest first."""
        with store_errors():
            documents = await self._bundles.aggregate(
                [
                    {"$project": {"activations": 1}},
                    {"$unwind": "$activations"},
                    {"$sort": {"activations.at": -1}},
                    {"$limit": most},
                    {"$replaceWith": {"$mergeObjects": ["$activations", {"version": "$_id"}]}},
                ]
            )
            found = [_activated(document) async for document in documents]
        active = await self.active()
        # A process that died between moving the pointer and writing it down left it out, until it is announced.
        if active is not None and not any((each.version, each.at) == (active.version, active.at) for each in found):
            found = [active, *found][:most]
        return found

    async def versions(self, prefix: str, most: int = 5) -> list[str]:
        """Recorded versions that begin with this, whether they were ever active or not."""
        query = {"_id": {"$regex": f"^{re.escape(prefix)}"}}
        with store_errors():
            return [each["_id"] async for each in self._bundles.find(query, {"_id": 1}).sort("_id", 1).limit(most)]

    async def folder_seen(self) -> str | None:
        """Digest of the rules folder as it was last activated from here."""
        with store_errors():
            document = await self._settings.find_one({"_id": _FOLDER})
        return None if document is None else str(document["digest"])

    async def note_folder(self, digest: str) -> None:
        """The rules folder with this content has been activated; unchanged, it is not activated again."""
        with store_errors():
            await self._settings.update_one({"_id": _FOLDER}, {"$set": {"digest": digest}}, upsert=True)


def _activated(document: Document) -> Activated:
    return Activated(
        version=document["version"],
        at=document["at"],
        author=document["author"],
        note=document["note"],
        announced=document.get("announced", False),
    )


def _bundle(document: Document) -> StoredBundle:
    version = document["_id"]
    return StoredBundle(
        version=version,
        files={item["path"]: bytes(item["content"]) for item in document["files"]},
        policies=tuple(document["policies"]),
        follows={each["policy"]: each["digest"] for each in document.get("follows", ())},
        activations=tuple(_activated({**item, "version": version}) for item in document["activations"]),
    )
