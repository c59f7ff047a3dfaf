"""Why somebody was told and why nobody was: every reason that a step can have for not acting."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from reeve.domain.case import CaseKey
from reeve.runtime.explaining.explanation import only_about
from reeve.runtime.store.deliveries import NOBODY, Attempt, Delivery, State
from reeve.runtime.store.short_ids import short_id
from tests.support.deliveries import delivery as made
from tests.support.explaining import Desk, step_of, why_not
from tests.support.simulation import bundle_of, event, moment
from tests.unit.domain.test_language_example import COMPLAINT

RULES = bundle_of(COMPLAINT)
OPENED = "2026-02-12 10:00"
CASE = "s/complaint/T-1"
STEPS = """
policy: complaint
takes: ticket
clocks:
  answer:
    start: ticket.opened
    stop: ticket.acknowledged
    limit: 1h
    pause: {from: ticket.waiting, to: ticket.resumed}
  visit:  {start: ticket.assigned if stage == "site", stop: ticket.arrived, limit: due_at}
steps:
  - {name: on_site,  on: ticket.assigned, if: stage == "site" and loss_cny >= 100, notify: front_desk, message: m}
  - {name: by_event, on: ticket.updated if event.department == "finance", notify: finance, message: m}
  - {name: half,     on: answer 50%, notify: front_desk, message: m}
  - {name: after,    on: answer + 2h, notify: front_desk, message: m}
  - {name: ran_out,  on: answer breached, notify: front_desk, message: m}
  - {name: stopped,  on: answer stopped, notify: front_desk, message: m}
  - {name: undated,  on: visit undated 2h, notify: front_desk, message: m}
  - {name: visited,  on: visit breached, notify: front_desk, message: m}
  - {name: before,   on: starts_at - 1h, notify: front_desk, message: m}
  - {name: costly,   on: loss_cny >= 500, notify: front_desk, message: m}
  - {name: asked,    on: opened, sample: 1%, notify: owner, message: m}
  - {name: again,    on: reopened, notify: front_desk, message: m}
