"""The loop on in-memory twins: what it commits, tells, gives up and asks to be woken for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from reeve.domain.events import Event, event_key
from reeve.ports import Changes, Conflict, StoreAway
from reeve.runtime.bus.pull import TERM, Received
from reeve.runtime.store.memory import MemoryCaseRecord
from services.escalation.inbox import read
from services.escalation.work import BadWork, EventWork
from tests.support.stage import Stage

T0 = datetime(2026, 2, 13, 9, 50, tzinfo=UTC)


def ticket(verb: str, subject: str = "T-1", at: datetime = T0, **data: Any) -> Event:
    posted = f"{verb}-{subject}-{at.timestamp()}"
    return Event("s1", "/t", posted, f"ticket.{verb}", subject, at, data, event_key("s1", "/t", posted))


async def test_an_opening_is_decided_recorded_and_told() -> None:
    stage = Stage(T0)
    committed = await stage.events([ticket("opened", category="complaint", loss_cny=12000)])
    (case,) = stage.memory.cases()
    assert (case.grade, case.version) == ("major", 1)
    assert [row.id for row in committed.rows] == ["s1/complaint/T-1#1"]
    subjects = [message.subject for message in committed.rows[0].messages]
    assert subjects[:2] == ["cases.s1.complaint.opened.T-1", "cases.s1.complaint.graded.T-1"]
    assert len(stage.memory.notifications) == len(committed.rows[0].requested) > 0


async def test_the_alarm_is_set_for_the_next_moment_and_only_when_it_moved() -> None:
    stage = Stage(T0)
    first = await stage.events([ticket("opened", category="complaint", loss_cny=12000)])
    (alarm,) = first.alarms
    assert alarm.at == T0 + timedelta(minutes=5)
    message = alarm.message()
    assert message.subject == "timers.at.s1/complaint/T-1"
    assert message.headers is not None
    assert message.headers["Nats-Schedule"] == "@at 2026-02-13T09:55:00.000Z"
    later = await stage.events([ticket("updated", at=T0 + timedelta(seconds=1), description="x")])
    assert later.alarms == []
    assert len(later.rows) == 1


async def test_a_tick_decides_what_is_due_and_sets_the_next_alarm() -> None:
    stage = Stage(T0)
    await stage.events([ticket("opened", category="complaint", loss_cny=12000)])
    stage.time.at = T0 + timedelta(minutes=5, milliseconds=200)
    ticked = await stage.tick("s1/complaint/T-1")
    told = [message.subject for row in ticked.rows for message in row.messages]
    assert "cases.s1.complaint.breached.T-1" in told
    assert [alarm.at > stage.time.at for alarm in ticked.alarms] == [True]


async def test_a_tick_before_its_moment_decides_nothing_and_is_set_again() -> None:
    stage = Stage(T0)
    first = await stage.events([ticket("opened", category="complaint", loss_cny=12000)])
    stage.time.at = T0 + timedelta(minutes=4)
    early = await stage.tick("s1/complaint/T-1")
    assert early.rows == []
    assert [alarm.at for alarm in early.alarms] == [first.alarms[0].at]
    assert early.alarms[0].message().msg_id != first.alarms[0].message().msg_id, "else it passes for a repeat"


async def test_a_repeat_in_another_batch_and_in_the_same_changes_nothing() -> None:
    stage = Stage(T0)
    opened = ticket("opened", category="complaint")
    await stage.events([opened, opened])
    repeat = await stage.events([opened])
    assert (repeat.rows, repeat.alarms) == ([], [])
    assert [case.version for case in stage.memory.cases()] == [1]


async def test_an_event_before_its_opening_waits_and_is_applied_then() -> None:
    stage = Stage(T0)
    early = ticket("acknowledged", at=T0 + timedelta(minutes=1))
    await stage.events([early])
    assert stage.memory.events[early.key].waiting
    stage.time.at = T0 + timedelta(minutes=2)
    await stage.events([ticket("opened", category="complaint")])
    assert not stage.memory.events[early.key].waiting
    (case,) = stage.memory.cases()
    assert case.clocks["respond"].met is True


async def test_one_incident_is_reported_once_within_a_batch_and_across() -> None:
    stage = Stage(T0)
    for number in range(2):
        at = T0 + timedelta(seconds=number)
        stage.time.at = at
        await stage.events(
            [
                ticket("opened", f"T-{number}-{n}", at, category="complaint", loss_cny=12000, incident="I-1")
                for n in range(2)
            ]
        )
    reported = [
        effect
        for effect in stage.memory.notifications.values()
        if effect.details["message"] == "complaint_reported"
    ]
    steps = [effect.notification.step for effect in reported if effect.notification]
    assert sorted(set(steps)) == sorted(steps)


class _Unlucky(MemoryCaseRecord):
    """Fails the first commits as told."""

    def __init__(self, *errors: Exception) -> None:
        super().__init__()
        self.errors = list(errors)

    async def commit(self, changes: Changes) -> None:
        if self.errors:
            raise self.errors.pop(0)
        await super().commit(changes)


@pytest.mark.parametrize("error", [Conflict("faster"), StoreAway("gone")])
async def test_a_conflict_or_an_outage_is_decided_again(error: Exception) -> None:
    record = _Unlucky(error, error)
    stage = Stage(T0, record)
    stage.memory = record
    committed = await stage.events([ticket("opened", category="complaint")])
    assert len(committed.rows) == 1
    assert len(record.cases()) == 1
    assert stage.sweeps == (2 if isinstance(error, StoreAway) else 0)


async def test_a_batch_that_always_loses_goes_back_to_the_bus() -> None:
    record = _Unlucky(*[Conflict("faster")] * 20)
    stage = Stage(T0, record)
    event = ticket("opened", category="complaint")
    received = Received("work.0.s1.ticket.opened.T-1", b"{}", None, "reply", 0)
    record.accept(event, T0)
    await stage.loop.handle([EventWork(event, received)])
    ((back, verdict),) = stage.handed[-1].settled
    assert (back, verdict[:4]) == (received, b"-NAK")


async def test_an_unreadable_message_is_a_dead_letter_and_ends() -> None:
    stage = Stage(T0)
    received = Received("work.0.s1.ticket.opened.T-1", b"{nonsense", None, "reply", 0)
    work = read(received, ticks=False)
    assert isinstance(work, BadWork)
    good = ticket("opened", category="complaint")
    stage.memory.accept(good, T0)
    await stage.loop.handle([work, EventWork(good)])
    assert [message.subject for message in stage.bus.messages] == ["dead.escalation.s1"]
    assert stage.handed[-1].settled == [(received, TERM)]
    assert len(stage.memory.cases()) == 1


async def test_a_dead_letter_that_can_not_be_stored_keeps_its_message_alive() -> None:
    stage = Stage(T0)
    stage.bus.away = True
    received = Received("work.0.s1.ticket.opened.T-1", b"{nonsense", None, "reply", 0)
    await stage.loop.handle([read(received, ticks=False)])
    ((_, verdict),) = stage.handed[-1].settled
    assert verdict[:4] == b"-NAK"


async def test_a_case_pinned_to_rules_nobody_has_refuses_its_events_and_no_others() -> None:
    stage = Stage(T0)
    await stage.events([ticket("opened", category="complaint")])
    (case,) = stage.memory.cases()
    case.digest = "gone"
    case.version += 1
    await stage.memory.commit(Changes(T0, cases=[(case, 1)]))
    refused = ticket("acknowledged", at=T0 + timedelta(seconds=1))
    other = ticket("opened", "T-2", category="complaint")
    await stage.events([refused, other])
    assert stage.memory.events[refused.key].refused is not None
    assert [message.subject for message in stage.bus.messages] == ["dead.escalation.s1"]
    assert [case.key.subject for case in stage.memory.cases()] == ["T-1", "T-2"]
