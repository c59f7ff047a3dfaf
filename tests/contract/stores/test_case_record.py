"""One suite for escalation's record: the in-memory twin and MongoDB answer alike."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from reeve.devstack.mongo_server import MongoServer
from reeve.domain.case import Case, CaseKey
from reeve.domain.counts import Count, CountEntry
from reeve.domain.effects import Because, Effect, Notification
from reeve.domain.events import Event, event_key
from reeve.ports import CaseRecord, Changes, Conflict, DecisionRow, Message
from reeve.runtime.bus.lanes import LANES, lane_of
from reeve.runtime.store import cases, events, notifications
from reeve.runtime.store.events import EventStore
from reeve.runtime.store.memory import MemoryCaseRecord
from reeve.runtime.store.mongo import ensure_indexes, open_database
from tests.support.patient_store import patient_store

T0 = datetime(2026, 2, 13, 9, 50, tzinfo=UTC)
ALL_LANES = range(LANES)


@dataclass
class Bench:
    """A record, and intake's way to put an event into it."""

    record: CaseRecord
    memory: MemoryCaseRecord | None = None
    store: EventStore | None = None

    async def accept(self, event: Event, at: datetime = T0) -> None:
        if self.memory is not None:
            self.memory.accept(event, at)
        if self.store is not None:
            await self.store.insert([event], at)


@pytest.fixture(params=["memory", pytest.param("real", marks=pytest.mark.integration)])
async def bench(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Bench]:
    if request.param == "memory":
        memory = MemoryCaseRecord()
        yield Bench(memory, memory=memory)
        return
    async with MongoServer(tmp_path) as server:
        client = patient_store(server.url, "test")
        database = open_database(client, "record")
        for module in (cases, events, notifications):
            await ensure_indexes(database, module.INDEXES)
        yield Bench(cases.MongoCaseRecord(client, database), store=EventStore(database))
        await client.close()


def a_case(subject: str = "T-1", **more: Any) -> Case:
    case = Case(CaseKey("s1", "complaint", subject), "ticket", "d1", T0, version=1, root=subject)
    return replace(case, **more)


def an_event(id: str, subject: str = "T-1", at: datetime = T0) -> Event:
    return Event("s1", "/t", id, "ticket.opened", subject, at, {"a": "中"}, event_key("s1", "/t", id))


def a_row(case: Case, *messages: Message, notify: bool = False, at: datetime = T0) -> DecisionRow:
    key = f"{case.key}#{case.version}"
    wanted = Notification("s", 0, 1, 1, ("front_desk",), ("email",), "m", None, ack_ends=True)
    effect = Effect("notify", case.key, at, key, Because("complaint.yaml:1"), {}, wanted)
    lane = lane_of("s1", case.key.subject)
    requested = (effect,) if notify else ()
    return DecisionRow(str(case.key), case.version, at, None, None, "b1", b"[]", tuple(messages), requested, lane)


async def test_a_case_is_found_by_id_by_subject_and_by_count(bench: Bench) -> None:
    case = a_case(count_keys=["k1"], facts={"loss_cny": "12.30"}, next_due=T0 + timedelta(microseconds=7))
    await bench.record.commit(Changes(T0, cases=[(case, 0)], decisions=[a_row(case)]))
    loaded = await bench.record.load(
        {"subject": {"s1/ticket/T-1"}, "case": {"s1/complaint/T-1", "s1/complaint/T-9"}, "counted": {"k1", "k2"}}
    )
    assert loaded.cases == {"s1/complaint/T-1": case, "s1/complaint/T-9": None}
    assert loaded.subjects == {"s1/ticket/T-1": ["s1/complaint/T-1"]}
    assert loaded.counted == {"k1": ["s1/complaint/T-1"], "k2": []}


