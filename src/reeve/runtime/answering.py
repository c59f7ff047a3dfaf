"""A recipient's answer on its way to an event: noted at its token first, so that a crash loses nothing.

The event's id follows from the token and the answer: the same answer given twice, by whatever way, is one event.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple
from typing import Literal as OneOf

from reeve.domain.case import Case
from reeve.domain.events import Event
from reeve.domain.more_time import MoreTime, more_time
from reeve.domain.replies import MOST_MINUTES
from reeve.domain.replies import Answer as What
from reeve.domain.stored import load_case
from reeve.runtime.own_events import own_event
from reeve.runtime.store.ack_tokens import AckToken, AckTokenStore
from reeve.runtime.store.deliveries import Answer
from reeve.runtime.store.mongo import Database, store_errors
from reeve.runtime.store.more_time import Grants

SOURCE = "/reeve/ack"
"""Of every such event."""

Taken = OneOf["noted", "repeat", "used", "expired", "closed", "no_more_time"]
"""noted: it counts; repeat: it did already; used: the message was answered before, with something else; expired:
too late for this message; closed: the case is closed, and nobody waits for an answer; no_more_time: the step was
put off as long as it can be."""


class Took(NamedTuple):
    """What became of an answer."""

    taken: Taken
    answer: Answer
    """As it was noted: with the minutes that were granted."""
    more: MoreTime | None = None
    """noted or no_more_time, where more time was asked for: what that came to."""


class _Known(NamedTuple):
    """What the record says of the step that an answer is about."""

    step: str
    """Names it in this run of the case; of a case that is not in the record, the message alone."""
    case: Case | None
    noted: int
    """Minutes that answers were granted."""


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

    def __init__(self, database: Database, tokens: AckTokenStore, grants: Grants | None = None) -> None:
        """`grants`: whoever grants minutes, if not the database."""
        self._cases = database["cases"]
        self._notifications = database["notifications"]
        self._tokens = tokens
        self._grants = grants or Grants(database)

    async def closed(self, token: AckToken) -> bool:
        """Whether the case was closed before anybody answered."""
        if not token.asked.case:
            return False
        with store_errors():
            found = await self._cases.find_one({"_id": token.asked.case}, {"open": 1})
        return found is not None and not found["open"]

    async def take(self, token: AckToken, answer: Answer, now: datetime) -> Took:
        """The answer is noted, and its event will be in the record; or why that is not so."""
        if any(each.id == answer.id for each in token.answers):
            return Took("repeat", answer)
        if token.used_at is not None:
            return Took("used", answer)
        if token.expires_at <= now:
            return Took("expired", answer)
        if await self.closed(token):
            return Took("closed", answer)
        if answer.what == "delayed":
            return await self._take_delayed(token, answer, now)
        if await self._tokens.note(token.hash, answer):
            return Took("noted", answer)
        return await self._not_noted(token, answer)

    async def _take_delayed(self, token: AckToken, answer: Answer, now: datetime) -> Took:
        """The minutes are the answer's before it is noted: whoever dies in between finds them when asked again."""
        known = await self._known(token)
        used = MOST_MINUTES - more_time(known.case, token.asked.step, 0, known.noted).left
        grant = await self._grants.grant(known.step, answer.id, answer.minutes or 0, used, now)
        more = more_time(known.case, token.asked.step, grant.minutes, grant.before)
        more = replace(more, asked=answer.minutes or 0)
        if not more.granted:
            return Took("no_more_time", answer, more)
        answer = replace(answer, minutes=more.granted)
        if await self._tokens.note(token.hash, answer):
            return Took("noted", answer, more)
        took = await self._not_noted(token, answer)
        if took.taken == "used":
            await self._grants.give_back(known.step, answer.id)
        return took

    async def _not_noted(self, token: AckToken, answer: Answer) -> Took:
        latest = (await self._tokens.load([token.hash])).get(token.hash)
        known = latest is not None and any(each.id == answer.id for each in latest.answers)
        return Took("repeat" if known else "used", answer)

    async def granted_before(self, token: AckToken, answer: Answer, asked: int | None) -> MoreTime | None:
        """What an answer that is noted came to; None: it asked for no time."""
        if answer.what != "delayed":
            return None
        now = await self.more_time(token, 0)
        return replace(now, asked=asked or 0, granted=answer.minutes or 0)

    async def more_time(self, token: AckToken, asked: int) -> MoreTime:
        """What asking for so many minutes would come to now, if nobody else asks before."""
        known = await self._known(token)
        return more_time(known.case, token.asked.step, asked, known.noted)

    async def _known(self, token: AckToken) -> _Known:
        case: Case | None = None
        told = [token]
        with store_errors():
            found = (
                await self._cases.find_one({"_id": token.asked.case}, {"state": 1}) if token.asked.case else None
            )
            if found is not None and "state" in found:
                case = load_case(found["state"])
                query = {"case": token.asked.case, "step": token.asked.step, "run": case.run}
                keys = [each["_id"] async for each in self._notifications.find(query, {"_id": 1})]
                told = await self._tokens.of_notifications(keys)
        noted = sum(each.minutes or 0 for one in told for each in one.answers if each.what == "delayed")
        step = token.hash if case is None else f"{token.asked.case}#{case.run}#{token.asked.step}"
        return _Known(step, case, noted)
