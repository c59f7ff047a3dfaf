"""The accepted events as the record has them, in order of acceptance, and those that a replay needs beforehand."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from reeve.domain.bundle import Bundle
from reeve.domain.events import Event
from reeve.domain.workset import subject_key
from reeve.runtime.store.events import COLLECTION, event_of
from reeve.runtime.store.mongo import Database, Document, store_errors

LONGEST_WARM_UP = timedelta(days=400)
"""A case that was open for longer than this when a comparison begins is not rebuilt: last year's bills are."""
SHORTEST_WARM_UP = timedelta(days=7)
"""All events of this time before a comparison are replayed: what closed lately may be reopened or followed up."""
MOST_SUBJECTS = 200_000
"""Subjects held in memory, by which older events are chosen; where there are more, all older ones are replayed."""


@dataclass(frozen=True, slots=True)
class WarmUp:
    """What is replayed before a comparison begins, so that the cases are then what they were."""

    start: datetime
    """The earliest opening among the cases that were open, and their parents'."""
    whole_from: datetime
    """From here on every event is replayed, because counts look back so far."""
    subjects: frozenset[str] | None = None
    """Subjects (`workset.subject_key`) of which older events are replayed too; None: of all."""

    def needs(self, at: datetime, subject: str) -> bool:
        """Whether an event of that time and subject is replayed."""
        return at >= self.whole_from or self.subjects is None or subject in self.subjects


class RecordedEvents:
    """Events of one site, or of all. Raises StoreAway when the record can't be reached."""

    def __init__(self, database: Database, site: str | None = None) -> None:
        self._database = database
        self._site: Document = {} if site is None else {"site": site}

    async def count(self, first: datetime, last: datetime) -> int:
        """How many have their own time between these, both included."""
        with store_errors():
            return await self._database[COLLECTION].count_documents(self._between(first, last))

    async def since(self, warm_up: WarmUp, last: datetime) -> AsyncIterator[Event | None]:
        """Those from the warm-up's start to `last`, both included, in order of acceptance; None for one that is not
        needed, so that whoever waits sees it go on.

        The server sorts, on its disk if need be; here one batch is held at a time.
        """
        order = [("received_at", 1), ("place", 1), ("_id", 1)]
        fields = {"body": 1, "at": 1, "site": 1, "family": 1, "subject": 1}
        with store_errors():
            cursor = self._database[COLLECTION].find(self._between(warm_up.start, last), fields).sort(order)
            async for document in cursor.allow_disk_use(True):
                subject = subject_key(document["site"], document["family"], document["subject"])
                yield event_of(document) if warm_up.needs(document["at"], subject) else None

    async def warm_up(self, since: datetime, bundles: Iterable[Bundle]) -> WarmUp:
        """What a replay needs so that at `since` the cases are what they were.

        All events as far back as any count of these rules looks, and beyond that those of the cases that were open
        then and of their parents; at most LONGEST_WARM_UP back.
        """
        rules = [rule for bundle in bundles for policy in bundle.policies.values() for rule in policy.counts]
        length = max((rule.within.timedelta for rule in rules), default=SHORTEST_WARM_UP)
        limit = since - LONGEST_WARM_UP
        whole_from = max(limit, since - max(length, SHORTEST_WARM_UP))
        start, subjects = whole_from, set[str]()
        for pipeline in (self._open_still(whole_from), self._decided_since(since, whole_from)):
            async for document in self._kin(*pipeline):
                opened = [at for at in document["opened"] if at is not None]
                start = min([start, *opened])
                if len(subjects) <= MOST_SUBJECTS:
                    subjects.update(document["routes"])
        known = frozenset(subjects) if len(subjects) <= MOST_SUBJECTS else None
        return WarmUp(max(start, limit), whole_from, known)

    def _open_still(self, before: datetime) -> tuple[str, list[Document]]:
        """Cases that opened before that moment and are open still."""
        return "cases", [{"$match": {**self._site, "open": True, "opened_at": {"$lt": before}}}]

    def _decided_since(self, since: datetime, before: datetime) -> tuple[str, list[Document]]:
        """Cases that opened before that moment and of which something was decided since: closed by now or not."""
        case: Document = {}
        if self._site:
            site = self._site["site"]
            case = {"case": {"$gte": f"{site}/", "$lt": f"{site}0"}}
        return "decisions", [
            {"$match": {**case, "at": {"$gte": since}}},
            {"$group": {"_id": "$case"}},
            {"$lookup": {"from": "cases", "localField": "_id", "foreignField": "_id", "as": "case"}},
            {"$unwind": "$case"},
            {"$replaceWith": "$case"},
            {"$match": {"opened_at": {"$lt": before}}},
        ]

    async def _kin(self, collection: str, cases: list[Document]) -> AsyncIterator[Document]:
        """Of each case its routes, and when it and its kin opened: a child opened later than its parent."""
        kin: list[Document] = [
            {"$lookup": {"from": "cases", "localField": "routes", "foreignField": "routes", "as": "kin"}},
            {"$project": {"_id": 0, "routes": 1, "opened": "$kin.opened_at"}},
        ]
        with store_errors():
            cursor: Any = await self._database[collection].aggregate([*cases, *kin], allowDiskUse=True)
            async for document in cursor:
                yield document

    def _between(self, first: datetime, last: datetime) -> Document:
        return {**self._site, "at": {"$gte": first, "$lte": last}}
