"""The keeper of hand-overs: one event each, the newest after an outage, none for what was before the rota."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta

from reeve.domain.events import Event
from reeve.domain.rotas import Change, Exchange, Layer, Rota, Shift
from reeve.ports import StoreAway
from reeve.runtime.store.events import Stored
from reeve.runtime.store.shifts import Rotas
from services.notify.handover import HandOverKeeper

START = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
ROTA = Rota(
    "sunshine-garden",
    "guard",
    "Asia/Shanghai",
    (Layer((Shift("", 480, 1920),), date(2026, 11, 1), 1, ((frozenset({"g-1"}),), (frozenset({"g-2"}),))),),
    since=START,
)


@dataclass
class World:
    """A clock, a record of events, rotas."""

    now: datetime = START
    rotas: Rotas = field(default_factory=lambda: Rotas({("sunshine-garden", "guard"): ROTA}))
    events: dict[str, Event] = field(default_factory=dict)
    put_calls: int = 0
    away: bool = False

    async def refresh(self, now: datetime) -> None:
        assert now == self.now

    async def put(self, events: Sequence[Event]) -> list[Stored]:
        self.put_calls += 1
        if self.away:
            raise StoreAway("away")
        answers = [Stored(duplicate=event.key in self.events) for event in events]
        for event in events:
            self.events.setdefault(event.key, event)
        return answers

    def keeper(self) -> HandOverKeeper:
        clock = type("Clock", (), {"now": lambda _: self.now})()
        return HandOverKeeper(self, self, clock)  # type: ignore[arg-type]

    @property
    def subjects(self) -> list[str]:
        return [event.subject for event in self.events.values()]


async def test_a_hand_over_is_told_once_by_however_many_replicas() -> None:
    world = World()
    keepers = [world.keeper(), world.keeper()]
    assert [await each.keep() for each in keepers] == [0, 0]  # what was before the rota came in
    world.now = datetime(2026, 11, 21, 0, 0, 1, tzinfo=UTC)
    assert [await each.keep() for each in keepers] == [1, 0]
    assert [await each.keep() for each in (*keepers, world.keeper())] == [0, 0, 0]
    (event,) = world.events.values()
    assert event.subject == "handover-guard-2026-11-21T0800"
    assert (event.type, event.source, event.site) == ("ticket.opened", "/reeve/shifts", "sunshine-garden")
    assert event.at == datetime(2026, 11, 21, tzinfo=UTC)
    assert event.data == {
        "category": "duty",
        "duty": "shift_handover",
        "role": "guard",
        "starts_at": "2026-11-21T08:00:00+08:00",
        "ends_at": "2026-11-22T08:00:00+08:00",
    }
    assert "g-1" not in str(event)
    assert "g-2" not in str(event)


async def test_after_an_outage_the_newest_alone_is_told_with_its_full_time_to_take_over() -> None:
    world = World()
    world.now = START + timedelta(days=4)
    assert await world.keeper().keep() == 1
    (event,) = world.events.values()
    assert event.subject == "handover-guard-2026-11-24T0800"
    assert event.at == world.now


async def test_what_the_record_did_not_take_is_told_when_it_is_back() -> None:
    world = World()
    keeper = world.keeper()
    await keeper.keep()
    world.now, world.away = datetime(2026, 11, 21, 0, 0, 1, tzinfo=UTC), True
    for _ in range(2):
        try:
            await keeper.keep()
        except StoreAway:
            continue
        raise AssertionError("it should have said that the record is away")
    world.away = False
    assert await keeper.keep() == 1
    assert world.put_calls == 3


async def test_who_comes_by_an_override_is_told_and_the_return_is_a_hand_over_too() -> None:
    world = World()
    keeper = world.keeper()
    await keeper.keep()
    start = START + timedelta(hours=1)
    exchange = Exchange(start, start + timedelta(hours=2), frozenset({"g-9"}), None)
    change = Change("c-1", "sunshine-garden", "guard", "override", (exchange,), "me", "", START)
    world.rotas = Rotas(world.rotas.rotas, {("sunshine-garden", "guard"): [change]})
    for minutes in (60, 61, 180, 181):
        world.now = START + timedelta(minutes=minutes)
        await keeper.keep()
    assert world.subjects == ["handover-guard-2026-11-20T2100", "handover-guard-2026-11-20T2300"]


async def test_a_rota_that_wants_no_hand_over_told_or_is_gone_has_none() -> None:
    world = World(rotas=Rotas({("sunshine-garden", "guard"): replace(ROTA, hands_over=False)}))
    keeper = world.keeper()
    world.now = datetime(2026, 11, 22, 0, 0, 1, tzinfo=UTC)
    assert await keeper.keep() == 0
    world.rotas = Rotas()
    assert await keeper.keep() == 0
    assert not world.events
