"""Cases as escalation saved them; notify only reads them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from reeve.domain.bundle import Bundle
from reeve.domain.case import Case
from reeve.domain.stored import load_case
from reeve.runtime.store.mongo import Database, store_errors


class BundleSource(Protocol):
    """Where the active rules come from."""

    async def current(self) -> Bundle:
        """The active bundle. Raises StoreAway before the first could be loaded."""
        ...


class CaseReader:
    """Raises StoreAway when the record can't be reached."""

    def __init__(self, database: Database) -> None:
        self._collection = database["cases"]

    async def load(self, ids: Collection[str]) -> dict[str, Case]:
        """Case id → case, of those that exist."""
        if not ids:
            return {}
        with store_errors():
            documents = await self._collection.find({"_id": {"$in": list(ids)}}, {"state": 1}).to_list()
        return {each["_id"]: load_case(each["state"]) for each in documents}
