"""What the pages of an acknowledgement link say, in Chinese and English at once: who reads them is not asked.

Nothing here is about anybody or any case: link previews fetch these pages, and phones are lent.
"""

from __future__ import annotations

from datetime import datetime

from starlette.responses import Response

from reeve.domain.more_time import MoreTime
from reeve.domain.replies import MOST_MINUTES
from reeve.runtime.store.deliveries import Answer

MINUTES = (15, 30, 60, 120)
"""What can be asked for on the page."""

_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
    "frame-ancestors 'none'",
}
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex"><title>Reeve</title>
<style>body{{font:1.1rem/1.6 system-ui,sans-serif;max-width:28rem;margin:12vh auto;padding:0 1rem}}
body{{text-align:center;color:#1a1a1a;background:#fff}}p{{margin:.3rem 0}}form{{margin:1.4rem 0}}
button{{font:inherit;padding:.7rem 1.2rem;margin:.25rem;border:1px solid #1b5e8c;border-radius:.4rem}}
button{{background:#fff;color:#1b5e8c;cursor:pointer}}.first{{background:#1b5e8c;color:#fff;width:100%}}
.second{{width:100%}}</style></head>
<body>{body}</body></html>
"""

ASK = '<p lang="zh">这件事由您处理吗？</p><p>Do you take care of this?</p>'
BEFORE = '<p lang="zh">此前已答复：</p><p>This was answered before:</p>'
EXPIRED = '<p lang="zh">链接已过期。</p><p>This link has expired.</p>'
UNKNOWN = '<p lang="zh">链接无效。</p><p>This link is not valid.</p>'
CLOSED = '<p lang="zh">这件事已经结束，无需答复。</p><p>The matter is closed; no answer is needed.</p>'
AWAY = '<p lang="zh">暂时无法答复，请稍后再试。</p><p>This can\'t be answered right now; please try again soon.</p>'
UNCLEAR = '<p lang="zh">无法识别您的选择，请重新选择。</p><p>That is none of the choices; please choose again.</p>'

_SAID = {
    "acknowledged": '<p lang="zh"><b>已确认由您处理，谢谢。</b></p>'
    "<p>Confirmed: you take care of it. Thank you.</p>",
    "escalated": '<p lang="zh"><b>已转上级。</b></p><p>Escalated: the next in line is told now.</p>',
    "delayed": '<p lang="zh"><b>已延后 {minutes} 分钟提醒；时限不变。</b></p>'
    "<p>{minutes} more minutes before the next reminder; limits stay as they are.</p>",
}

_LESS = (
    '<p lang="zh"><b>只延后 {minutes} 分钟（您要求 {asked} 分钟）：同一步骤合计最多 {most} 分钟；时限不变。</b></p>'
    "<p>Only {minutes} more minutes instead of {asked}: {most} in all for one step; limits stay as they are.</p>"
)
NO_MORE = (
    f'<p lang="zh"><b>不能再延后：同一步骤合计已延后 {MOST_MINUTES} 分钟。</b></p>'
    f"<p>No more time: this step has been put off by {MOST_MINUTES} minutes in all.</p>"
)
_NEXT = (
    '<p lang="zh">约 {minutes} 分钟后再次提醒或转上级。</p>'
    "<p>The next reminder or escalation comes in about {minutes} minutes.</p>"
)
_LAST = '<p lang="zh">此后不再提醒。</p><p>Nothing more is sent of it.</p>'


def said(answer: Answer) -> str:
    """What was answered."""
    return _SAID[answer.what].format(minutes=answer.minutes)


def granted(answer: Answer, more: MoreTime, now: datetime) -> str:
    """What asking for more time came to, where that is less than was asked for, and when something follows."""
    text = _LESS.format(minutes=answer.minutes, asked=more.asked, most=MOST_MINUTES) if more.granted else NO_MORE
    return text + _follows(more, now)


def _follows(more: MoreTime, now: datetime) -> str:
    if more.next_at is None:
        return _LAST
    return _NEXT.format(minutes=max(1, round((more.next_at - now).total_seconds() / 60)))


def choices(asked_before: int, left: int = MOST_MINUTES) -> str:
    """The three actions, the third as far as there are `left` minutes.

    `asked_before`: how often more time was asked for, so that a double click counts once.
    """
    offered = [minutes for minutes in MINUTES if minutes <= left] or list(MINUTES[: 1 if left > 0 else 0])
    more = "".join(f'<button name="minutes" value="{minutes}">{minutes} 分钟 · min</button>' for minutes in offered)
    asking = (
        '<form method="post"><input type="hidden" name="answer" value="more">'
        f'<input type="hidden" name="again" value="{asked_before}">'
        f'<p><span lang="zh">需要时间</span> · I need more time</p>{more}</form>'
    )
    return (
        '<form method="post"><button class="first" name="answer" value="confirm">确认处理 · Confirm</button></form>'
        '<form method="post"><button class="second" name="answer" value="escalate">'
        "立即转上级 · Escalate now</button></form>" + (asking if offered else "")
    )


def page(status: int, body: str) -> Response:
    """The page; it is never kept by anybody and shown in no frame."""
    headers = dict(_HEADERS)
    if status == 503:
        headers["Retry-After"] = "5"
    return Response(_PAGE.format(body=body), status, media_type="text/html", headers=headers)
