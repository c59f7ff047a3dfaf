"""Sentences of rule-language.md §3 that the complaint file does not show: money, months, restart, children."""

from __future__ import annotations

from tests.support.simulation import brief, bundle_of, event, run

ARREARS = """
policy: arrears
takes: payment
clocks:
  pay: {start: payment.billed, stop: owed_cny <= 0, limit: due_on}
steps:
  - {name: friendly, on: pay breached, notify: owner, message: friendly_reminder, ack: ignore}
  - {name: second, on: pay + 2 months, notify: owner, message: second_reminder, ack: ignore}
  - {name: dunning, on: pay + 3 months, notify: owner, message: dunning_letter, ack: ignore,
     repeat: {every: 11 months}, until: pay stopped}
close: owed_cny <= 0 or payment.written_off
"""


def bill(at: str, due_on: str, amount: object = "100.00", subject: str = "B-1") -> object:
    return event(at, "payment.billed", subject, amount_cny=amount, due_on=due_on)


def test_months_are_clamped_and_end_at_midnight_of_the_day() -> None:
    lines = run({"arrears": ARREARS}, [bill("2026-01-05 09:00", "2026-01-31")], "2027-05-01 00:00")  # type: ignore[list-item]
    assert brief(lines) == [
        "01-05 09:00 opened",
        "01-05 09:00 clock_started pay →02-01 00:00",
        "02-01 00:00 breached pay",
        "02-01 00:00 notify friendly owner",
        "04-01 00:00 notify second owner",
        "05-01 00:00 notify dunning owner",
        "03-31 00:00 notify dunning owner",
    ]


def test_what_is_owed_is_billed_less_reductions_and_payments_exactly() -> None:
    events = [
        bill("2026-01-05 09:00", "2026-01-31", "100.10"),
        event("2026-01-06 09:00", "payment.reduced", "B-1", amount_cny="0.10"),
        event("2026-01-07 09:00", "payment.paid", "B-1", paid_cny="99.99"),
        event("2026-01-08 09:00", "payment.paid", "B-1", paid_cny="0.01"),
    ]
    lines = run({"arrears": ARREARS}, events, "2026-06-01 00:00")  # type: ignore[arg-type]
    assert brief(lines, "clock_stopped", "breached", "closed") == [
        "01-08 09:00 clock_stopped pay met",
        "01-08 09:00 closed paid",
    ]


def test_a_second_bill_replaces_the_first_and_moves_the_due() -> None:
    events = [bill("2026-01-05 09:00", "2026-01-31"), bill("2026-01-06 09:00", "2026-02-28", "50")]
    lines = run({"arrears": ARREARS}, [*events, event("2026-01-07 09:00", "payment.paid", "B-1", paid_cny=50)])  # type: ignore[list-item]
    assert brief(lines, "clock_started", "closed") == [
        "01-05 09:00 clock_started pay →02-01 00:00",
        "01-06 09:00 clock_started pay →03-01 00:00",
        "01-07 09:00 closed paid",
    ]
    changed = [line.get("changed", False) for line in lines if line["effect"] == "clock_started"]
    assert changed == [False, True]
    assert [line["run"] for line in lines if line["effect"] == "clock_started"] == [1, 1]


def test_moments_already_past_when_a_case_opens_fire_at_once_and_are_marked() -> None:
    lines = run({"arrears": ARREARS}, [bill("2026-06-10 09:00", "2026-01-31")], "2026-06-10 10:00")  # type: ignore[list-item]
    assert brief(lines, "breached", "notify") == [
        "06-10 09:00 breached pay late",
        "06-10 09:00 notify friendly owner",
        "06-10 09:00 notify second owner late",
        "06-10 09:00 notify dunning owner late",
    ]


PASS = """
policy: pass
takes: ticket
if: category == "pass"
clocks:
  hand_off: {start: ticket.opened, stop: ticket.assigned, restart: true, limit: 10m}
  resolve: {start: ticket.opened, stop: ticket.resolved, limit: 30m}
steps:
  - {name: held_up, on: hand_off breached, notify: service_supervisor}
close: ticket.resolved
"""


