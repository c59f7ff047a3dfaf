"""A recipient's answer on its way to an event: noted at its token first, so that a crash loses nothing.

The event's id follows from the token and the answer: the same answer given twice, by whatever way, is one event.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from typing import Literal as OneOf

from reeve.domain.events import Event
from reeve.domain.replies import Answer as What
from reeve.runtime.own_events import own_event
from reeve.runtime.store.ack_tokens import AckToken, AckTokenStore
from reeve.runtime.store.deliveries import Answer
from reeve.runtime.store.mongo import Database, store_errors

SOURCE = "/reeve/ack"
"""Of every such event."""

Taken = OneOf["noted", "repeat", "used", "expired", "closed"]
"""noted: it counts; repeat: it did already; used: the message was answered before, with something else; expired:
too late for this message; closed: the case is closed, and nobody waits for an answer."""

HOW = OneOf["link", "sms", "email"]


def answer_of(
    token: AckToken, what: What, at: datetime, how: HOW, minutes: int | None = None, again: str = ""
) -> Answer:
    """The answer with its id. `again` tells one request for more time from the next."""
    own_id = {
        "acknowledged": token.hash,
        "escalated": f"{token.hash}:escalated",
        "delayed": f"{token.hash}:delayed:{again}",
    }[what]
    return Answer(own_id, at, what, how, minutes)


def event_of_answer(token: AckToken, answer: Answer) -> Event:
    """The event that the answer becomes: always the same bytes."""
    asked = token.asked
    data: dict[str, Any] = {f"{answer.what}_by": asked.recipient, f"{answer.what}_step": asked.step}
    if answer.what == "delayed":
        data["minutes"] = answer.minutes
    return own_event(
        site=asked.site,
        source=SOURCE,
        id=answer.id,
        type=f"{asked.family}.{answer.what}",
        subject=asked.subject,
        at=answer.at,
        data=data,
    )


class Answers:
    """Takes answers. Raises StoreAway when the record can't be reached."""

    def __init__(self, database: Database, tokens: AckTokenStore) -> None:
        self._cases = database["cases"]
        self._tokens = tokens

    async def closed(self, token: AckToken) -> bool:
        """Whether the case was closed before anybody answered."""
        if not token.asked.case:
            return False
        with store_errors():
            found = await self._cases.find_one({"_id": token.asked.case}, {"open": 1})
        return found is not None and not found["open"]

    async def take(self, token: AckToken, answer: Answer, now: datetime) -> Taken:
        """The answer is noted, and its event will be in the record; or why that is not so."""
        if any(each.id == answer.id for each in token.answers):
            return "repeat"
        if token.used_at is not None:
            return "used"
        if token.expires_at <= now:
            return "expired"
        if await self.closed(token):
            return "closed"
        if await self._tokens.note(token.hash, answer):
            return "noted"
        latest = (await self._tokens.load([token.hash])).get(token.hash)
        known = latest is not None and any(each.id == answer.id for each in latest.answers)
        return "repeat" if known else "used"
