"""The operators' language by its own example file: the complaint of rule-language.md §2, sentence by sentence."""

from __future__ import annotations

from typing import Any

from reeve.domain.bundle import Bundle
from reeve.domain.events import Event
from reeve.domain.recipients import Recipient
from tests.support.simulation import brief, bundle_of, event, run

COMPLAINT = """
policy: complaint
title: {en: Customer complaint, zh: 客户投诉}
takes: ticket
if: category == "complaint"
on_change: pin
counts:
  times_on_incident:  {of: ticket.opened, same: incident, within: 90d}
  people_on_incident: {of: ticket.opened, same: incident, distinct: customer, within: 30d}
grades:
  - grade: extraordinary
    if: loss_cny >= 100000 or complainants >= 10 or people_on_incident >= 10 or deaths >= 1
  - grade: major
    if: >
      loss_cny >= 10000 or injury == "serious" or media_days >= 2 or media_outlets >= 3
      or (broken_promise and times_raised >= 10)
  - grade: serious
    if: loss_cny >= 2000 or times_on_incident >= 3 or injury == "minor" or media_outlets >= 1
  - grade: ordinary
clocks:
  respond:
    start: ticket.opened
    stop: ticket.acknowledged
    limit: {extraordinary: 1m, major: 5m, serious: 8m, ordinary: 10m}
  resolve:
    start: ticket.opened
    stop: ticket.resolved
    pause: {from: ticket.waiting, to: ticket.resumed}
    limit: {extraordinary: due_at, major: due_at or 5d, serious: 48h, ordinary: due_at or 12h}
  inform:    {start: ticket.resolved, stop: ticket.informed, limit: same day}
  follow_up: {start: ticket.resolved, stop: ticket.followed_up,
              limit: {extraordinary: 1 working day, major: 1 working day, serious: 2 working days, ordinary: 2 working days}}
steps:
  - name: report_up
    on: graded
    grades: [extraordinary, major]
    once_per: incident
    notify: general_manager
    via: [sms, email]
    message: complaint_reported
  - {name: report_serious, on: graded, grades: [serious], notify: property_manager, message: complaint_reported}
  - name: nobody_answered
    on: respond breached
    notify: [service_supervisor]
    repeat: {every: 5m, times: 3}
    then: {notify: property_manager}
  - {name: nearly_late, on: resolve 80%, notify: assignee}
  - {name: no_date_yet, on: resolve undated 24h, notify: general_manager}
  - {name: late, on: resolve breached, raise_grade: 1, notify: property_manager}
  - {name: unhappy, on: ticket.followed_up, if: event.satisfaction == "dissatisfied", reopen: true, notify: general_manager}
close: ticket.closed or ticket.cancelled or ticket.followed_up if event.satisfaction != "dissatisfied"
"""


RULES: Bundle = bundle_of(COMPLAINT)


def opened(at: str, subject: str = "T-1", **data: Any) -> Event:
    return event(at, "ticket.opened", subject, category="complaint", **data)


def test_the_scenario_of_the_specification() -> None:
    lines = run(RULES, [opened("2026-02-13 17:50", loss_cny=12000)], until="2026-02-14 00:00")
    assert brief(lines) == [
        "02-13 17:50 opened",
        "02-13 17:50 graded major",
        "02-13 17:50 clock_started respond →02-13 17:55",
        "02-13 17:50 clock_started resolve →02-18 17:50",
        "02-13 17:50 notify report_up general_manager",
        "02-13 17:55 breached respond",
        "02-13 17:55 notify nobody_answered service_supervisor",
        "02-13 18:00 notify nobody_answered service_supervisor",
        "02-13 18:05 notify nobody_answered service_supervisor",
        "02-13 18:10 escalated nobody_answered",
        "02-13 18:10 notify nobody_answered property_manager",
    ]
    assert lines[0]["at"] == "2026-02-13T17:50:00+08:00"
    assert lines[1]["was"] is None
    assert lines[4]["via"] == ["sms", "email"]
    assert lines[9]["level"] == 1
    assert lines[5]["because"]["clock"] == "respond"


def test_a_stop_at_the_due_moment_is_met() -> None:
    lines = run(
        RULES, [opened("2026-03-02 09:00"), event("2026-03-02 09:10", "ticket.acknowledged")], "2026-03-02 10:00"
    )
    assert brief(lines, "clock_stopped", "breached") == ["03-02 09:10 clock_stopped respond met"]


def test_a_late_stop_is_missed_and_ends_the_repeats() -> None:
    lines = run(
        RULES, [opened("2026-03-02 09:00"), event("2026-03-02 09:12", "ticket.acknowledged")], "2026-03-02 20:00"
    )
    assert brief(lines, "breached", "notify", "clock_stopped", "escalated") == [
        "03-02 09:10 breached respond",
        "03-02 09:10 notify nobody_answered service_supervisor",
        "03-02 09:12 clock_stopped respond missed",
        "03-02 18:36 notify nearly_late assignee",
    ]


