"""Cases as escalation saved them; notify only reads them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from reeve.domain.bundle import Bundle
from reeve.domain.case import Case
from reeve.domain.stored import load_case
from reeve.ports import StoreAway
from reeve.runtime.store.mongo import Database, store_errors


class BundleSource(Protocol):
    """Where the active rules come from."""

    async def current(self) -> Bundle:
        """The active bundle. Raises StoreAway before the first could be loaded."""
        ...


_FRESH_SECONDS = 0.05
"""So old may be what was read. Less than a message takes to its reader: who acknowledges so late gets it anyhow."""
_REMEMBERED = 1024


class CaseReader:
    """Raises StoreAway when the record can't be reached."""

    def __init__(self, database: Database) -> None:
        self._collection = database["cases"]
        self.recent: dict[str, tuple[float, Case]] = {}
        """Case id → loop time at which it was asked for last, and what was read then. Some milliseconds of it."""

    async def load(self, ids: Collection[str]) -> dict[str, Case]:
        """Case id → case, of those that exist."""
        if not ids:
            return {}
        begun = asyncio.get_running_loop().time()
        with store_errors():
            documents = await self._collection.find({"_id": {"$in": list(ids)}}, {"state": 1}).to_list()
        cases = {each["_id"]: load_case(each["state"]) for each in documents}
        self.remember(cases, begun)
        return cases

    def remember(self, cases: Mapping[str, Case], begun: float) -> None:
        """They stood so in the record at that loop time or later."""
        if len(self.recent) > _REMEMBERED:
            self.recent = {key: seen for key, seen in self.recent.items() if begun - seen[0] < _FRESH_SECONDS}
        self.recent |= {key: (begun, case) for key, case in cases.items()}

    async def versions(self, ids: Collection[str]) -> dict[str, int]:
        """Case id → its version now, of those that exist."""
        with store_errors():
            documents = await self._collection.find({"_id": {"$in": list(ids)}}, {"version": 1}).to_list()
        return {each["_id"]: each["version"] for each in documents}


@dataclass(slots=True)
class _Asked:
    """Somebody who waits for the next read."""

    known: dict[str, Case]
    answer: asyncio.Future[dict[str, Case]]


class FreshCases:
    """Cases as they are now, for all sends that are under way: while one read runs, the next one gathers.

    A read asks for versions alone, and at once for those of the cases that are sent next; the whole case is read
    only where the one in hand is older.
    """

    def __init__(self, reader: CaseReader, coming: Callable[[], Iterable[Case]] = tuple) -> None:
        """`coming`: the cases that will be asked for within milliseconds, as far as that is known."""
        self._reader = reader
        self._coming = coming
        self._waiting: list[_Asked] = []
        self._reading: asyncio.Task[None] | None = None

    async def of(self, known: Iterable[Case]) -> dict[str, Case]:
        """Case id → the case as the record has it: read from now on, or at most 50 ms ago. Raises StoreAway."""
        cases = {str(case.key): case for case in known}
        since = asyncio.get_running_loop().time() - _FRESH_SECONDS
        recent = self._reader.recent
        if all(key in recent and recent[key][0] > since for key in cases):
            return {key: _later(case, recent[key][1]) for key, case in cases.items()}
        asked = _Asked(cases, asyncio.get_running_loop().create_future())
        self._waiting.append(asked)
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read_on(), name="fresh-cases")
        return await asked.answer

    async def _read_on(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            try:
                await self._answer(batch)
            except StoreAway as error:
                for each in batch:
                    if not each.answer.done():
                        each.answer.set_exception(StoreAway(str(error)))
            finally:
                for each in batch:
                    each.answer.cancel()  # of one that has its answer this changes nothing

    async def _answer(self, batch: list[_Asked]) -> None:
        begun = asyncio.get_running_loop().time()
        known = {str(case.key): case for case in self._coming()}
        for each in batch:
            known |= each.known
        versions = await self._reader.versions(known)
        older = [key for key, case in known.items() if versions.get(key, case.version) != case.version]
        read = known | await self._reader.load(older)
        self._reader.remember(read, begun)
        for each in batch:
            if not each.answer.done():
                each.answer.set_result({key: read[key] for key in each.known})


def _later(known: Case, read: Case) -> Case:
    return read if read.version > known.version else known
