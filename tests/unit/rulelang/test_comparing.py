"""What changed between two bundles, said in the words of the rules."""

from __future__ import annotations

import pytest

from reeve.rulelang.comparing import changed_files, differences, text_differences

POLICY = """\
policy: complaint
title: {en: Complaint, zh: 投诉}
takes: ticket
counts:
  times: {of: ticket.opened, same: incident, within: 90d}
grades:
  - grade: major
    if: loss_cny >= 10000 or injury == "serious" or media_days >= 2 or deaths >= 1
  - grade: serious
    if: loss_cny >= 2000
  - grade: ordinary
clocks:
  dispatch: {start: ticket.opened, stop: ticket.assigned, limit: 10m}
  respond: {start: ticket.opened, stop: ticket.acknowledged, limit: {major: 5m, serious: 8m, ordinary: 10m}}
steps:
  - {name: late, on: respond breached, notify: [front_desk, property_manager], repeat: {every: 5m, times: 3}}
  - {name: nearly, on: respond 80%, notify: assignee}
close: ticket.closed
"""
MESSAGES = "late: {en: {sms: 'Case {{ case }} is late.'}, zh: {sms: '{{ case }} 超时。'}}\n"


def bundle(policy: str = POLICY, messages: str = MESSAGES, **more: str) -> dict[str, bytes]:
    texts = {"complaint.yaml": policy, "messages.yaml": messages, "site.yaml": "language: 1\nzone: Asia/Shanghai\n"}
    texts |= {path.replace("__", "/") + ".yaml": text for path, text in more.items()}
    return {path: text.encode() for path, text in texts.items()}


def said(was: dict[str, bytes], now: dict[str, bytes], lang: str = "en") -> list[str]:
    return [each.say(lang) for each in differences(was, now)]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("serious: 8m", "serious: 6m", "complaint.respond serious: 8m → 6m"),
        ("limit: 10m}", "limit: 12m}", "complaint.dispatch: 10m → 12m"),
        (", ordinary: 10m", ", ordinary: 10m, minor: 1h", "complaint.respond minor: new: 1h"),
        (
            "stop: ticket.assigned",
            "stop: ticket.posted",
            "complaint.dispatch stop: ticket.assigned → ticket.posted",
        ),
        ("loss_cny >= 2000", "loss_cny >= 3000", "complaint grade serious if: loss_cny >= 2000 → loss_cny >= 3000"),
        (
            "loss_cny >= 10000 or",
            "loss_cny >= 12000 or",
            "complaint grade major if: loss_cny >= 10000 → loss_cny >= 12000",
        ),
        (" or deaths >= 1", "", "complaint grade major if: deaths >= 1 → –"),
        ("times: 3", "times: 5", "complaint step late repeat times: 3 → 5"),
        (
            "  - {name: nearly, on: respond 80%, notify: assignee}\n",
            "",
            "complaint step nearly: removed, was: name: nearly, on: respond 80%, notify: assignee",
        ),
        (
            "close: ticket.closed",
            "close: ticket.closed\non_change: adopt",
            "complaint on_change: new: adopt",
        ),
        ("within: 90d", "within: 30d", "complaint count times within: 90d → 30d"),
        ("zh: 投诉", "zh: 客户投诉", "complaint title zh: 投诉 → 客户投诉"),
    ],
)
def test_a_change_is_one_line_in_the_words_of_the_file(old: str, new: str, says: str) -> None:
    assert said(bundle(), bundle(POLICY.replace(old, new))) == [says]


def test_a_limit_for_each_grade_is_held_against_the_one_for_all() -> None:
    now = POLICY.replace("limit: 10m}", "limit: {major: 5m, serious: 10m, ordinary: 10m}}")
    assert said(bundle(), bundle(now)) == ["complaint.dispatch major: 10m → 5m"]
    assert said(bundle(now), bundle()) == ["complaint.dispatch major: 5m → 10m"]


def test_the_order_of_grades_and_steps_counts_and_that_of_keys_does_not() -> None:
    serious = "  - grade: serious\n    if: loss_cny >= 2000\n"
    moved = POLICY.replace(serious, "").replace("grades:\n", f"grades:\n{serious}")
    assert said(bundle(), bundle(moved)) == [
        "complaint grade: other order: major, serious, ordinary → serious, major, ordinary"
    ]
    keys = POLICY.replace(
        "start: ticket.opened, stop: ticket.assigned", "stop: ticket.assigned, start: ticket.opened"
    )
    assert said(bundle(), bundle(keys)) == ["complaint.yaml: only comments or layout"]


def test_one_recipient_in_brackets_or_without_is_the_same() -> None:
    now = POLICY.replace("notify: assignee", "notify: [assignee]")
    assert said(bundle(), bundle(now)) == ["complaint.yaml: only comments or layout"]


def test_line_ends_and_a_byte_order_mark_are_no_difference_at_all() -> None:
    now = bundle()
    now["complaint.yaml"] = b"\xef\xbb\xbf" + now["complaint.yaml"].replace(b"\n", b"\r\n")
    assert said(bundle(), now) == []
    assert changed_files(bundle(), now) == ()
    assert list(text_differences(bundle(), now, ("a", "b"))) == []


