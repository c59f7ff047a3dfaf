"""What was claimed for us when the record went away is taken up again; nothing that we have is taken up twice."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, cast

import pytest

from reeve.domain.case import Case
from reeve.ports import StoreAway
from reeve.runtime.store.deliveries import Delivery
from services.notify.feeder import Feeder
from services.notify.hand import Hand, Item
from services.notify.pool.choice import ProviderPool
from tests.support.deliveries import AT, CASE, delivery

MINE = delivery(state="claimed", claim="me")
OF_CASE = Case(CASE, "ticket", "d", AT)


class Record:
    """All that a feeder asks; one delivery is claimed for us."""

    def __init__(self, hand: Hand) -> None:
        self._hand = hand
        self.settles_meanwhile = False
        self.lapsed: list[Delivery] = []
        """Claimed for us with a lease that ran out."""

    async def held_by(self, claim: str, ids: Collection[str]) -> list[Delivery]:
        if self.settles_meanwhile:
            self._hand.done(MINE.id)
        return [MINE] if MINE.id in ids else []

    async def claim_due(self, *_: object) -> list[Delivery]:
        return self.lapsed

    async def by_id(self, _: object) -> dict[tuple[str, str], Any]:
        return {}

    async def load(self, _: object) -> dict[str, Case]:
        return {str(CASE): OF_CASE}

    async def add(self, _: object) -> None:
        return None

    def now(self) -> datetime:
        return AT


@pytest.fixture
def hand() -> Hand:
    return Hand(["sms"])


@pytest.fixture
def record(hand: Hand) -> Record:
    return Record(hand)


@pytest.fixture
def feeder(hand: Hand, record: Record) -> Feeder:
    one = cast("Any", record)
    return Feeder(one, one, one, one, hand, {"sms": ProviderPool([])}, one, "me", timedelta(minutes=1))


def fail_to_claim(hand: Hand) -> None:
    with pytest.raises(StoreAway), hand.expecting([MINE.id]):
        raise StoreAway("between the claim and its answer")


async def test_what_is_claimed_for_us_comes_into_the_hand(hand: Hand, feeder: Feeder) -> None:
    fail_to_claim(hand)
    assert hand.ids == frozenset()
    await feeder.feed()
    assert hand.ids == {MINE.id}
    assert len(hand.line("sms")) == 1


@pytest.mark.parametrize("first", ["in hand", "stray"])
async def test_what_we_have_is_not_taken_up_again_though_it_is_settled_while_we_look(
    hand: Hand, feeder: Feeder, record: Record, first: str
) -> None:
    """Else it would be sent a second time: what the record said of it is older than what we know."""
    if first == "stray":
        fail_to_claim(hand)
    hand.accept([Item(MINE, None, OF_CASE)])
    if first == "in hand":
        fail_to_claim(hand)
    hand.take_back()  # it is being sent
    record.settles_meanwhile = True
    await feeder.feed()
    assert len(hand.line("sms")) == 0
    await feeder.feed()
    assert hand.ids <= {MINE.id}
    assert len(hand.line("sms")) == 0


@pytest.mark.parametrize("settled", [False, True])
async def test_what_was_planned_so_slowly_that_its_lease_ran_out_is_taken_up_once(
    hand: Hand, feeder: Feeder, record: Record, settled: bool
) -> None:
    """A process that stands still between two looks at the clock claims what is due at once, and finds it."""

    async def planned_meanwhile(*_: object) -> list[Delivery]:
        hand.accept([Item(MINE, None, OF_CASE)])
        hand.take_back()  # it is being sent
        if settled:
            hand.done(MINE.id)
        return [MINE]

    record.claim_due = planned_meanwhile  # type: ignore[method-assign]
    await feeder.feed()
    assert len(hand.line("sms")) == 0
    assert hand.without_known([Item(MINE, None, OF_CASE)], 0) == []


async def test_what_is_let_go_may_be_taken_up_again(hand: Hand, feeder: Feeder, record: Record) -> None:
    hand.accept([Item(MINE, None, OF_CASE)])
    hand.take_back()
    hand.let_go(MINE.id)
    record.lapsed = [MINE]
    await feeder.feed()
    assert len(hand.line("sms")) == 1
