"""One message after the other goes onto the wire, as long as answers come soon."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import pytest

from services.notify.journal import Journal
from services.notify.wire_turns import WireTurns


class Noted(Journal):
    """Keeps what it is told, and writes nothing."""

    def __init__(self) -> None:
        self.ids: list[str] = []

    def begun(self, ids: Iterable[str]) -> None:
        self.ids += ids


async def test_the_next_one_waits_for_the_answer_of_the_one_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.notify.wire_turns._PATIENCE_SECONDS", 3600)
    journal = Noted()
    turns = WireTurns(journal)
    first, second, third = (turns.attempt([name]) for name in "abc")
    await first.begin()
    waiting = [asyncio.create_task(each.begin()) for each in (second, third)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert journal.ids == ["a"]
    first.end()
    await waiting[0]
    assert journal.ids == ["a", "b"]
    assert not waiting[1].done()
    second.end()
    await waiting[1]
    assert journal.ids == ["a", "b", "c"]


async def test_a_slow_answer_holds_up_nobody_for_long() -> None:
    journal = Noted()
    turns = WireTurns(journal)
    await turns.attempt(["slow"]).begin()
    for number in range(3):
        await turns.attempt([f"{number}"]).begin()
    assert journal.ids == ["slow", "0", "1", "2"]


async def test_who_was_cut_before_it_went_out_keeps_nobody_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.notify.wire_turns._PATIENCE_SECONDS", 3600)
    journal = Noted()
    turns = WireTurns(journal)
    first, cut, last = (turns.attempt([name]) for name in ("a", "cut", "last"))
    await first.begin()
    beginning = asyncio.create_task(cut.begin())
    waiting = asyncio.create_task(last.begin())
    await asyncio.sleep(0)
    beginning.cancel()
    await asyncio.wait([beginning])
    cut.end()
    assert not waiting.done()
    first.end()
    await waiting
    assert journal.ids == ["a", "last"]


async def test_who_ends_without_having_begun_changes_nothing() -> None:
    journal = Noted()
    turns = WireTurns(journal)
    turns.attempt(["refused"]).end()
    await turns.attempt(["a"]).begin()
    assert journal.ids == ["a"]
