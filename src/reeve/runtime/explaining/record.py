"""Reads what an explanation rests on from the record. Raises StoreAway when that can't be reached."""

from __future__ import annotations

import re
import sys
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

import orjson

from reeve.domain.bundle import Bundle, Policy
from reeve.domain.case import Case
from reeve.domain.events import Event
from reeve.ports import NO_CASE
from reeve.rulelang.load import load_bundle
from reeve.runtime.explaining.events import without_case
from reeve.runtime.explaining.story import DecisionRead, Line, Story
from reeve.runtime.store.bundles import BundleStore, StoredBundle
from reeve.runtime.store.deliveries import Delivery, DeliveryStore
from reeve.runtime.store.events import event_of
from reeve.runtime.store.mongo import Database, Document, store_errors
from reeve.runtime.store.notifications import Requested, requested_of
from reeve.runtime.traces import read_trace

_EVENT_FIELDS = {"body": 1, "received_at": 1, "applied_at": 1, "refused": 1}
_KEY = re.compile(r"[0-9a-f]{32}")


class Rules:
    """Stored bundles and policy files, each loaded once."""

    def __init__(self, database: Database) -> None:
        self._store = BundleStore(database)
        self.bundles: dict[str, Bundle] = {}
        self.policies: dict[str, Policy] = {}
        self._looked: set[str] = set()

    async def bundle(self, version: str) -> Bundle | None:
        """The bundle of that version; None if it is not on record or this release can't read it."""
        if version not in self._looked:
            self._looked.add(version)
            self._take(await self._store.get(version))
        return self.bundles.get(version)

    async def policy(self, digest: str) -> Policy | None:
        """The policy file of that digest, likewise."""
        if digest not in self.policies and digest not in self._looked:
            self._looked.add(digest)
            self._take(await self._store.with_policy(digest))
        return self.policies.get(digest)

    def _take(self, stored: StoredBundle | None) -> None:
        bundle = load_bundle(stored.files).bundle if stored is not None else None
        if stored is not None and bundle is not None:
            self._looked.add(stored.version)
            self.bundles[stored.version] = bundle
            self.policies.update({policy.digest: policy for policy in bundle.policies.values()})


class Record:
    """The collections that explanations read."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.rules = Rules(database)

    async def story(self, case: Case) -> Story:
        """All there is about a case."""
        case_id = str(case.key)
        nobody = f"{case.key.site}/{NO_CASE}/{case.root or case.key.subject}"
        decisions = await self.decisions([case_id])
        waited = await self.decisions([nobody])
        keys = {each.event_key for each in [*decisions, *waited] if each.event_key is not None}
        requested = await self._requested(case_id)
        deliveries = await DeliveryStore(self._database).of_notifications(list(requested))
        digests = {each.trace.policy for each in decisions if each.trace is not None and each.trace.policy}
        versions = {each.bundle for each in [*decisions, *waited] if each.trace and each.trace.considered}
        own = [each for each in decisions if not each.added]
        for version in versions | ({own[-1].bundle} if own else set()):
            await self.rules.bundle(version)
        for digest in digests | {case.digest}:
            await self.rules.policy(digest)
        return Story(
            case,
            decisions,
            await self.events(keys),
            requested,
            {key: sorted(found, key=_by_time) for key, found in deliveries.items()},
            self.rules.policies,
            self.rules.bundles,
            waited,
        )

    async def story_without_case(self, event: Event) -> Story:
        """What was decided on the events of a subject while it had no case, this one's among them."""
        case = without_case(event)
        decisions = await self.decisions([str(case.key)])
        for version in {each.bundle for each in decisions}:
            await self.rules.bundle(version)
        keys = {each.event_key for each in decisions if each.event_key is not None}
        events = await self.events(keys)
        return Story(case, decisions, events, {}, {}, self.rules.policies, self.rules.bundles)

    async def taken(self, event: Event) -> list[tuple[str, DecisionRead]]:
        """The decisions that the event caused on cases of its subject, each with the case's id."""
        routes = [f"{event.site}/{event.family}/{event.subject}"]
        found: list[tuple[str, DecisionRead]] = []
        for case_id in await self.cases_routed(routes):
            own = await self.decisions([case_id])
            found += [(case_id, each) for each in own if each.event_key == event.key]
        return found

    async def decisions(self, cases: Collection[str]) -> list[DecisionRead]:
        """Every decision of these, in the order they were made."""
        with store_errors():
            found = await self._database["decisions"].find({"case": {"$in": list(cases)}}).to_list()
        return [decision_of(each) for each in sorted(found, key=_in_order)]

    async def events(self, keys: Iterable[str]) -> dict[str, Event]:
        """Those that are on record, by key."""
        with store_errors():
            found = await self._database["events"].find({"_id": {"$in": list(keys)}}, {"body": 1}).to_list()
        return {each["_id"]: event_of(each) for each in found}

    async def event_documents(self, wanted: str) -> list[Document]:
        """Events with this key, or posted under this id (which several sources may have used).

        An id is looked for through all events: there is no index that every event would have to pay for.
        """
        with store_errors():
            if _KEY.fullmatch(wanted):
                found = await self._database["events"].find({"_id": wanted}, _EVENT_FIELDS).to_list()
                if found:
                    return found
            text = orjson.dumps(wanted).decode()
            query = {"body": {"$regex": re.escape(f'"id":{text}')}}
            found = await self._database["events"].find(query, _EVENT_FIELDS).to_list()
        return [each for each in found if orjson.loads(each["body"])["id"] == wanted]

    async def waiting(self, subject: str) -> list[Document]:
        """Events of this subject that wait for a case, at whatever site, oldest first."""
        with store_errors():
            cursor = self._database["events"].find({"waiting": True, "subject": subject}, _EVENT_FIELDS)
            return await cursor.sort([("at", 1), ("_id", 1)]).to_list()

    async def cases_routed(self, routes: Collection[str]) -> list[str]:
        """Ids of the cases that receive the events of these subjects."""
        with store_errors():
            found = await self._database["cases"].find({"routes": {"$in": list(routes)}}, {"_id": 1}).to_list()
        return sorted(each["_id"] for each in found)

    async def _requested(self, case_id: str) -> dict[str, Requested]:
        with store_errors():
            found = await self._database["notifications"].find({"case": case_id}).to_list()
        return {each["_id"]: requested_of(each) for each in found}


def _by_time(delivery: Delivery) -> tuple[datetime, str]:
    return delivery.at, delivery.id


def _in_order(document: Document) -> tuple[datetime, int]:
    version = document["_id"].rpartition("#")[2]
    return document["at"], int(version) if version.isdigit() else sys.maxsize


def decision_of(document: Document) -> DecisionRead:
    lines: list[dict[str, Any]] = orjson.loads(document["lines"])
    decision = DecisionRead(
        id=document["_id"],
        decided_at=document["at"],
        event=document["event"],
        event_key=document["event_key"],
        bundle=document["bundle"],
        trace=read_trace(document.get("trace", ""), document.get("facts", "")),
        added="#n:" in document["_id"],
    )
    decision.lines = [Line(datetime.fromisoformat(each["at"]), each["effect"], each, decision) for each in lines]
    return decision
