"""The cases that an operator may mean by a case id or a subject."""

from __future__ import annotations

from reeve.contracts.events import EVENT_TYPES
from reeve.domain.case import Case
from reeve.domain.stored import load_case
from reeve.runtime.store.mongo import Database, store_errors

_FAMILIES = sorted({name.partition(".")[0] for name in EVENT_TYPES})


async def find_cases(database: Database, wanted: str) -> list[Case]:
    """The case of this id, or every case of this subject, in the order of their ids. Raises StoreAway."""
    cases = database["cases"]
    with store_errors():
        document = await cases.find_one({"_id": wanted}, {"state": 1})
        if document is not None:
            return [load_case(document["state"])]
        # By route, which has an index; a subject alone has none and there may be a million cases.
        places = [f"{site}/{family}/{wanted}" for site in await cases.distinct("site") for family in _FAMILIES]
        found = await cases.find({"routes": {"$in": places}, "subject": wanted}, {"state": 1}).to_list()
    return [load_case(each["state"]) for each in sorted(found, key=lambda one: str(one["_id"]))]