def test_whole_files_that_come_and_go_are_told_by_their_titles() -> None:
    repair = "policy: repair\ntitle: {en: Repair}\ntakes: ticket\n"
    assert said(bundle(), bundle(repair=repair)) == ["repair: new: en: Repair"]
    assert said(bundle(repair=repair), bundle()) == ["repair: removed, was: en: Repair"]
    assert changed_files(bundle(), bundle(repair=repair)) == ("+ repair.yaml",)


def test_other_files_are_told_by_what_they_name() -> None:
    was = bundle(
        duties="- {duty: ledger_check, every: day at 17:00, who: front_desk}\n",
        score="- {points: -2, on: complaint.respond breached, to: department}\n",
        calendars__cn="name: cn\nknown_until: 2026-12-31\nholidays: [2026-01-01, 2026-02-17, 2026-02-18]\n",
        tests__complaint_test="",
    )
    now = bundle(
        duties="- {duty: ledger_check, every: day at 18:00, who: front_desk}\n",
        score="- {points: -3, on: complaint.respond breached, to: department}\n",
        calendars__cn="name: cn\nknown_until: 2026-12-31\nholidays: [2026-01-01, 2026-02-17, 2026-02-19]\n",
        sites__beach="zone: Asia/Tokyo\n",
    )
    del was["tests/complaint_test.yaml"]
    assert said(was, now) == [
        "calendar cn holidays: 2026-02-18 → 2026-02-19",
        "duty ledger_check every: day at 17:00 → day at 18:00",
        "score complaint.respond breached points: -2 → -3",
        "site beach zone: new: Asia/Tokyo",
    ]


def test_of_a_scenario_only_its_name_is_told() -> None:
    one = "- test: one\n  site: s\n  events: [{at: 2026-02-13 17:50, type: ticket.opened, subject: T-1}]\n"
    two = one.replace("one", "two")
    was = {**bundle(), "tests/complaint.test.yaml": (one + two).encode()}
    now = {
        **bundle(),
        "tests/complaint.test.yaml": (two.replace("T-1", "T-2") + one.replace("one", "three")).encode(),
    }
    assert sorted(said(was, now)) == ["test one: removed", "test three: new", "test two: changed"]
    assert said(bundle(), now, "zh") == ["测试 two：新增", "测试 three：新增"]


def test_a_message_keeps_its_identity_when_it_moves_to_another_file() -> None:
    was = bundle(messages=MESSAGES + "other: {en: {sms: hello}}\n")
    now = bundle(
        messages="other: {en: {sms: hello}}\n", messages__complaint=MESSAGES.replace("is late.", "is very late.")
    )
    changed = [each for each in differences(was, now) if each.kind != "layout"]
    assert [(each.say(), each.file) for each in changed] == [
        ("message late en sms: Case {{ case }} is late. → Case {{ case }} is very late.", "messages/complaint.yaml")
    ]


def test_of_a_long_text_the_part_that_differs_is_shown() -> None:
    long = "late: {{en: {{email: {{subject: s, body: '{0} please answer within {1} minutes {0}'}}}}}}\n"
    words = "Dear colleague, a case needs you at once and nobody has taken it so far. "
    was, now = bundle(messages=long.format(words, "ten")), bundle(messages=long.format(words, "five"))
    assert said(was, now) == [
        "message late en email body: …swer within ten minutes Dea… → …swer within five minutes Dea…"
    ]


def test_chinese() -> None:
    now = POLICY.replace("serious: 8m", "serious: 6m").replace("times: 3", "times: 5")
    assert said(bundle(), bundle(now), "zh-CN") == [
        "complaint.respond serious：8m → 6m",
        "complaint 步骤 late repeat times：3 → 5",
    ]


def test_a_file_that_can_not_be_read_is_said_and_the_others_compared() -> None:
    was = bundle(repair="policy: [\n")
    now = bundle(POLICY.replace("serious: 8m", "serious: 6m"), repair="policy: repair\n")
    assert said(was, now) == ["complaint.respond serious: 8m → 6m", "repair.yaml: can't be read, so not compared"]


def test_lines_and_json_for_tools() -> None:
    (one,) = differences(bundle(), bundle(POLICY.replace("serious: 8m", "serious: 6m")))
    row = one.as_json()
    assert (row["file"], row["line"]) == ("complaint.yaml", 14)
    assert (row["what"], row["of"], row["name"], row["key"]) == ("clock", "complaint", "respond", "serious")
    assert (row["kind"], row["was"], row["now"]) == ("changed", "8m", "6m")
    text = list(
        text_differences(bundle(), bundle(POLICY.replace("serious: 8m", "serious: 6m")), ("active", "rules"))
    )
    assert text[:2] == ["--- active/complaint.yaml", "+++ rules/complaint.yaml"]
    assert sum(line.startswith(("-  respond", "+  respond")) for line in text) == 2