async def test_a_closed_case_takes_part_in_no_count(bench: Bench) -> None:
    case = a_case(count_keys=["k1"], open=False)
    await bench.record.commit(Changes(T0, cases=[(case, 0)]))
    assert (await bench.record.load({"counted": {"k1"}})).counted == {"k1": []}


async def test_a_child_is_found_by_its_parents_subject_and_its_own(bench: Bench) -> None:
    child = replace(a_case("T-1~follow_up"), root="T-1", parent="s1/complaint/T-1")
    await bench.record.commit(Changes(T0, cases=[(a_case(), 0), (child, 0)]))
    loaded = await bench.record.load({"subject": {"s1/ticket/T-1", "s1/ticket/T-1~follow_up"}})
    assert sorted(loaded.subjects["s1/ticket/T-1"]) == ["s1/complaint/T-1", "s1/complaint/T-1~follow_up"]
    assert loaded.subjects["s1/ticket/T-1~follow_up"] == ["s1/complaint/T-1~follow_up"]


async def test_a_change_to_another_version_is_a_conflict_and_nothing_is_written(bench: Bench) -> None:
    case = a_case()
    await bench.record.commit(Changes(T0, cases=[(case, 0)]))
    event = an_event("e1")
    await bench.accept(event)
    late = replace(case, version=8)
    other = a_case("T-2")
    changes = Changes(T0, cases=[(other, 0), (late, 7)], decisions=[a_row(late)], applied=[event])
    with pytest.raises(Conflict):
        await bench.record.commit(changes)
    loaded = await bench.record.load({"case": {"s1/complaint/T-1", "s1/complaint/T-2"}})
    assert loaded.cases == {"s1/complaint/T-1": case, "s1/complaint/T-2": None}
    assert await bench.record.applied([event.key]) == {event.key: False}


async def test_two_who_open_the_same_case_collide(bench: Bench) -> None:
    await bench.record.commit(Changes(T0, cases=[(a_case(), 0)]))
    with pytest.raises(Conflict):
        await bench.record.commit(Changes(T0, cases=[(a_case(grade="major"), 0)]))


async def test_two_who_count_at_once_collide(bench: Bench) -> None:
    nine = Count("k1", [CountEntry(T0, f"e{n}") for n in range(9)])
    await bench.record.commit(Changes(T0, counts=[(nine, 0)]))
    loaded = await bench.record.load({"count": {"k1", "k2"}})
    assert loaded.counts == {"k1": nine, "k2": None}
    assert loaded.count_versions == {"k1": 1, "k2": 0}
    await bench.record.commit(Changes(T0, counts=[(nine, 1)]))
    with pytest.raises(Conflict):
        await bench.record.commit(Changes(T0, counts=[(nine, 1)]))


async def test_a_claim_is_held_by_one(bench: Bench) -> None:
    await bench.record.commit(Changes(T0, claims={"c1": "s1/complaint/T-1"}))
    with pytest.raises(Conflict):
        await bench.record.commit(Changes(T0, claims={"c1": "s1/complaint/T-2"}))
    assert (await bench.record.load({"claim": {"c1", "c2"}})).claims == {"c1": "s1/complaint/T-1", "c2": None}


async def test_an_event_waits_until_it_is_taken(bench: Bench) -> None:
    early, late = an_event("e1", at=T0), an_event("e2", at=T0 + timedelta(minutes=1))
    for event in (late, early):
        await bench.accept(event)
    await bench.record.commit(Changes(T0, applied=[late, early], waiting_added=[late.key, early.key]))
    assert (await bench.record.load({"subject": {"s1/ticket/T-1"}})).waiting == {"s1/ticket/T-1": [early, late]}
    await bench.record.commit(Changes(T0, waiting_taken=[early.key]))
    assert (await bench.record.load({"subject": {"s1/ticket/T-1"}})).waiting == {"s1/ticket/T-1": [late]}


