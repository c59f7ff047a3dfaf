"""The shadow in the record: which candidate is evaluated silently, what it started from, and what differs so far.

One shadow at a time. `shadow_cases` and `shadow_counts` are copies made on the server when it starts;
`shadow_differences` has one document per case that differs, under `<shadow>/<case>`, written anew as often as need
be: a restart comes to the same documents.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from pymongo import DeleteOne, IndexModel, ReplaceOne

from reeve.domain.events import Event
from reeve.runtime.store.bundles import SETTINGS
from reeve.runtime.store.events import COLLECTION as EVENTS
from reeve.runtime.store.events import event_of
from reeve.runtime.store.mongo import Database, Document, store_errors

CASES = "shadow_cases"
COUNTS = "shadow_counts"
DIFFERENCES = "shadow_differences"

INDEXES: dict[str, Sequence[IndexModel]] = {DIFFERENCES: (IndexModel([("shadow", 1), ("weight", -1)]),)}

_SHADOW = "shadow"
_PAGE = 100
"""What is read or written at once: the event loop of the service has other work."""


@dataclass(frozen=True, slots=True)
class Shadow:
    """A candidate under silent evaluation."""

    id: str
    """`<version>@<since>`: unique for ever."""
    version: str
    since: datetime
    author: str
    note: str
    active: str
    """The version active when it started."""
    failed: str | None = None
    """Why its evaluation ended early; None: it goes on."""
    events: int = 0
    """Events evaluated."""
    position: datetime | None = None
    """Publication time of the last event evaluated; None: none yet."""
    until: datetime | None = None
    """How far virtual time has come."""
    seen_at: datetime | None = None
    """When progress was last written."""
    behind: bool = False
    """Accepted events were left to evaluate then."""
    findings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StoredCase:
    """A case as it is stored, and the policy file it runs on."""

    digest: str
    state: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """An accepted event, and when the bus had it."""

    event: Event
    published_at: datetime


class ShadowStore:
    """Raises StoreAway when the record can't be reached."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._settings = database[SETTINGS]
        self._differences = database[DIFFERENCES]

    async def start(self, version: str, author: str, note: str, now: datetime, active: str) -> Shadow:
        """This version, which is in the record, is the shadow, and it starts from the open cases as they are.

        The shadow before it, if there is one, is gone.
        """
        await self.drop()
        since = now.replace(microsecond=now.microsecond // 1000 * 1000)
        shadow = Shadow(f"{version}@{since:%Y%m%dT%H%M%S.%f}"[:-3], version, since, author, note, active)
        # Schedules of duties are not open, and have a next moment.
        live: Document = {"$or": [{"open": True}, {"next_due": {"$type": "date"}}]}
        with store_errors():
            for source, target, matched in (("cases", CASES, live), ("counts", COUNTS, {})):
                pipeline: list[Document] = [
                    {"$match": matched},
                    {"$project": {"state": 1, "digest": 1}},
                    {"$out": target},
                ]
                await (await self._database[source].aggregate(pipeline)).to_list()
            await self._settings.replace_one({"_id": _SHADOW}, _document(shadow), upsert=True)
        return shadow

    async def current(self) -> Shadow | None:
        """The shadow; None: there is none."""
        with store_errors():
            document = await self._settings.find_one({"_id": _SHADOW})
        return None if document is None else _shadow(document)

    async def drop(self) -> Shadow | None:
        """There is no shadow, and nothing is left of it; the one there was."""
        with store_errors():
            document = await self._settings.find_one_and_delete({"_id": _SHADOW})
            for name in (CASES, COUNTS):
                await self._database[name].drop()
            await self._differences.delete_many({})
        return None if document is None else _shadow(document)

    # --- what it is evaluated on ------------------------------------------------------------------------------

    async def cases(self) -> AsyncIterator[list[StoredCase]]:
        """The cases it starts from, some at a time; reading what they say is left to the caller's thread."""
        async for page in self._pages(CASES):
            yield [StoredCase(document["digest"], document["state"]) for document in page]

    async def counts(self) -> AsyncIterator[list[str]]:
        """The counts it starts from, as they are stored, some at a time."""
        async for page in self._pages(COUNTS):
            yield [document["state"] for document in page if document.get("state")]

    async def _pages(self, name: str) -> AsyncIterator[list[Document]]:
        page: list[Document] = []
        with store_errors():
            async for document in self._database[name].find({}, batch_size=_PAGE).sort("_id", 1):
                page.append(document)
                if len(page) == _PAGE:
                    yield page
                    page = []
        if page:
            yield page

    async def accepted(
        self, first: datetime, before: datetime, known: Collection[str], most: int = _PAGE
    ) -> list[Accepted]:
        """Events that the bus had from `first` on and before that moment, in order of acceptance.

        Left out are those `known`: keys already taken of the moment `first`, of which there may be many.
        """
        query = {"published_at": {"$gte": first, "$lt": before}}
        order = [("published_at", 1), ("received_at", 1), ("place", 1)]
        with store_errors():
            cursor = self._database[EVENTS].find(query, {"body": 1, "published_at": 1}).sort(order)
            found = await cursor.limit(most + len(known)).to_list()
        return [
            Accepted(event_of(document), document["published_at"])
            for document in found
            if document["_id"] not in known
        ][:most]

    # --- what came of it --------------------------------------------------------------------------------------

    async def record(self, shadow: Shadow, changed: Iterable[Mapping[str, Any]], unchanged: Iterable[str]) -> bool:
        """Progress and differences are in the record; False if this shadow is not the current one any more.

        `changed` are `case_findings`; `unchanged` are ids of cases that differ no more.
        """
        writes: list[ReplaceOne[Document] | DeleteOne] = [
            ReplaceOne({"_id": f"{shadow.id}/{row['case']}"}, {**row, "shadow": shadow.id}, upsert=True)
            for row in changed
        ]
        writes += [DeleteOne({"_id": f"{shadow.id}/{case}"}) for case in unchanged]
        with store_errors():
            result = await self._settings.replace_one({"_id": _SHADOW, "id": shadow.id}, _document(shadow))
            if not result.matched_count:
                return False
            if writes:
                await self._differences.bulk_write(writes, ordered=False)
        return True

    async def fail(self, shadow: Shadow, reason: str) -> None:
        """Its evaluation has ended for that reason; what was found so far stays."""
        with store_errors():
            await self._settings.update_one({"_id": _SHADOW, "id": shadow.id}, {"$set": {"failed": reason}})

    async def differences(self, shadow: Shadow, most: int) -> list[dict[str, Any]]:
        """The cases in which most differs, as `case_findings`."""
        order = [("weight", -1), ("_id", 1)]
        with store_errors():
            found = await self._differences.find({"shadow": shadow.id}).sort(order).limit(most).to_list()
        return [{key: value for key, value in each.items() if key not in ("_id", "shadow")} for each in found]


REACH_BACK = timedelta(seconds=10)
"""Events are taken from so long before the shadow's start: one on its way while the cases were copied is in neither
otherwise. A case that has an event already takes it no second time."""


def _document(shadow: Shadow) -> Document:
    names = ("id", "version", "since", "author", "note", "active", "failed", "events", "position", "until")
    more = ("seen_at", "behind", "findings")
    return {"_id": _SHADOW, **{name: getattr(shadow, name) for name in (*names, *more)}}


def _shadow(document: Document) -> Shadow:
    return Shadow(**{name: value for name, value in document.items() if name != "_id"})
