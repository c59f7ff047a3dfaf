"""The worst goes first, whatever waits; the mild go in the end; who waits for one provider holds nobody up."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from reeve.domain.case import Case, CaseKey
from services.notify.channels.base import Outcome, Provider, Reason, Result, Text
from services.notify.hand import CLASSES, Hand, Item
from services.notify.pool.choice import ProviderPool
from services.notify.pool.terms import Terms
from services.notify.turns import Turns
from tests.support.deliveries import delivery
from tests.support.waiting import PATIENCE

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
SENT = Outcome(Result.SENT, Reason.ACCEPTED)
CASE = Case(CaseKey("garden", "complaint", "T-1"), "ticket", "d", NOW)


class Named(Provider):
    """A provider that is only chosen."""

    channel = "sms"

    def __init__(self, name: str) -> None:
        self._name = name

    @property
    def name(self) -> str:
        return self._name

    async def send(self, text: Text) -> Outcome:
        raise AssertionError(text)

    async def close(self) -> None:
        return None


def item(name: str, rank: int, *barred: str) -> Item:
    due = NOW + timedelta(minutes=1)
    waits = delivery(state="claimed", id=name, notification=name, at=NOW, requested_at=NOW, rank=rank, due_at=due)
    return Item(waits, None, CASE, barred=frozenset(barred))


def pool(*terms: Terms) -> ProviderPool:
    return ProviderPool([(Named(each.name), each) for each in terms])


async def _next(turns: Turns, chosen: ProviderPool) -> tuple[str, str]:
    """Who went, and through whom."""
    found, turn = await turns.next("sms")
    chosen.ended(turn, SENT, 0.01, asyncio.get_running_loop().time())
    turns.freed("sms")
    return found.delivery.id, turn.member.name


async def test_the_worst_first_then_in_order() -> None:
    hand, one = Hand(["sms"]), pool(Terms("a"))
    turns = Turns(hand, {"sms": one})
    hand.accept([item("mild", 4), item("worst", 0), item("bad 1", 1), item("bad 2", 1), item("99", 99)])
    assert [(await _next(turns, one))[0] for _ in range(5)] == ["worst", "bad 1", "bad 2", "mild", "99"]


async def test_one_of_sixteen_turns_is_for_who_has_waited_longest() -> None:
    hand, one = Hand(["sms"]), pool(Terms("a"))
    turns = Turns(hand, {"sms": one})
    hand.accept([item("mild", 4)])
    went = []
    for number in range(40):
        hand.accept([item(f"bad {number}", 1)])
        went.append((await _next(turns, one))[0])
    assert "mild" in went[:17]


async def test_who_waits_for_one_provider_is_stepped_over_and_keeps_its_place() -> None:
    hand, both = Hand(["sms"]), pool(Terms("slow", per_second=0.001), Terms("b", order=2))
    turns = Turns(hand, {"sms": both})
    hand.accept([item("first", 1)])
    assert await _next(turns, both) == ("first", "slow")  # the last token for a long time
    hand.accept([item("only slow", 0, "b"), item("any", 1, "slow")])
    assert await _next(turns, both) == ("any", "b")
    assert len(hand.line("sms")) == 1


async def test_a_place_that_is_free_again_wakes_who_waits() -> None:
    hand, one = Hand(["sms"]), pool(Terms("a", connections=1))
    turns = Turns(hand, {"sms": one})
    hand.accept([item("1", 1), item("2", 1)])
    _, turn = await turns.next("sms")
    waiting = asyncio.create_task(turns.next("sms"))
    await asyncio.sleep(0)
    assert not waiting.done()
    one.ended(turn, SENT, 0.01, asyncio.get_running_loop().time())
    turns.freed("sms")
    found, _ = await asyncio.wait_for(waiting, PATIENCE)
    assert found.delivery.id == "2"


@pytest.mark.parametrize("rank", CLASSES)
async def test_a_full_line_of_one_grade_leaves_room_for_every_other(rank: int) -> None:
    hand = Hand(["sms"], limit=4)
    hand.accept([item(f"{rank}-{number}", rank) for number in range(4 + 1024)])
    assert not hand.takes("sms", rank, 0)
    assert set(hand.room("sms")) == set(CLASSES) - {rank}
    assert all(hand.takes("sms", other, 3) for other in CLASSES if other != rank)


async def test_those_of_a_group_are_in_hand_together() -> None:
    hand = Hand(["sms"])
    leader = item("leader", 3)
    leader.others = [item("other", 4)]
    hand.accept([leader])
    assert hand.ids == {"leader", "other"}
    assert [each.delivery.id for each in hand.coming()] == ["leader", "other"]
    hand.done("other")
    assert hand.ids == {"leader"}
