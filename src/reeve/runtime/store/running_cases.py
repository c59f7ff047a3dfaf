"""Which policy files the open cases run on: what an activation would change, and what is still to be changed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping
from dataclasses import dataclass

from pymongo import IndexModel
from pymongo.errors import CursorNotFound

from reeve.ports import StoreAway
from reeve.runtime.store.mongo import Database, Document, store_errors

INDEX = IndexModel(
    [("policy", 1), ("digest", 1), ("lane", 1), ("kept", 1)],
    name="running",
    partialFilterExpression={"open": True},
)
"""Of `cases`: every count here is answered from it alone."""

_PAGE = 512


@dataclass(frozen=True, slots=True)
class OutdatedCase:
    """An open case that runs on another policy file than the current one."""

    case_id: str
    lane: int


class RunningCases:
    """Questions about the open cases. Raises StoreAway when the record can't be reached."""

    def __init__(self, database: Database) -> None:
        self._cases = database["cases"]

    async def count_on_other_files(self, policy: str, digest: str) -> tuple[int, int]:
        """Open cases of the policy that run on another file than this one: how many follow the rules' `on_change`,
        and how many a person has put on theirs."""
        query = {"open": True, "policy": policy, "digest": {"$ne": digest}}
        with store_errors():
            kept = await self._cases.count_documents({**query, "kept": True})
            return await self._cases.count_documents(query) - kept, kept

    async def count_outdated(self, current: Mapping[str, str], lanes: Collection[int] | None = None) -> int:
        """How many open cases of these policies run on another file; `current` is policy → digest."""
        with store_errors():
            counts = [
                await self._cases.count_documents(_outdated(policy, digest, lanes))
                for policy, digest in current.items()
            ]
        return sum(counts)

    async def outdated(
        self, current: Mapping[str, str], lanes: Collection[int] | None = None
    ) -> AsyncIterator[OutdatedCase]:
        """Those cases one by one, each once; a case that is brought up to date meanwhile may still come."""
        with store_errors():
            for policy, digest in current.items():
                found = self._cases.find(_outdated(policy, digest, lanes), {"lane": 1}).batch_size(_PAGE)
                try:
                    async for each in found:
                        yield OutdatedCase(each["_id"], each["lane"])
                except CursorNotFound as error:
                    # Nobody asked for more for ten minutes, or another server has become the primary.
                    raise StoreAway("the record has forgotten how far this had come") from error


def _outdated(policy: str, digest: str, lanes: Collection[int] | None) -> Document:
    query: Document = {"open": True, "policy": policy, "digest": {"$ne": digest}, "kept": {"$ne": True}}
    return query if lanes is None else {**query, "lane": {"$in": sorted(lanes)}}