def test_restart_ends_a_run_and_starts_the_next_and_each_breaches_once() -> None:
    events = [
        event("2026-03-02 09:00", "ticket.opened", category="pass"),
        event("2026-03-02 09:05", "ticket.assigned", department="finance"),
        event("2026-03-02 09:20", "ticket.assigned", department="security"),
        event("2026-03-02 09:25", "ticket.resolved"),
    ]
    assert brief(run({"pass": PASS}, events, "2026-03-03 00:00"), "clock_started", "clock_stopped", "breached") == [
        "03-02 09:00 clock_started hand_off →03-02 09:10",
        "03-02 09:00 clock_started resolve →03-02 09:30",
        "03-02 09:05 clock_stopped hand_off met",
        "03-02 09:05 clock_started hand_off →03-02 09:15",
        "03-02 09:15 breached hand_off",
        "03-02 09:20 clock_stopped hand_off missed",
        "03-02 09:20 clock_started hand_off →03-02 09:30",
        "03-02 09:25 clock_stopped resolve met",
    ]


REPAIR = """
policy: repair
takes: ticket
if: category == "repair"
grades: from repair_class
clocks:
  arrive: {start: ticket.opened, stop: ticket.arrived, limit: {emergency: 15m, major: 30m, ordinary: 15m}}
  resolve: {start: ticket.opened, stop: ticket.resolved, limit: {emergency: due_at or 24h, major: due_at, ordinary: 2h}}
  quote: {start: ticket.opened if not on_price_list, stop: ticket.updated if known(event.price_accepted), limit: 15m}
steps:
  - {name: follow, on: ticket.resolved, open: {policy: follow_up}}
close: ticket.closed
"""
FOLLOW_UP = """
policy: follow_up
takes: ticket
opens: child
clocks:
  follow_up: {start: opened, stop: ticket.followed_up, limit: 2 working days}
steps:
  - {name: not_followed, on: follow_up breached, notify: front_desk}
close: ticket.followed_up
"""


def test_the_class_is_the_grade_and_the_mildest_where_there_is_none() -> None:
    rules = bundle_of({"repair": REPAIR, "follow_up": FOLLOW_UP})
    burst = event(
        "2026-03-02 09:00", "ticket.opened", category="repair", repair_class="emergency", on_price_list=True
    )
    plain = event("2026-03-02 09:00", "ticket.opened", "T-2", category="repair", on_price_list=True)
    assert brief(run(rules, [burst, plain]), "graded") == [
        "03-02 09:00 graded emergency",
        "03-02 09:00 graded ordinary",
    ]


def test_a_start_with_a_condition_starts_only_then() -> None:
    rules = bundle_of({"repair": REPAIR, "follow_up": FOLLOW_UP})
    events = [
        event("2026-03-02 09:00", "ticket.opened", category="repair"),
        event("2026-03-02 09:05", "ticket.updated", title="no price yet"),
        event("2026-03-02 09:10", "ticket.updated", price_accepted=False),
    ]
    assert [line for line in brief(run(rules, events)) if "quote" in line] == [
        "03-02 09:00 clock_started quote →03-02 09:15",
        "03-02 09:10 clock_stopped quote met",
    ]


def test_a_child_gets_the_parents_events_and_its_own_subject() -> None:
    rules = bundle_of({"repair": REPAIR, "follow_up": FOLLOW_UP})
    events = [
        event("2026-03-02 09:00", "ticket.opened", category="repair", on_price_list=True),
        event("2026-03-02 10:00", "ticket.resolved"),
        event("2026-03-03 10:00", "ticket.followed_up", satisfaction="satisfied"),
    ]
    lines = run(rules, events)
    assert brief(lines, case="T-1~follow_up") == [
        "03-02 10:00 opened",
        "03-02 10:00 clock_started follow_up →03-05 00:00",
        "03-03 10:00 clock_stopped follow_up met",
        "03-03 10:00 closed followed_up",
    ]
    assert "03-02 10:00 child_opened follow T-1~follow_up" in brief(lines)


LETTER = """
policy: letter
takes: mail
clocks:
  collect: {start: mail.received if addressee_moved and kind in ["letter", "paper"], stop: mail.collected or mail.returned, limit: 14d}
steps:
  - {name: phone, on: collect 50%, notify: front_desk}
  - {name: give_back, on: collect breached, notify: front_desk}
close: mail.collected or mail.returned
"""


def test_letters_of_owners_who_moved_away_wait_two_weeks() -> None:
    events = [event("2026-03-02 09:00", "mail.received", "L-1", kind="letter", addressee_moved=True)]
    assert brief(run({"letter": LETTER}, events, "2026-04-01 00:00"), "breached", "notify") == [
        "03-09 09:00 notify phone front_desk",
        "03-16 09:00 breached collect",
        "03-16 09:00 notify give_back front_desk",
    ]
