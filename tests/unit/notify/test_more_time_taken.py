"""An answer that asks for more time: its minutes are its own before it is noted, and others' if it is too late."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from reeve.domain.more_time import MoreTime
from reeve.runtime.answering import Answers, answer_of
from reeve.runtime.store.ack_tokens import AckToken, AckTokenStore, Asked
from reeve.runtime.store.deliveries import Answer
from reeve.runtime.store.mongo import Database
from reeve.runtime.store.more_time import Grant

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
TOKEN = AckToken("h", Asked("n", "R-7", "garden", "ticket", "T-1", "late"), NOW + timedelta(days=1), None)


class Granting:
    """Grants so many minutes, and keeps what it was asked and what was given back."""

    def __init__(self, minutes: int) -> None:
        self.minutes = minutes
        self.asked: list[tuple[str, str, int, int]] = []
        self.given_back: list[tuple[str, str]] = []

    async def grant(self, step: str, answer: str, asked: int, known: int, now: datetime) -> Grant:
        self.asked.append((step, answer, asked, known))
        return Grant(self.minutes, 120 - self.minutes)

    async def give_back(self, step: str, answer: str) -> None:
        self.given_back.append((step, answer))


class Tokens:
    """Takes an answer, or says that the message was answered before, by these."""

    def __init__(self, *before: Answer, takes: bool = True) -> None:
        self.before = before
        self.takes = takes
        self.noted: list[Answer] = []

    async def note(self, hash: str, answer: Answer) -> bool:
        self.noted += [answer] if self.takes else []
        return self.takes

    async def load(self, hashes: list[str]) -> dict[str, AckToken]:
        return {"h": AckToken("h", TOKEN.asked, TOKEN.expires_at, NOW, self.before)}


def _answers(tokens: Tokens, grants: Granting) -> Answers:
    database = cast("Database", dict.fromkeys(("cases", "notifications", "more_time")))
    return Answers(database, cast("AckTokenStore", tokens), cast("Any", grants))


def _asking(minutes: int) -> Answer:
    return answer_of(TOKEN, "delayed", NOW, "link", minutes, "0")


async def test_what_was_granted_is_noted_and_said() -> None:
    tokens, grants = Tokens(), Granting(20)
    took = await _answers(tokens, grants).take(TOKEN, _asking(60), NOW)
    assert (took.taken, took.more) == ("noted", MoreTime(60, 20, 0))
    assert [each.minutes for each in tokens.noted] == [20]
    assert grants.asked == [("h", "h:delayed:0", 60, 0)]
    assert grants.given_back == []


async def test_whoever_comes_after_the_last_minute_hears_so_and_nothing_is_noted() -> None:
    tokens, grants = Tokens(), Granting(0)
    took = await _answers(tokens, grants).take(TOKEN, _asking(60), NOW)
    assert (took.taken, took.more) == ("no_more_time", MoreTime(60, 0, 0))
    assert tokens.noted == []


@pytest.mark.parametrize(
    ("before", "taken", "given_back"),
    [
        (Answer("h", NOW, "acknowledged", "link", None), "used", [("h", "h:delayed:0")]),
        (_asking(15), "repeat", []),  # the same click twice: the minutes are the first one's
    ],
)
async def test_minutes_of_an_answer_that_came_too_late_are_there_for_others(
    before: Answer, taken: str, given_back: list[tuple[str, str]]
) -> None:
    grants = Granting(30)
    took = await _answers(Tokens(before, takes=False), grants).take(TOKEN, _asking(30), NOW)
    assert took.taken == taken
    assert grants.given_back == given_back
