"""Recurring duties: their days, their cases, evidence before and after, what is missed, what an outage leaves."""

from __future__ import annotations

from datetime import datetime
from itertools import islice
from typing import Any

import pytest

from reeve.domain.advance import apply_tick
from reeve.domain.bundle import Bundle
from reeve.domain.duties import occurrences, period_start
from reeve.domain.recurring import schedule_duty
from reeve.domain.simulate import Simulation
from reeve.domain.workset import Workset
from reeve.rulelang.schedules import parse_schedule
from tests.support.simulation import ZONE, bundle_of, event, moment

LEDGER = """
- duty: ledger_check
  every: day at 17:00 working days
  who: service_supervisor
  limit: same day
  late: {notify: property_manager, message: missed}
"""
COMPLAINT = 'takes: ticket\nif: category == "complaint"\nclose: ticket.closed\n'


def rules(duties: str = LEDGER, **files: str) -> Bundle:
    return bundle_of(COMPLAINT, duties=duties, **files)


def days(every: str, after: str, count: int, bundle: Bundle | None = None) -> list[str]:
    schedule = parse_schedule(every)
    assert schedule is not None
    site = (bundle or rules()).site("s")
    found = islice(occurrences(schedule, moment(after), site), count)
    return [at.astimezone(ZONE).strftime("%m-%d %H:%M") for _, at in found]


@pytest.mark.parametrize(
    ("every", "after", "expected"),
    [
        ("day at 17:00", "2026-03-06 17:00", ["03-07 17:00", "03-08 17:00"]),
        ("day at 17:00", "2026-03-06 16:59", ["03-06 17:00", "03-07 17:00"]),
        ("day at 17:00 working days", "2026-03-06 17:00", ["03-09 17:00", "03-10 17:00"]),
        ("working days at 8:30", "2026-03-06 09:00", ["03-09 08:30", "03-10 08:30"]),
        # 14 February is a Saturday that is worked, 16 to 20 February are holidays.
        ("day working days", "2026-02-13 12:00", ["02-14 00:00", "02-23 00:00"]),
        ("week on mon,thu at 09:00", "2026-03-02 09:00", ["03-05 09:00", "03-09 09:00"]),
        ("month on 30 at 09:00", "2026-01-30 09:00", ["02-28 09:00", "03-30 09:00"]),
        ("month on 31", "2028-01-31 00:00", ["02-29 00:00", "03-31 00:00"]),
        ("month on last day", "2026-03-31 00:00", ["04-30 00:00", "05-31 00:00"]),
        # 30 May 2026 is a Saturday: the Friday before; 1 June is a Monday.
        ("month on 30 working days", "2026-05-01 00:00", ["05-29 00:00", "06-30 00:00"]),
        ("june, december on 1", "2026-03-02 00:00", ["06-01 00:00", "12-01 00:00"]),
        ("half year", "2026-03-02 00:00", ["07-01 00:00", "01-01 00:00"]),
        ("quarter on 10 at 10:00", "2026-03-02 00:00", ["04-10 10:00", "07-10 10:00"]),
        ("february on 29", "2026-03-02 00:00", ["02-28 00:00", "02-29 00:00"]),
    ],
)
def test_on_which_days_a_duty_comes(every: str, after: str, expected: list[str]) -> None:
    assert days(every, after, 2) == expected


@pytest.mark.parametrize(
    "every",
    ["", "daily", "month", "month on 32", "month on 0", "week on lunes", "day at 24:00", "day at 9", "on 30"],
)
def test_what_is_no_rhythm(every: str) -> None:
    assert parse_schedule(every) is None


def test_a_duty_keeps_its_wall_time_where_clocks_are_changed() -> None:
    berlin = rules(sites__berlin="zone: Europe/Berlin\n").site("berlin")
    schedule = parse_schedule("day at 02:30")
    assert schedule is not None
    found = islice(occurrences(schedule, datetime.fromisoformat("2026-03-27T12:00+01:00"), berlin), 3)
    assert [at.isoformat() for _, at in found] == [
        "2026-03-28T01:30:00+00:00",
        "2026-03-29T01:30:00+00:00",  # there is no 02:30 that night: the moment the clocks have gone on
        "2026-03-30T00:30:00+00:00",
    ]


def lines(effects: Any) -> list[tuple[str, str, str, Any]]:
    keys = ("to", "clock", "outcome", "met")
    return [
        (
            effect.at.astimezone(ZONE).strftime("%m-%d %H:%M"),
            effect.case.subject,
            effect.what,
            next((effect.details[key] for key in keys if key in effect.details), None),
        )
        for effect in effects
    ]


