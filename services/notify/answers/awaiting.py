"""Which messages a reply means: those that went to its address, that their reader has not answered, the newest."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from reeve.domain.replies import Answer as What
from reeve.runtime.said_together import matter_of, of_one_matter
from reeve.runtime.store.ack_tokens import AckToken, AckTokenStore
from reeve.runtime.store.deliveries import COLLECTION as DELIVERIES
from reeve.runtime.store.deliveries import Delivery, delivery_of
from reeve.runtime.store.mongo import Database, store_errors
from reeve.runtime.store.reply_codes import Awaiting, ReplyCodes

_WENT_OUT = ("sent", "resent", "unknown", "delivered")
"""Results of attempts after which the reader may have the message."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message that may be meant."""

    token: AckToken
    delivery: Delivery

    @property
    def sent_at(self) -> datetime | None:
        """When its reader may first have had it; None: it did not go out yet."""
        return min((each.at for each in self.delivery.attempts if each.result in _WENT_OUT), default=None)


def newest(messages: Sequence[Message], spent: Collection[str], at: datetime) -> Message | None:
    """The one that was sent last of those that await an answer at `at`; `spent` are tokens used up meanwhile.

    Whoever took a matter or passed it up has answered everything that was said of it until then.
    """
    answered: dict[tuple[object, ...], datetime] = {}
    for each in messages:
        used_at = at if each.token.hash in spent else each.token.used_at
        if used_at is not None:
            key = _of_whom(each)
            answered[key] = max(used_at, answered.get(key, used_at))
    waiting = [
        (sent_at, each.delivery.id, each)
        for each in messages
        if (sent_at := each.sent_at) is not None
        and each.token.used_at is None
        and each.token.hash not in spent
        and each.token.expires_at > at
        and not ((latest := answered.get(_of_whom(each))) is not None and sent_at <= latest)
    ]
    return max(waiting, key=lambda one: one[:2])[2] if waiting else None


def _of_whom(message: Message) -> tuple[object, ...]:
    return message.token.asked.recipient, matter_of(message.token)


def together(said: Sequence[AckToken], what: What, named: bool) -> list[AckToken] | None:
    """What an answer to a message answers: all that one text said of its matter; None: it can't be told which.

    `said` are the tokens of the message, first, and of those that went out with it; `named`: the answer has the
    message's own code.
    """
    same = of_one_matter(said, what)
    # A text about several matters: their links and codes can tell, we don't guess.
    return same if named or all(matter_of(each) == matter_of(said[0]) for each in said) else None


class MessageReader:
    """Raises StoreAway when the record can't be reached."""

    def __init__(self, database: Database, tokens: AckTokenStore, codes: ReplyCodes) -> None:
        self._deliveries = database[DELIVERIES]
        self._tokens = tokens
        self._codes = codes

    async def of_number(self, number: str, code: str | None, at: datetime) -> list[Message]:
        """The messages of a day to that number; with a code, the one it names, however it stands."""
        return await self._messages(await self._codes.of_number(number, code, at))

    async def of_mail(self, code: str) -> list[Message]:
        """The message whose answers go to the address with that code."""
        found = await self._codes.of_mail(code)
        return await self._messages([found] if found is not None else [])

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