close: ticket.closed
"""
MESSAGES = "m: {en: {email: {subject: s, body: b}}}"


def small() -> Desk:
    return Desk(bundle_of(STEPS, messages=MESSAGES))


def line_of(rules: str, text: str) -> str:
    """Where something stands in a policy file."""
    (line,) = [number for number, one in enumerate(rules.splitlines(), 1) if text in one]
    return f"complaint.yaml:{line}"


async def opened(desk: Desk, **data: Any) -> None:
    await desk.take(event(OPENED, "ticket.opened", id="e1", category="complaint", **data))


async def test_a_step_that_told_says_when_whom_and_because_of_what() -> None:
    desk = Desk(RULES)
    await opened(desk, loss_cny=12000)
    (told,) = step_of(desk.explain(CASE), "report_up")["told"]
    assert (told["to"], told["message"], told["round"]) == (["general_manager"], "complaint_reported", 1)
    assert (told["at"], told["rule"]) == ("2026-02-12T10:00:00+08:00", line_of(COMPLAINT, "name: report_up"))
    assert (told["cause"]["event"], told["cause"]["type"]) == ("e1", "ticket.opened")
    assert told["outcome"] == "waits"


async def test_a_breach_is_the_reason_and_its_clock_says_since_when_and_by_which_limit() -> None:
    desk = Desk(RULES)
    await opened(desk, loss_cny=12000)
    await desk.until("2026-02-12 10:05")
    found = desk.explain(CASE, "2026-02-12 10:05")
    (told,) = step_of(found, "nobody_answered")["told"]
    assert told["cause"]["clock"] == "respond"
    breached = found["now"][0]
    assert (breached["effect"], breached["rule"]) == ("breached", line_of(COMPLAINT, "  respond:"))
    assert breached["clock"] == {
        "clock": "respond",
        "started_at": "2026-02-12T10:00:00+08:00",
        "limit": "5m",
        "rule": breached["rule"],
        "not_stopped": None,
    }


async def test_the_latest_event_that_nothing_followed_from_is_told() -> None:
    desk = small()
    await opened(desk)
    await desk.take(event("2026-02-12 10:10", "ticket.updated", id="u1", title="x"))
    last = desk.explain(CASE)["now"][-1]
    assert (last["effect"], last["cause"]["event"], last["at"]) == (None, "u1", "2026-02-12T10:10:00+08:00")


async def test_the_grade_is_not_among_the_steps_grades() -> None:
    desk = Desk(RULES)
    await opened(desk, loss_cny=2000)
    answer = why_not(desk.explain(CASE), "report_up")
    assert (answer["reason"], answer["grade"], answer["grades"]) == ("grade", "serious", ["extraordinary", "major"])
    assert answer["cause"]["event"] == "e1"


async def test_the_part_of_its_if_that_failed_with_the_facts_as_they_were() -> None:
    desk = small()
    await opened(desk, loss_cny=99)
    await desk.take(event("2026-02-12 10:01", "ticket.assigned", id="a1", stage="site"))
    await desk.take(event("2026-02-12 10:02", "ticket.updated", loss_cny=100))
    answer = why_not(desk.explain(CASE), "on_site")
    assert (answer["reason"], answer["part"], answer["at"]) == ("condition", "if", "2026-02-12T10:01:00+08:00")
    assert answer["cause"]["event"] == "a1"
    (part,) = answer["condition"]["parts"]
    assert (part["text"], part["facts"]) == ("loss_cny >= 100", {"loss_cny": "99"})
    assert answer["condition"]["rule"] == line_of(STEPS, "name: on_site")


async def test_the_if_of_its_trigger_and_how_often_it_failed() -> None:
    desk = small()
    await opened(desk)
    for minute in (1, 2, 3):
        await desk.take(event(f"2026-02-12 10:0{minute}", "ticket.updated", department="engineering"))
    answer = why_not(desk.explain(CASE), "by_event")
    assert (answer["reason"], answer["part"], answer["times"]) == ("condition", "on", 3)
    assert answer["condition"]["parts"][0]["facts"] == {"event.department": "engineering"}


async def test_no_event_of_its_trigger_has_come() -> None:
    desk = small()
    await opened(desk)
    assert why_not(desk.explain(CASE), "on_site")["reason"] == "no_event"
    assert why_not(desk.explain(CASE), "on_site")["type"] == "ticket.assigned"
    assert why_not(desk.explain(CASE), "again") == {"reason": "not_happened", "what": "reopened"}


async def test_its_clock_has_not_come_so_far() -> None:
    desk = small()
    await opened(desk)
    found = desk.explain(CASE)
    assert why_not(found, "ran_out")["reason"] == "clock_running"
    assert why_not(found, "ran_out")["due"] == "2026-02-12T11:00:00+08:00"
    assert why_not(found, "half")["moment"] == "2026-02-12T10:30:00+08:00"
    assert why_not(found, "after")["moment"] == "2026-02-12T13:00:00+08:00"


async def test_its_clock_has_not_started_and_what_starts_it() -> None:
    desk = small()
    await opened(desk)
    answer = why_not(desk.explain(CASE), "visited")
    assert (answer["reason"], answer["clock"]) == ("clock_not_started", "visit")
    assert answer["start"] == 'ticket.assigned if stage == "site"'


async def test_the_if_that_kept_its_clock_from_starting() -> None:
    desk = small()
    await opened(desk)
    await desk.take(event("2026-02-12 10:05", "ticket.assigned", id="a1", stage="office"))
    answer = why_not(desk.explain(CASE), "visited")
    assert (answer["reason"], answer["cause"]["event"]) == ("clock_not_started", "a1")
    assert answer["condition"]["parts"][0]["facts"] == {"stage": "office"}


async def test_the_if_that_kept_a_clock_from_being_stopped() -> None:
    rules = STEPS.replace("stop: ticket.acknowledged\n", "stop: ticket.acknowledged if event.paid\n")
    desk = Desk(bundle_of(rules, messages=MESSAGES))
    await opened(desk)
    await desk.take(event("2026-02-12 10:30", "ticket.acknowledged", id="k1", paid=False))
    await desk.until("2026-02-12 11:00")
    clock = desk.explain(CASE)["now"][0]["clock"]
    assert clock["not_stopped"]["cause"]["event"] == "k1"
    assert clock["not_stopped"]["condition"]["parts"][0]["facts"] == {"event.paid": False}


async def test_its_clock_was_stopped_or_paused_or_has_no_due() -> None:
    desk = small()
    await opened(desk)
    await desk.take(event("2026-02-12 10:10", "ticket.waiting"))
    assert why_not(desk.explain(CASE), "ran_out")["reason"] == "clock_paused"
    await desk.take(event("2026-02-12 10:20", "ticket.assigned", stage="site"))
    assert why_not(desk.explain(CASE), "visited")["reason"] == "clock_undated"
    assert why_not(desk.explain(CASE), "undated")["moment"] == "2026-02-12T12:20:00+08:00"
    await desk.take(event("2026-02-12 10:30", "ticket.acknowledged"))
    answer = why_not(desk.explain(CASE), "ran_out")
    assert (answer["reason"], answer["met"]) == ("clock_stopped", True)
    assert answer["stopped_at"] == "2026-02-12T10:30:00+08:00"
    assert why_not(desk.explain(CASE, "2026-02-12 10:25"), "ran_out")["reason"] == "clock_paused"


async def test_a_clock_with_a_due_is_not_for_an_undated_step() -> None:
    desk = small()
    await opened(desk, due_at="2026-02-13T10:00:00+08:00")
    await desk.take(event("2026-02-12 10:20", "ticket.assigned", stage="site"))
    assert why_not(desk.explain(CASE), "undated")["reason"] == "clock_dated"


async def test_the_fact_that_names_its_moment() -> None:
    desk = small()
    await opened(desk)
    assert why_not(desk.explain(CASE), "before") == {"reason": "fact_unknown", "fact": "starts_at"}
    await desk.take(event("2026-02-12 10:20", "ticket.updated", starts_at="2026-02-14T10:00:00+08:00"))
    answer = why_not(desk.explain(CASE), "before")
    assert (answer["reason"], answer["moment"]) == ("moment_ahead", "2026-02-14T09:00:00+08:00")
    assert why_not(desk.explain(CASE, "2026-02-12 10:10"), "before")["reason"] == "fact_unknown"


async def test_the_condition_that_sets_it_off_was_never_true() -> None:
    desk = small()
    await opened(desk, loss_cny=499)
    answer = why_not(desk.explain(CASE), "costly")
    assert (answer["reason"], answer["part"]) == ("condition", "on")
    assert answer["condition"]["parts"][0]["facts"] == {"loss_cny": "499"}


async def test_the_case_is_not_in_the_sample() -> None:
    desk = small()
    await opened(desk)
    assert why_not(desk.explain(CASE), "asked")["reason"] == "sample"


async def test_another_case_of_the_same_matter_had_the_sending() -> None:
    desk = Desk(RULES)
    await opened(desk, loss_cny=12000, incident="I-1")
    await desk.take(
        event("2026-02-12 10:01", "ticket.opened", "T-2", category="complaint", loss_cny=12000, incident="I-1")
    )
    answer = why_not(desk.explain("s/complaint/T-2"), "report_up")
    assert (answer["reason"], answer["holder"], answer["fact"]) == ("claimed", CASE, "incident")


async def test_an_acknowledgement_ended_its_repeats() -> None:
    desk = Desk(RULES)
    await opened(desk, loss_cny=12000)
    await desk.take(event("2026-02-12 10:07", "ticket.acknowledged"))
    step = step_of(desk.explain(CASE), "nobody_answered")
    assert len(step["told"]) == 1
    (ended,) = step["not"]
    assert (ended["reason"], ended["what"], ended["at"]) == ("ended", "acknowledged", "2026-02-12T10:07:00+08:00")
    assert step_of(desk.explain(CASE, "2026-02-12 10:06"), "nobody_answered")["not"] == []


async def test_rounds_that_a_newer_one_overtook_were_not_sent() -> None:
    desk = Desk(RULES)
    await opened(desk, loss_cny=12000)
    await desk.tick(CASE, "2026-02-12 10:16")
    told = step_of(desk.explain(CASE), "nobody_answered")["told"]
    assert [(each["level"], each["outcome"]) for each in told] == [
        (0, "overtaken"),
        (0, "overtaken"),
        (0, "waits"),
    ]


async def test_the_case_was_closed_before_its_moment() -> None:
    desk = small()
    await opened(desk)
    await desk.take(event("2026-02-12 10:20", "ticket.closed"))
    answer = why_not(desk.explain(CASE), "on_site")
    assert (answer["reason"], answer["at"]) == ("closed", "2026-02-12T10:20:00+08:00")
    assert answer["cause"]["type"] == "ticket.closed"


async def test_quiet_hours_hold_a_message_back() -> None:
    site = "language: 1\nzone: Asia/Shanghai\nlocale: en\ncalendar: cn\nchannels: {default: [email]}\n"
    quiet = site + 'quiet: {from: "21:00", to: "08:00", except: [extraordinary]}\n'
    desk = Desk(bundle_of(COMPLAINT, site=quiet))
    await desk.take(event("2026-02-12 22:00", "ticket.opened", category="complaint", loss_cny=12000))
    (told,) = step_of(desk.explain(CASE), "report_up")["told"]
    assert (told["outcome"], told["until"]) == ("quiet", "2026-02-13T08:00:00+08:00")


def delivery(key: str, state: State, recipient: str = "gm-1", reason: str = "timeout", **more: str) -> Delivery:
    at = moment(OPENED)
    return made(
        Attempt(at + timedelta(seconds=1), "permanent", reason),
        id=f"{key}#{recipient}",
        notification=key,
        case=CaseKey("s", "complaint", "T-1"),
        recipient=recipient,
        place="s",
        channel=NOBODY if recipient == NOBODY else "sms",
        reminds=False,
        at=at,
        requested_at=at,
        state=state,
        due_at=at,
        next_role=more.get("next_role"),
    )


async def outcome_of(*deliveries: Delivery) -> dict[str, object]:
    desk = Desk(RULES)
    await opened(desk, loss_cny=12000)
    desk.deliveries = {"s/complaint/T-1|1|report_up|1": list(deliveries)}
    (told,) = step_of(desk.explain(CASE), "report_up")["told"]
    return dict(told)


async def test_sent_failed_cancelled_or_nobody_there() -> None:
    key = "s/complaint/T-1|1|report_up|1"
    sent = await outcome_of(delivery(key, "failed"), delivery(key, "sent", "gm-2"))
    assert sent["outcome"] == "sent"
    failed = await outcome_of(delivery(key, "failed", reason="no such number"))
    assert failed["outcome"] == "failed"
    assert isinstance(failed["deliveries"], list)
    assert failed["deliveries"][0]["last_reason"] == "no such number"
    cancelled = await outcome_of(delivery(key, "suppressed", NOBODY, "acknowledged"))
    assert (cancelled["outcome"], cancelled["why"]) == ("suppressed", "acknowledged")
    nobody = await outcome_of(delivery(key, "undeliverable", NOBODY, next_role="company_leader"))
    assert (nobody["outcome"], nobody["next_role"]) == ("undeliverable", "company_leader")


async def test_what_a_message_waits_for_and_what_hid_it() -> None:
    key = "s/complaint/T-1|1|report_up|1"

    async def of(state: State, **changes: Any) -> dict[str, object]:
        return await outcome_of(replace(delivery(key, state), **changes))

    assert (await of("delivered"))["outcome"] == "delivered"
    merged = await of("merged", into="n0#gm-1#sms")
    assert (merged["outcome"], merged["into"]) == ("merged", short_id("n0#gm-1#sms"))
    unsure = await of("unknown")
    assert (unsure["outcome"], unsure["until"]) == ("unsure", OPENED.replace(" ", "T") + ":00+08:00")
    held = await of("queued", hold="digest", attempts=[])
    assert (held["outcome"], held["hold"]) == ("held", "digest")
    assert (await of("queued", hold="digest"))["outcome"] == "waits", "it was tried since"
    hidden = await outcome_of(replace(delivery(key, "suppressed", reason="silenced"), silence="s-7"))
    assert (hidden["outcome"], hidden["why"], hidden["silence"]) == ("suppressed", "silenced", "s-7")
    assert isinstance(hidden["deliveries"], list)
    assert hidden["deliveries"][0]["last_reason"] == "silenced"


async def test_a_moment_that_came_before_explanations_were_kept() -> None:
    desk = small()
    await opened(desk)
    await desk.take(event("2026-02-12 10:01", "ticket.assigned", stage="site"))
    desk.forget_what_was_looked_at()
    assert why_not(desk.explain(CASE), "on_site")["reason"] == "not_kept"
    assert why_not(desk.explain(CASE), "ran_out")["reason"] == "clock_running"


async def test_a_person_whose_role_was_told_while_others_got_it() -> None:
    desk = Desk(RULES)
    await opened(desk, loss_cny=12000)
    key = "s/complaint/T-1|1|report_up|1"
    desk.deliveries = {key: [delivery(key, "sent", "gm-2")]}
    steps = desk.explain(CASE)["steps"]
    (mine,) = step_of({"steps": only_about(steps, "gm-1", ["general_manager"])}, "report_up")["told"]
    assert (mine["outcome"], mine["others"]) == ("others", ["gm-2"])
    (theirs,) = step_of({"steps": only_about(steps, "gm-2", ["general_manager"])}, "report_up")["told"]
    assert (theirs["outcome"], theirs["deliveries"][0]["recipient"]) == ("sent", "gm-2")
    for state in ("delivered", "queued", "failed"):
        desk.deliveries = {key: [delivery(key, "sent", "gm-1"), delivery(key, state, "gm-2")]}
        cut = only_about(desk.explain(CASE)["steps"], "gm-2", ["general_manager"])
        (theirs,) = step_of({"steps": cut}, "report_up")["told"]
        assert theirs["outcome"] == ("waits" if state == "queued" else state)
    hidden = replace(delivery(key, "suppressed", "gm-2", reason="silenced"), silence="s-7")
    desk.deliveries = {key: [delivery(key, "sent", "gm-1"), hidden]}
    cut = only_about(desk.explain(CASE)["steps"], "gm-2", ["general_manager"])
    (theirs,) = step_of({"steps": cut}, "report_up")["told"]
    assert (theirs["outcome"], theirs["why"], theirs["silence"]) == ("suppressed", "silenced", "s-7")
    assert {step["step"] for step in only_about(steps, "x", ["property_manager"])} == {
        "report_serious",
        "nobody_answered",
        "late",
    }
