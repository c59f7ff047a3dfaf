"""What `reeve answers` says, in English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

OUTCOMES: Mapping[str, tuple[str, str]] = {
    "waiting": ("waiting", "待处理"),
    "acknowledged": ("acknowledged", "已确认"),
    "escalated": ("escalated", "已转上级"),
    "delayed": ("delayed", "已延后"),
    "not_understood": ("not_understood", "未能识别"),
    "no_message": ("no_message", "没有对应的消息"),
    "several_matters": ("several_matters", "涉及几件事"),
    "no_more_time": ("no_more_time", "不能再延后"),
    "answered": ("answered", "此前已答复"),
    "repeated": ("repeated", "重复的回复"),
    "expired": ("expired", "已过期"),
    "closed": ("closed", "已结案"),
    "automatic": ("automatic", "自动邮件"),
    "no_code": ("no_code", "地址无编码"),
    "unreadable": ("unreadable", "无法读取"),
}
"""What a reply came to, in the words of docs/answers.md; English keeps to what --outcome takes."""

WORDS: Mapping[str, tuple[str, str]] = {
    "minutes": (" {minutes} min", " {minutes} 分钟"),
    "semicolon": ("; ", "；"),
    "none": ("No replies.", "没有回复。"),
    "none_of": ("No replies that came to {outcome}.", "没有结果为“{outcome}”的回复。"),
    "no_mail": ("That is no mail: empty, or larger than 10 MB.", "这不是邮件：内容为空，或超过 10 MB。"),
    "short_id": (
        "Give at least 4 characters of an id from `reeve answers list`.",
        "请写 `reeve answers list` 所列编号的至少前 4 位。",
    ),
    "no_such": ("No reply has that id.", "没有这个编号的回复。"),
    "several": ("Several replies begin so: give more of the id.", "有几条回复的编号这样开头：请多写几位。"),
}


def say(name: str, lang: str, **values: Any) -> str:
    """The sentence of that name."""
    return WORDS[name][lang == "zh"].format(**values)


def outcome_word(outcome: str, lang: str) -> str:
    """What a reply came to; a word that is not known is said as it is."""
    found = OUTCOMES.get(outcome)
    return outcome if found is None else found[lang == "zh"]
