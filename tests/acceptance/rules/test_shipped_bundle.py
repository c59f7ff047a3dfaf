"""The bundle in rules/ is complete: nothing unreachable, unsaid or uncited. What it does is in rules/tests/."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path

import pytest
from chinese_calendar import constants as official

from reeve.contracts.events import parse_event
from reeve.contracts.timeline import timeline_line
from reeve.domain.bundle import Bundle, Level, Policy
from reeve.domain.case import Account, Case, CaseKey, ClockState, Due
from reeve.domain.effects import Effect
from reeve.domain.recipients import UNREACHABLE
from reeve.domain.simulate import Simulation
from reeve.rulelang.known_names import FIELD_VALUES, ROLES
from reeve.rulelang.load import LoadResult, load_bundle, read_folder
from reeve.runtime.rendering import MessageRenderer
from tests.support.simulation import ZONE, moment

ROOT = Path(__file__).parents[3]
RULES = ROOT / "rules"
AT = datetime(2026, 3, 2, 1, tzinfo=UTC)

CITED = {
    "complaint.yaml": [f"COMPLAINT-{n:02}" for n in (*range(1, 5), *range(6, 14), *range(15, 22))]
    + ["FOLLOWUP-01", "FOLLOWUP-02", "FOLLOWUP-03", "FOLLOWUP-09", "FOLLOWUP-10", "FOLLOWUP-13"]
    + ["GAP-1", "GAP-2", "GAP-3", "GAP-4", "GAP-5", "GAP-7", "GAP-8"],
    "repair.yaml": [f"REPAIR-{n:02}" for n in (1, 2, 3, 4, 5, 6, 7, 9, 10)] + ["FOLLOWUP-04", "FOLLOWUP-09"],
    "follow_up.yaml": ["FOLLOWUP-04", "FOLLOWUP-06", "FOLLOWUP-07", "FOLLOWUP-08", "FOLLOWUP-10"],
    "letter.yaml": ["MAIL-01", "MAIL-03", "MAIL-05", "MAIL-06", "MAIL-08", "MAIL-10"],
    "arrears.yaml": [f"FEE-{n:02}" for n in (3, 4, 5, 6, 7, 8, 10, 11, 12, 13)],
    "pass.yaml": ["PASS-01", "PASS-02"],
    "parcel.yaml": [f"MAIL-{n:02}" for n in (2, 3, 4, 6, 8, 9, 10)],
    "notice.yaml": ["NOTICE-01", "NOTICE-02", "NOTICE-03", "NOTICE-04"],
    "service.yaml": ["SERVICE-01", "SERVICE-02", "SERVICE-03", "FOLLOWUP-05"],
    "courier.yaml": ["SERVICE-04"],
    "subscription.yaml": ["NEWS-01", "NEWS-02"],
    "visit.yaml": [f"VISIT-{n:02}" for n in range(1, 6)],
    "survey.yaml": ["SURVEY-01", "SURVEY-02", "SURVEY-03"],
    "activity.yaml": ["COMMUNITY-02", "FOLLOWUP-06"],
    "site.yaml": ["GAP-6"],
}


CONTRACT = (
    "complaint", "repair", "follow_up", "notice", "parcel", "letter", "arrears", "service", "courier", "pass",
    "subscription", "visit", "survey", "activity",
)  # fmt: skip
"""Names of policies that integrators match on (contracts.md §6)."""
OWN = ("handover", "upkeep")
"""Policies of what Reeve itself has to say: its own events open their cases."""


@cache
def loaded() -> LoadResult:
    return load_bundle(read_folder(RULES))


def bundle() -> Bundle:
    return loaded().require()


def levels() -> Iterator[tuple[Policy, str, Level]]:
    for policy in bundle().policies.values():
        for step in policy.steps:
            yield from ((policy, step.name, level) for level in step.levels)


def test_no_file_has_an_error() -> None:
    assert [found.render() for found in loaded().errors] == []
    shipped = {path.stem for path in RULES.glob("*.yaml")} - {"site", "duties", "score", "facts"}
    assert set(bundle().policies) - {"duty"} == shipped
    assert shipped == {*CONTRACT, *OWN}


def test_every_category_of_ticket_but_a_plain_request_has_its_policy() -> None:
    """What a front desk may write down (contracts.md §1); a request is only recorded, a duty comes by schedule."""
    taken = {
        category
        for category in FIELD_VALUES["ticket"]["category"]
        for policy in bundle().policies_for("ticket")
        if policy.when is not None and bundle().matcher.holds(policy.when, {"category": category})
    }
    assert taken | {"request", "duty"} == set(FIELD_VALUES["ticket"]["category"])


@pytest.mark.parametrize("moved", [True, False, None])
@pytest.mark.parametrize("kind", FIELD_VALUES["mail"]["kind"])
def test_every_piece_of_mail_goes_to_one_policy(kind: str, moved: bool | None) -> None:
    scope: dict[str, object] = {"kind": kind} | ({} if moved is None else {"addressee_moved": moved})
    takers = [
        policy.name
        for policy in bundle().policies_for("mail")
        if policy.when is None or bundle().matcher.holds(policy.when, scope)
    ]
    assert len(takers) == 1


@pytest.mark.parametrize(("file", "fact"), [(file, fact) for file, facts in CITED.items() for fact in facts])
def test_every_fact_is_cited_where_it_is_carried(file: str, fact: str) -> None:
    assert re.search(rf"#.*\b{fact}\b", (RULES / file).read_text("utf-8"))


def test_every_step_has_its_message_and_every_message_is_sent() -> None:
    said = {level.message for _, _, level in levels() if level.notify} | {UNREACHABLE}
    assert said == set(bundle().messages)


def test_integrators_find_the_messages_of_the_contract() -> None:
    assert {"complaint_reported", "friendly_reminder", "second_reminder", "dunning_letter"} <= set(
        bundle().messages
    )


def test_every_message_is_said_in_both_languages_on_both_channels() -> None:
    for message, languages in bundle().messages.items():
        for language in ("zh", "en"):
            assert set(languages[language]) == {"sms", "email"}, message


def test_every_role_leads_up_to_the_company_leader() -> None:
    ladder = bundle().defaults.ladder
    for role in ROLES:
        passed = [role]
        while passed[-1] in ladder:
            assert ladder[passed[-1]] not in passed, f"{role} goes round in circles"
            passed.append(ladder[passed[-1]])
        assert passed[-1] == "company_leader", role


def test_every_role_that_is_told_has_somebody_above() -> None:
    told = {role for _, _, level in levels() for role in level.notify}
    assert told <= {*bundle().defaults.ladder, "company_leader"}


def test_every_grade_has_a_limit_on_every_clock() -> None:
    for policy in bundle().policies.values():
        for clock in policy.clocks.values():
            missing = set(policy.grade_order) - set(clock.limits)
            assert "" in clock.limits or not missing, f"{policy.name}.{clock.name}: {missing}"


@pytest.mark.parametrize("year", [2024, 2025, 2026])
def test_the_calendar_is_the_official_one(year: int) -> None:
    calendar = bundle().defaults.calendar
    assert {day for day in calendar.holidays if day.year == year} == {
        d for d in official.holidays if d.year == year
    }
    assert {day for day in calendar.workdays if day.year == year} == {
        d for d in official.workdays if d.year == year
    }
    assert calendar.known_until == date(2026, 12, 31)


# --- what is said ---------------------------------------------------------------------------------------------

FULL = {
    "title": "天花板漏水",
    "item": "物业费",
    "due_on": "2026-03-15",
    "stage": "security_supervisor",
    "appointment_at": "2026-03-02T17:00:00+08:00",
    "starts_at": "2026-04-01T00:00:00+08:00",
    "ends_at": "2026-06-30T18:00:00+08:00",
    "expires_at": "2026-03-05T18:00:00+08:00",
    "price_cny": "360.00",
    "gate_count": 3,
    "count": 2,
}
PERSONAL = {"customer": "C-SECRET", "room": "3-2-501", "description": "typed by hand", "outcome": "private"}


def case_of(policy: Policy, *, full: bool) -> Case:
    key = CaseKey("sunshine-garden", policy.name, "T-1001")
    case = Case(key, policy.family, policy.digest, AT, facts=dict(PERSONAL))
    case.grade = policy.grade_order[0] if policy.grade_order else None
    if full:
        case.facts |= FULL
        case.clocks = {name: ClockState(run=1, status="running", due=Due(AT)) for name in policy.clocks}
    if policy.family == "payment":
        case.account = Account(billed=Decimal("1836.50"))
    return case


def segments(text: str) -> int:
    """How many SMS a text takes: 70 characters of any script, 67 each where it takes several."""
    if text.isascii():
        return 1 if len(text) <= 160 else -(-len(text) // 153)
    return 1 if len(text) <= 70 else -(-len(text) // 67)


SPOKEN = sorted({(policy.name, level.message) for policy, _, level in levels() if level.notify})
SPOKEN += [(name, UNREACHABLE) for name in sorted(bundle().policies)]


@pytest.mark.parametrize("full", [True, False], ids=["all facts", "no facts"])
@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize(("policy", "message"), SPOKEN)
def test_every_message_can_be_said_shortly_and_says_nothing_personal(
    policy: str, message: str, language: str, full: bool
) -> None:
    case = case_of(bundle().policies[policy], full=full)
    link = "https://reeve.example.com/ack/Xk3f9QpZ1b" if full else ""
    for channel in ("sms", "email"):
        said = MessageRenderer().render(bundle(), case, message, channel, language, "front_desk", AT, link)
        assert said.fault is None
        text = f"{said.subject}\n{said.body}"
        assert "T-1001" in text
        assert not any(value in text for value in PERSONAL.values())
        assert "None" not in text
        if channel == "sms":
            assert segments(said.body) <= 2


# --- the examples ---------------------------------------------------------------------------------------------


def morning() -> list[dict[str, object]]:
    simulation = Simulation(bundle())
    effects: list[Effect] = []
    for line in (ROOT / "examples" / "morning.ndjson").read_bytes().splitlines():
        effects += simulation.feed(parse_event(line))
    effects += simulation.finish(moment("2026-07-01 00:00"))
    return [timeline_line(effect, ZONE) for effect in effects]


def test_the_example_morning_tells_its_five_stories() -> None:
    lines = morning()

    def told(case: str, **keys: object) -> list[object]:
        return [one["at"] for one in lines if one["case"] == case and keys.items() <= one.items()]

    leak = [one for one in lines if one["effect"] == "graded" and one["grade"] == "extraordinary"]
    assert {one["case"] for one in leak} == {f"T-10{n:02}" for n in range(1, 11)}
    reported = [one for one in lines if one.get("message") == "complaint_reported" and one["effect"] == "notify"]
    to_the_top = [one["case"] for one in reported if one["to"] == ["general_manager"]]
    assert to_the_top == ["T-1010"]  # one message for the whole incident
    assert told("T-1021", effect="breached", clock="respond") == ["2026-03-02T08:50:00+08:00"]
    assert told("T-1021", effect="notify", to=["property_manager"], message="nobody_answered") == [
        "2026-03-02T09:05:00+08:00"
    ]
    assert told("R-2001", effect="clock_stopped", clock="arrive", met=True) == ["2026-03-02T09:24:00+08:00"]
    assert told("L-3001", effect="breached", clock="collect") == ["2026-03-16T09:30:00+08:00"]
    assert told("B-2026-0215", effect="notify", message="dunning_letter") == ["2026-05-29T00:00:00+08:00"]
    assert told("B-2026-0215", effect="closed") == ["2026-06-10T10:30:00+08:00"]


def test_the_example_complaint_is_an_event_of_the_contract() -> None:
    event = parse_event((ROOT / "examples" / "complaint.json").read_bytes())
    assert event.type == "ticket.opened"
    assert json.loads((ROOT / "examples" / "complaint.json").read_text("utf-8"))["data"]["loss_cny"] == 12000
