"""Escalation's record in MongoDB: cases, decisions and their outbox, counts, claims, what is applied.

A batch is read without a transaction and written in one. Every write names the version it was decided on,
so whatever changed in between makes the whole batch a Conflict; nothing is ever half written.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from bson import Binary
from pymongo import IndexModel, InsertOne, ReplaceOne, UpdateOne
from pymongo.asynchronous.client_session import AsyncClientSession

from reeve.domain.case import Case
from reeve.domain.events import Event
from reeve.domain.stored import dump_case, dump_count, load_case, load_count
from reeve.ports import Changes, Conflict, DecisionRow, Loaded, Needs, OutboxRow
from reeve.runtime.bus.lanes import lane_of_case, lane_of_event, routes_of
from reeve.runtime.crash import reach
from reeve.runtime.store import outbox, running_cases, scheduled_duties, scores
from reeve.runtime.store.events import event_document, event_of
from reeve.runtime.store.mongo import Client, Database, Document, insert_missing, store_errors
from reeve.runtime.store.notifications import requested_document

INDEXES: dict[str, Sequence[IndexModel]] = {
    "cases": (
        IndexModel([("routes", 1)]),
        IndexModel(
            [("lane", 1), ("next_due", 1)],
            name="due",
            partialFilterExpression={"next_due": {"$type": "date"}},
        ),
        IndexModel([("count_keys", 1)], name="counted", partialFilterExpression={"open": True}),
        IndexModel([("site", 1), ("policy", 1), ("open", 1), ("grade", 1)]),
        running_cases.INDEX,
        scheduled_duties.INDEX,
    ),
    "decisions": (IndexModel([("case", 1), ("at", 1)]), scores.INDEX),
    "counts": (),
    "claims": (),
    **outbox.INDEXES,
}

_PARSED = 2048
_SCAN = 20
"""Unapplied events looked at for each one taken: other lanes' events lie between ours."""


