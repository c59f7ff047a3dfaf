"""Cases as escalation saved them; notify only reads them."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Collection, Iterable
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


_FRESH_SECONDS = 0.05
"""So old may be what was read. Less than a message takes to its reader: who acknowledges so late gets it anyhow."""


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
        self._read: dict[str, Case] = {}
        self._read_at = -math.inf

    async def of(self, known: Iterable[Case]) -> dict[str, Case]:
        """Case id → the case as the record has it: read from now on, or at most 50 ms ago. Raises StoreAway."""
        cases = {str(case.key): case for case in known}
        if asyncio.get_running_loop().time() - self._read_at < _FRESH_SECONDS and cases.keys() <= self._read.keys():
            return {key: _later(case, self._read[key]) for key, case in cases.items()}
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
        self._read, self._read_at = known | await self._reader.load(older), begun
        for each in batch:
            if not each.answer.done():
                each.answer.set_result({key: self._read[key] for key in each.known})


def _later(known: Case, read: Case) -> Case:
    return read if read.version > known.version else known