def test_late_news_stops_at_its_own_time_and_corrects_the_breach() -> None:
    events = [
        opened("2026-03-02 09:00"),
        event("2026-03-02 09:30", "ticket.updated", title="x"),
        event("2026-03-02 09:05", "ticket.acknowledged"),
    ]
    lines = run(RULES, events, "2026-03-02 10:00")
    assert brief(lines, "breached", "clock_stopped", "corrected") == [
        "03-02 09:10 breached respond",
        "03-02 09:05 clock_stopped respond met",
        "03-02 09:05 corrected respond",
    ]


def test_an_event_waits_for_the_opening_of_its_case() -> None:
    lines = run(
        RULES, [event("2026-03-02 09:03", "ticket.acknowledged"), opened("2026-03-02 09:00")], "2026-03-02 10:00"
    )
    assert brief(lines, "opened", "breached", "clock_stopped") == [
        "03-02 09:00 opened",
        "03-02 09:03 clock_stopped respond met",
    ]


def test_the_same_event_again_changes_nothing() -> None:
    first = opened("2026-03-02 09:00", loss_cny="2000.00")
    assert run(RULES, [first, first, first], "2026-03-05 09:00") == run(RULES, [first], "2026-03-05 09:00")


def test_pauses_extend_an_elapsed_limit_and_never_a_named_moment() -> None:
    pause = [event("2026-03-02 10:00", "ticket.waiting"), event("2026-03-02 12:00", "ticket.resumed")]
    lines = run(RULES, [opened("2026-03-02 09:00", loss_cny=2000), *pause])
    assert brief(lines, "clock_paused", "clock_resumed") == [
        "03-02 10:00 clock_paused resolve",
        "03-02 12:00 clock_resumed resolve →03-04 11:00",
    ]
    assert next(line for line in lines if line["effect"] == "clock_paused")["left"] == 47 * 3600
    named = run(RULES, [opened("2026-03-02 09:00", due_at="2026-03-02T20:00:00+08:00"), *pause])
    assert brief(named, "clock_resumed") == ["03-02 12:00 clock_resumed resolve →03-02 20:00"]


def test_an_unknown_limit_is_undated_and_speaks() -> None:
    lines = run(RULES, [opened("2026-03-02 09:00", deaths=1)], "2026-03-04 09:00")
    assert "03-02 09:00 clock_started resolve →?" in brief(lines)
    assert "03-03 09:00 notify no_date_yet general_manager" in brief(lines)
    dated = [
        opened("2026-03-02 09:00", deaths=1),
        event("2026-03-02 10:00", "ticket.updated", due_at="2026-03-09T09:00:00+08:00"),
    ]
    told = run(RULES, dated, "2026-03-10 09:00")
    assert not any("no_date_yet" in line for line in brief(told))
    assert "03-09 09:00 breached resolve" in brief(told)


def test_a_share_of_the_way_is_told_once() -> None:
    lines = run(RULES, [opened("2026-03-02 09:00")], "2026-03-02 21:00")
    assert [line for line in brief(lines, "notify") if "nearly_late" in line] == [
        "03-02 18:36 notify nearly_late assignee"
    ]
    assert "03-02 21:00 breached resolve" in brief(lines)


def test_running_out_of_time_makes_it_worse() -> None:
    lines = run(RULES, [opened("2026-03-02 09:00")], "2026-03-02 21:00")
    assert brief(lines, "graded") == ["03-02 09:00 graded ordinary", "03-02 21:00 graded serious"]
    assert "03-02 21:00 notify report_serious property_manager" in brief(lines)


def test_ten_households_of_one_leak_are_one_extraordinary_matter_and_one_message() -> None:
    events = [
        opened(f"2026-03-02 09:{minute:02}", f"T-{minute}", incident="I-5", customer=f"C-{minute}")
        for minute in range(10)
    ]
    lines = run(RULES, events)
    assert brief(lines, "graded", case="T-0") == [
        "03-02 09:00 graded ordinary",
        "03-02 09:02 graded serious",
        "03-02 09:09 graded extraordinary",
    ]
    assert brief(lines, "graded", case="T-9") == ["03-02 09:09 graded extraordinary"]
    told = [line for line in lines if line["effect"] == "notify" and line["to"] == ["general_manager"]]
    assert len(told) == 1
    assert told[0]["case"] == "T-9"
    assert brief(lines, "breached", case="T-0") == ["03-02 09:08 breached respond"]


def test_a_recalculated_due_that_is_past_breaches_at_the_change() -> None:
    events = [opened("2026-03-02 09:00"), event("2026-03-02 09:07", "ticket.updated", loss_cny=10000)]
    lines = run(RULES, events, "2026-03-02 09:08")
    breached = [line for line in lines if line["effect"] == "breached"]
    assert [(line["at"][11:16], line["due"][11:16]) for line in breached] == [("09:07", "09:05")]


