"""Every object of the answering side, wired; nothing runs yet."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from reeve.ports import TimeSource
from reeve.runtime.answering import Answers
from reeve.runtime.own_events import OwnEvents
from reeve.runtime.providers.load import Configured
from reeve.runtime.said_together import SaidTogether
from reeve.runtime.store.ack_tokens import AckTokenStore
from reeve.runtime.store.deliveries import DeliveryStore
from reeve.runtime.store.delivery_news import DeliveryNews
from reeve.runtime.store.mongo import Database
from reeve.runtime.store.provider_posts import ProviderPostStore
from reeve.runtime.store.reply_codes import ReplyCodes
from services.notify.answers.awaiting import MessageReader
from services.notify.answers.less_time import LessTime
from services.notify.answers.taking import ReplyTaker
from services.notify.answers.telling import AnswerTeller


@dataclass(frozen=True, slots=True)
class AnswerSide:
    """Both `run` until cancelled."""

    taker: ReplyTaker
    teller: AnswerTeller


def build_answers(
    database: Database,
    secret: bytes,
    files: Mapping[str, Configured],
    own_events: OwnEvents,
    reply_to: str,
    announce: asyncio.Event,
    time_source: TimeSource,
    claim: str,
) -> AnswerSide:
    """`files`: whatever provider runs at the moment, by name; `announce`: the bus should hear of something; `claim`
    names the process."""
    tokens = AckTokenStore(database, secret)
    teller = AnswerTeller(tokens, own_events, DeliveryNews(database), announce)
    taker = ReplyTaker(
        ProviderPostStore(database),
        files,
        MessageReader(database, tokens, ReplyCodes(database, secret)),
        SaidTogether(database, tokens),
        tokens,
        Answers(database, tokens),
        teller,
        LessTime(DeliveryStore(database)),
        reply_to,
        time_source,
        claim,
    )
    return AnswerSide(taker, teller)
