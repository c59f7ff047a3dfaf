"""Which duties have their next occurrence in the record, and at which sites duties run."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from pymongo import IndexModel

from reeve.domain.duties import POLICY
from reeve.runtime.store.mongo import Database, Document, store_errors

INDEX = IndexModel([("policy", 1), ("site", 1)], name="unopened", partialFilterExpression={"unopened": True})
"""Of `cases`: the few that have never been opened."""

_COMING = {"policy": POLICY, "unopened": True, "next_due": {"$type": "date"}}


@dataclass(frozen=True, slots=True)
class ComingDuty:
    """The next occurrence of a duty at a site."""

    case_id: str
    site: str
    duty: str
    digest: str
    """Version of the duties file it was scheduled by."""
    lane: int
    at: datetime | None = None
    """When it comes."""


class ScheduledDuties:
    """Questions about scheduled duties. Raises StoreAway when the record can't be reached."""

    def __init__(self, database: Database) -> None:
        self._cases = database["cases"]

    async def sites(self) -> set[str]:
        """Every site that has ever had a case."""
        with store_errors():
            return set(await self._cases.distinct("site"))

    async def coming(self, lanes: Collection[int] | None = None) -> list[ComingDuty]:
        """Every scheduled occurrence, or those of some lanes."""
        query = _COMING if lanes is None else {**_COMING, "lane": {"$in": sorted(lanes)}}
        fields = {"site": 1, "subject": 1, "digest": 1, "lane": 1, "next_due": 1}
        with store_errors():
            return [_coming(each) async for each in self._cases.find(query, fields)]


def _coming(document: Document) -> ComingDuty:
    duty = document["subject"].partition("/")[0]
    return ComingDuty(
        document["_id"], document["site"], duty, document["digest"], document["lane"], document["next_due"]
    )