def test_a_dissatisfied_follow_up_reopens_the_case_one_grade_worse() -> None:
    events = [
        opened("2026-03-02 09:00"),
        event("2026-03-02 09:05", "ticket.acknowledged"),
        event("2026-03-02 12:00", "ticket.resolved"),
        event("2026-03-02 13:00", "ticket.informed"),
        event("2026-03-03 09:00", "ticket.followed_up", satisfaction="dissatisfied"),
    ]
    lines = run(RULES, events, "2026-03-03 09:00")
    assert brief(lines)[-7:] == [
        "03-03 09:00 clock_stopped follow_up met",
        "03-03 09:00 reopened unhappy",
        "03-03 09:00 graded serious",
        "03-03 09:00 notify unhappy general_manager",
        "03-03 09:00 clock_started respond →03-03 09:08",
        "03-03 09:00 clock_started resolve →03-05 09:00",
        "03-03 09:00 notify report_serious property_manager",
    ]
    runs = [line["run"] for line in lines if line["effect"] == "clock_started" and line["clock"] == "respond"]
    assert runs == [1, 2]


def test_a_satisfied_follow_up_closes_it() -> None:
    events = [
        opened("2026-03-02 09:00"),
        event("2026-03-02 12:00", "ticket.resolved"),
        event("2026-03-03 09:00", "ticket.followed_up", satisfaction="satisfied"),
    ]
    assert brief(run(RULES, events, "2026-04-01 00:00"), "closed") == ["03-03 09:00 closed followed_up"]


def test_working_days_skip_weekends_and_keep_make_up_saturdays() -> None:
    events = [opened("2026-02-13 09:00", loss_cny=2000), event("2026-02-13 10:00", "ticket.resolved")]
    started = brief(run(RULES, events), "clock_started")
    assert "02-13 10:00 clock_started follow_up →02-24 00:00" in started  # Sat 14th is worked, then Mon 23rd
    assert "02-13 10:00 clock_started inform →02-14 00:00" in started


def test_a_person_regrades_until_a_grading_fact_changes() -> None:
    events = [
        opened("2026-03-02 09:00", loss_cny=12000),
        event("2026-03-02 09:01", "ticket.regraded", grade="ordinary", by="u-7", reason="wrong amount"),
        event("2026-03-02 09:02", "ticket.updated", title="still the same"),
        event("2026-03-02 09:03", "ticket.updated", loss_cny=2500),
    ]
    assert brief(run(RULES, events), "graded") == [
        "03-02 09:00 graded major",
        "03-02 09:01 graded ordinary",
        "03-02 09:03 graded serious",
    ]


def test_an_acknowledgement_ends_the_rounds_and_never_resolve() -> None:
    events = [opened("2026-03-02 09:00"), event("2026-03-02 09:16", "ticket.acknowledged")]
    lines = run(RULES, events, "2026-03-02 10:00")
    assert brief(lines, "notify", "acknowledged", "escalated") == [
        "03-02 09:10 notify nobody_answered service_supervisor",
        "03-02 09:15 notify nobody_answered service_supervisor",
        "03-02 09:16 acknowledged",
    ]


def test_an_unreachable_role_hands_on_to_the_next_one_up() -> None:
    manager = Recipient("g", "s", frozenset({"general_manager"}), addresses={"email": "g@example.org"})
    lines = run(RULES, [opened("2026-03-02 09:00", loss_cny=2000)], None, [manager])
    assert brief(lines, "notify", "undeliverable", "escalated") == [
        "03-02 09:00 notify report_serious property_manager",
        "03-02 09:00 undeliverable report_serious",
        "03-02 09:00 escalated report_serious",
        "03-02 09:00 notify report_serious general_manager",
    ]
    assert lines[-1]["message"] == "unreachable"


def test_a_matter_that_gets_worse_is_told_again_once() -> None:
    def told(*events: Event) -> list[str]:
        lines = run(RULES, events)
        return [
            f"{line['at'][14:16]} {line['case']}"
            for line in lines
            if line["effect"] == "notify" and line["to"] == ["general_manager"]
        ]

    first = opened("2026-03-02 09:00", "T-1", loss_cny=12000, incident="I-5")
    second = opened("2026-03-02 09:01", "T-2", loss_cny=12000, incident="I-5")
    worse = event("2026-03-02 09:02", "ticket.updated", "T-2", loss_cny=120000)
    as_bad = event("2026-03-02 09:03", "ticket.updated", "T-1", deaths=1)
    third = opened("2026-03-02 09:04", "T-3", loss_cny=12000, incident="I-5")
    assert told(first, second, worse, as_bad, third) == ["00 T-1", "02 T-2"]


def test_ten_households_in_any_order_of_arrival_are_one_extraordinary_matter() -> None:
    events = [
        opened(f"2026-03-02 09:{minute:02}", f"T-{minute}", incident="I-5", customer=f"C-{minute}")
        for minute in range(10)
    ]
    for order in ([9, 8, 7, 6, 5, 4, 3, 2, 1, 0], [9, 0, 8, 1, 7, 2, 6, 3, 5, 4], [1, 0, 3, 2, 5, 4, 7, 6, 9, 8]):
        lines = run(RULES, [events[index] for index in order])
        for minute in range(10):
            assert brief(lines, "graded", case=f"T-{minute}")[-1] == "03-02 09:09 graded extraordinary"
        assert (
            len([line for line in lines if line["effect"] == "notify" and line["to"] == ["general_manager"]]) == 1
        )
