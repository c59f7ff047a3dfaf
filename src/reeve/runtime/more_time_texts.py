"""What who asked for more time than there is hears by SMS and mail, where no template `more_time` says it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from reeve.domain.replies import MOST_MINUTES
from reeve.rulelang.template_filters import day, hm
from reeve.rulelang.titles import DEFAULT_LANGUAGE

_TEXTS: Mapping[str, Mapping[str, str]] = {
    "zh": {
        "subject": "{case}：{granted}",
        "body": "【{site}】{case}：{granted}（每步骤共{most}分钟）。{next}{answer}",
        "some": "只延后{minutes}分钟，非{asked}分钟",
        "none": "不能再延后",
        "next": "下次通知{at}。",
        "last": "此后不再通知，时限不变。",
        "answer": "回复1收到，2升级{code}。",
        "code": "（编号{code}）",
    },
    "en": {
        "subject": "{case}: {granted}",
        "body": "{site}: {case}: {granted} ({most} in all for one step). {next}{answer}",
        "some": "{minutes} more minutes instead of {asked}",
        "none": "no more time",
        "next": "Next message: {at}.",
        "last": "Nothing more is sent of it; limits stay.",
        "answer": " Reply 1 to take it, 2 to escalate{code}.",
        "code": " (code {code})",
    },
}


def more_time_text(
    languages: tuple[str, ...], context: Mapping[str, Any], case: str, now: datetime
) -> tuple[str, str]:
    """(subject, body) in the first language that Reeve speaks; `context` has what a template could name."""
    texts = next((_TEXTS[each] for each in languages if each in _TEXTS), _TEXTS[DEFAULT_LANGUAGE])
    minutes, at = context["granted"], context["next_at"]
    granted = texts["some" if minutes else "none"].format(minutes=minutes, asked=context["asked"])
    code = texts["code"].format(code=context["reply_code"]) if context["reply_code"] else ""
    values = {
        "site": context["site_title"],
        "case": case,
        "granted": granted,
        "most": MOST_MINUTES,
        "next": texts["next"].format(at=_moment(at, now)) if at is not None else texts["last"],
        "answer": texts["answer"].format(code=code) if context["reply_hint"] else "",
    }
    return texts["subject"].format(**values), texts["body"].format(**values)


def _moment(at: datetime, now: datetime) -> str:
    on = day(at)
    return str(hm(at)) if on == day(now.astimezone(at.tzinfo)) else f"{on} {hm(at)}"
