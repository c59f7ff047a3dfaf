"""What `reeve cases explain` says, in English and Chinese: one text for every reason an explanation can give."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Texts = Mapping[str, tuple[str, str]]

HEADINGS: Texts = {
    "grade": ("Why this grade", "为什么是这个等级"),
    "opening": ("Why there is a case", "为什么开立"),
    "now": ("What happened last, and why", "最近发生了什么，为什么"),
    "told": ("Who was told, and why", "通知了谁，为什么"),
    "not": ("Steps that told nobody, and why", "哪些步骤没有通知任何人，为什么"),
    "waited": ("Events of this subject that found no case when they came", "该编号下到达时没有工单受理的事件"),
    "event": ("What became of the event", "该事件的结果"),
}

GRADE: Texts = {
    "condition": ("{grade} since {at}: its condition held ({rule}).", "自 {at} 起为 {grade}：条件成立（{rule}）。"),
    "rest": (
        "{grade} since {at}: no worse grade's condition held ({rule}).",
        "自 {at} 起为 {grade}：更重等级的条件都不成立（{rule}）。",
    ),
    "fact": (
        "{grade} since {at}: the grade is what {fact} says, and it was {value} ({rule}).",
        "自 {at} 起为 {grade}：等级取自 {fact}，当时为 {value}（{rule}）。",
    ),
    "person": (
        "{grade} since {at}: a person set it (was {was}).",
        "自 {at} 起为 {grade}：由人工调整（原为 {was}）。",
    ),
    "step": (
        "{grade} since {at}: the step {step} made it worse (was {was}; {rule}).",
        "自 {at} 起为 {grade}：步骤 {step} 升级（原为 {was}；{rule}）。",
    ),
    "reopened": (
        "{grade} since {at}: the case was reopened, which makes it worse by one (was {was}).",
        "自 {at} 起为 {grade}：重新打开，等级加重一级（原为 {was}）。",
    ),
    "not_kept": (
        "{grade} since {at} by {rule}; decided before explanations were kept, so more is not on record.",
        "自 {at} 起为 {grade}（{rule}）；作出决定时还没有保存解释，没有更多记录。",
    ),
    "no_grades": ("The policy has no grades.", "该策略没有等级。"),
    "none": ("It has no grade yet.", "还没有等级。"),
}

REASONS: Texts = {
    "grade": (
        "the case was {grade}, and the step is for {grades} only (at {at})",
        "当时等级为 {grade}，该步骤只用于 {grades}（{at}）",
    ),
    "condition": ("its `if` did not hold at {at} ({rule})", "{at} 时 `if` 不成立（{rule}）"),
    "condition_on": (
        "the `if` of its trigger did not hold at {at} ({rule})",
        "{at} 时触发条件的 `if` 不成立（{rule}）",
    ),
    "sample": ("the case is not in the sample of {share} (at {at})", "不在 {share} 的抽样之内（{at}）"),
    "claimed": (
        "the one message for this {fact} was sent for {holder} (at {at})",
        "同一 {fact} 只发一次，已由 {holder} 发送（{at}）",
    ),
    "claimed_here": (
        "the one message for this {fact} had been sent for this case before (at {at})",
        "同一 {fact} 只发一次，本工单此前已发送（{at}）",
    ),
    "ended_acknowledged": ("an acknowledgement ended it at {at}", "{at} 已确认，不再继续"),
    "ended_stopped": ("its clock stopped at {at}, which ended it", "{at} 时限停止，不再继续"),
    "ended_until": ("its `until` came at {at}, which ended it", "{at} `until` 成立，不再继续"),
    "ended_closed": ("the case was closed at {at}, which ended it", "{at} 结案，不再继续"),
    "ended_reopened": ("the case was reopened at {at}, which ended it", "{at} 重新打开，不再继续"),
    "closed": ("its moment had not come when the case was closed at {at}", "{at} 结案时还未到触发时刻"),
    "no_event": ("no {type} has come", "没有收到 {type}"),
    "not_happened": ("the case was not {what}", "没有发生：{what}"),
    "clock_not_started": (
        "the clock {clock} has not started; it starts on {start}",
        "时限 {clock} 没有开始；开始条件是 {start}",
    ),
    "clock_running": ("the clock {clock} has not come so far: due {due}", "时限 {clock} 未到：{due} 到期"),
    "clock_running_moment": (
        "its moment is {moment}; the clock {clock} is due {due}",
        "触发时刻为 {moment}；时限 {clock} {due} 到期",
    ),
    "clock_undated": ("the clock {clock} runs and its due is not known", "时限 {clock} 在走，到期时间未知"),
    "clock_dated": (
        "the due of the clock {clock} is known ({due}), and the step is for one that is not",
        "时限 {clock} 到期时间已知（{due}），该步骤只用于未知时",
    ),
    "clock_paused": ("the clock {clock} is paused", "时限 {clock} 已暂停"),
    "clock_stopped_met": (
        "the clock {clock} was stopped in time at {stopped_at} (due {due})",
        "时限 {clock} 已于 {stopped_at} 按时停止（原定 {due} 到期）",
    ),
    "clock_stopped": (
        "the clock {clock} was stopped at {stopped_at} (due {due})",
        "时限 {clock} 已于 {stopped_at} 停止（原定 {due} 到期）",
    ),
    "clock_breached": (
        "the clock {clock} ran out at {breached_at}, and the record has nothing of this step",
        "时限 {clock} 已于 {breached_at} 超时，没有该步骤的记录",
    ),
    "fact_unknown": ("{fact}, which names its moment, is not known", "触发时刻取自 {fact}，而它未知"),
    "moment_ahead": ("its moment has not come: {moment}", "还未到触发时刻：{moment}"),
    "condition_never": (
        "what sets it off was not true at any event: {condition}",
        "触发条件从未成立：{condition}",
    ),
    "past": ("its moment came, and the record does not say what was decided", "触发时刻已到，没有记录"),
    "not_kept": (
        "its moment came, but was decided before explanations were kept",
        "触发时刻已到，但作出决定时还没有保存解释",
    ),
}

NO_SUBJECT = (
    (
        "There is no case {subject!r}, and no event of that subject waits for one; "
        "`reeve cases list --state all` shows what there is, `--event ID` looks for an event."
    ),
    (
        "没有工单 {subject!r}，也没有该编号的事件在等待；`reeve cases list --state all` 列出全部工单，"
        "`--event ID` 查找事件。"
    ),
)
NO_EVENT = ("No event with the id {event!r} was ever accepted.", "从未接收过编号为 {event!r} 的事件。")
ONE_OF_THEM = ("Name a case, or a subject, or --event ID: one of them.", "请写工单、编号或 --event ID，三者之一。")
MOMENT = (
    "write it like '2026-02-13 17:55' (at the site) or 2026-02-13T17:55:00+08:00.",
    "请写成 '2026-02-13 17:55'（站点当地）或 2026-02-13T17:55:00+08:00。",
)

OUTCOMES: Texts = {
    "delivered": ("delivered", "已送达"),
    "sent": ("sent", "已发送"),
    "merged": ("went out with {into}", "并入 {into} 发出"),
    "unsure": (
        "nobody knows whether it arrived; a receipt is awaited until {until}",
        "不确定是否送达，等待回执至 {until}",
    ),
    "held": ("held until {until} ({hold})", "暂缓至 {until}（{hold}）"),
    "held_quiet": ("waits until {until} (the person's quiet hours)", "等到 {until} 再发（本人免打扰时段）"),
    "held_merge": (
        "waits until {until}, to go out with more of the same matter",
        "等到 {until}，与同一事项合并发送",
    ),
    "held_daily": ("waits until {until}: one payment reminder a day", "等到 {until}：每日一次缴费提醒"),
    "held_digest": ("waits until {until} for the digest of mild grades", "等到 {until}，随低等级汇总发送"),
    "held_budget": ("waits until {until}: the month's SMS budget is spent", "等到 {until}：本月短信额度已用完"),
    "suppressed_silenced": ("not sent: the silence {silence} hides it", "未发送：被 {silence} 静默"),
    "suppressed_over_budget": (
        "not sent: the month's SMS budget is spent, and the grade is a mild one",
        "未发送：本月短信额度已用完，且等级较低",
    ),
    "failed": ("FAILED: every delivery failed", "失败：全部未能送达"),
    "waits": ("on its way", "发送中"),
    "quiet": ("waits until {until} (quiet or opening hours)", "等到 {until} 再发（免打扰或营业时间）"),
    "overtaken": ("not sent: a newer round overtook it", "未发送：已被更新的一轮取代"),
    "suppressed_acknowledged": ("not sent: the case was acknowledged first", "未发送：此前已确认"),
    "suppressed_case_closed": ("not sent: the case was closed first", "未发送：此前已结案"),
    "suppressed": ("not sent ({why})", "未发送（{why}）"),
    "undeliverable": ("NOBODY of the role can be reached", "该角色无人可通知"),
    "undeliverable_next": (
        "NOBODY of the role can be reached; {next_role} is told instead",
        "该角色无人可通知，改为通知 {next_role}",
    ),
    "undeliverable_all": (
        "NOBODY was told: nobody of the role can be reached, nor of those above it",
        "没有通知到任何人：该角色及其上级均无人可通知",
    ),
    "others": ("went to {others}, not to {who}", "发给了 {others}，没有发给 {who}"),
    "unknown": ("the record does not say what became of it", "没有结果的记录"),
}

EFFECTS: Texts = {
    "opened": ("opened", "开立"),
    "reopened": ("reopened", "重新打开"),
    "closed": ("closed: {outcome}", "结案：{outcome}"),
    "acknowledged": ("acknowledged", "已确认"),
    "graded": ("graded {grade} (was {was})", "定级 {grade}（原为 {was}）"),
    "clock_started": ("clock {clock} starts, due {due}", "时限 {clock} 开始，{due} 到期"),
    "clock_resumed": ("clock {clock} goes on, due {due}", "时限 {clock} 恢复，{due} 到期"),
    "clock_paused": ("clock {clock} pauses", "时限 {clock} 暂停"),
    "clock_stopped": ("clock {clock} stops", "时限 {clock} 停止"),
    "breached": ("BREACHED {clock}, was due {due}", "超时：{clock}，原定 {due} 到期"),
    "corrected": ("{clock} was in time after all", "更正：{clock} 实为按时"),
    "notify": ("tells {to}: {message}", "通知 {to}：{message}"),
    "suppressed": ("not sent: {step}", "未发送：{step}"),
    "escalated": ("escalates {step} to level {level}", "{step} 升级到第 {level} 级"),
    "undeliverable": ("nobody of {to} can be reached", "{to} 无人可通知"),
    "child_opened": ("opens the case {child}", "另开立工单 {child}"),
    "adopted": ("goes on with other rules ({on_change})", "改用新的规则（{on_change}）"),
    "delayed": ("{step} waits {minutes} minutes longer", "{step} 推迟 {minutes} 分钟"),
    "scored": ("scores {points} to {to}", "计分 {points}，{to}"),
}

WORDS: Texts = {
    "brackets": (" ({words})", "（{words}）"),
    "version": ("rules {file}, version {version}", "规则 {file}，版本 {version}"),
    "unreadable": (
        "the rules of that decision are not on record, or this release can't read them",
        "当时的规则没有保存，或本版本无法读取",
    ),
    "as_of": ("as of {at}", "截至 {at}"),
    "open": ("open", "进行中"),
    "closed": ("closed", "已结案"),
    "not opened yet": ("not opened yet", "尚未开立"),
    "not_kept": (
        "Some of this was decided before explanations were kept.",
        "部分决定作出时还没有保存解释。",
    ),
    "event": ("event {event}", "事件 {event}"),
    "typed_event": ("{type} (event {event})", "{type}（事件 {event}）"),
    "clock": ("the clock {clock}", "时限 {clock}"),
    "clock_behind": (
        "the clock {clock} started {started_at}, limit {limit} ({rule})",
        "时限 {clock} 自 {started_at} 起，时长 {limit}（{rule}）",
    ),
    "not_stopped": (
        "{cause} at {at} did not stop it: the `if` did not hold ({rule})",
        "{at} 的{cause}没有使它停止：`if` 不成立（{rule}）",
    ),
    "because": ("because of {cause}", "原因：{cause}"),
    "not_worse": ("not {grade} ({rule}), as looked at {at}:", "不是 {grade}（{rule}，{at} 时判断）："),
    "milder": (
        "The facts call for {grade} by now; by itself a grade only gets worse.",
        "按现有事实应为 {grade}；等级不会自动降低。",
    ),
    "was": ("{name} was {value}", "{name} 为 {value}"),
    "unknown": ("{name} was not known", "{name} 未知"),
    "hidden": ("{name} is personal (--facts shows it)", "{name} 涉及个人信息（加 --facts 显示）"),
    "holds": ("held", "成立"),
    "fails": ("did not hold", "不成立"),
    "disagrees": (
        "the rule as kept gives another answer now, so its parts are not named",
        "按保存的规则现在得出不同结果，因此不列出各部分",
    ),
    "nothing": ("nothing followed from it", "没有引起任何变化"),
    "opened_by": ("{policy} took it: its `if` held ({rule})", "由 {policy} 受理：`if` 成立（{rule}）"),
    "opened_any": ("{policy} takes every such event", "{policy} 受理所有此类事件"),
    "child_of": ("opened by a step of {parent}", "由 {parent} 的步骤开立"),
    "refused": ("did not take it: {policies}", "没有受理：{policies}"),
    "untaken": (
        "{at}  {type} (event {event}): no policy takes it",
        "{at}  {type}（事件 {event}）：没有策略受理",
    ),
    "untaken_waits": (
        "{at}  {type} (event {event}): no case was there for it, and it opens none",
        "{at}  {type}（事件 {event}）：没有对应的工单，且它不会开立工单",
    ),
    "taken_since": ("it waited, and this case took it when it opened", "等待之后，本工单开立时已受理"),
    "refused_if": ("{policy}: its `if` did not hold ({rule})", "{policy}：`if` 不成立（{rule}）"),
    "refused_plain": ("{policy}: its `if` did not hold", "{policy}：`if` 不成立"),
    "round": ("round {round}", "第 {round} 轮"),
    "then": ("level {level}", "第 {level} 级"),
    "as_role": ("{recipient} as {role} by {channel}: {state}", "{recipient}（{role}，{channel}）：{state}"),
    "nobody": ("{role}: {state}", "{role}：{state}"),
    "times": ("{times} times, the last", "共 {times} 次，最近一次"),
    "also_ended": ("then {reason}", "之后{reason}"),
    "no_steps": ("There is none.", "没有。"),
    "who_nothing": (
        "No step of this case concerns {who} (roles for this case as recipients stand now: {roles}).",
        "本工单没有与 {who} 有关的步骤（按现有接收人，其角色：{roles}）。",
    ),
    "who_unknown": (
        "No step of this case concerns {who}: none tells such a role, and nobody at the site or above has that id.",
        "本工单没有与 {who} 有关的步骤：没有步骤通知这个角色，本站点及其上级也没有该编号的接收人。",
    ),
    "who_roles": (
        "{who} has for this case, as recipients stand now: {roles}",
        "按现有接收人，{who} 在本工单中的角色：{roles}",
    ),
    "state_waits": ("no case takes it so far; it waits for one", "目前没有工单受理，正在等待"),
    "state_taken": ("taken", "已受理"),
    "state_undecided": ("accepted, and not decided yet", "已接收，尚未处理"),
    "state_refused": ("it can't be applied, and is in the dead letters: {why}", "无法处理，已进入死信：{why}"),
    "untaken_before": ("Before, it waited:", "此前曾等待："),
    "went_to": ("{case} (rules version {version})", "{case}（规则版本 {version}）"),
    "is_closed_list": (", ", "、"),
    "none": ("none", "无"),
}


def say(texts: Texts, code: str, lang: str, particulars: Mapping[str, Any]) -> str:
    """The text in that language, filled in; a particular that is not there is a dash."""
    return texts[code][lang == "zh"].format_map(_Particulars(particulars))


class _Particulars(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "-"
