"""Which messages a reply means: those that went to its address, that their reader has not answered, the newest."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from pymongo import IndexModel

from reeve.runtime.store.ack_tokens import AckToken, AckTokenStore, hash_of, token_of
from reeve.runtime.store.deliveries import COLLECTION as DELIVERIES
from reeve.runtime.store.deliveries import Delivery, delivery_of
from reeve.runtime.store.mongo import Database, store_errors
from reeve.runtime.store.reply_codes import Awaiting, ReplyCodes

INDEXES = {
    DELIVERIES: (IndexModel([("into", 1)], name="merged", partialFilterExpression={"state": "merged"}),),
}

_WENT_OUT = ("sent", "resent", "unknown", "delivered")
"""Results of attempts after which the reader may have the message."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message that may be meant."""

    token: AckToken
    delivery: Delivery

    @property
    def matter(self) -> tuple[str, str, str]:
        """What it is about, whatever step said it."""
        return self.token.asked.site, self.token.asked.family, self.token.asked.subject

    @property
    def sent_at(self) -> datetime | None:
        """When its reader may first have had it; None: it did not go out yet."""
        return min((each.at for each in self.delivery.attempts if each.result in _WENT_OUT), default=None)


def newest(messages: Sequence[Message], spent: Collection[str], at: datetime) -> Message | None:
    """The one that was sent last of those that await an answer at `at`; `spent` are tokens used up meanwhile."""
    waiting = [
        (each.sent_at, each.delivery.id, each)
        for each in messages
        if each.sent_at is not None
        and each.token.used_at is None
        and each.token.hash not in spent
        and each.token.expires_at > at
    ]
    return max(waiting, key=lambda one: one[:2])[2] if waiting else None


def together(message: Message, said: Sequence[Message], named: bool) -> list[Message] | None:
    """What an answer to the message answers: all that one text said of its matter; None: it can't be told which.

    `said` is the message and those that went out with it; `named`: the answer has the message's own code.
    """
    same = [each for each in said if each.matter == message.matter]
    # A text about several matters: their links and codes can tell, we don't guess.
    return same if named or len(same) == len(said) else None


class MessageReader:
    """Raises StoreAway when the record can't be reached."""

    def __init__(self, database: Database, tokens: AckTokenStore, codes: ReplyCodes, secret: bytes) -> None:
        self._deliveries = database[DELIVERIES]
        self._tokens = tokens
        self._codes = codes
        self._secret = secret

    async def of_number(self, number: str, code: str | None, at: datetime) -> list[Message]:
        """The messages of a day to that number; with a code, the one it names, however it stands."""
        return await self._messages(await self._codes.of_number(number, code, at))

    async def of_mail(self, code: str) -> list[Message]:
        """The message whose answers go to the address with that code."""
        found = await self._codes.of_mail(code)
        return await self._messages([found] if found is not None else [])

    async def said_with(self, message: Message) -> list[Message]:
        """The message, and those whose matters went out with it as one text."""
        if not message.delivery.merged:
            return [message]
        query = {"into": message.delivery.id, "state": "merged"}
        with store_errors():
            found = [delivery_of(each) for each in await self._deliveries.find(query).to_list()]
        hashes = {each.id: hash_of(token_of(self._secret, each.notification, each.recipient)) for each in found}
        tokens = await self._tokens.load(list(hashes.values()))
        others = [Message(tokens[hashes[each.id]], each) for each in found if hashes[each.id] in tokens]
        return [message, *sorted(others, key=lambda one: one.delivery.id)]

    async def _messages(self, awaiting: Sequence[Awaiting]) -> list[Message]:
        if not awaiting:
            return []
        tokens = await self._tokens.load([each.token for each in awaiting])
        with store_errors():
            found = await self._deliveries.find({"_id": {"$in": [each.delivery for each in awaiting]}}).to_list()
        deliveries = {each["_id"]: delivery_of(each) for each in found}
        return [
            Message(tokens[each.token], deliveries[each.delivery])
            for each in awaiting
            if each.token in tokens and each.delivery in deliveries
        ]
