"""The phrases for what happens to a case or a delivery, in English and Chinese.

Keys are those of contracts.md §5 and of the messages on cases.> and notifications.>; `{…}` are their further keys.
"""

from __future__ import annotations

from collections.abc import Mapping

PHRASES: Mapping[str, tuple[str, str]] = {
    "graded": ("graded {grade}{was}", "定级为 {grade}{was}"),
    "clock_started": ("clock {clock} starts, {due}{run}", "时限 {clock} 开始，{due}{run}"),
    "clock_resumed": ("clock {clock} goes on, {due}{run}", "时限 {clock} 恢复，{due}{run}"),
    "clock_paused": ("clock {clock} pauses{left}", "时限 {clock} 暂停{left}"),
    "clock_stopped": ("clock {clock} stops, {met}", "时限 {clock} 停止，{met}"),
    "breached": ("BREACHED {clock}, was {due}", "超时：{clock}，原定 {due}"),
    "corrected": ("corrected{detail}{reason}", "更正：时限 {clock} 实为按时"),
    "notify": ("tells {to} by {via}: {message}{late}", "通知 {to}（{via}）：{message}{late}"),
    "requested": ("tells {to} by {via}: {message}{late}", "通知 {to}（{via}）：{message}{late}"),
    "suppressed": ("not sent{detail}{reason}", "未发送{detail}{reason}"),
    "undeliverable": ("undeliverable{detail}{reason}", "{to} 无人可通知{reason}"),
    "escalated": ("escalates {step} to level {level}{answered}", "步骤 {step} 升到第 {level} 级{answered}"),
    "delayed": ("{step} waits {minutes} minutes longer{answered}", "步骤 {step} 推迟 {minutes} 分钟{answered}"),
    "acknowledged": ("acknowledged{detail}{answered}{reason}", "已确认{detail}{answered}"),
    "opened": ("opened{detail}", "开立{detail}"),
    "reopened": ("reopened{detail}{reason}", "重新打开{detail}{reason}"),
    "child_opened": ("child opened{detail}", "另开立工单 {child}"),
    "closed": ("closed{outcome}", "结案{outcome}"),
    "adopted": ("goes on with other rules{chosen}, {way}{reason}", "改用另一版本的规则（{way}）{chosen}{reason}"),
    "scored": ("scores {points} to {to}", "{to} 计 {points} 分"),
}
"""By the effect of the line."""

OF_DELIVERIES: Mapping[str, tuple[str, str]] = {
    "held": ("{message}{to} waits{until}: {hold}", "{message}{to}：暂缓{until}，{hold}"),
    "unknown": (
        "{message}{to}{through}: nobody knows whether it arrived{why}",
        "{message}{to}：不确定是否送达{through}{why}",
    ),
    "retried": (
        "{message}{to}{through}: attempt {attempt} came to nothing{why}",
        "{message}{to}：第 {attempt} 次未成功，将重试{through}{why}",
    ),
    "suppressed": ("{message} not sent{to}{why}", "{message}{to}：未发送{why}"),
    "acknowledged": ("{recipient} answered {message}: {answer}{how}", "{recipient} 答复 {message}：{answer}{how}"),
    "into": ("{message}{to} went out with {into}", "{message}{to}：并入 {into} 发出"),
    "other": ("{message} {what}{to}{instead}{more}{why}", "{message}{to}：{what}{instead}{more}{why}"),
}
"""By what the delivery did; `other`: whatever has no phrase of its own."""

PARTS: Mapping[str, tuple[str, str]] = {
    "was": (" (was {was})", "（原为 {was}）"),
    "due": ("due {due}", "{due} 到期"),
    "undated": ("due not known yet", "到期时间未知"),
    "run": (" (run {run})", "（第 {run} 轮）"),
    "left": (" with {length} left", "，还剩 {length}"),
    "met": ("in time", "按时"),
    "missed": ("too late", "已超时"),
    "late": (" (late)", "（补发）"),
    "outcome": (": {outcome}", "：{outcome}"),
    "chosen": (" as {by} chose", "，由 {by} 决定"),
    "adopt": ("as `on_change: adopt` says", "沿用等级和时限"),
    "recompute": ("graded and timed anew", "重新定级和计时"),
    "person": ("for this case only", "仅此工单"),
    "reason": (" ({reason})", "（{reason}）"),
    "answered": (" by {recipient} ({way})", "，由 {recipient} 答复（{way}）"),
    "detail": (" {those}", "（{those}）"),
    "clock": ("clock {it}", "时限 {it}"),
    "step": ("step {it}", "步骤 {it}"),
    "child": ("child {it}", "工单 {it}"),
    "message": ("message {it}", "消息 {it}"),
    "to": ("to {it}", "发给 {it}"),
    "and": (" and ", "、"),
    "comma": (", ", "，"),
    "nobody": ("nobody", "无人"),
    "event": ("{rule} (event {it})", "{rule}（事件 {it}）"),
    "by_clock": ("{rule} (clock {it})", "{rule}（时限 {it}）"),
    "until": (" until {until}", "至 {until}"),
    "whom": (" to {who}{role}{by}", "发给 {who}{role}{by}"),
    "as_role": (" as {role}", "，角色 {role}"),
    "by": (" by {channel}", "，渠道 {channel}"),
    "through": (", through {provider}", "，服务商 {provider}"),
    "why": (" ({reason})", "（{reason}）"),
    "how": (" ({way})", "（{way}）"),
    "minutes": (" by {minutes} minutes", " {minutes} 分钟"),
    "instead": (", {next_role} is told instead", "，改为通知 {next_role}"),
    "attempt": ("attempt {attempt}", "第 {attempt} 次"),
    "segments": ("{segments} SMS", "{segments} 条短信"),
    "merged": ("with {merged} more", "含另外 {merged} 条"),
    "resent": ("a second time", "再次发送"),
    "resend_of": ("again, as {by} asked", "应 {by} 要求重发"),
    "somebody": ("somebody", "有人"),
    "to_nobody": (" to nobody", "：无人可通知"),
}
"""What phrases are put together from."""