async def test_an_event_that_only_the_bus_knew_is_in_the_record_afterwards(bench: Bench) -> None:
    event = an_event("e1")
    assert await bench.record.applied([event.key]) == {}
    await bench.record.commit(Changes(T0, applied=[event], unknown={event.key}))
    assert await bench.record.applied([event.key]) == {event.key: True}


async def test_undecided_events_are_found_by_lane_and_age(bench: Bench) -> None:
    old, young, refused = an_event("e1"), an_event("e2"), an_event("e3")
    await bench.accept(old, T0)
    await bench.accept(young, T0 + timedelta(minutes=1))
    await bench.accept(refused, T0)
    await bench.record.commit(Changes(T0, applied=[refused], refused={refused.key: "no"}))
    lane = lane_of("s1", "T-1")
    before = T0 + timedelta(seconds=30)
    assert await bench.record.unapplied([lane], before, 10) == [old]
    assert await bench.record.unapplied([(lane + 1) % LANES], before, 10) == []


async def test_overdue_cases_come_longest_overdue_first(bench: Bench) -> None:
    late = a_case("T-1", next_due=T0 - timedelta(minutes=1))
    later = a_case("T-2", next_due=T0 - timedelta(minutes=2))
    future = a_case("T-3", next_due=T0 + timedelta(minutes=1))
    never = a_case("T-4")
    await bench.record.commit(Changes(T0, cases=[(case, 0) for case in (late, later, future, never)]))
    assert await bench.record.overdue(ALL_LANES, T0, 10) == ["s1/complaint/T-2", "s1/complaint/T-1"]
    assert await bench.record.overdue(ALL_LANES, T0, 1) == ["s1/complaint/T-2"]


async def test_an_outbox_row_lives_until_the_same_server_kept_it_long_enough(bench: Bench) -> None:
    case = a_case()
    message = Message("cases.s1.complaint.opened.T-1", "s1/complaint/T-1#1", '{"é": 1}'.encode())
    row = a_row(case, message, notify=True)
    await bench.record.commit(Changes(T0, cases=[(case, 0)], decisions=[row]))
    after = T0 + timedelta(seconds=1)
    found = await bench.record.unpublished(ALL_LANES, "server-a", after, 10)
    assert [(each.id, each.messages) for each in found] == [("s1/complaint/T-1#1", (message,))]
    assert await bench.record.unpublished(ALL_LANES, "server-a", T0, 10) == [], "not decided before that"

    await bench.record.mark_published([row.id], "server-a", after)
    assert await bench.record.unpublished(ALL_LANES, "server-a", after, 10) == []
    assert [each.id for each in await bench.record.unpublished(ALL_LANES, "server-b", after, 10)] == [row.id]

    assert await bench.record.confirm("server-a", after) == 0, "too young"
    assert await bench.record.confirm("server-b", T0 + timedelta(hours=1)) == 0, "another process"
    assert await bench.record.confirm("server-a", T0 + timedelta(hours=1)) == 1
    assert await bench.record.unpublished(ALL_LANES, "server-b", after, 10) == []


async def test_an_outbox_row_holds_the_messages_of_a_batch_and_lane(bench: Bench) -> None:
    subjects = [f"T-{number}" for number in range(12)]
    rows = [a_row(a_case(subject), Message("cases.x", f"{subject}\n#1", b'{"a": "\n"}')) for subject in subjects]
    await bench.record.commit(Changes(T0, decisions=rows))
    after = T0 + timedelta(seconds=1)
    found = await bench.record.unpublished(ALL_LANES, "server-a", after, 1000)
    assert len(found) == len({row.lane for row in rows}) > 1
    for each in found:
        mine = [row for row in rows if row.lane == each.lane]
        assert each.cases == tuple(row.case for row in mine)
        assert each.messages == tuple(message for row in mine for message in row.messages)
    assert len(await bench.record.unpublished(ALL_LANES, "server-a", after, 1)) == 1
    assert await bench.record.unpublished([found[0].lane], "server-a", after, 1000) == found[:1]
