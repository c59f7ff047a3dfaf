"""What waits for a case that wants it no more is withdrawn when the case changes."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, cast

import pytest

from reeve.domain.case import Case, CaseKey
from reeve.domain.effects import Because, Effect, Notification
from reeve.ports import StoreAway
from reeve.runtime.bus.connection import BusConnection
from reeve.runtime.store.deliveries import Attempt, Delivery
from reeve.runtime.store.notifications import Requested
from reeve.runtime.store.waiting_deliveries import WaitingDeliveries
from reeve.runtime.store.waiting_notifications import WaitingNotifications
from services.notify.case_reader import CaseReader
from services.notify.channels.base import Reason
from services.notify.metrics import SETTLED
from services.notify.settling import withdrawn
from services.notify.withdrawal import Withdrawal, hours_no_longer_wanted, no_longer_wanted
from tests.support.deliveries import AT, CASE, delivery
from tests.support.waiting import until

LATER = AT + timedelta(minutes=5)
NIGHT_ENDS = AT + timedelta(hours=8)
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


def asked(subject: str = "T-1", hour: datetime | None = NIGHT_ENDS, **changes: Any) -> Requested:
    key = CaseKey("garden", "complaint", subject)
    values: dict[str, Any] = {
        "step": "report_up",
        "level": 0,
        "round": 1,
        "run": 1,
        "to": ("steward",),
        "via": ("sms",),
    }
    values |= {"message": "late", "grade": None, "ack_ends": True, "reminds": True, "not_before": hour}
    wanted = Notification(**(values | changes))
    effect = Effect("notify", key, AT, f"{key}/1", Because("complaint.yaml:1"), {}, wanted)
    return Requested(effect, wanted, "requested", (), AT)


def test_what_waits_for_its_hour_is_not_wanted_by_a_case_that_was_taken_or_closed() -> None:
    reminder, news = asked(), asked(reminds=False)
    assert hours_no_longer_wanted([reminder, news], {str(CASE): OPEN}) == []
    assert hours_no_longer_wanted([reminder, news], {str(CASE): TAKEN}) == [reminder]
    assert hours_no_longer_wanted([reminder, news], {str(CASE): CLOSED}) == [reminder]
    assert hours_no_longer_wanted([reminder], {}) == []


def test_only_what_is_on_its_way_just_now_is_told_after_its_case_was_taken() -> None:
    moment = AT + timedelta(seconds=2)
    taken = replace(OPEN, acknowledged_at=moment)
    assert withdrawn(asked(hour=None), taken, ("steward",), moment) is None
    assert withdrawn(asked(hour=None), taken, ("steward",), AT + timedelta(minutes=1)) is Reason.ACKNOWLEDGED
    assert withdrawn(asked(), taken, (), moment) is Reason.ACKNOWLEDGED
    assert withdrawn(asked(), OPEN, (), moment) is None


class Record:
    """Deliveries and notifications that wait, and their cases; all may be away."""

    def __init__(self, *those: Delivery, asked: Sequence[Requested] = (), faster: Collection[str] = ()) -> None:
        """`faster`: ids of deliveries that another replica withdraws first."""
        self.those = list(those)
        self.hours = Hours(self, asked)
        self.faster = set(faster)
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

    async def withdraw(self, those: Sequence[tuple[Delivery, Attempt]]) -> Counter[str]:
        gone = {each.id for each, _ in those}
        self.those = [each for each in self.those if each.id not in gone]
        return Counter(each.channel for each, _ in those if each.id not in self.faster)

    async def load(self, ids: Collection[str]) -> dict[str, Case]:
        return {key: self.cases[key] for key in ids if key in self.cases}

    def now(self) -> datetime:
        return LATER

    def _answer(self, asked: object) -> None:
        if self.away:
            raise StoreAway("away")
        self.looked.append(asked)


class Hours:
    """Notifications that wait for their hour; those planned are suppressed, as their cases want them no more."""

    def __init__(self, record: Record, asked: Sequence[Requested]) -> None:
        self.record = record
        self.asked = list(asked)
        self.suppressed: list[str] = []

    async def of_cases(self, cases: Collection[str], now: datetime) -> list[Requested]:
        return [each for each in self.asked if str(each.effect.case) in cases]

    async def all(self, now: datetime) -> AsyncIterator[list[Requested]]:
        yield list(self.asked)

    async def plan(self, requested: Sequence[Requested]) -> None:
        self.suppressed += [each.key for each in requested]
        self.asked = [each for each in self.asked if each not in requested]


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
        cast("WaitingNotifications", record.hours),
        record.hours,
        cast("CaseReader", record),
        announce,
        record,
    )


@pytest.fixture
def bus() -> Bus:
    return Bus()


async def test_it_looks_at_everything_once_and_then_at_the_cases_it_hears_of(bus: Bus) -> None:
    record = Record(waiting(1), waiting(2, "T-2"), asked=[asked(), asked("T-2")])
    announce = asyncio.Event()
    running = asyncio.create_task(withdrawal(record, bus, announce).run())
    try:
        await until("it has looked", lambda: record.looked == ["all"])
        assert not announce.is_set()
        record.cases[str(CASE)] = TAKEN
        await bus.say("acknowledged", "T-1")
        await asyncio.wait_for(announce.wait(), 60)
        assert record.looked == ["all", ["garden/complaint/T-1"]]
        assert [each.id for each in record.those] == ["n2"]
        await until("what waits for its hour is withdrawn, too", lambda: bool(record.hours.suppressed))
        assert record.hours.suppressed == ["garden/complaint/T-1/1"]
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


async def test_what_ended_while_nobody_listened_is_withdrawn_before_its_hour(bus: Bus) -> None:
    record = Record(asked=[asked(), asked("T-2")])
    record.cases[str(CASE)] = CLOSED
    assert await withdrawal(record, bus, asyncio.Event()).withdraw() == 0
    assert record.hours.suppressed == ["garden/complaint/T-1/1"]


def _counted(channel: str) -> float:
    return float(SETTLED.labels(channel, "suppressed")._value.get())


async def test_what_another_replica_withdrew_first_is_counted_there(bus: Bus) -> None:
    record = Record(waiting(1), waiting(2), waiting(3, channel="email"), faster=["n2", "n3"])
    record.cases[str(CASE)] = TAKEN
    announce, before = asyncio.Event(), (_counted("sms"), _counted("email"))
    assert await withdrawal(record, bus, announce).withdraw() == 1
    assert (_counted("sms"), _counted("email")) == (before[0] + 1, before[1])
    assert announce.is_set()


async def test_who_comes_too_late_everywhere_has_no_news(bus: Bus) -> None:
    record, announce = Record(waiting(1), faster=["n1"]), asyncio.Event()
    record.cases[str(CASE)] = TAKEN
    before = _counted("sms")
    assert await withdrawal(record, bus, announce).withdraw() == 0
    assert _counted("sms") == before
    assert not announce.is_set()


class Writes:
    """Takes changes and says how many it made: all but those of these ids."""

    def __init__(self, *gone: str) -> None:
        self.gone = gone
        self.calls: list[list[str]] = []

    def __getitem__(self, name: str) -> Writes:
        return self

    async def bulk_write(self, changes: Sequence[Any], ordered: bool) -> Writes:
        self.calls.append([each._filter["_id"] for each in changes])
        self.modified_count = len([key for key in self.calls[-1] if key not in self.gone])
        return self


async def test_the_record_says_of_each_channel_how_many_this_very_call_withdrew() -> None:
    collection = Writes("n2", "n3")
    why = Attempt(LATER, "suppressed", "acknowledged")
    those = [waiting(1), waiting(2), waiting(3, channel="email"), waiting(4)]
    gone = await WaitingDeliveries(cast("Any", collection)).withdraw([(each, why) for each in those])
    assert gone == {"sms": 2, "email": 0}
    assert collection.calls == [["n1", "n2", "n4"], ["n3"]]
