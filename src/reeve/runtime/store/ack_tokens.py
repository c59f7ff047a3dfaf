"""Collection `ack_tokens`: references that let a recipient acknowledge from the message itself, stored hashed."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pymongo import IndexModel, UpdateOne

from reeve.runtime.store.mongo import Collection as MongoCollection
from reeve.runtime.store.mongo import Database, store_errors

COLLECTION = "ack_tokens"

INDEXES: dict[str, Sequence[IndexModel]] = {
    COLLECTION: (IndexModel([("forget_at", 1)], name="forget", expireAfterSeconds=0),)
}

VALID_FOR = timedelta(days=30)
"""How long a link in a message acknowledges."""
_KEPT_AFTER = timedelta(days=30)
"""How long an expired one can still be told from an invented one."""


@dataclass(frozen=True, slots=True)
class AckToken:
    """What a token stands for."""

    hash: str
    site: str
    family: str
    subject: str
    recipient: str
    """Recipient id."""
    step: str
    expires_at: datetime
    used_at: datetime | None


def token_of(secret: bytes, notification: str, recipient: str) -> str:
    """The token of one recipient of one notification: the same each time, unguessable without `secret`."""
    mac = hmac.new(secret, f"ack\0{notification}\0{recipient}".encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(mac[:24]).decode()


def hash_of(token: str) -> str:
    """What is stored of a token: 64 hex digits."""
    return hashlib.sha256(token.encode()).hexdigest()


class AckTokenStore:
    """Issued tokens. Every method raises StoreAway when the record can't be reached."""

    def __init__(self, database: Database, secret: bytes) -> None:
        self._tokens: MongoCollection = database[COLLECTION]
        self._secret = secret

    async def issue(
        self,
        *,
        notification: str,
        recipient: str,
        site: str,
        family: str,
        subject: str,
        step: str,
        now: datetime,
        valid_for: timedelta = VALID_FOR,
    ) -> str:
        """The recipient's token for a notification (its effect key), usable until `now + valid_for`.

        Issued again it is the same token, and its first expiry stays.
        """
        token = token_of(self._secret, notification, recipient)
        document = {
            "site": site,
            "family": family,
            "subject": subject,
            "recipient": recipient,
            "step": step,
            "expires_at": now + valid_for,
            "forget_at": now + valid_for + _KEPT_AFTER,
            "used_at": None,
        }
        with store_errors():
            await self._tokens.bulk_write(
                [UpdateOne({"_id": hash_of(token)}, {"$setOnInsert": document}, upsert=True)]
            )
        return token

    async def find(self, token: str) -> AckToken | None:
        """What the token stands for; None if it was never issued."""
        with store_errors():
            found = await self._tokens.find_one({"_id": hash_of(token)})
        if found is None:
            return None
        return AckToken(
            hash=found["_id"],
            site=found["site"],
            family=found["family"],
            subject=found["subject"],
            recipient=found["recipient"],
            step=found["step"],
            expires_at=found["expires_at"],
            used_at=found["used_at"],
        )

    async def mark_used(self, hash: str, now: datetime) -> None:
        """The token was used at `now`; an earlier use stays noted."""
        with store_errors():
            await self._tokens.update_one({"_id": hash, "used_at": None}, {"$set": {"used_at": now}})
