"""Cases as escalation saved them; notify only reads them."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable
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


class FreshCases:
    """Cases as they are now, for all sends that are under way: while one read runs, the next one gathers.

    A read asks for versions alone; the whole case is read only where the one in hand is older.
    """

    def __init__(self, reader: CaseReader) -> None:
        self._reader = reader
        self._waiting: list[_Asked] = []
        self._reading: asyncio.Task[None] | None = None

    async def of(self, known: Iterable[Case]) -> dict[str, Case]:
        """Case id → the case as it stood in the record after this was called. Raises StoreAway."""
        asked = _Asked({str(case.key): case for case in known}, asyncio.get_running_loop().create_future())
        self._waiting.append(asked)
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read(), name="fresh-cases")
        return await asked.answer

    async def _read(self) -> None:
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
        versions = await self._reader.versions({key for each in batch for key in each.known})
        older = {
            key
            for each in batch
            for key, case in each.known.items()
            if versions.get(key, case.version) != case.version
        }
        newer = await self._reader.load(older)
        for each in batch:
            if not each.answer.done():
                each.answer.set_result({key: newer.get(key, case) for key, case in each.known.items()})
