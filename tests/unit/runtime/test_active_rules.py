"""Whoever follows the active rules keeps the last ones that could be read, and learns of others by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import cast

import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg
from prometheus_client import REGISTRY

from reeve.domain.bundle import Bundle
from reeve.ports import StoreAway
from reeve.runtime.active_rules import ActiveRules
from reeve.runtime.bundles import Bundles, NoBundle
from reeve.runtime.bus.connection import BusConnection
from tests.support.waiting import PATIENCE
from tests.unit.domain.test_language_example import RULES

FIRST, SECOND = replace(RULES, version="first"), replace(RULES, version="second")


class Record(Bundles):
    """What the record says, as the test sets it."""

    def __init__(self) -> None:
        self.active: str | None = None
        self.readable: dict[str, Bundle] = {}
        self.away = False
        self.announced: list[str | None] = []
        self.loads = 0

    async def active_version(self) -> str | None:
        if self.away:
            raise StoreAway("away")
        return self.active

    async def load_active(self) -> Bundle:
        self.loads += 1
        await asyncio.sleep(0)
        if self.active not in self.readable:
            raise NoBundle("written by a later release")
        return self.readable[self.active]

    async def announce_pending(self) -> bool:
        self.announced.append(self.active)
        return True


class Bus:
    """Keeps what was subscribed and who listens for reconnects."""

    def __init__(self) -> None:
        self.heard: dict[str, Callable[[Msg], Awaitable[None]]] = {}
        self.reconnects: list[Callable[[bool], None]] = []

    @property
    def client(self) -> Bus:
        return self

    def on_reconnect(self, listener: Callable[[bool], None]) -> None:
        self.reconnects.append(listener)

    async def subscribe(self, subject: str, cb: Callable[[Msg], Awaitable[None]]) -> None:
        self.heard[subject] = cb


async def test_without_rules_there_is_nothing_to_work_with() -> None:
    rules = ActiveRules(Record())
    with pytest.raises(StoreAway):
        assert rules.bundle is FIRST
    assert (rules.loaded, rules.asked) == (False, False)
    await rules.refresh()
    assert (rules.loaded, rules.asked) == (False, True)
    with pytest.raises(StoreAway):
        await rules.current()


async def test_a_record_that_is_away_was_not_asked() -> None:
    record = Record()
    record.away = True
    rules = ActiveRules(record)
    with pytest.raises(StoreAway):
        await rules.refresh()
    assert not rules.asked


async def test_what_can_not_be_read_leaves_the_last_bundle() -> None:
    record, taken = Record(), list[Bundle]()
    record.active, record.readable = "second", {"second": SECOND}
    rules = ActiveRules(record, FIRST, taken.append)
    await rules.refresh()
    record.active = "third"
    await rules.refresh()
    await rules.refresh()
    assert (await rules.current()).version == "second"
    assert [bundle.version for bundle in taken] == ["first", "second"]


@pytest.mark.parametrize("how", ["announced", "reconnected"])
async def test_another_activation_is_followed_at_once(how: str) -> None:
    record, bus, taken = Record(), Bus(), asyncio.Event()
    record.active, record.readable = "first", {"first": FIRST, "second": SECOND}
    rules = ActiveRules(record, taken=lambda bundle: taken.set())
    await rules.listen(cast("BusConnection", bus))
    following = asyncio.create_task(rules.run())
    async with asyncio.timeout(PATIENCE):
        await taken.wait()
        taken.clear()
        record.active = "second"
        if how == "announced":
            await bus.heard["rules.activated"](Msg(Client()))
        else:
            bus.reconnects[0](True)
        await taken.wait()
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)
    assert rules.bundle.version == "second"
    assert record.announced[-1] == "second"


async def test_those_who_ask_together_load_once() -> None:
    record = Record()
    record.active, record.readable = "first", {"first": FIRST}
    rules = ActiveRules(record)
    found = await asyncio.gather(rules.current(), rules.current(), rules.refresh())
    assert (found[0], found[1]) == (FIRST, FIRST)
    assert record.loads == 1


async def test_a_rejection_is_heard_and_counted_and_changes_nothing() -> None:
    record, bus, taken = Record(), Bus(), list[Bundle]()
    record.active, record.readable = "first", {"first": FIRST}
    rules = ActiveRules(record, FIRST)
    rules.on_taken(taken.append)
    await rules.listen(cast("BusConnection", bus))
    before = _counted("rejected")
    await bus.heard["rules.rejected"](Msg(Client()))
    assert _counted("rejected") == before + 1
    assert (rules.bundle, taken) == (FIRST, [])


async def test_another_version_is_counted_and_named() -> None:
    record, taken = Record(), list[Bundle]()
    record.active, record.readable = "second", {"second": SECOND}
    rules = ActiveRules(record, FIRST)
    rules.on_taken(taken.append)
    before = _counted("activated")
    await rules.refresh()
    assert (_counted("activated"), taken) == (before + 1, [SECOND])
    assert REGISTRY.get_sample_value("reeve_rules_active", {"version": "second"}) == 1
    assert REGISTRY.get_sample_value("reeve_rules_active", {"version": "first"}) is None
    record.active = "third"
    before = _counted("unreadable")
    await rules.refresh()
    assert _counted("unreadable") == before + 1


def _counted(outcome: str) -> float:
    return REGISTRY.get_sample_value("reeve_rules_total", {"outcome": outcome}) or 0.0
