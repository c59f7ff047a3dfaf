"""Noted answers become events in the record and news on the bus, exactly once: the token is their outbox."""

from __future__ import annotations

import asyncio

from reeve.contracts.problems import InvalidEvent
from reeve.domain.events import Event
from reeve.ports import StoreAway
from reeve.runtime.answering import event_of_answer
from reeve.runtime.crash import reach
from reeve.runtime.own_events import OwnEvents
from reeve.runtime.store.ack_tokens import AckToken, AckTokenStore
from reeve.runtime.store.deliveries import Answer
from reeve.runtime.store.delivery_news import DeliveryNews
from reeve.runtime.telemetry import get_log

_ROUND_SECONDS = 0.5
_AT_ONCE = 200

log = get_log(__name__)


class AnswerTeller:
    """Answers by link are noted by intake, which puts their events itself; what it left is done here, too."""

    def __init__(
        self, tokens: AckTokenStore, events: OwnEvents, deliveries: DeliveryNews, announce: asyncio.Event
    ) -> None:
        """`announce` is set whenever there is something the bus should hear of."""
        self._tokens = tokens
        self._events = events
        self._deliveries = deliveries
        self._announce = announce

    async def run(self) -> None:
        """Tells until cancelled; a record that is away is waited for."""
        while True:
            found = 0
            try:
                found = await self.tell()
            except StoreAway:
                log.debug("The record is away; answers wait.", action="answers_wait")
            if found < _AT_ONCE:
                await asyncio.sleep(_ROUND_SECONDS)

    async def tell(self) -> int:
        """One round; how many tokens had answers to tell. Raises StoreAway."""
        found = await self._tokens.untold(_AT_ONCE)
        for token, answers in found:
            for answer in answers:
                await self._put(token, answer)
                asked = token.asked
                await self._deliveries.note_answer(asked.notification, asked.recipient, answer)
            reach("notify.answer_told")
            await self._tokens.mark_told(token.hash, [answer.id for answer in answers])
        if found:
            self._announce.set()
        return len(found)

    async def _put(self, token: AckToken, answer: Answer) -> None:
        event = _event(token, answer)
        if event is not None:
            await self._events.put([event])
        else:
            # It would never be one: what else is answered must not wait behind it.
            log.error("An answer can't become an event.", action="answer_refused", case=token.asked.case)


def _event(token: AckToken, answer: Answer) -> Event | None:
    try:
        return event_of_answer(token, answer)
    except InvalidEvent:
        return None
