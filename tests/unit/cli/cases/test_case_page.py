"""How `reeve cases list` and `show` read, in both languages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from reeve.cli.cases.page import Page

ZONE = ZoneInfo("Asia/Shanghai")
AT = datetime(2026, 11, 20, 1, 0, tzinfo=UTC)
LOCAL = "2026-11-20T09:00:00+08:00"


def clock(name: str, status: str, due: int | None, **changes: Any) -> dict[str, Any]:
    known = AT + timedelta(minutes=due) if due is not None else None
    plain = {"breached_at": None, "stopped_at": None, "met": None, "provisional": False}
    return {"clock": name, "status": status, "due": known, **plain, **changes}


def delivery(state: str, **changes: Any) -> dict[str, Any]:
    plain = {"at": AT, "id": "7m2f-0q3d", "message": "reported", "recipient": "gm-1", "role": "general_manager"}
    plain |= {"channel": "sms", "provider": "aliyun", "attempts": [{}], "state": state, "reason": None}
    return {**plain, "silence": None, "waits_for": None, **changes}


VIEW: dict[str, Any] = {
    "site": "garden",
    "policy": "complaint",
    "subject": "T-1",
    "state": "closed",
    "grade": None,
    "opened_at": AT,
    "acknowledged_at": AT + timedelta(minutes=3),
    "closed_at": AT + timedelta(hours=2),
    "outcome": "resolved",
    "facts": {"loss_cny": 12000, "category": "complaint"},
    "clocks": [
        clock("respond", "stopped", 10, stopped_at=AT + timedelta(minutes=3), met=True),
        clock("arrive", "stopped", 10, stopped_at=AT + timedelta(minutes=75), met=False),
        clock("resolve", "paused", 60, provisional=True),
        clock("inform", "running", None),
        clock("collect", "running", 30),
    ],
    "deliveries": [
        delivery("delivered", attempts=[{}, {}]),
        delivery("failed", reason="bad_address"),
        delivery("queued", provider=None, waits_for={"for": "quiet", "until": AT + timedelta(hours=7)}),
        delivery("undeliverable", recipient=None, channel=None, provider=None),
    ],
    "timeline": [
        {
            "at": LOCAL,
            "case": "T-1",
            "policy": "complaint",
            "effect": "breached",
            "clock": "respond",
            "due": LOCAL,
            "because": {"rule": "complaint.yaml:14", "clock": "respond"},
        }
    ],
}


@pytest.mark.parametrize(
    ("lang", "parts"),
    [
        (
            "en",
            [
                "garden/complaint/T-1  closed  no grade\n",
                "  opened 2026-11-20 09:00:00, acknowledged 2026-11-20 09:03:00, closed 2026-11-20 11:00:00 (resol",
                "  facts: category=complaint, loss_cny=12000; 2 more with --facts",
                "  respond     stopped 2026-11-20 09:03:00, in time; due 2026-11-20 09:10:00",
                "  arrive      stopped 2026-11-20 10:15:00, too late, 1 h 5 min late; due 2026-11-20 09:10:00",
                "paused; due 2026-11-20 10:00:00 (provisional: beyond the calendar) if it went on now",
                "  inform      running; due not known yet\n",
                "  collect     running; due 2026-11-20 09:30:00, 20 min left",
                "reported to gm-1 as general_manager by sms through aliyun: delivered, 2 attempts",
                ": FAILED (the address does not exist)",
                "by sms: waits (the person's quiet hours, until 2026-11-20 16:00:00)",
                "reported to nobody as general_manager: NOBODY could be told",
                "BREACHED respond, was due 2026-11-20 09:00  ← complaint.yaml:14 (clock respond)",
            ],
        ),
        (
            "zh",
            [
                "garden/complaint/T-1  已结案  无等级\n",
                "  2026-11-20 09:00:00 开立，2026-11-20 09:03:00 确认，2026-11-20 11:00:00 结案（resolved）",
                "  事实：category=complaint，loss_cny=12000；另有 2 项，加 --facts 显示",
                "\n时限\n",
                "  respond     2026-11-20 09:03:00 停止，按时；原定 2026-11-20 09:10:00 到期",
                "  arrive      2026-11-20 10:15:00 停止，超时 1 小时 5 分钟；原定 2026-11-20 09:10:00 到期",
                "已暂停；如现在恢复，2026-11-20 10:00:00 到期（暂定：超出日历）",
                "  inform      计时中；到期时间未知\n",
                "  collect     计时中；2026-11-20 09:30:00 到期，还有 20 分钟",
                "\n通知了谁\n",
                "reported 发给 gm-1，角色 general_manager，渠道 sms，服务商 aliyun：已送达，共尝试 2 次",
                "：失败（地址不存在）",
                "：等待发送（本人免打扰时段，至 2026-11-20 16:00:00）",
                "reported，角色 general_manager：无人可通知",
                "\n时间线\n",
                "超时：respond，原定 2026-11-20 09:00 到期  ← complaint.yaml:14（时限 respond）",
            ],
        ),
    ],
)
def test_a_case_with_all_that_is_known_of_it(
    capsys: pytest.CaptureFixture[str], lang: str, parts: list[str]
) -> None:
    Page(lang, AT + timedelta(minutes=10)).whole(VIEW, ZONE, hidden_facts=2)
    text = capsys.readouterr().out
    for part in parts:
        assert part in text


def row(state: str, *clocks: dict[str, Any], due: datetime | None = None) -> dict[str, Any]:
    named = {"site": "garden", "policy": "complaint", "subject": "T-1", "grade": "major"}
    return {**named, "state": state, "clocks": clocks, "next_due": due}


@pytest.mark.parametrize(
    ("lang", "open_one", "scheduled"),
    [
        ("en", "open      resolve 2 h left  OVERDUE: respond", "scheduled comes, 1 d left"),
        ("zh", "进行中    resolve 还有 2 小时  已超时：respond", "未到期    将到，还有 1 天"),
    ],
)
def test_a_line_says_what_runs_out_next_and_what_has(
    capsys: pytest.CaptureFixture[str], lang: str, open_one: str, scheduled: str
) -> None:
    page = Page(lang, AT)
    page.line(row("open", clock("respond", "running", -10, breached_at=AT), clock("resolve", "running", 120)))
    page.line(row("scheduled", due=AT + timedelta(days=1)))
    first, second = capsys.readouterr().out.splitlines()
    assert first.endswith(f"major         {open_one}")
    assert second.endswith(f"major         {scheduled}")


@pytest.mark.parametrize(
    ("state", "count", "more", "english", "chinese"),
    [
        ("open", 1, False, "1 open case.", "共 1 张进行中的工单。"),
        ("all", 0, False, "0 cases.", "共 0 张工单。"),
        (
            "closed",
            500,
            True,
            "500 closed cases; there are more (--limit).",
            "共 500 张已结案的工单，还有更多（--limit）。",
        ),
        ("scheduled", 3, False, "3 scheduled cases.", "共 3 张未到期的工单。"),
    ],
)
def test_how_many_were_listed(state: str, count: int, more: bool, english: str, chinese: str) -> None:
    assert Page("en", AT).count(state, count, more) == english
    assert Page("zh", AT).count(state, count, more) == chinese
