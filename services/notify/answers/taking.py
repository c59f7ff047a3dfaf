"""Takes what providers and mail servers handed in, and notes what it answers; each reply counts once.

A post's decision is kept with it before anything follows from it. Whoever dies in between leaves the decision to
the next, so that a reply never comes to mean another message than it did.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from prometheus_client import Counter

from reeve.domain.more_time import MoreTime
from reeve.domain.replies import Answer as What
from reeve.domain.replies import parse_reply
from reeve.ports import StoreAway, TimeSource
from reeve.runtime.answering import HOW, Answers, Took, answer_of
from reeve.runtime.crash import reach
from reeve.runtime.providers.load import Configured
from reeve.runtime.providers.posts import Post, inbound_in
from reeve.runtime.said_together import SaidTogether
from reeve.runtime.store.ack_tokens import AckToken, AckTokenStore
from reeve.runtime.store.provider_posts import MAIL, ProviderPost, ProviderPostStore
from reeve.runtime.telemetry import get_log
from services.notify.answers.awaiting import Message, MessageReader, newest, together
from services.notify.answers.less_time import LessTime
from services.notify.answers.mail import MailReply, read_mail
from services.notify.answers.telling import AnswerTeller

_ROUND_SECONDS = 0.5
_AT_ONCE = 100
_LEASE = timedelta(seconds=30)
_MOST_CLAIMS = 20
"""Claims of one post after which it is given up: it may be what kills us."""

REPLIES = Counter("reeve_notify_replies_total", "Replies of people, by what came of them", ["channel", "outcome"])
"""outcome: acknowledged, escalated, delayed; not_understood: kept and answered by nothing; no_message: none to that
address awaits an answer; several_matters: the message was about several, and which is not said; repeated;
answered: it was before; no_more_time: as long as it can be; expired; closed; automatic; no_code; unreadable."""

log = get_log(__name__)


@dataclass(slots=True)
class _Decided:
    """What one reply of a post comes to."""

    reference: str
    how: HOW
    outcome: str
    minutes: int | None = None
    tokens: list[str] = field(default_factory=list)
    """Hashes of what it answers; none unless it does."""

    def document(self) -> dict[str, Any]:
        """As it is kept with the post."""
        return {
            "reference": self.reference,
            "how": self.how,
            "outcome": self.outcome,
            "minutes": self.minutes,
            "tokens": self.tokens,
        }


class ReplyTaker:
    """`run` until cancelled."""

    def __init__(
        self,
        posts: ProviderPostStore,
        providers: Mapping[str, Configured],
        messages: MessageReader,
        said_together: SaidTogether,
        tokens: AckTokenStore,
        answers: Answers,
        teller: AnswerTeller,
        less_time: LessTime,
        reply_to: str,
        time_source: TimeSource,
        claim: str,
    ) -> None:
        """`reply_to`: the address with {code} that mails are answered to; empty: mails are not read."""
        self._posts = posts
        self._providers = providers
        self._messages = messages
        self._together = said_together
        self._tokens = tokens
        self._answers = answers
        self._teller = teller
        self._less_time = less_time
        self._reply_to = reply_to
        self._time = time_source
        self._claim = f"{claim}-answers"

    async def run(self) -> None:
        """Takes until cancelled; a record that is away is waited for."""
        while True:
            found = 0
            try:
                found = await self.take()
            except StoreAway:
                log.debug("The record is away; replies wait.", action="replies_wait")
            if found < _AT_ONCE:
                await asyncio.sleep(_ROUND_SECONDS)

    async def take(self) -> int:
        """One round; how many posts it found. Raises StoreAway: what was not done is done again."""
        posts = await self._posts.claim("inbound", self._time.now(), _LEASE, self._claim, _AT_ONCE)
        for post in posts:
            await self._take(post)
        return len(posts)

    async def _take(self, post: ProviderPost) -> None:
        if post.replies is None:
            decided = await self._decide(post) if post.claims <= _MOST_CLAIMS else [_given_up(post)]
            await self._posts.decided(post.id, [each.document() for each in decided])
            reach("notify.reply_decided")
        else:
            decided = [_Decided(**each) for each in post.replies]
        outcomes = [await self._follow(each, post.received_at) for each in decided]
        if any(each.tokens for each in decided):
            reach("notify.reply_noted")
            await self._teller.tell()
        await self._posts.settle(post.id, outcomes=outcomes, minutes=[each.minutes for each in decided])
        for each, outcome in zip(decided, outcomes, strict=True):
            REPLIES.labels(each.how, outcome).inc()
            log.info("A reply came.", action="reply", provider=post.provider, post=post.id[:12], outcome=outcome)

    async def _follow(self, decided: _Decided, at: datetime) -> str:
        """The answer is noted at each message that it means, `decided` has the minutes granted; what came of it."""
        taken: set[str] = set()
        asked: list[tuple[MoreTime, AckToken]] = []
        again = hashlib.sha256(decided.reference.encode("utf-8", "replace")).hexdigest()[:16]
        for token in (await self._tokens.load(decided.tokens)).values():
            what: Any = decided.outcome
            answer = answer_of(token, what, at, decided.how, decided.minutes, again)
            known = next((each for each in token.answers if each.id == answer.id), None)
            if known is not None and known.at == at:  # by ourselves, before somebody died
                took = Took("noted", known, await self._answers.granted_before(token, known, decided.minutes))
            else:
                took = await self._answers.take(token, answer, at)
            taken.add(took.taken)
            if took.more is not None:
                asked.append((took.more, token))
        if asked:  # of several steps the one that gets least is told of
            more, token = min(asked, key=lambda each: each[0].granted)
            if more.less:
                await self._less_time.tell(token, decided.how, more, again, self._time.now())
            decided.minutes = more.granted or None
        for outcome, word in (("noted", decided.outcome), ("repeat", "repeated"), ("used", "answered")):
            if outcome in taken:
                return word
        return min(taken, default=decided.outcome)

    async def _decide(self, post: ProviderPost) -> list[_Decided]:
        provider = self._providers.get(post.provider)
        inbound = provider.file.inbound if provider is not None else None
        if post.provider == MAIL or (inbound is not None and inbound.raw):
            return [await self._mail(post)]
        if provider is None:
            return [_Decided(post.id, "sms", "unreadable")]
        request = Post(post.method, "", post.query, {"content-type": post.content_type}, post.body)
        replies = inbound_in(provider, request)
        if not replies:
            return [_Decided(post.id, "sms", "unreadable")]
        references = [
            f"{post.provider}:{each.reference}" if each.reference else f"{post.id}:{number}"
            for number, each in enumerate(replies)
        ]
        known = set(await self._posts.decided_elsewhere(references, post.id))
        decided: list[_Decided] = []
        spent: set[str] = set()
        for reference, reply in zip(references, replies, strict=True):
            if reference in known:
                decided.append(_Decided(reference, "sms", "repeated"))
                continue
            known.add(reference)
            one = await self._sms(reference, reply.sender, reply.text, spent, post.received_at)
            spent |= set(one.tokens) if one.outcome != "delayed" else set()
            decided.append(one)
        return decided

    async def _sms(self, reference: str, sender: str, text: str, spent: set[str], at: datetime) -> _Decided:
        said = parse_reply(text)
        if said is None:
            return _Decided(reference, "sms", "not_understood")
        found = await self._messages.of_number(sender, said.code, at)
        meant = (found[0] if found else None) if said.code is not None else newest(found, spent, at)
        return await self._meant(
            _Decided(reference, "sms", said.answer, said.minutes), said.answer, meant, said.code is not None
        )

    async def _mail(self, post: ProviderPost) -> _Decided:
        read = await asyncio.to_thread(read_mail, post.body, self._reply_to) if self._reply_to else "no_code"
        if not isinstance(read, MailReply):
            return _Decided(post.id, "email", read)
        if await self._posts.decided_elsewhere([read.reference], post.id):
            return _Decided(read.reference, "email", "repeated")
        said = parse_reply(read.line)
        if said is None:
            return _Decided(read.reference, "email", "not_understood")
        found = await self._messages.of_mail(read.code)
        return await self._meant(
            _Decided(read.reference, "email", said.answer, said.minutes), said.answer, found[0] if found else None
        )

    async def _meant(self, decided: _Decided, what: What, message: Message | None, named: bool = False) -> _Decided:
        """What was said together about one matter is answered together. `named`: by a code of its own."""
        if message is None:
            decided.outcome = "no_message"
            return decided
        said = await self._together.with_token(message.token, message.delivery.id)
        answered = together(said, what, named)
        if answered is None:
            decided.outcome = "several_matters"
        else:
            decided.tokens = [each.hash for each in answered]
        return decided


def _given_up(post: ProviderPost) -> _Decided:
    log.error("A post was claimed too often and is left unread.", action="post_given_up", post=post.id[:12])
    return _Decided(post.id, "sms", "unreadable")