class MongoCaseRecord:
    """A `reeve.ports.CaseRecord`."""

    def __init__(
        self,
        client: Client,
        database: Database,
        note_session: Callable[[Binary], Awaitable[None]] | None = None,
    ) -> None:
        """`note_session` is told of each session before it has a transaction: a crash leaves that open."""
        self._client = client
        self._note_session = note_session
        self._cases = database["cases"]
        self._decisions = database["decisions"]
        self._counts = database["counts"]
        self._claims = database["claims"]
        self._events = database["events"]
        self._notifications = database["notifications"]
        self._outbox = outbox.OutboxRows(database)
        self._parsed: dict[str, tuple[str, Case]] = {}
        """States read lately, and what they say: a batch asks for a case by its id and by its subjects."""

    # --- reading

    async def load(self, needs: Needs) -> Loaded:
        """Everything asked for, never older than this process's last commit."""
        loaded = Loaded()
        with store_errors():
            await asyncio.gather(
                *(
                    reader(loaded, sorted(keys))
                    for kind, keys in needs.items()
                    if keys and (reader := self._readers(kind))
                )
            )
        return loaded

    def _readers(self, kind: str) -> Any:
        return {
            "subject": self._load_subjects,
            "case": self._load_cases,
            "count": self._load_counts,
            "counted": self._load_counted,
            "claim": self._load_claims,
        }[kind]

    async def _load_subjects(self, loaded: Loaded, keys: list[str]) -> None:
        for key in keys:
            loaded.subjects[key] = []
            loaded.waiting[key] = []
        await asyncio.gather(self._load_routed(loaded, keys), self._load_waiting(loaded, keys))

    async def _load_routed(self, loaded: Loaded, keys: list[str]) -> None:
        async for document in self._cases.find({"routes": {"$in": keys}}, _CASE_FIELDS):
            self._take_case(loaded, document)
            for route in document["routes"]:
                if route in loaded.subjects:
                    loaded.subjects[route].append(document["_id"])

    async def _load_waiting(self, loaded: Loaded, keys: list[str]) -> None:
        groups: dict[tuple[str, str], list[str]] = {}
        for key in keys:
            site, family, subject = key.split("/", 2)
            groups.setdefault((site, family), []).append(subject)
        either: list[Document] = [
            {"waiting": True, "site": site, "family": family, "subject": {"$in": subjects}}
            for (site, family), subjects in groups.items()
        ]
        async for document in self._events.find({"$or": either}, {"body": 1}).sort([("at", 1), ("_id", 1)]):
            event = event_of(document)
            loaded.waiting[f"{event.site}/{event.family}/{event.subject}"].append(event)

    async def _load_cases(self, loaded: Loaded, keys: list[str]) -> None:
        for key in keys:
            loaded.cases.setdefault(key, None)
        async for document in self._cases.find({"_id": {"$in": keys}}, _CASE_FIELDS):
            self._take_case(loaded, document)

    def _take_case(self, loaded: Loaded, document: Document) -> None:
        case_id, state = document["_id"], document["state"]
        if loaded.cases.get(case_id) is not None:
            return
        known = self._parsed.get(case_id)
        if known is None or known[0] != state:
            if len(self._parsed) >= _PARSED:
                self._parsed.clear()
            known = self._parsed[case_id] = (state, load_case(state))
        loaded.cases[case_id] = known[1]

    async def _load_counts(self, loaded: Loaded, keys: list[str]) -> None:
        for key in keys:
            loaded.counts[key] = None
            loaded.count_versions[key] = 0
        async for document in self._counts.find({"_id": {"$in": keys}}):
            state = document["state"]
            loaded.counts[document["_id"]] = load_count(state) if state else None
            loaded.count_versions[document["_id"]] = document["version"]

    async def _load_counted(self, loaded: Loaded, keys: list[str]) -> None:
        for key in keys:
            loaded.counted[key] = []
        query = {"open": True, "count_keys": {"$in": keys}}
        async for document in self._cases.find(query, {**_CASE_FIELDS, "count_keys": 1}):
            self._take_case(loaded, document)
            for key in document["count_keys"]:
                if key in loaded.counted:
                    loaded.counted[key].append(document["_id"])

    async def _load_claims(self, loaded: Loaded, keys: list[str]) -> None:
        for key in keys:
            loaded.claims[key] = None
        async for document in self._claims.find({"_id": {"$in": keys}}):
            loaded.claims[document["_id"]] = document["case"]

    async def applied(self, keys: Collection[str]) -> dict[str, bool]:
        """Whether each event was decided before; an event that the record lacks is not in the answer."""
        with store_errors():
            cursor = self._events.find({"_id": {"$in": list(keys)}}, {"applied_at": 1})
            return {document["_id"]: document.get("applied_at") is not None async for document in cursor}

    async def overdue(self, lanes: Collection[int], before: datetime, most: int) -> list[str]:
        """Ids of open cases whose next moment lies before that, longest overdue first."""
        query = {"lane": {"$in": sorted(lanes)}, "next_due": {"$type": "date", "$lt": before}}
        with store_errors():
            cursor = self._cases.find(query, {"_id": 1}).sort("next_due", 1).limit(most)
            return [document["_id"] async for document in cursor]

    async def unapplied(self, lanes: Collection[int], before: datetime, most: int) -> list[Event]:
        """Events of these lanes, accepted before that moment and not decided yet, oldest first."""
        found: list[Event] = []
        with store_errors():
            cursor = self._events.find({"applied_at": None, "received_at": {"$lt": before}}, {"body": 1})
            async for document in cursor.sort([("received_at", 1), ("place", 1)]).limit(most * _SCAN):
                event = event_of(document)
                if lane_of_event(event) in lanes:
                    found.append(event)
                if len(found) == most:
                    break
        return found

    # --- writing

    async def commit(self, changes: Changes) -> None:
        """All of it is durable, or nothing is: Conflict when any of it had changed since it was loaded."""
        with store_errors():
            async with self._client.start_session() as session:
                if self._note_session is not None:
                    await self._note_session(session.session_id["id"])
                async with await session.start_transaction():
                    await self._write(changes, session)
                    reach("escalation.committing")

    async def _write(self, changes: Changes, session: AsyncClientSession) -> None:
        await self._write_versioned(
            self._cases, [(case_document(case), was) for case, was in changes.cases], session
        )
        await self._write_versioned(
            self._counts,
            [
                ({"_id": count.key, "version": was + 1, "state": dump_count(count)}, was)
                for count, was in changes.counts
            ],
            session,
        )
        if changes.claims:
            await self._claims.insert_many(
                [{"_id": claim, "case": case, "at": changes.now} for claim, case in sorted(changes.claims.items())],
                session=session,
            )
        if changes.decisions:
            await self._decisions.insert_many(
                [decision_document(row) for row in changes.decisions], session=session
            )
            rows = outbox.outbox_rows(changes.decisions)
            if rows:
                await self._outbox.collection.insert_many(
                    [outbox.outbox_document(row) for row in rows], session=session
                )
            requested = [
                requested_document(effect, changes.now) for row in changes.decisions for effect in row.requested
            ]
            if requested:
                await self._notifications.insert_many(requested, session=session)
        await self._write_events(changes, session)

    async def _write_versioned(
        self, collection: Any, documents: list[tuple[Document, int]], session: AsyncClientSession
    ) -> None:
        """Each replaces exactly the version it was decided on. Raises Conflict."""
        if not documents:
            return
        new = [InsertOne(document) for document, was in documents if was == 0]
        replaced = [
            ReplaceOne({"_id": document["_id"], "version": was}, document) for document, was in documents if was
        ]
        result = await collection.bulk_write([*new, *replaced], session=session)
        if result.matched_count != len(replaced):
            raise Conflict(f"{len(replaced) - result.matched_count} documents had changed")

    async def _write_events(self, changes: Changes, session: AsyncClientSession) -> None:
        waits = set(changes.waiting_added)
        unknown = [event for event in changes.applied if event.key in changes.unknown]
        if unknown:
            await self._events.insert_many(
                [_unknown_document(event, event.key in waits, changes.now) for event in unknown],
                session=session,
            )
        known = [event.key for event in changes.applied if event.key not in changes.unknown]
        if known:
            await self._events.update_many(
                {"_id": {"$in": known}}, {"$set": {"applied_at": changes.now}}, session=session
            )
        marks: list[tuple[Iterable[str], Document]] = [
            (sorted(waits - changes.unknown), {"waiting": True}),
            (changes.waiting_taken, {"waiting": False}),
        ]
        for keys, mark in marks:
            if wanted := list(keys):
                await self._events.update_many({"_id": {"$in": wanted}}, {"$set": mark}, session=session)
        if changes.refused:
            await self._events.bulk_write(
                [
                    UpdateOne({"_id": key}, {"$set": {"refused": reason}})
                    for key, reason in sorted(changes.refused.items())
                ],
                session=session,
            )

    # --- the outbox

    async def unpublished(
        self, lanes: Collection[int], server_id: str, before: datetime, most: int
    ) -> list[OutboxRow]:
        """Rows decided before that moment that this server process has not acknowledged, oldest first."""
        return await self._outbox.unpublished(lanes, server_id, before, most)

    async def mark_published(self, ids: Collection[str], server_id: str, now: datetime) -> None:
        """The server process `server_id` has acknowledged every message of these rows at `now`."""
        await self._outbox.mark_published(ids, server_id, now)

    async def confirm(self, server_id: str, before: datetime) -> int:
        """Rows that this very process acknowledged before that moment are dropped; how many."""
        return await self._outbox.confirm(server_id, before)


