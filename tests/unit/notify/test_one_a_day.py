"""Payment reminders that go out later than planned are held against the days as they are now."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from reeve.domain.bundle import Calendar, SiteSettings, Span
from reeve.domain.case import Case, CaseKey
from reeve.domain.flood.days import Days, Taken
from reeve.domain.flood.settings import Flood
from reeve.domain.flood.tempering import Ledger, days_key, held_group
from reeve.ports import StoreAway
from reeve.runtime.store.deliveries import Delivery
from reeve.runtime.store.flood_slots import Slots, SlotStore
from reeve.runtime.store.waiting_deliveries import WaitingDeliveries
from services.notify.case_reader import BundleSource
from services.notify.flood.one_a_day import OneADay
from services.notify.hand import Hand, Item
from tests.support.deliveries import delivery

NOW = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)  # a Friday, 10:00 in Shanghai
YESTERDAY = NOW - timedelta(days=1)
MONDAY = datetime(2026, 11, 23, 0, 30, tzinfo=UTC)
KEY = days_key("garden", "o-1")
SITE = SiteSettings(
    site="garden",
    zone="Asia/Shanghai",
    locale="zh",
    calendar=Calendar("none", frozenset(), frozenset(), None),
    opening={"default": (Span(8 * 60 + 30, 18 * 60),)},
    channels={},
    ladder={},
    flood=Flood(payment_reminders=True),
)


@dataclass
class Record:
    """Days, and deliveries that wait."""

    days: Days = field(default_factory=dict)
    site: SiteSettings = SITE
    away: bool = False
    others_first: int = 0
    """So often somebody else saves before we do."""
    asked: int = 0
    queued: list[tuple[str, datetime, str, str]] = field(default_factory=list)

    async def load(self, keys: Collection[str]) -> Slots:
        assert list(keys) == [KEY]
        self.asked += 1
        if self.away:
            raise StoreAway("away")
        return Slots(Ledger(days={KEY: self.days}))

    async def save(self, slots: Slots) -> bool:
        if self.others_first:
            self.others_first -= 1
            self.days = {NOW.date(): Taken(NOW, "somebody")}
            return False
        self.days = slots.ledger.days[KEY]
        return True

    async def put_off(self, those: Collection[Delivery], due_at: datetime, hold: str, group: str) -> None:
        self.queued += [(each.id, due_at, hold, group) for each in those]


class Rules:
    """A bundle of one site."""

    def __init__(self, site: SiteSettings) -> None:
        self._site = site

    async def current(self) -> Rules:
        return self

    def site(self, name: str) -> SiteSettings:
        assert name == "garden"
        return self._site


def bill(number: int, family: str = "payment", **changes: Any) -> Item:
    values: dict[str, Any] = {"role": "owner", "recipient": "o-1", "rank": 2, "requested_at": YESTERDAY}
    values |= {"id": f"d{number}", "notification": f"n{number}", "due_at": NOW} | changes
    case = Case(CaseKey("garden", "arrears", f"B-{number}"), family, "d", YESTERDAY)
    return Item(replace(delivery(state="claimed", **values), case=case.key), None, case)


async def kept(record: Record, *items: Item) -> list[str]:
    """Ids of those that go now; the others are out of the hand."""
    hand = Hand(["sms"])
    hand.accept(items)
    one_a_day = OneADay(
        cast("SlotStore", record),
        cast("WaitingDeliveries", record),
        cast("BundleSource", Rules(record.site)),
        hand,
    )
    left = [each.delivery.id for each in await one_a_day.keep(list(items), NOW)]
    assert hand.ids == set(left)
    return left


async def test_the_first_late_one_takes_the_day_and_the_next_waits_for_the_next_one() -> None:
    record = Record()
    assert await kept(record, bill(1)) == ["d1"]
    assert await kept(record, bill(2)) == []
    assert await kept(record, bill(3)) == []
    group = held_group("garden", "o-1", "sms", MONDAY)
    assert record.queued == [("d2", MONDAY, "daily", group), ("d3", MONDAY, "daily", group)]
    assert await kept(record, bill(1, id="d1-mail")) == ["d1-mail"], "the same reminder, on another channel"


async def test_what_said_something_else_in_the_same_message_goes_all_the_same() -> None:
    record = Record({NOW.date(): Taken(NOW, "somebody")})
    assert await kept(record, bill(1), bill(2, family="ticket")) == ["d2"]
    assert [each[0] for each in record.queued] == ["d1"]


async def test_who_comes_second_in_the_same_moment_waits() -> None:
    record = Record(others_first=1)
    assert await kept(record, bill(1)) == []
    assert record.queued[0][1] == MONDAY


@pytest.mark.parametrize(
    "item",
    [
        bill(1, requested_at=NOW),
        bill(1, group=held_group("garden", "o-1", "sms", NOW), hold="daily"),
        bill(1, family="ticket"),
        bill(1, role="property_manager"),
        bill(1, rank=1),
        bill(1, resend_of="d0"),
    ],
    ids=["today's", "held until today", "no bill", "no owner", "one of the worst", "sent again by a person"],
)
async def test_nothing_is_read_for_what_days_are_not_given_to_or_is_in_time(item: Item) -> None:
    record = Record({NOW.date(): Taken(NOW, "somebody")})
    assert await kept(record, item) == ["d1"]
    assert record.asked == 0


async def test_a_site_without_the_rule_and_a_record_that_is_away_hold_nobody_up() -> None:
    taken = {NOW.date(): Taken(NOW, "somebody")}
    everything = replace(SITE, flood=Flood())
    assert await kept(Record(taken, everything), bill(1)) == ["d1"]
    assert await kept(Record(taken, away=True), bill(1)) == ["d1"]
