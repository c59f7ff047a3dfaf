"""Sentences of rule-language.md §3 on tickets with one clock: limits, pauses, zones, moments, facts, reopening."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reeve.domain.advance import apply_event, apply_tick
from reeve.domain.workset import Workset
from tests.support.simulation import CALENDAR_YAML, SITE_YAML, brief, bundle_of, event, moment, run


def ticket_rules(clock: str, steps: str = "") -> dict[str, str]:
    text = (
        f"policy: t\ntakes: ticket\nclocks:\n  c: {{start: ticket.opened, stop: ticket.closed, limit: {clock}}}\n"
    )
    return {"t": text + steps + "close: ticket.closed\n"}


@pytest.mark.parametrize(
    ("limit", "opened_at", "due"),
    [
        ("90s", "2026-03-02 09:00", "2026-03-02T09:01:30+08:00"),
        ("5d", "2026-03-02 09:00", "2026-03-07T09:00:00+08:00"),
        ("same day", "2026-03-02 23:59", "2026-03-03T00:00:00+08:00"),
        ("1 working day", "2026-02-13 23:59", "2026-02-15T00:00:00+08:00"),
        ("1 working day", "2026-02-15 10:00", "2026-02-24T00:00:00+08:00"),
        ("4 working hours", "2026-03-02 10:00", "2026-03-02T15:30:00+08:00"),
        ("4 working hours", "2026-03-06 16:00", "2026-03-09T10:30:00+08:00"),
        ("1 working hour", "2026-03-07 10:00", "2026-03-09T09:30:00+08:00"),
        ("1 month", "2028-01-31 10:00", "2028-03-01T00:00:00+08:00"),
        ("1 month", "2026-01-31 10:00", "2026-03-01T00:00:00+08:00"),
        ("starts_at - 24h", "2026-03-02 09:00", "2026-03-09T08:00:00+08:00"),
        ("starts_at - 1 month", "2026-03-02 09:00", None),
        ("nothing_at or 2h", "2026-03-02 09:00", "2026-03-02T11:00:00+08:00"),
        ("nothing_at", "2026-03-02 09:00", None),
    ],
)
def test_where_a_limit_ends(limit: str, opened_at: str, due: str | None) -> None:
    lines = run(
        ticket_rules(limit),
        [event(opened_at, "ticket.opened", category="x", starts_at="2026-03-10T08:00:00+08:00")],
    )
    started = [line["due"] for line in lines if line["effect"] == "clock_started"]
    if limit == "starts_at - 1 month":
        assert started == ["2026-02-11T00:00:00+08:00"]
    else:
        assert started == [due]


def test_1_working_day_from_a_holiday_eve_uses_the_calendar() -> None:
    lines = run(ticket_rules("1 working day"), [event("2026-02-14 10:00", "ticket.opened", category="x")])
    assert lines[1]["due"] == "2026-02-24T00:00:00+08:00"


def test_beyond_the_calendar_the_due_is_provisional() -> None:
    lines = run(ticket_rules("1 working day"), [event("2026-12-31 10:00", "ticket.opened", category="x")])
    assert lines[1]["provisional"] is True
    assert lines[1]["due"] == "2027-01-02T00:00:00+08:00"


@pytest.mark.parametrize(
    ("limit", "due"),
    [
        ("2h", "2026-03-03T12:00:00+08:00"),
        ("2 working days", "2026-03-07T00:00:00+08:00"),
        ("same day", "2026-03-05T00:00:00+08:00"),
        ("1 month", "2026-04-05T00:00:00+08:00"),
    ],
)
def test_pauses_extend_by_length_or_by_days_touched(limit: str, due: str) -> None:
    text = (
        "policy: t\ntakes: ticket\nclocks:\n  c:\n    start: ticket.opened\n    stop: ticket.closed\n"
        f"    pause: {{from: ticket.waiting, to: ticket.resumed}}\n    limit: {limit}\nclose: ticket.closed\n"
    )
    events = [
        event("2026-03-02 09:00", "ticket.opened", category="x"),
        event("2026-03-02 10:00", "ticket.waiting"),
        event("2026-03-03 11:00", "ticket.resumed"),
    ]
    resumed = [line["due"] for line in run({"t": text}, events) if line["effect"] == "clock_resumed"]
    assert resumed == [due]


def test_a_daylight_saving_site_has_its_own_midnight() -> None:
    site = SITE_YAML.replace("Asia/Shanghai", "Europe/Berlin")
    rules = bundle_of(ticket_rules("same day"), site=site)
    opened_at = event("2026-03-29 08:00", "ticket.opened", category="x")  # 01:00 in Berlin, before the jump
    lines = run(rules, [opened_at])
    assert lines[1]["due"] == "2026-03-30T06:00:00+08:00"


def test_quiet_hours_hold_a_message_back_but_not_its_line() -> None:
    site = SITE_YAML + 'quiet: {from: "21:00", to: "08:00", except: []}\n'
    steps = "steps:\n  - {name: hello, on: opened, notify: front_desk}\n"
    rules = bundle_of(ticket_rules("1h", steps), site=site)
    assert "03-02 23:00 notify hello front_desk" in brief(
        run(rules, [event("2026-03-02 23:00", "ticket.opened", category="x")])
    )


def test_once_per_leaves_a_case_without_that_fact_alone() -> None:
    steps = "steps:\n  - {name: hello, on: opened, once_per: incident, notify: front_desk}\n"
    rules = bundle_of(ticket_rules("1h", steps))
    events = [event("2026-03-02 09:00", "ticket.opened", f"T-{n}", category="x") for n in range(3)]
    events += [event("2026-03-02 09:01", "ticket.opened", f"U-{n}", category="x", incident="I") for n in range(3)]
    lines = run(rules, events)
    assert len(brief(lines, "notify")) == 4
    assert len(brief(lines, "suppressed")) == 2


def test_null_removes_a_fact_and_fields_merge_in_order_of_time() -> None:
    steps = 'steps:\n  - {name: hot, on: ticket.updated, if: item == "b", notify: front_desk}\n'
    rules = bundle_of(ticket_rules("1h", steps))
    events = [
        event("2026-03-02 09:00", "ticket.opened", category="x", item="a"),
        event("2026-03-02 09:10", "ticket.updated", item="b"),
        event("2026-03-02 09:05", "ticket.updated", item="c"),
        event("2026-03-02 09:20", "ticket.updated", item=None),
    ]
    assert brief(run(rules, events), "notify") == [
        "03-02 09:10 notify hot front_desk",
        "03-02 09:05 notify hot front_desk",
    ]


def test_a_ticket_reopened_event_reopens_a_closed_case() -> None:
    events = [
        event("2026-03-02 09:00", "ticket.opened", category="x"),
        event("2026-03-02 09:10", "ticket.closed"),
        event("2026-03-03 09:00", "ticket.reopened"),
    ]
    assert brief(run(ticket_rules("1h"), events, "2026-03-03 10:00")) == [
        "03-02 09:00 opened",
        "03-02 09:00 clock_started c →03-02 10:00",
        "03-02 09:10 clock_stopped c met",
        "03-02 09:10 closed closed",
        "03-03 09:00 reopened",
        "03-03 09:00 clock_started c →03-03 10:00",
        "03-03 10:00 breached c",
    ]


def reopened_grades(more: str) -> list[str]:
    text = (
        f"policy: t\ntakes: ticket\n{more}grades: from repair_class\nclocks:\n"
        "  c: {start: ticket.opened, stop: ticket.resolved, "
        "limit: {emergency: 15m, major: 30m, ordinary: 2h}}\n"
        "steps: [{name: again, on: ticket.updated, reopen: true}]\nclose: ticket.closed\n"
    )
    events = [
        event("2026-03-02 09:00", "ticket.opened", category="repair", repair_class="ordinary"),
        event("2026-03-02 09:10", "ticket.closed"),
        event("2026-03-03 09:00", "ticket.reopened"),
        event("2026-03-03 09:05", "ticket.updated"),
    ]
    return brief(run({"t": text}, events, "2026-03-03 09:10"), "graded")


def test_a_reopened_case_is_one_grade_worse_unless_its_policy_keeps_grades() -> None:
    worse = ["03-02 09:00 graded ordinary", "03-03 09:00 graded major", "03-03 09:05 graded emergency"]
    assert reopened_grades("") == reopened_grades("on_reopen: raise_grade\n") == worse
    assert reopened_grades("on_reopen: keep_grade\n") == worse[:1]


def test_a_fact_moment_fires_once_and_at_its_time() -> None:
    steps = "steps:\n  - {name: plan_due, on: starts_at - 1 month, notify: property_manager}\n"
    rules = bundle_of(ticket_rules("1h", steps))
    events = [
        event("2026-03-02 09:00", "ticket.opened", category="activity", starts_at="2026-06-15T14:00:00+08:00")
    ]
    assert "05-16 00:00 notify plan_due property_manager" in brief(run(rules, events, "2026-07-01 00:00"))


def test_an_acknowledgement_is_ignored_by_steps_that_say_so() -> None:
    steps = (
        "steps:\n  - {name: again, on: c breached, notify: owner, ack: ignore, repeat: {every: 10m, times: 3}}\n"
        "  - {name: ends, on: c breached, notify: front_desk, repeat: {every: 10m, times: 3}}\n"
    )
    events = [
        event("2026-03-02 09:00", "ticket.opened", category="x"),
        event("2026-03-02 10:05", "ticket.acknowledged"),
    ]
    lines = run(bundle_of(ticket_rules("1h", steps)), events, "2026-03-02 12:00")
    assert [line.split()[-2] for line in brief(lines, "notify")] == ["again", "ends", "again", "again"]


def test_a_moment_that_a_fact_moves_is_told_again() -> None:
    steps = "steps:\n  - {name: soon, on: appointment_at - 1h, notify: technician}\n"
    events = [
        event("2026-03-02 09:00", "ticket.opened", category="x", appointment_at="2026-03-02T12:00:00+08:00"),
        event("2026-03-02 11:30", "ticket.updated", appointment_at="2026-03-03T12:00:00+08:00"),
    ]
    assert brief(run(bundle_of(ticket_rules("9h", steps)), events, "2026-03-04 00:00"), "notify") == [
        "03-02 11:00 notify soon technician",
        "03-03 11:00 notify soon technician",
    ]


def test_a_provisional_due_follows_the_calendar_when_it_is_updated() -> None:
    rules = ticket_rules("1 working day")
    longer = CALENDAR_YAML.replace("known_until: 2026-12-31", "known_until: 2027-12-31")
    longer = longer.replace("holidays: [", "holidays: [2027-01-01, ")
    before, after = bundle_of(rules), bundle_of(rules, calendars__cn=longer)
    workset = Workset(complete=True)
    opened = event("2026-12-31 10:00", "ticket.opened", category="x")
    apply_event(workset, opened, before, opened.at)
    [case_id] = workset.changed_cases
    assert workset.changed_cases[case_id].next_due == moment("2027-01-02 00:00")
    apply_tick(workset, case_id, after, moment("2027-01-02 00:00"))
    changed = [effect for decided in workset.decisions[1:] for effect in decided.effects]
    assert [(effect.what, effect.details["due"]) for effect in changed] == [
        ("clock_started", moment("2027-01-05 00:00"))
    ]
    assert workset.changed_cases[case_id].next_due == moment("2027-01-05 00:00")


def test_an_acknowledgement_names_a_step_of_the_file_and_nothing_else() -> None:
    steps = "steps:\n  - {name: ends, on: c breached, notify: front_desk}\n"
    for told, step in (("ends", ["ends"]), ("Mrs Li of 3-201", [])):
        events = [
            event("2026-03-02 09:00", "ticket.opened", category="x"),
            event("2026-03-02 09:05", "ticket.acknowledged", acknowledged_step=told),
        ]
        lines = run(bundle_of(ticket_rules("1h", steps)), events)
        assert [line["step"] for line in lines if "step" in line] == step


def test_a_sample_is_a_stable_share_of_the_cases() -> None:
    steps = "steps:\n  - {name: asked, on: opened, sample: 20%, notify: front_desk}\n"
    rules = bundle_of(ticket_rules("1h", steps))

    def sampled() -> list[str]:
        events = [event("2026-03-02 09:00", "ticket.opened", f"T-{n}", category="x") for n in range(1000)]
        return [line["case"] for line in run(rules, events) if line["effect"] == "notify"]

    assert sampled() == sampled()
    assert 150 < len(sampled()) < 250


@pytest.mark.parametrize(("on_change", "due"), [("pin", "10:00"), ("adopt", "10:00"), ("recompute", "11:00")])
def test_running_cases_follow_a_changed_file_as_it_says(on_change: str, due: str) -> None:
    def rules(limit: str, step: str) -> dict[str, str]:
        steps = f"on_change: {on_change}\nsteps:\n  - {{name: {step}, on: ticket.updated, notify: front_desk}}\n"
        return ticket_rules(limit, steps)

    before, changed = bundle_of(rules("1h", "old")), bundle_of(rules("2h", "new"))
    after = replace(changed, archive={policy.digest: policy for policy in before.policies.values()})
    workset = Workset(complete=True)
    first, second = (
        event("2026-03-02 09:00", "ticket.opened", category="x"),
        event("2026-03-02 09:10", "ticket.updated"),
    )
    apply_event(workset, first, before, first.at)
    apply_event(workset, second, after, second.at)
    told = [
        effect.details["step"]
        for decided in workset.decisions
        for effect in decided.effects
        if effect.what == "notify"
    ]
    [case] = workset.changed_cases.values()
    assert told == ["old" if on_change == "pin" else "new"]
    assert case.next_due == moment(f"2026-03-02 {due}")


def test_repeats_of_a_breach_at_midnight_count_from_the_day_that_ended() -> None:
    rules = """
        takes: ticket
        clocks: {follow_up: {start: ticket.opened, stop: ticket.closed, limit: 1 working day}}
        steps:
          - {name: late, on: follow_up breached, notify: front_desk, repeat: {every: 1 working day, times: 2}}
        close: ticket.closed
    """
    told = [
        line
        for line in run(rules, [event("2026-03-02 09:00", "ticket.opened")], "2026-03-09")
        if line["effect"] == "notify"
    ]
    # Due at the end of Tuesday; the next round at the end of Wednesday.
    assert [line["at"][:16] for line in told] == ["2026-03-04T00:00", "2026-03-05T00:00"]


@pytest.mark.parametrize("value", ["complaint", "repair", "", 7, True, None, ["complaint"]])
def test_a_plain_comparison_opens_as_any_other_condition_would(value: object) -> None:
    plain = "takes: ticket\nif: {}\nclose: ticket.closed\n"
    opening = event("2026-03-02 09:00", "ticket.opened", category=value)
    quick = run(plain.format('category == "complaint"'), [opening])
    asked = run(plain.format('category == "complaint" and true'), [opening])
    assert [line["effect"] for line in quick] == [line["effect"] for line in asked]
    assert bool(quick) is (value == "complaint")
