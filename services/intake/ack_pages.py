"""GET and POST /ack/{token}: a recipient answers from the message itself.

The page shows buttons and nothing about anybody: link previews fetch it, and must not answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from urllib.parse import parse_qsl

from starlette.responses import Response

from reeve.domain.replies import MOST_MINUTES
from reeve.domain.replies import Answer as What
from reeve.ports import StoreAway, TimeSource
from reeve.runtime.answering import Answers, answer_of, event_of_answer
from reeve.runtime.crash import reach
from reeve.runtime.said_together import SaidTogether, of_one_matter
from reeve.runtime.store.ack_tokens import AckToken, AckTokenStore
from reeve.runtime.store.deliveries import Answer
from reeve.runtime.telemetry import get_log
from services.intake import ack_page_texts as texts
from services.intake.ack_page_texts import page
from services.intake.collector import EventCollector, Overloaded

MOST_BYTES = 1000
"""Of a posted form."""

log = get_log(__name__)


class _Chosen(NamedTuple):
    what: What
    minutes: int | None = None
    again: str = ""


@dataclass(frozen=True, slots=True)
class AckPages:
    """Shows the choices and takes the answer: confirming and escalating once per token, more time until then."""

    tokens: AckTokenStore
    answers: Answers
    together: SaidTogether
    collector: EventCollector
    time: TimeSource

    async def show(self, token: str) -> Response:
        """The buttons, whatever is asked how often; changes nothing."""
        try:
            found = await self.tokens.find(token)
            if found is None:
                return page(404, texts.UNKNOWN)
            return await self._unusable(found) or await self._asking(found)
        except StoreAway:
            return page(503, texts.AWAY)

    async def take(self, token: str, form: bytes) -> Response:
        """The answer is in the record, and its event, or will be; given a second time it changes nothing.

        An empty form confirms.
        """
        try:
            found = await self.tokens.find(token)
            if found is None:
                return page(404, texts.UNKNOWN)
            chosen = _chosen(form)
            if chosen is None:
                return await self._unusable(found) or page(422, texts.UNCLEAR + await self._choices(found))
            return await self._take(found, chosen)
        except (StoreAway, Overloaded):
            return page(503, texts.AWAY)

    async def _take(self, token: AckToken, chosen: _Chosen) -> Response:
        now = self.time.now()
        asked_for = answer_of(token, chosen.what, now, "link", chosen.minutes, chosen.again)
        taken, answer, more = await self.answers.take(token, asked_for, now)
        if taken == "expired":
            return page(410, texts.EXPIRED)
        if taken == "closed":
            return page(200, texts.CLOSED)
        if taken == "no_more_time" and more is not None:
            return page(200, texts.granted(answer, more, now) + texts.choices(_asked(token), 0))
        if taken == "used":
            latest = (await self.tokens.load([token.hash])).get(token.hash, token)
            return _before(latest)
        await self._take_for_others(token, chosen, now)
        if taken == "noted":
            reach("intake.answer_noted")
            log.info(
                "A recipient answered by link.",
                action="answered_by_link",
                site=token.asked.site,
                step=token.asked.step,
                answer=answer.what,
            )
            await self._put(token, answer)
            if more is not None:
                said = texts.granted(answer, more, now) if more.less else texts.said(answer)
                return page(200, said + texts.choices(_asked(token) + 1, more.left))
        else:
            if answer.what != "delayed":
                return _before(token)
            # What counts is the first choice of two that were made on one showing of the page.
            answer = next((each for each in token.answers if each.id == answer.id), answer)
            return page(200, texts.said(answer) + await self._choices(token, max(1, _asked(token))))
        return page(200, texts.said(answer))

    async def _take_for_others(self, token: AckToken, chosen: _Chosen, now: datetime) -> None:
        """The answer holds for whatever else the same text said of the same matter."""
        again = f"{chosen.again}-{token.hash[:8]}"
        try:
            for other in of_one_matter(await self.together.with_token(token), chosen.what)[1:]:
                answer = answer_of(other, chosen.what, now, "link", chosen.minutes, again)
                taken, noted, _ = await self.answers.take(other, answer, now)
                if taken == "noted":
                    await self._put(other, noted)
        except StoreAway:
            log.warning("An answer holds for its own message alone.", action="answer_alone", site=token.asked.site)

    async def _put(self, token: AckToken, answer: Answer) -> None:
        """The event goes into the record at once; what can't be put now notify puts, which finds it noted."""
        try:
            await self.collector.add([event_of_answer(token, answer)])
        except (StoreAway, Overloaded):
            log.warning("An answer's event is put into the record later.", action="answer_waits")

    async def _asking(self, token: AckToken) -> Response:
        latest = texts.said(token.answers[-1]) if token.answers else texts.ASK
        return page(200, latest + await self._choices(token))

    async def _choices(self, token: AckToken, asked: int | None = None) -> str:
        """The buttons; `asked`: how often more time was asked for, if not as the token says."""
        left = (await self.answers.more_time(token, MOST_MINUTES)).granted
        return texts.choices(_asked(token) if asked is None else asked, left)

    async def _unusable(self, found: AckToken) -> Response | None:
        if found.used_at is not None:
            return _before(found)
        if found.expires_at <= self.time.now():
            return page(410, texts.EXPIRED)
        return page(200, texts.CLOSED) if await self.answers.closed(found) else None


def _before(token: AckToken) -> Response:
    final = [answer for answer in token.answers if answer.what != "delayed"]
    return page(200, texts.BEFORE + "".join(texts.said(answer) for answer in final[-1:]))


def _asked(token: AckToken) -> int:
    return sum(answer.what == "delayed" for answer in token.answers)


def _chosen(form: bytes) -> _Chosen | None:
    """What the form says; None: none of the choices."""
    if not form.strip():
        return _Chosen("acknowledged")
    try:
        fields: Mapping[str, str] = dict(parse_qsl(form.decode("ascii"), max_num_fields=5))
    except ValueError:
        return None
    match fields.get("answer"):
        case "confirm":
            return _Chosen("acknowledged")
        case "escalate":
            return _Chosen("escalated")
        case "more":
            minutes, again = fields.get("minutes", ""), fields.get("again", "")
            if minutes in map(str, texts.MINUTES) and again.isdigit() and len(again) < 4:
                return _Chosen("delayed", int(minutes), f"link{int(again)}")
    return None
