"""What goes wrong in real life: found where it is, and nothing said where all is well."""

from __future__ import annotations

import pytest

from reeve.rulelang.check import roles_in_use
from reeve.rulelang.load import load_bundle

CLOSE = "close: ticket.closed\n"
CHILD = "policy: child\ntakes: ticket\nopens: child\n" + CLOSE


def codes(text: str, **others: str) -> list[str]:
    files = {"complaint.yaml": ("policy: complaint\ntakes: ticket\n" + text + CLOSE).encode()}
    files |= {f"{name}.yaml": other.encode() for name, other in others.items()}
    quiet = {"no_site_file", "no_messages_file"}
    return [found.code for found in load_bundle(files).problems if found.code not in quiet]


def grades(*conditions: str) -> str:
    lines = "".join(f"  - {{grade: g{n}, if: {condition}}}\n" for n, condition in enumerate(conditions))
    return f"grades:\n{lines}  - grade: rest\n"


@pytest.mark.parametrize(
    ("conditions", "found"),
    [
        (["loss_cny >= 100", "loss_cny >= 10"], []),
        (["loss_cny >= 10", "loss_cny >= 100"], ["grade_unreachable"]),
        (["loss_cny >= 10", "loss_cny > 10"], ["grade_unreachable"]),
        (["loss_cny > 10", "loss_cny >= 10"], []),
        (["loss_cny >= 10 or deaths >= 1", "loss_cny >= 100 and paid"], ["grade_unreachable"]),
        (["loss_cny >= 10", "loss_cny >= 100 or deaths >= 1"], ["grade_part_covered"]),
        (["known(loss_cny)", "loss_cny >= 100"], ["grade_unreachable"]),
        (['injury in ["minor", "serious"]', 'injury == "minor"'], ["grade_unreachable"]),
        (['injury == "minor"', 'injury in ["minor", "serious"]'], []),
        (["paid", "paid == true"], ["grade_unreachable"]),
        (["not paid", "paid"], []),
        (["paid and not paid"], ["grade_impossible"]),
        (["not known(paid) and paid"], ["grade_impossible"]),
        (["loss_cny > 5 and loss_cny < 5"], ["grade_impossible"]),
        (["false"], ["grade_impossible"]),
        (['injury == "minor" and injury == "serious"'], ["grade_impossible"]),
        (["loss_cny >= 100", "loss_cny >= 10 and loss_cny < 100"], []),
        (["loss_cny > 100", "loss_cny >= 10 and loss_cny < 100"], ["threshold_gap"]),
        (["loss_cny >= 100", "loss_cny >= 10 and loss_cny <= 99"], ["threshold_gap"]),
        (["deaths >= 10", "deaths >= 3 and deaths <= 9"], []),
        (["deaths >= 10", "deaths >= 3 and deaths <= 8"], ["threshold_gap"]),
        (["loss_cny >= 100", "loss_cny >= 10 and loss_cny <= 100"], ["threshold_overlap"]),
        (["loss_cny >= 100 or deaths >= 1", "deaths >= 1 and loss_cny >= 1"], ["grade_unreachable"]),
    ],
)
def test_grades(conditions: list[str], found: list[str]) -> None:
    assert codes(grades(*conditions)) == found


def test_too_many_alternatives_are_left_alone() -> None:
    many = " and ".join(f"(a{n} == 1 or b{n} == 1)" for n in range(12))
    assert "grade_unreachable" not in codes(grades(many, many))


def test_a_case_that_gets_no_grade_is_said() -> None:
    assert codes("grades:\n  - {grade: a, if: deaths >= 1}\n") == ["grade_no_rest"]


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ('loss_cny >= "1"', ["kinds_differ"]),
        ("category == 5", ["kinds_differ"]),
        ("due_at > 2026-01-31", ["kinds_differ"]),
        ("today > 2026-01-31", []),
        ("due_on > 2026-01-31", []),
        ("paid == 1", ["kinds_differ"]),
        ("loss_cny", ["kinds_differ"]),
        ('loss_cny contains "1"', ["kinds_differ"]),
        ('due_at matches "1"', ["kinds_differ"]),
        ("5 > category", ["kinds_differ"]),
        ('category == "complaints"', ["unknown_value"]),
        ('category in ["complaint", "x"]', ["unknown_value"]),
        ('event == "ticket.opend"', ["unknown_event_type"]),
        ("event.owed_cny > 3", ["event_computed"]),
        ("open_for > 3d", ["open_for_here"]),
        ("loss_cny >= 5 and loss_cny < 5", ["contradiction"]),
        ("weather == 5 and weather < 9", []),
        ("catgory == 5", ["unknown_fact"]),
    ],
)
def test_conditions_that_can_not_hold(condition: str, found: list[str]) -> None:
    assert codes(f"if: {condition}\n") == found


