"""What `reeve notifications` says on a terminal, in English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping

STATES: Mapping[str, tuple[str, str]] = {
    "requested": ("waits", "等待"),
    "queued": ("waits", "等待发送"),
    "claimed": ("is being sent", "正在发送"),
    "unknown": ("nobody knows whether it arrived", "不确定是否送达"),
    "sent": ("sent", "已发送"),
    "delivered": ("delivered", "已送达"),
    "failed": ("FAILED", "失败"),
    "suppressed": ("not sent", "未发送"),
    "merged": ("went out with another", "已并入另一条"),
    "undeliverable": ("NOBODY could be told", "无人可通知"),
}

HOLDS: dict[str, tuple[str, str]] = {
    "hours": ("quiet or opening hours", "免打扰或营业时间"),
    "quiet": ("the person's quiet hours", "本人免打扰时段"),
    "merge": ("more of the same matter, to go out together", "同一事项合并发送"),
    "daily": ("the one payment reminder of the day", "每日一次缴费提醒"),
    "digest": ("the digest of mild grades", "低等级汇总"),
    "budget": ("the month's SMS budget", "本月短信额度"),
}

DEEDS: Mapping[str, tuple[str, str]] = {
    "held": ("held back", "暂缓"),
    "sent": ("sent", "已发送"),
    "delivered": ("delivered", "已送达"),
    "failed": ("FAILED", "失败"),
    "unknown": ("nobody knows whether it arrived", "不确定是否送达"),
    "retried": ("came to nothing, tried again", "未成功，将重试"),
    "merged": ("went out with {into}", "并入 {into} 发出"),
    "suppressed": ("not sent", "未发送"),
    "undeliverable": ("nobody could be told", "无人可通知"),
    "acknowledged": ("answered", "已回复"),
}

REASONS: dict[str, tuple[str, str]] = {
    "accepted": ("accepted", "已接收"),
    "bad_address": ("the address does not exist", "地址不存在"),
    "no_address": ("no address on this channel any more", "该渠道已无地址"),
    "refused": ("the provider refuses it", "服务商拒绝"),
    "busy": ("the provider is busy", "服务商繁忙"),
    "provider_error": ("a fault of the provider", "服务商故障"),
    "credentials": ("the provider does not accept our key: somebody must act", "服务商不认可我方凭据，需要处理"),
    "certificate": ("the provider's certificate can't be trusted: somebody must act", "服务商证书不可信，需要处理"),
    "unreachable": ("the provider can't be reached", "无法连接服务商"),
    "timeout": ("no answer in time", "应答超时"),
    "disconnected": ("the line broke before the answer", "应答前断线"),
    "interrupted": ("Reeve was interrupted", "Reeve 被中断"),
    "acknowledged": ("it was acknowledged first", "此前已确认"),
    "case_closed": ("the case was closed first", "此前已结案"),
    "no_template": ("the provider has no template for it", "服务商没有对应模板"),
    "nobody": ("nobody can be reached", "无人可通知"),
    "no_receipt": ("no receipt came", "没有收到回执"),
    "not_delivered": ("a receipt says that it did not arrive", "回执说明未送达"),
    "silenced": ("a silence hides it", "被静默"),
    "merged": ("with another message", "与另一条合并"),
    "over_budget": ("the month's SMS budget is spent", "本月短信额度已用完"),
}
"""In the words of `reeve.runtime.providers.reasons.Reason`."""

ANSWERS: Mapping[str, tuple[str, str]] = {
    "acknowledged": ("acknowledged", "已确认"),
    "escalated": ("escalated", "已转上级"),
    "delayed": ("delayed", "已延后"),
}
"""What a recipient answered, in the words of docs/answers.md."""

WAYS: Mapping[str, tuple[str, str]] = {
    "link": ("link", "链接"),
    "sms": ("sms", "短信"),
    "email": ("email", "邮件"),
}
"""The way an answer came."""

WORDS: Mapping[str, tuple[str, str]] = {
    "count": ("{n} messages.", "共 {n} 条。"),
    "one": ("1 message.", "共 1 条。"),
    "more": ("{n} messages; there are more (--limit).", "共 {n} 条，还有更多（--limit）。"),
    "none": ("No message fits.", "没有符合条件的消息。"),
    "mean": ("Did you mean {best}?", "是不是想写 {best}？"),
    "case": ("case", "工单"),
    "asked": ("asked for", "请求"),
    "asked_by": ("{at}, by step {step} ({rule})", "{at}，步骤 {step}（{rule}）"),
    "round": ("round {round}", "第 {round} 次"),
    "level": ("rung {level}", "第 {level} 级"),
    "to": ("to", "发给"),
    "nobody": ("nobody", "无人"),
    "as_role": ("{who}, as {role}", "{who}，角色 {role}"),
    "climbed": ("up the ladder by {rung}", "上升 {rung} 级"),
    "told_instead": ("{role} is told instead", "改为通知 {role}"),
    "how": ("message", "消息"),
    "by": ("{message} by {channel}", "{message}，渠道 {channel}"),
    "comma": (", ", "，"),
    "brackets": (" ({words})", "（{words}）"),
    "segments": ("{segments} SMS", "{segments} 条短信"),
    "all_segments": ("{segments} SMS in {sends} sends", "{sends} 次发送共 {segments} 条短信"),
    "state": ("state", "状态"),
    "waits_for": ("waits for", "等待"),
    "hour": ("until {at}", "至 {at}"),
    "next_try": ("the next try, at {at}", "下次尝试：{at}"),
    "turn": ("its turn, since {at}", "自 {at} 起排队"),
    "in_hand": ("the process that sends it, until {at} at the latest", "正在发送的进程，最迟至 {at}"),
    "receipt": ("a receipt, until {at}", "回执，最迟至 {at}"),
    "group": ("{n} go out together", "共 {n} 条一起发送"),
    "silence": ("silence", "静默"),
    "again_of": ("again of", "重发自"),
    "asked_for_by": ("{of}, asked for by {by}", "{of}，由 {by} 要求"),
    "note": ("note", "备注"),
    "life": ("What happened", "经过"),
    "nothing": ("Nothing yet.", "暂无。"),
    "attempt": ("attempt {attempt}", "第 {attempt} 次"),
    "through": ("through {provider}", "服务商 {provider}"),
    "reference": ("reference {reference}", "回执号 {reference}"),
    "second": ("a second time", "重复发送"),
    "merged": ("with {n} more", "含另外 {n} 条"),
    "answer": ("{answer}{minutes} by {how}", "{answer}{minutes}，方式 {how}"),
    "minutes": (" (+{minutes} min)", "（+{minutes} 分钟）"),
    "siblings": ("Others of the same notification", "同一通知的其他消息"),
    "text": (
        "The text as it would be now; this is personal data",
        "按工单当前情况生成的文本；包含个人信息",
    ),
    "subject": ("subject", "主题"),
    "fault": ("The template fails, Reeve's own text stands in: {fault}", "模板出错，已用内置文本代替：{fault}"),
    "resent": (
        "{new} goes out now, to {who} by {channel}. How it goes: reeve notifications show {new}",
        "{new} 即将发给 {who}（{channel}）。进展：reeve notifications show {new}",
    ),
    "would": ("Would send {old} again to {who} by {channel}.", "将把 {old} 重发给 {who}（{channel}）。"),
    "no_such": (
        (
            "There is no message called {wanted!r}; `reeve notifications list` shows what there is "
            "(names look like 7m2f-0q3d, and a beginning of three letters is enough)."
        ),
        "没有名为 {wanted!r} 的消息；`reeve notifications list` 列出全部（名称形如 7m2f-0q3d，写前三位即可）。",
    ),
    "several": (
        "Several messages are called {wanted!r}:\n{names}\nName one of these.",
        "有多条消息名为 {wanted!r}：\n{names}\n请写明其中一条。",
    ),
    "no_recipient": ("There is no recipient {wanted!r} at {site}; {hint}", "{site} 没有接收人 {wanted!r}；{hint}"),
    "no_moment": (
        "--since {text}: write 30m, 12h, 3d or 2w, or a moment like '2026-02-14 18:10'.",
        "--since {text}：请写 30m、12h、3d、2w，或时刻，例如 '2026-02-14 18:10'。",
    ),
}

NOT_RESENT: Mapping[str, str] = {
    "waits": "{delivery} 目前{state}，会自行发出。可同时通知其他人，或换渠道：--to 接收人、--channel 渠道。",
    "delivered": "{delivery} 已送达；如需再发一次，加 --again。",
    "for_nobody": "{delivery} 没有接收人；请写明发给谁：--to 接收人。",
    "not_on_channel": "{recipient} 没有 {channel} 的联系方式；已有：{known}。",
    "no_address": "{recipient} 没有任何联系方式；用 `reeve recipients import` 补上。",
    "just_now": "刚才已有人要求重发：{delivery}。请先查看那一条。",
}
"""Why a message is not sent again, in Chinese; the English stands where it arises."""
