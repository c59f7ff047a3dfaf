"""Duties in the loop: scheduled once, opened by their tick, followed by their successor, moved by other rules."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from reeve.domain.bundle import Bundle
from reeve.domain.events import Event, event_key
from reeve.runtime.bus.lanes import LANES, lane_of
from reeve.runtime.store.scheduled_duties import ComingDuty
from services.escalation.duty_keeper import DutyKeeper
from services.escalation.work import ReviseWork, ScheduleWork, UnscheduleWork, Work
from tests.support.simulation import bundle_of
from tests.support.stage import Stage

COMPLAINT = 'takes: ticket\nif: category == "complaint"\nclose: ticket.closed\n'
LEDGER = """
- duty: ledger_check
  every: day at 17:00
  who: service_supervisor
  limit: same day
  late: {notify: property_manager, message: missed}
"""
T0 = datetime(2026, 3, 6, 4, 0, tzinfo=UTC)  # noon at the site
FIVE = datetime(2026, 3, 6, 9, 0, tzinfo=UTC)
CASE = "s1/duty/ledger_check/2026-03-06"
NEXT = "s1/duty/ledger_check/2026-03-07"


def staged(at: datetime = T0) -> Stage:
    stage = Stage(at)
    stage.bundle = bundle_of(COMPLAINT, duties=LEDGER)
    return stage


async def test_a_duty_is_scheduled_once_and_sets_its_alarm() -> None:
    stage = staged()
    await stage.loop.handle([ScheduleWork("s1", "ledger_check")])
    await stage.loop.handle([ScheduleWork("s1", "ledger_check")])
    (case,) = stage.memory.cases()
    assert (str(case.key), case.open, case.scheduled, case.next_due) == (CASE, False, True, FIVE)
    assert [(str(alarm.key), alarm.at) for alarm in stage.handed[0].alarms] == [(CASE, FIVE)]
    assert stage.handed[1].alarms == []
    assert stage.memory.decisions == {}, "nothing has happened yet"


async def test_its_tick_opens_it_tells_and_leaves_the_next_one() -> None:
    stage = staged()
    await stage.loop.handle([ScheduleWork("s1", "ledger_check")])
    stage.time.at = FIVE
    ticked = await stage.tick(CASE)
    told = [message.subject for row in ticked.rows for message in row.messages]
    assert told == [
        "cases.s1.duty.opened.ledger_check/2026-03-06",
        "cases.s1.duty.clock_started.ledger_check/2026-03-06",
        "notifications.s1.requested.ledger_check/2026-03-06",
    ]
    assert [(str(case.key), case.open) for case in stage.memory.cases()] == [(CASE, True), (NEXT, False)]
    again = await stage.tick(CASE)
    assert again.rows == []


async def test_evidence_posted_before_the_hour_waits_for_it() -> None:
    stage = staged()
    await stage.loop.handle([ScheduleWork("s1", "ledger_check")])
    done = Event(
        "s1", "/t", "e1", "ticket.resolved", "ledger_check/2026-03-06", T0, {}, event_key("s1", "/t", "e1")
    )
    await stage.events([done])
    assert stage.memory.events[done.key].waiting
    stage.time.at = FIVE
    await stage.tick(CASE)
    case = next(case for case in stage.memory.cases() if str(case.key) == CASE)
    assert (case.open, case.outcome, case.clocks["ledger_check"].met) == (False, "resolved", True)


async def test_other_rules_move_it_and_rules_without_it_take_it_back() -> None:
    stage = staged()
    await stage.loop.handle([ScheduleWork("s1", "ledger_check")])
    stage.bundle = bundle_of(COMPLAINT, duties=LEDGER.replace("17:00", "18:00"))
    await stage.loop.handle([ReviseWork(CASE, 0)])
    (case,) = stage.memory.cases()
    assert case.next_due == FIVE.replace(hour=10)
    stage.bundle = bundle_of(COMPLAINT)
    await stage.loop.handle([ReviseWork(CASE, 0)])
    (case,) = stage.memory.cases()
    assert (case.scheduled, case.next_due, case.outcome) == (False, None, "unscheduled")
    stage.bundle = bundle_of(COMPLAINT, duties=LEDGER)
    await stage.loop.handle([ScheduleWork("s1", "ledger_check")])
    (case,) = stage.memory.cases()
    assert (case.scheduled, case.next_due) == (True, FIVE)


@dataclass
class Scheduled:
    """What the record would answer."""

    known: set[str] = field(default_factory=set)
    there: list[ComingDuty] = field(default_factory=list)

    async def sites(self) -> set[str]:
        return self.known

    async def coming(self, lanes: Collection[int] | None = None) -> list[ComingDuty]:
        return self.there


@dataclass
class Inbox:
    """Lanes held, and what was put in."""

    lanes: frozenset[int] = frozenset(range(LANES))
    works: list[Work] = field(default_factory=list)

    def put(self, works: list[Work]) -> None:
        self.works += works


@dataclass
class Shifts:
    """Roles that have a rota at site s1, from a moment on."""

    roles: dict[str, datetime] = field(default_factory=dict)
    asked: int = 0

    async def refresh(self, now: datetime) -> None:
        self.asked += 1

    def hands_over(self, place: str, role: str, at: datetime) -> bool:
        return place == "s1" and role in self.roles and at >= self.roles[role]


@dataclass
class Noon:
    """It is noon at the site."""

    def now(self) -> datetime:
        return T0


async def looked(bundle: Bundle, scheduled: Scheduled, inbox: Inbox, shifts: Shifts | None = None) -> list[Work]:
    await DutyKeeper(inbox, scheduled, lambda: bundle, shifts or Shifts(), Noon()).keep()  # type: ignore[arg-type]
    return inbox.works


async def test_what_is_missing_or_outdated_is_found_in_the_lanes_held() -> None:
    bundle = bundle_of(COMPLAINT, duties=LEDGER + LEDGER.replace("ledger_check", "meeting") + "  sites: [s2]\n")
    current = bundle.policies["duty"].digest
    there = [ComingDuty("a", "s1", "ledger_check", current, 1), ComingDuty("b", "s2", "meeting", "older", 2)]
    scheduled = Scheduled({"s1", "s2"}, there)
    assert await looked(bundle, scheduled, Inbox()) == [ReviseWork("b", 2), ScheduleWork("s2", "ledger_check")]
    elsewhere = frozenset(range(LANES)) - {lane_of("s2", "duty"), 2}
    assert await looked(bundle, scheduled, Inbox(elsewhere)) == []


HANDOVER = """
- duty: handover
  every: day at 17:00
  who: [guard, lobby_lead]
  unless: rota
  message: missed