def test_a_missed_duty_escalates() -> None:
    simulation = Simulation(rules())
    simulation.start("s", moment("2026-03-06 12:00"))
    assert lines(simulation.finish(moment("2026-03-07 00:00"))) == [
        ("03-06 17:00", "ledger_check/2026-03-06", "opened", None),
        ("03-06 17:00", "ledger_check/2026-03-06", "clock_started", "ledger_check"),
        ("03-06 17:00", "ledger_check/2026-03-06", "notify", ["service_supervisor"]),
        ("03-07 00:00", "ledger_check/2026-03-06", "breached", "ledger_check"),
        ("03-07 00:00", "ledger_check/2026-03-06", "notify", ["property_manager"]),
    ]


@pytest.mark.parametrize(("key", "told_at"), [("", "03-07 08:00"), ("  quiet: ignore\n", None)])
def test_a_duty_of_the_night_is_told_at_its_hour_if_it_says_so(key: str, told_at: str | None) -> None:
    quiet = 'language: 1\nzone: Asia/Shanghai\nquiet: {from: "21:00", to: "08:00", except: []}\n'
    rounds = "- duty: rounds\n  every: day at 22:00\n  who: guard\n  limit: 1h\n  late: {notify: guard}\n"
    simulation = Simulation(rules(rounds + key, site=quiet))
    simulation.start("s", moment("2026-03-06 12:00"))
    asked = [effect.notification for effect in simulation.finish(moment("2026-03-07 00:00")) if effect.notification]
    hours = [
        each.not_before.astimezone(ZONE).strftime("%m-%d %H:%M") if each.not_before else None for each in asked
    ]
    assert hours == [told_at, told_at]


def test_evidence_closes_it() -> None:
    simulation = Simulation(rules())
    simulation.start("s", moment("2026-03-06 12:00"))
    done = event("2026-03-06 18:00", "ticket.resolved", "ledger_check/2026-03-06")
    told = lines([*simulation.feed(done), *simulation.finish(moment("2026-03-07 12:00"))])
    assert told[3:] == [
        ("03-06 18:00", "ledger_check/2026-03-06", "clock_stopped", "ledger_check"),
        ("03-06 18:00", "ledger_check/2026-03-06", "closed", "resolved"),
    ]


def test_evidence_that_came_before_the_hour_counts() -> None:
    simulation = Simulation(rules())
    simulation.start("s", moment("2026-03-06 12:00"))
    early = event("2026-03-06 16:30", "ticket.resolved", "ledger_check/2026-03-06")
    told = lines([*simulation.feed(early), *simulation.finish(moment("2026-03-07 12:00"))])
    assert told[-1] == ("03-06 17:00", "ledger_check/2026-03-06", "closed", "resolved")
    assert not [line for line in told if line[2] == "breached"]


def test_a_duty_without_a_limit_asks_for_nothing_back() -> None:
    simulation = Simulation(rules("- {duty: summary, every: month on 30 at 09:00, who: front_desk}"))
    simulation.start("s", moment("2026-03-06 12:00"))
    assert lines(simulation.finish(moment("2026-04-01 00:00"))) == [
        ("03-30 09:00", "summary/2026-03-30", "opened", None),
        ("03-30 09:00", "summary/2026-03-30", "notify", ["front_desk"]),
        ("03-30 09:00", "summary/2026-03-30", "closed", "rule"),
    ]


def test_no_event_says_which_duty_a_case_is() -> None:
    two = LEDGER + LEDGER.replace("ledger_check", "other_check")
    simulation = Simulation(rules(two))
    simulation.start("s", moment("2026-03-06 12:00"))
    list(
        simulation.feed(event("2026-03-06 17:30", "ticket.updated", "ledger_check/2026-03-06", duty="other_check"))
    )
    told = lines(simulation.finish(moment("2026-03-07 00:00")))
    assert ("03-07 00:00", "ledger_check/2026-03-06", "breached", "ledger_check") in told


def test_duties_run_where_events_come_from_and_only_at_the_sites_they_name() -> None:
    simulation = Simulation(rules(LEDGER + "  sites: [elsewhere]\n"))
    list(simulation.feed(event("2026-03-06 12:00", "ticket.opened", category="complaint")))
    assert lines(simulation.finish(moment("2026-03-09 00:00"))) == []


def test_without_an_end_a_simulation_waits_for_no_further_duty() -> None:
    simulation = Simulation(rules())
    list(simulation.feed(event("2026-03-06 18:00", "ticket.opened", category="complaint")))
    assert lines(simulation.finish()) == []


