"""Messages that went out as one text: who answers one of them answers all that it said of the same matter."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pymongo import IndexModel

from reeve.domain.replies import Answer as What
from reeve.runtime.store.ack_tokens import AckToken, AckTokenStore
from reeve.runtime.store.deliveries import COLLECTION as DELIVERIES
from reeve.runtime.store.mongo import Database, Document, store_errors

INDEXES = {
    DELIVERIES: (IndexModel([("into", 1)], name="merged", partialFilterExpression={"state": "merged"}),),
}

_NEEDED = {"notification": 1, "recipient": 1, "into": 1, "merged": 1}


def matter_of(token: AckToken) -> tuple[str, str, str]:
    """What its message is about, whatever step said it."""
    return token.asked.site, token.asked.family, token.asked.subject


def of_one_matter(said: Sequence[AckToken], what: What) -> list[AckToken]:
    """Those that the answer to the first holds for, itself first: each step is passed up or put off once."""
    same = [each for each in said if matter_of(each) == matter_of(said[0])]
    if what == "acknowledged":
        return same
    steps: dict[str, AckToken] = {}
    for each in same:
        steps.setdefault(each.asked.step, each)
    return list(steps.values())


class SaidTogether:
    """Raises StoreAway when the record can't be reached."""

    def __init__(self, database: Database, tokens: AckTokenStore) -> None:
        self._deliveries = database[DELIVERIES]
        self._tokens = tokens

    async def with_token(self, token: AckToken, delivery: str | None = None) -> list[AckToken]:
        """The token first, then those of all that went out in one text with its message, of whatever matter.

        `delivery` is the id of the one that is answered; without it any of the token's counts.
        """
        asked = token.asked
        own = {"_id": delivery} if delivery else {"notification": asked.notification, "recipient": asked.recipient}
        with store_errors():
            found = await self._deliveries.find(own, _NEEDED).to_list()
            leaders = {each["into"] for each in found if each.get("into")}
            leaders |= {each["_id"] for each in found if each.get("merged")}
            if not leaders:
                return [token]
            query = {"into": {"$in": sorted(leaders)}, "state": "merged"}
            found = await self._deliveries.find({"_id": {"$in": sorted(leaders)}}, _NEEDED).to_list()
            found += await self._deliveries.find(query, _NEEDED).to_list()
        others = await self._tokens.of_messages(_messages(found, asked.recipient))
        return [token, *(each for each in others if each.hash != token.hash)]


def _messages(found: Iterable[Document], recipient: str) -> set[tuple[str, str]]:
    return {(each["notification"], recipient) for each in found if each["recipient"] == recipient}
