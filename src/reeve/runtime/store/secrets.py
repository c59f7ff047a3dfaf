"""The installation's own secret: from the settings, or made once and kept in the record (for trying out)."""

from __future__ import annotations

import hashlib
import secrets

from pymongo import ReturnDocument

from reeve.ports import StoreAway
from reeve.runtime.store.mongo import Database, store_errors

_ID = "secret"


async def load_secret(database: Database, given: str | None) -> bytes:
    """32 bytes, the same for every service of the installation. `given` wins over the one in the record.

    Raises StoreAway when the record can't be reached.
    """
    if given:
        return hashlib.sha256(given.encode()).digest()
    change = {"$setOnInsert": {"value": secrets.token_hex(32)}}
    with store_errors():
        found = await database["settings"].find_one_and_update(
            {"_id": _ID}, change, upsert=True, return_document=ReturnDocument.AFTER
        )
    if found is None:
        raise StoreAway("the record gave no answer about its secret")
    return bytes.fromhex(found["value"])