def test_open_for_and_today_are_for_steps() -> None:
    assert (
        codes(
            "steps:\n  - {name: a, on: ticket.updated, if: open_for > 3d and today > 2026-01-31, notify: guard}\n"
        )
        == []
    )


def test_a_deadline_has_no_event_in_hand() -> None:
    clock = "clocks:\n  c: {start: ticket.opened, stop: ticket.resolved, limit: 1h}\n"
    assert codes(clock + "steps:\n  - {name: a, on: c breached, if: event.loss_cny > 3, notify: guard}\n") == [
        "no_event_here"
    ]
    assert codes(clock + "steps:\n  - {name: a, on: c breached or ticket.paid, notify: guard}\n") == [
        "unknown_event_type"
    ]
    assert codes(clock + "steps:\n  - {name: a, on: c started, if: event.loss_cny > 3, notify: guard}\n") == []


@pytest.mark.parametrize(
    ("mine", "theirs", "found"),
    [
        ('if: category == "complaint"\n', 'if: category == "repair"\n', []),
        ('if: category == "complaint"\n', 'if: category in ["complaint", "visit"]\n', ["policies_overlap"]),
        ("", 'if: category == "repair"\n', ["policies_overlap"]),
        ("if: loss_cny > 5\n", "if: loss_cny <= 5\n", []),
        ("opens: child\n", "", ["child_never_opened"]),
    ],
)
def test_two_policies_that_take_the_same_event(mine: str, theirs: str, found: list[str]) -> None:
    assert codes(mine, other="policy: other\ntakes: ticket\n" + theirs + CLOSE) == found


def test_policies_may_not_open_each_other_in_a_circle() -> None:
    opens = "steps:\n  - {name: o, on: ticket.resolved, open: {policy: %s}}\n"
    assert codes(opens % "child", child=CHILD) == []
    assert codes(opens % "child", child=CHILD + opens % "complaint") == ["open_cycle"]


def test_roles_need_a_way_up() -> None:
    step = "steps:\n  - {name: a, on: ticket.updated, notify: [guard, assignee, owner, property_manager]}\n"
    site = "language: 1\nladder: {front_desk: property_manager}\n"
    assert codes(step, site=site) == ["role_without_ladder"]
    assert codes(step.replace("guard", "front_dsk"), site=site) == ["unknown_role"]


@pytest.mark.parametrize("written", ["front_desk，guard", "front_desk、guard", "front_desk guard"])
def test_roles_that_no_plain_comma_parts_are_no_role(written: str) -> None:
    step = f"steps:\n  - {{name: a, on: ticket.updated, notify: [{written}]}}\n"
    assert codes(step, site="language: 1\n") == ["several_roles"]


def test_messages_are_held_against_languages_and_channels_in_use() -> None:
    step = "steps:\n  - {name: a, on: ticket.updated, notify: guard, via: [sms, email]}\n"
    site = "language: 1\nlocale: zh\n"
    both = "{sms: x, email: {subject: a, body: b}}"
    assert codes(step, site=site, messages=f"a: {{zh: {both}}}\n") == []
    assert codes(step, site=site, messages=f"a: {{en: {both}}}\n") == ["message_language"]
    assert codes(step, site=site, messages="a: {zh-CN: {sms: x}}\n") == ["message_channel"]
    assert codes(step, site=site, messages=f"b: {{zh: {both}}}\n") == ["message_missing"]


def test_roles_are_told_with_their_place() -> None:
    text = "policy: complaint\ntakes: ticket\nsteps:\n  - {name: a, on: ticket.updated, notify: guard}\n" + CLOSE
    bundle = load_bundle({"complaint.yaml": text.encode()}).require()
    assert {role: pos.line for role, pos in roles_in_use(dict(bundle.policies)).items()} == {"guard": 4}