def test_after_an_outage_every_occurrence_is_on_record_and_only_the_newest_is_sent() -> None:
    bundle = rules()
    workset = Workset(complete=True)
    schedule_duty(workset, "s", "ledger_check", bundle, moment("2026-03-03 12:00"))  # a Tuesday
    back = moment("2026-03-06 18:00")
    for _ in range(20):
        due = sorted(
            (case.next_due, case_id)
            for case_id, case in workset._cases.items()
            if case.next_due is not None and case.next_due <= back
        )
        if not due:
            break
        apply_tick(workset, due[0][1], bundle, back)
    effects = [effect for decided in workset.decisions for effect in decided.effects]
    sent = [e for e in effects if e.what == "notify" and e.notification is not None]
    assert [line[1] for line in lines(sent)] == ["ledger_check/2026-03-06"]
    assert [line[1] for line in lines(e for e in effects if e.what == "breached")] == [
        "ledger_check/2026-03-03", "ledger_check/2026-03-04", "ledger_check/2026-03-05",
    ]  # fmt: skip
    assert {line[1] for line in lines(e for e in effects if e.what == "suppressed")} == {
        "ledger_check/2026-03-03", "ledger_check/2026-03-04", "ledger_check/2026-03-05",
    }  # fmt: skip


def test_other_rules_move_the_next_occurrence() -> None:
    simulation = Simulation(rules())
    simulation.start("s", moment("2026-03-06 12:00"))
    later = rules(LEDGER.replace("17:00", "18:30"))
    assert lines(simulation.switch(later, moment("2026-03-06 16:00"))) == []
    assert lines(simulation.finish(moment("2026-03-06 19:00")))[0][:3] == (
        "03-06 18:30",
        "ledger_check/2026-03-06",
        "opened",
    )


def test_a_duty_that_is_taken_out_comes_no_more_and_a_new_one_does() -> None:
    simulation = Simulation(rules())
    simulation.start("s", moment("2026-03-06 12:00"))
    other = rules("- {duty: meeting, every: week on mon at 09:00, who: front_desk}")
    list(simulation.switch(other, moment("2026-03-06 16:00")))
    subjects = {line[1] for line in lines(simulation.finish(moment("2026-03-10 00:00")))}
    assert subjects == {"meeting/2026-03-09"}


def test_a_duty_that_a_rota_tells_does_not_come_until_the_rota_has_gone() -> None:
    everybody = "- {duty: hand_over, every: day at 07:00, who: [front_desk, guard], unless: rota}"
    asked: list[tuple[str, str]] = []

    def hands_over(place: str, role: str, at: datetime) -> bool:
        asked.append((place, role))
        return at < moment("2026-03-08 00:00") and (role == "front_desk" or at < moment("2026-03-07 00:00"))

    simulation = Simulation(rules(everybody + LEDGER), hands_over=hands_over)
    simulation.start("s", moment("2026-03-04 12:00"))
    came = lines(simulation.finish(moment("2026-03-09 12:00")))
    opened = [subject for _, subject, what, _ in came if what == "opened"]
    assert [each for each in opened if each.startswith("hand_over")] == [
        "hand_over/2026-03-07",  # the guards have no rota any more
        "hand_over/2026-03-08",
        "hand_over/2026-03-09",
    ]
    assert "ledger_check/2026-03-05" in opened, "it asks for no rota"
    assert set(asked) == {("s", "front_desk"), ("s", "guard")}


def test_a_report_is_about_the_time_since_the_one_before() -> None:
    report = (
        "- {duty: summary, every: month on 30 at 09:00, who: front_desk, report: {cases: complaint, period: month}}"
    )
    bundle = rules(report)
    duty, site = bundle.duties["summary"], bundle.site("s")
    assert period_start(duty, moment("2026-03-30 09:00"), site) == moment("2026-02-28 09:00")
    assert period_start(duty, moment("2026-02-28 09:00"), site) == moment("2026-01-30 09:00")
    assert period_start(duty, moment("2026-05-30 09:00"), site) == moment("2026-04-30 09:00")


def test_a_report_of_working_days_is_about_the_weekend_too() -> None:
    report = (
        "- {duty: read, every: day at 08:30 working days, who: front_desk, report: {cases: complaint, period: day}}"
    )
    bundle = rules(report)
    duty, site = bundle.duties["read"], bundle.site("s")
    assert period_start(duty, moment("2026-03-10 08:30"), site) == moment("2026-03-09 08:30")
    assert period_start(duty, moment("2026-03-09 08:30"), site) == moment("2026-03-06 08:30")
    # Holidays from Monday 16 to Friday 20 February; Saturday 14 was worked.
    assert period_start(duty, moment("2026-02-23 08:30"), site) == moment("2026-02-14 08:30")
