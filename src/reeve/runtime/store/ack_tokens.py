"""Collection `ack_tokens`: what a recipient can answer from the message itself, and what was answered.

One document for each recipient of a notification, whatever ways the answer may come: its id is the hash of the
opaque token in the link. It is the outbox of answers, too: an answer is noted here first, and stays `untold` until
its event is in the record.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from pymongo import IndexModel

from reeve.runtime.store.deliveries import Answer
from reeve.runtime.store.mongo import Collection as MongoCollection
from reeve.runtime.store.mongo import Database, Document, insert_missing, store_errors

COLLECTION = "ack_tokens"

INDEXES: dict[str, Sequence[IndexModel]] = {
    COLLECTION: (
        IndexModel([("forget_at", 1)], name="forget", expireAfterSeconds=0),
        IndexModel([("notification", 1)], name="messages", sparse=True),
        IndexModel([("untold", 1)], name="untold", partialFilterExpression={"untold": True}),
    )
}

VALID_FOR = timedelta(days=30)
"""How long a message can be answered."""
_KEPT_AFTER = timedelta(days=30)
"""How long an expired one can still be told from an invented one."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Whose answer about what is awaited."""

    notification: str
    """Key of the notify effect."""
    recipient: str
    """Recipient id."""
    site: str
    family: str
    subject: str
    """Whose events the answer joins: the case's root."""
    step: str
    case: str = ""
    """Id of the case; empty in what was issued before it was kept."""


@dataclass(frozen=True, slots=True)
class AckToken:
    """What a token stands for."""

    hash: str
    asked: Asked
    expires_at: datetime
    used_at: datetime | None
    """When it was used up, by taking the matter or passing it up."""
    answers: tuple[Answer, ...] = ()
    """All of them, oldest first."""


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

    def tokens(self, asked: Iterable[Asked]) -> list[str]:
        """The token that each in order has, issued or not."""
        return [token_of(self._secret, each.notification, each.recipient) for each in asked]

    async def issue(self, asked: Iterable[Asked], now: datetime, valid_for: timedelta = VALID_FOR) -> list[str]:
        """A token for each in order, usable until `now + valid_for`; one write for all.

        Issued again it is the same token, and its first expiry stays.
        """
        wanted = list(asked)
        tokens = self.tokens(wanted)
        fixed: Document = {
            "expires_at": now + valid_for,
            "forget_at": now + valid_for + _KEPT_AFTER,
            "used_at": None,
            "answers": [],
        }
        # One person may be told by mail and SMS of one notification: one token for both.
        documents = {
            hash_of(token): {"_id": hash_of(token)} | asdict(each) | fixed
            for each, token in zip(wanted, tokens, strict=True)
        }
        with store_errors():
            await insert_missing(self._tokens, list(documents.values()))
        return tokens

    async def find(self, token: str) -> AckToken | None:
        """What the token stands for; None if it was never issued."""
        return (await self.load([hash_of(token)])).get(hash_of(token))

    async def load(self, hashes: Collection[str]) -> dict[str, AckToken]:
        """Those of these hashes that were issued."""
        with store_errors():
            found = await self._tokens.find({"_id": {"$in": list(hashes)}}).to_list()
        return {each["_id"]: _token(each) for each in found}

    async def of_messages(self, messages: Collection[tuple[str, str]]) -> list[AckToken]:
        """Those of these (notification, recipient); ordered by hash."""
        query = {"notification": {"$in": sorted({notification for notification, _ in messages})}}
        with store_errors():
            found = [_token(each) for each in await self._tokens.find(query).to_list()]
        mine = (each for each in found if (each.asked.notification, each.asked.recipient) in messages)
        return sorted(mine, key=lambda one: one.hash)

    async def of_notifications(self, keys: Collection[str]) -> list[AckToken]:
        """Those of everybody who was told by these notifications."""
        with store_errors():
            return [_token(each) async for each in self._tokens.find({"notification": {"$in": sorted(keys)}})]

    async def note(self, hash: str, answer: Answer) -> bool:
        """The answer stands there, and is untold; taking or passing up uses the token up.

        False: nothing changed, because that very answer stands there already, or because it was used up before.
        """
        values: Document = {"untold": True}
        if answer.what != "delayed":
            values["used_at"] = answer.at
        change = {"$push": {"answers": asdict(answer) | {"told": False}}, "$set": values}
        with store_errors():
            result = await self._tokens.update_one(
                {"_id": hash, "used_at": None, "answers.id": {"$ne": answer.id}}, change
            )
        return result.modified_count == 1

    async def untold(self, most: int) -> list[tuple[AckToken, tuple[Answer, ...]]]:
        """Tokens with answers whose events may not be in the record yet, and those answers."""
        with store_errors():
            found = await self._tokens.find({"untold": True}).limit(most).to_list()
        return [
            (_token(each), tuple(_answer(one) for one in each["answers"] if not one.get("told"))) for each in found
        ]

    async def mark_told(self, hash: str, ids: Collection[str]) -> None:
        """The events of these answers are in the record. What was answered meanwhile stays untold."""
        marked = {
            "$map": {
                "input": "$answers",
                "in": {
                    "$mergeObjects": [
                        "$$this",
                        {"told": {"$or": ["$$this.told", {"$in": ["$$this.id", list(ids)]}]}},
                    ]
                },
            }
        }
        left = {"$not": [{"$allElementsTrue": ["$answers.told"]}]}
        with store_errors():
            await self._tokens.update_one(
                {"_id": hash}, [{"$set": {"answers": marked}}, {"$set": {"untold": left}}]
            )


def _token(document: Document) -> AckToken:
    return AckToken(
        hash=document["_id"],
        asked=Asked(
            notification=document.get("notification", ""),
            recipient=document["recipient"],
            site=document["site"],
            family=document["family"],
            subject=document["subject"],
            step=document["step"],
            case=document.get("case", ""),
        ),
        expires_at=document["expires_at"],
        used_at=document["used_at"],
        answers=tuple(_answer(each) for each in document.get("answers", ())),
    )


def _answer(document: Document) -> Answer:
    return Answer(document["id"], document["at"], document["what"], document["how"], document["minutes"])