_CASE_FIELDS = {"state": 1, "routes": 1}


def case_document(case: Case) -> Document:
    """A case as it is stored; `state` is the whole of it, the other fields are what queries look at."""
    key = case.key
    return {
        "_id": str(key),
        "version": case.version,
        "site": key.site,
        "policy": key.policy,
        "subject": key.subject,
        "root": case.root or key.subject,
        "family": case.family,
        "routes": list(routes_of(case)),
        "lane": lane_of_case(case),
        "open": case.open,
        **({"unopened": True} if case.never_opened else {}),
        "grade": case.grade,
        "digest": case.digest,
        "kept": case.kept,
        "opened_at": case.opened_at,
        "next_due": case.next_due,
        "count_keys": list(case.count_keys),
        "state": dump_case(case),
    }


def decision_document(row: DecisionRow) -> Document:
    """A decision as it is stored, for good: its messages are in the outbox, not here."""
    looked_at = {"trace": row.trace.decode(), "facts": row.facts.decode()} if row.trace else {}
    return {
        "_id": row.id,
        "case": row.case,
        "at": row.at,
        "event": row.event,
        "event_key": row.event_key,
        "bundle": row.bundle,
        "lane": row.lane,
        "lines": row.lines.decode(),
        **({"scored": True} if scores.MARK in row.lines else {}),
        **looked_at,
    }


async def append_decisions(database: Database, rows: Sequence[DecisionRow]) -> None:
    """The rows stand in the record once, however often this is called. Raises StoreAway.

    For entries that change no case. Their messages are written first, so that a crash in between costs nothing:
    called again it goes on from there.
    """
    if not rows:
        return
    decisions = database["decisions"]
    with store_errors():
        ids = [row.id for row in rows]
        known = {each["_id"] async for each in decisions.find({"_id": {"$in": ids}}, {"_id": 1})}
        fresh = [row for row in rows if row.id not in known]
        # One row of the outbox for each: a repeat has the same ids, whatever it is written together with.
        told = [outbox.outbox_document(each) for row in fresh for each in outbox.outbox_rows([row])]
        await insert_missing(database[outbox.COLLECTION], told)
        await insert_missing(decisions, [decision_document(row) for row in fresh])


def _unknown_document(event: Event, waits: bool, now: datetime) -> Document:
    """What intake would have written: the history holds every event that was applied."""
    return {
        **event_document(event, now, 0),
        "published_at": now,
        "applied_at": now,
        "waiting": waits,
    }
