"""What a comparison says of itself, in English and Chinese: for the terminal and for the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import Any

TEXTS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "title": "What other rules would have changed",
        "active": "active",
        "candidate": "candidate",
        "before": "before",
        "after": "after",
        "change": "change",
        "gained": "gained",
        "lost": "lost",
        "moved": "moved",
        "period": "{since} to {until}",
        "events": "{events} events compared, {earlier} before them to set the scene (from {start}).",
        "events_only": "{events} events compared.",
        "site": "Site {site} only.",
        "refused": "{refused} events of the file were refused and left out.",
        "changed": "{cases} cases differ.",
        "same": "Nothing differs.",
        "adopted": "{adopted} open cases went on under the new files.",
        "cases_changed": "Cases that differ",
        "grades": "Cases with another grade",
        "gradings": "Gradings",
        "opened": "Cases opened",
        "breaches": "Breaches",
        "notifications": "Notifications by role",
        "people": "Told most differently, by person",
        "messages": "Messages by channel",
        "sms": "SMS segments (what is paid for)",
        "per_day": "Notifications by role and day",
        "undeliverable": "Roles nobody could be reached for",
        "not_rendered": "SMS whose template failed; Reeve's own short text was counted",
        "one_each": "No recipients are known: each role counts as one person.",
        "most_changed": "The cases that change most",
        "policy": "policy",
        "clock": "clock",
        "grade": "grade",
        "role": "role",
        "person": "person",
        "channel": "channel",
        "message": "message",
        "from": "from",
        "to": "to",
        "cases": "cases",
        "none": "none",
        "lines": "{count} lines differ",
        "left_out": "and {count} more lines",
        "rest": "{count} more cases differ; --top shows more.",
        "written": "Report written to {file}.",
        "exceeded": "Beyond bounds: {reasons}.",
    },
    "zh": {
        "title": "换一套规则会有什么不同",
        "active": "现行规则",
        "candidate": "候选规则",
        "before": "之前",
        "after": "之后",
        "change": "变化",
        "gained": "新增",
        "lost": "消失",
        "moved": "时间变动",
        "period": "{since} 至 {until}",
        "events": "比较了 {events} 个事件；此前 {earlier} 个事件用于还原当时的状态（自 {start} 起）。",
        "events_only": "比较了 {events} 个事件。",
        "site": "仅站点 {site}。",
        "refused": "文件中有 {refused} 个事件被拒绝，未参与比较。",
        "changed": "{cases} 张工单有变化。",
        "same": "没有任何变化。",
        "adopted": "{adopted} 张未结工单转用新文件。",
        "cases_changed": "有变化的工单",
        "grades": "等级改变的工单",
        "gradings": "定级次数",
        "opened": "开立数",
        "breaches": "超时",
        "notifications": "各角色的通知",
        "people": "通知变化最大的人员",
        "messages": "各渠道的消息",
        "sms": "短信条数（计费）",
        "per_day": "各角色每日通知",
        "undeliverable": "无人可通知的角色",
        "not_rendered": "模板无法使用的短信；按系统自带的短文本计",
        "one_each": "没有接收人资料：每个角色按一人计。",
        "most_changed": "变化最大的工单",
        "policy": "策略",
        "clock": "时限",
        "grade": "等级",
        "role": "角色",
        "person": "人员",
        "channel": "渠道",
        "message": "消息",
        "from": "原",
        "to": "现",
        "cases": "工单数",
        "none": "无",
        "lines": "{count} 行不同",
        "left_out": "另有 {count} 行",
        "rest": "另有 {count} 张工单有变化；用 --top 查看更多。",
        "written": "报告已写入 {file}。",
        "exceeded": "超出界限：{reasons}。",
    },
}


def story(found: Mapping[str, Any], lang: str) -> list[str]:
    """What was compared, in sentences. `found` has `since`, `until`, `events`, `earlier`, `from`, `site` and
    `refused` besides the findings."""
    texts = TEXTS[lang]
    events = texts["events" if found["earlier"] else "events_only"].format(
        events=f"{found['events']:,}", earlier=f"{found['earlier']:,}", start=_day(found["from"])
    )
    sentences = []
    if found["since"] and found["until"]:
        sentences.append(texts["period"].format(since=_day(found["since"]), until=_day(found["until"])))
    sentences.append(events)
    if found["site"]:
        sentences.append(texts["site"].format(site=found["site"]))
    if found["refused"]:
        sentences.append(texts["refused"].format(refused=f"{found['refused']:,}"))
    changed = (
        texts["changed"].format(cases=f"{found['changed_cases']:,}") if found["changed_cases"] else texts["same"]
    )
    sentences.append(changed)
    if found["adopted"]:
        sentences.append(texts["adopted"].format(adopted=f"{found['adopted']:,}"))
    return sentences


def _day(moment: str | None) -> str:
    return datetime.fromisoformat(moment).strftime("%Y-%m-%d %H:%M") if moment else "?"


_EFFECTS_ZH = {
    "opened": "开立",
    "graded": "定级",
    "clock_started": "时限开始",
    "clock_paused": "时限暂停",
    "clock_resumed": "时限继续",
    "clock_stopped": "时限停止",
    "breached": "超时",
    "corrected": "超时更正",
    "acknowledged": "已确认",
    "notify": "通知",
    "escalated": "升级",
    "reopened": "重新打开",
    "child_opened": "另开立工单",
    "suppressed": "未再发送",
    "undeliverable": "无人可通知",
    "closed": "结案",
    "scored": "记分",
    "delayed": "推迟",
}


def beside(
    active: Sequence[Mapping[str, Any]], candidate: Sequence[Mapping[str, Any]]
) -> list[tuple[Mapping[str, Any] | None, Mapping[str, Any] | None]]:
    """Lines of the two sides in order of time, those that say the same of another moment beside each other."""
    sides = (list(map(_subject, active)), list(map(_subject, candidate)))
    rows: list[tuple[Mapping[str, Any] | None, Mapping[str, Any] | None]] = []
    for _, start, end, other, last in SequenceMatcher(None, *sides, autojunk=False).get_opcodes():
        rows += zip_longest(active[start:end], candidate[other:last])
    return rows


def _subject(line: Mapping[str, Any]) -> tuple[str, str]:
    about = next((line[key] for key in ("clock", "step", "child", "message") if line.get(key)), "")
    return str(line["effect"]), str(about)


_SHOWN = ("clock", "grade", "to", "message", "level", "child", "points", "outcome")


def line_said(line: Mapping[str, Any], lang: str) -> str:
    """A timeline line in a few words, without its moment and reason."""
    effect = str(line["effect"])
    words = [_EFFECTS_ZH.get(effect, effect) if lang == "zh" else effect.replace("_", " ")]
    words += [_value(line[key]) for key in _SHOWN if line.get(key) not in (None, "", [])]
    if "message" not in line and line.get("step"):
        words.append(str(line["step"]))
    if "was" in line and line["was"] is not None:
        words.append(f"← {line['was']}")
    if "due" in line:
        words.append("→ " + (_moment(line["due"]) if line["due"] else "?"))
    if "met" in line:
        words.append("✓" if line["met"] else "✗")
    return " ".join(words)


def line_at(line: Mapping[str, Any]) -> str:
    """The moment of a timeline line, at its site: `11-20 17:55`, with seconds where there are any."""
    return _moment(line["at"])


def _moment(text: str) -> str:
    at = datetime.fromisoformat(text)
    return at.strftime("%m-%d %H:%M:%S" if at.second else "%m-%d %H:%M")


def _value(value: Any) -> str:
    return "+".join(str(each) for each in value) if isinstance(value, list) else str(value)
