"""What waits for a case that wants it no more is withdrawn when the case changes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, cast

import pytest

from reeve.domain.case import Case, CaseKey
from reeve.ports import StoreAway
from reeve.runtime.bus.connection import BusConnection
from reeve.runtime.store.deliveries import Attempt, Delivery
from reeve.runtime.store.waiting_deliveries import WaitingDeliveries
from services.notify.case_reader import CaseReader
from services.notify.withdrawal import Withdrawal, no_longer_wanted
from tests.support.deliveries import AT, CASE, delivery
from tests.support.waiting import until

LATER = AT + timedelta(minutes=5)
OPEN = Case(CASE, "ticket", "d", AT)
TAKEN = replace(OPEN, acknowledged_at=LATER)
CLOSED = replace(OPEN, open=False, closed_at=LATER)


def waiting(number: int = 1, subject: str = "T-1", **changes: Any) -> Delivery:
    key = CaseKey("garden", "complaint", subject)
    return delivery("transient/busy", state="queued", id=f"n{number}", case=key, **changes)


def left(case: Case, *those: Delivery) -> list[tuple[str, str]]:
    return [(each.id, why) for each, why in no_longer_wanted(those, {str(case.key): case})]


def test_reminders_of_a_case_that_was_taken_or_closed_are_not_wanted_and_news_is() -> None:
    reminder, news = waiting(1), waiting(2, reminds=False)
    assert left(OPEN, reminder, news) == []
    assert left(TAKEN, reminder, news) == [("n1", "acknowledged")]
    assert left(CLOSED, reminder, news) == [("n1", "case_closed")]


def test_whoever_answers_a_step_ends_all_of_that_step_and_nothing_of_another() -> None:
    answered = replace(OPEN, answered={"report_up": LATER})
    assert left(answered, waiting(1, reminds=False), waiting(2, step="late", reminds=False)) == [
        ("n1", "acknowledged")
    ]


def test_what_came_after_the_answer_and_what_no_answer_ends_stay() -> None:
    assert left(TAKEN, waiting(1, at=LATER + timedelta(seconds=1)), waiting(2, ack_ends=False)) == []


def test_a_bill_that_is_closed_is_not_dunned_and_a_case_out_of_sight_keeps_its_messages() -> None:
    bill = waiting(1, role="owner", hold="daily", reminds=False)
    assert left(replace(CLOSED, family="payment"), bill) == [("n1", "case_closed")]
    assert list(no_longer_wanted([bill], {})) == []


class Record:
    """Deliveries that wait and their cases; both may be away."""

    def __init__(self, *those: Delivery) -> None:
        self.those = list(those)
        self.cases = {str(CASE): OPEN}
        self.away = False
        self.looked: list[object] = []

    async def of_cases(self, cases: Collection[str], now: datetime) -> list[Delivery]:
        self._answer(sorted(cases))
        return [each for each in self.those if str(each.case) in cases]

    async def all(self, now: datetime) -> AsyncIterator[list[Delivery]]:
        self._answer("all")
        for each in self.those:
            yield [each]

    async def withdraw(self, those: Sequence[tuple[Delivery, Attempt]]) -> int:
        gone = {each.id for each, _ in those}
        self.those = [each for each in self.those if each.id not in gone]
        return len(those)

    async def load(self, ids: Collection[str]) -> dict[str, Case]:
        return {key: self.cases[key] for key in ids if key in self.cases}

    def now(self) -> datetime:
        return LATER

    def _answer(self, asked: object) -> None:
        if self.away:
            raise StoreAway("away")
        self.looked.append(asked)


class Heard:
    """A message on the bus."""

    def __init__(self, subject: str) -> None:
        self.subject = subject


class Bus:
    """Keeps who listens to what."""

    def __init__(self) -> None:
        self.client = self
        self.listeners: dict[str, Any] = {}
        self.back: list[Any] = []

    async def subscribe(self, subject: str, cb: Any) -> None:
        self.listeners[subject] = cb

    def on_reconnect(self, listener: Any) -> None:
        self.back.append(listener)

    async def say(self, what: str, subject: str) -> None:
        await self.listeners[f"cases.*.*.{what}.*"](Heard(f"cases.garden.complaint.{what}.{subject}"))


def withdrawal(record: Record, bus: Bus, announce: asyncio.Event) -> Withdrawal:
    return Withdrawal(
        cast("BusConnection", bus),
        cast("WaitingDeliveries", record),
        cast("CaseReader", record),
        announce,
        record,
    )


@pytest.fixture
def bus() -> Bus:
    return Bus()


async def test_it_looks_at_everything_once_and_then_at_the_cases_it_hears_of(bus: Bus) -> None:
    record, announce = Record(waiting(1), waiting(2, "T-2")), asyncio.Event()
    running = asyncio.create_task(withdrawal(record, bus, announce).run())
    try:
        await until("it has looked", lambda: record.looked == ["all"])
        assert not announce.is_set()
        record.cases[str(CASE)] = TAKEN
        await bus.say("acknowledged", "T-1")
        await asyncio.wait_for(announce.wait(), 60)
        assert record.looked == ["all", ["garden/complaint/T-1"]]
        assert [each.id for each in record.those] == ["n2"]
        bus.back[0](True)
        await until("what was missed is looked for", lambda: record.looked[2:] == ["all"])
    finally:
        running.cancel()


async def test_what_was_heard_while_the_record_was_away_is_looked_at_when_it_is_back(bus: Bus) -> None:
    record, announce = Record(waiting(1)), asyncio.Event()
    record.cases[str(CASE)] = CLOSED
    record.away = True
    one = withdrawal(record, bus, announce)
    with pytest.raises(StoreAway):
        await one.withdraw()
    record.away = False
    assert await one.withdraw() == 1
    assert announce.is_set()
    assert await one.withdraw() == 0
    assert record.looked == ["all"]