"""


async def test_what_rotas_tell_is_taken_back_and_not_scheduled_while_everybody_of_it_has_one() -> None:
    bundle = bundle_of(COMPLAINT, duties=HANDOVER)
    current = bundle.policies["duty"].digest
    there = [ComingDuty(f"{site}-h", site, "handover", current, 1, FIVE) for site in ("s1", "s2")]
    both = {"guard": FIVE, "lobby_lead": T0}
    assert await looked(bundle, Scheduled({"s1", "s2"}, there), Inbox(), Shifts(both)) == [UnscheduleWork("s1-h")]
    assert await looked(bundle, Scheduled({"s1"}, there), Inbox(), Shifts({"guard": T0})) == []
    missing = Scheduled({"s1"})
    assert await looked(bundle, missing, Inbox(), Shifts(both)) == []
    assert await looked(bundle, missing, Inbox(), Shifts()) == [ScheduleWork("s1", "handover")]
    tomorrow = {"guard": FIVE + timedelta(hours=1), "lobby_lead": T0}
    assert await looked(bundle, missing, Inbox(), Shifts(tomorrow)) == [ScheduleWork("s1", "handover")]
    elsewhere = frozenset(range(LANES)) - {1}
    assert await looked(bundle, Scheduled({"s1"}, there), Inbox(elsewhere), Shifts(both)) == []


async def test_rotas_are_read_only_where_a_duty_asks_for_them() -> None:
    shifts = Shifts()
    await looked(bundle_of(COMPLAINT, duties=LEDGER), Scheduled(), Inbox(), shifts)
    assert shifts.asked == 0
    await looked(bundle_of(COMPLAINT, duties=HANDOVER), Scheduled(), Inbox(), shifts)
    assert shifts.asked == 1


async def test_what_is_taken_back_tells_nobody_and_can_come_again() -> None:
    stage = staged()
    await stage.loop.handle([ScheduleWork("s1", "ledger_check")])
    await stage.loop.handle([UnscheduleWork(CASE)])
    stage.time.at = FIVE
    assert (await stage.tick(CASE)).rows == []
    (case,) = stage.memory.cases()
    assert (case.open, case.scheduled, case.next_due) == (False, False, None)
    stage.time.at = T0
    await stage.loop.handle([ScheduleWork("s1", "ledger_check")])
    stage.time.at = FIVE
    assert (await stage.tick(CASE)).rows != []
    await stage.loop.handle([UnscheduleWork(CASE)])
    assert {str(each.key): each.open for each in stage.memory.cases()} == {CASE: True, NEXT: False}, "it has come"
