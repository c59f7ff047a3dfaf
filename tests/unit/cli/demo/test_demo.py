"""The morning of the demo: events that intake takes, new ones each time, and a view that tells them briefly."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from string import Formatter
from typing import Any

import pytest

from reeve.cli.demo.story import HOUSEHOLDS, SITE, Morning
from reeve.cli.demo.texts import POSTS, WORDS
from reeve.cli.demo.view import DemoView
from reeve.contracts.events import parse_event

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
LATER = "2026-03-03T08:00:00+08:00"


def events(run: str = "4f1c") -> list[dict[str, Any]]:
    return [{"time": NOW.isoformat(), **post.event} for scene in Morning(run, NOW).scenes() for post in scene.posts]


def test_every_event_is_one_that_intake_takes() -> None:
    for event in events():
        assert parse_event(json.dumps(event), now=NOW).site == SITE


def test_two_runs_have_nothing_in_common() -> None:
    one, other = events("4f1c"), events("9b02")
    for field in ("id", "subject"):
        assert not {event[field] for event in one} & {event[field] for event in other}
    assert len({event["id"] for event in one}) == len(one)


def test_ten_customers_report_one_incident_and_one_is_not_answered() -> None:
    reports = [event for event in events() if event["data"].get("incident")]
    assert len(reports) == HOUSEHOLDS
    assert len({event["data"]["customer"] for event in reports}) == HOUSEHOLDS
    assert len({event["data"]["incident"] for event in reports}) == 1
    answered = {event["subject"] for event in events() if event["type"] == "ticket.acknowledged"}
    assert {event["subject"] for event in reports} - answered == {Morning("4f1c", NOW).unanswered}


def test_what_would_take_hours_is_posted_with_a_time_that_lies_in_the_past() -> None:
    for scene in Morning("4f1c", NOW).scenes():
        late = [post for post in scene.posts if "time" in post.event]
        assert bool(late) == scene.late
        assert all(datetime.fromisoformat(post.event["time"]) < NOW for post in late)


def message(subject: str, what: str = "cases.graded", **data: Any) -> dict[str, Any]:
    return {
        "type": what,
        "subject": subject,
        "time": "2026-03-02T09:00:00+08:00",
        "correlationid": f"{SITE}/complaint/{subject}",
        "data": {"policy": "complaint", **data},
    }


def test_the_same_for_many_cases_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    view = DemoView("4f1c", as_json=False)
    for number in range(1, 4):
        view.take(message(f"T-4f1c-{number:02}", grade="serious", was="ordinary"), NOW)
    view.flush()
    assert (
        capsys.readouterr()
        .out.split("  ", 2)[-1]
        .strip()
        .endswith("complaint T-4f1c-01 +2 more: graded serious (was ordinary)")
    )


def test_it_is_told_in_chinese(capsys: pytest.CaptureFixture[str]) -> None:
    view = DemoView("4f1c", as_json=False, lang="zh")
    first, *_ = Morning("4f1c", NOW, "zh").scenes()
    view.scene(1, first.title, first.watch, late=True)
    view.posted(message("T-4f1c-01", "ticket.opened"), first.posts[0].said)
    for number in range(1, 4):
        view.take(message(f"T-4f1c-{number:02}", grade="serious", was="ordinary"), NOW)
    view.take(message("T-4f1c-01", "notifications.requested", to=["owner"], via=["sms"], not_before=LATER), NOW)
    view.message({"channel": "sms", "to": ["+447700900001"], "subject": "", "text": "T-4f1c-01: 漏水"})
    view.message({"channel": "sms", "to": ["+447700900002"], "subject": "", "text": "T-4f1c-02: 漏水"})
    view.summary(["T-4f1c-01 cases.breached"], [("reeve up", "")])
    told = capsys.readouterr().out
    for says in (
        *("1. 天花板漏水，十户先后投诉   （有意补发）", "上报", "第 1 户报告漏水"),
        *("complaint T-4f1c-01 和另外 2 张：定级为 serious", "（08:00 之后才发：现为免打扰或非营业时间）"),
        *("短信   发给 +447700900001、+447700900002（共 2 条）：", "1 个事件成为 0 张工单；定级：3 serious。"),
        *("1 条通知在等待", "未出现：T-4f1c-01 cases.breached", "接下来可以"),
    ):
        assert says in told


def test_every_text_says_the_same_things_in_both_languages() -> None:
    english, chinese = (list(Morning("4f1c", NOW, lang).scenes()) for lang in ("en", "zh"))
    assert [[post.event for post in scene.posts] for scene in english] == [
        [post.event for post in scene.posts] for scene in chinese
    ]
    for name, (one, other) in {**WORDS, **POSTS}.items():
        fields = [{field for _, field, _, _ in Formatter().parse(text) if field} for text in (one, other)]
        assert fields[0] == fields[1], name


def test_other_runs_are_left_alone(capsys: pytest.CaptureFixture[str]) -> None:
    view = DemoView("4f1c", as_json=True)
    view.take(message("T-9b02-01", grade="serious"), NOW)
    assert capsys.readouterr().out == ""
    assert not view.seen


def test_what_waits_for_the_end_of_the_night_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    view = DemoView("4f1c", as_json=False)
    view.take(
        message("T-4f1c-01", "notifications.requested", to=["front_desk"], via=["sms"], not_before=LATER), NOW
    )
    view.flush()
    assert "(not before 08:00: quiet or closed now)" in capsys.readouterr().out
    assert view.held == 1


def test_json_is_one_object_a_line_and_ends_with_a_summary(capsys: pytest.CaptureFixture[str]) -> None:
    view = DemoView("4f1c", as_json=True)
    view.scene(1, "title", "watch", late=False)
    view.take(message("T-4f1c-01", grade="major"), NOW)
    view.message({"channel": "sms", "to": ["+447700900001"], "subject": "", "text": "hello"})
    view.summary([], [("reeve up", "")])
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["kind"] for row in rows] == ["scene", "case", "arrived", "summary"]
    assert rows[-1]["grades"] == {"major": 1}
    assert rows[-1]["arrived"] == {"sms": 1}
