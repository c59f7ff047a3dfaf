"""The keys of a policy file, as editors explain them."""

from __future__ import annotations

from reeve.domain.events import FAMILIES
from reeve.rulelang.files import (
    ClockShape,
    CountShape,
    GradeShape,
    OpenShape,
    PauseShape,
    PolicyShape,
    RepeatShape,
    RungShape,
    StepShape,
    ThenShape,
)
from reeve.rulelang.key_notes import Note, Notes
from reeve.rulelang.known_names import CHANNELS
from reeve.rulelang.shapes import Shape

TITLE = Note(
    "Title",
    "What people read; one text, or language → text.",
    "给人看的名称：一个文本，或 语言 → 文本。",
    key_offer="languages",
)

POLICY_NOTES: dict[type[Shape], Notes] = {
    PolicyShape: {
        "": Note(
            "Policy", "How one kind of case is graded, timed and escalated.", "一类工单如何定级、计时、升级。"
        ),
        "policy": Note(
            "Name", "The file's name without `.yaml`.", "与文件名相同（不含 `.yaml`）。", ("complaint",)
        ),
        "title": TITLE,
        "takes": Note(
            "Event family", "The family of events that opens these cases.", "由哪一类事件开立。", only=FAMILIES
        ),
        "if": Note(
            "Which cases",
            "Looked at when a case would open, not later.",
            "只在将要开立工单时判断，之后不再看。",
            ('category == "complaint"',),
            offer="conditions",
        ),
        "on_change": Note(
            "Running cases",
            "What running cases do when this file changes. pin (as if left out): they keep the file they opened "
            "with; adopt: they go on with the new one; recompute: grade and clocks are decided anew as well.",
            "本文件改动后，未结工单怎么办。pin（缺省）：沿用开立时的版本；adopt：从此按新版本；"
            "recompute：并重新定级、重算时限。",
        ),
        "on_reopen": Note(
            "Reopened cases",
            "What becomes of the grade of a case that is reopened. raise_grade (as if left out): mishandled, "
            "and is one grade worse; keep_grade: the grade says what the case is, not how grave it has become.",
            "重新打开时等级怎么办。raise_grade（缺省）：视为处理不当，升一级；keep_grade：等级表示类别而非轻重，保持不变。",
        ),
        "opens": Note(
            "Opened by",
            "`child`: only another policy's `open:` opens these cases.",
            "`child`：只由其他策略的 `open:` 开立。",
        ),
        "counts": Note(
            "Counts",
            "Facts counted over the events of the same site: name → what is counted.",
            "对同一站点的事件计数而得的事实：名称 → 数什么。",
        ),
        "grades": Note(
            "Grades",
            "Worst first; the first that holds is taken. Or `from <fact>`: the fact's value is the grade.",
            "从重到轻，取第一个成立的；或写 `from <事实>`，以该事实的值为等级。",
            ("from repair_class",),
        ),
        "clocks": Note(
            "Clocks",
            "Time limits: name → when it starts, what stops it, how long.",
            "时限：名称 → 何时起、何时止、多长。",
        ),
        "steps": Note("Steps", "What is done at which moment, and who is told.", "在什么时刻做什么、通知谁。"),
        "close": Note(
            "Closed by",
            "What closes the case.",
            "什么情况下结案。",
            ("ticket.closed or ticket.cancelled",),
            offer="triggers",
        ),
    },
    CountShape: {
        "": Note(
            "A count", "Includes the event in hand and looks back over `within`.", "含当前事件，向前回看 `within`。"
        ),
        "of": Note(
            "What is counted",
            "An event, with a condition if need be.",
            "数哪种事件，可带条件。",
            ('ticket.opened if event.category == "complaint"',),
            offer="events",
        ),
        "same": Note(
            "Same",
            "Only events whose value of this fact is the same.",
            "只数该事实的值相同的事件。",
            ("incident",),
            offer="facts",
        ),
        "distinct": Note(
            "Distinct",
            "Each value of this fact counts once.",
            "该事实的每个值只数一次。",
            ("customer",),
            offer="facts",
        ),
        "within": Note(
            "Look back",
            "How far back is looked; every count needs it.",
            "回看多久；每个计数都要写。",
            ("30d", "90d", "365d"),
        ),
    },
    GradeShape: {
        "": Note("A grade", "One grade; the worst stand first.", "一个等级；重的写在前面。"),
        "grade": Note(
            "Name",
            "What clocks and steps call this grade.",
            "时限和步骤中引用的等级名。",
            ("major",),
            offer="grades",
        ),
        "title": TITLE,
        "if": Note(
            "When",
            "When a case has this grade; without it: everything else.",
            "何时属于该等级；不写表示其余全部。",
            ("loss_cny >= 10000",),
            offer="conditions",
        ),
    },
    ClockShape: {
        "": Note(
            "A clock",
            "Runs from its start to its stop; breached when the limit passes first.",
            "从起点走到终点；先到时限即超时。",
        ),
        "title": TITLE,
        "start": Note(
            "Starts on", "The event that starts it.", "什么事件开始计时。", ("ticket.opened",), offer="triggers"
        ),
        "stop": Note(
            "Stops on",
            "The event or condition that stops it.",
            "什么事件或条件停止计时。",
            ("ticket.resolved", "owed_cny <= 0"),
            offer="triggers",
        ),
        "pause": Note("Pauses", "The time between is not counted.", "其间的时间不计。"),
        "restart": Note(
            "Restarts",
            "true: the stop event ends a run and begins the next.",
            "true：停止事件结束本轮并开始下一轮。",
        ),
        "limit": Note(
            "Limit",
            "How long, or until when; one value, or grade → value. `default` serves every grade not named.",
            "多长或到何时：一个值，或 等级 → 值；`default` 用于没有写到的等级。",
            ("10m", "2 working days"),
            offer="limits",
            keys=("default",),
            key_offer="grades",
        ),
    },
    PauseShape: {
        "": Note("A pause", "What stops the counting for a while.", "暂停计时。"),
        "from": Note("From", "The event that pauses.", "什么事件开始暂停。", ("ticket.waiting",), offer="events"),
        "to": Note("To", "The event that resumes.", "什么事件恢复计时。", ("ticket.resumed",), offer="events"),
    },
    RungShape: {
        "notify": Note("Who is told", "A role, or a list of roles.", "通知的角色，一个或列表。", offer="roles"),
        "via": Note(
            "Channels",
            "Instead of the site's channels for the grade.",
            "不用站点为该等级设的渠道，改用这些。",
            only=CHANNELS,
        ),
        "message": Note(
            "Message",
            "The message's name; without it the step's own name.",
            "消息名；不写则用步骤名。",
            offer="messages",
        ),
        "repeat": Note("Repetition", "Told again and again until somebody acts.", "重复通知，直到有人处理。"),
        "after": Note(
            "After",
            "In a `then` after something told once: how long later.",
            "用于只通知一次之后的 `then`：隔多久。",
            ("10m",),
            offer="lengths",
        ),
        "raise_grade": Note(
            "Raise the grade", "By how many grades the case becomes worse.", "把等级提高几级。", ("1",)
        ),
        "reopen": Note(
            "Reopen", "true: the case is opened again, one grade worse.", "true：重新打开工单并提高一级。"
        ),
        "open": Note(
            "Open a case",
            "A case of another policy, as this one's child.",
            "另开立一张工单，作为本工单的子工单。",
            offer="policies",
        ),
        "then": Note(
            "Then",
            "The next rung: one interval after the last repetition.",
            "下一级：在最后一次重复之后再过一个间隔。",
        ),
    },
    ThenShape: {"": Note("Next rung", "What is done when that did not help.", "上一级没有结果时再做什么。")},
    RepeatShape: {
        "": Note(
            "Repetition",
            "Needs an end: `times`, the step's `until`, or a clock that the step hangs on.",
            "必须有尽头：`times`、步骤的 `until`，或步骤所依的时限。",
        ),
        "every": Note("Every", "The interval.", "间隔。", ("5m", "1h", "7d"), offer="lengths"),
        "times": Note("Times", "How often in all, the first included.", "总共几次，含第一次。", ("3",)),
    },
    OpenShape: {
        "": Note("A child case", "Its subject is `<parent>~<policy>`.", "其编号为 `<上级工单>~<策略>`。"),
        "policy": Note("Policy", "The policy of the new case.", "新工单的策略。", ("follow_up",), offer="policies"),
    },
    StepShape: {
        "": Note("A step", "Done once for each run of what it hangs on.", "所依的事情每发生一轮，做一次。"),
        "name": Note(
            "Name",
            "Of this policy's own; also the message where none is named.",
            "本策略内唯一；没有写 message 时也是消息名。",
            ("nobody_answered",),
        ),
        "on": Note(
            "When",
            "An event, a clock's moment, a share of its time, or a moment before or after.",
            "事件、时限的某一刻、已过的百分比，或之前之后的某一刻。",
            ("respond breached", "resolve 80%", "starts_at - 1 month"),
            offer="triggers",
        ),
        "if": Note("Only if", "A condition, looked at then.", "届时判断的条件。", offer="conditions"),
        "grades": Note("Only for grades", "A grade, or a list of grades.", "只对这些等级。", offer="grades"),
        "once_per": Note(
            "Once per",
            "Cases with the same value of this fact share one sending.",
            "该事实的值相同的工单只发一次。",
            ("incident",),
            offer="facts",
        ),
        "until": Note(
            "Until", "What ends its repetitions.", "什么情况下不再重复。", ("pay stopped",), offer="triggers"
        ),
        "ack": Note(
            "Acknowledging",
            "`ignore`: it goes on although somebody has taken the case.",
            "`ignore`：有人接手后仍继续。",
        ),
        "sample": Note(
            "Sample",
            "For this share of the cases only; the same cases each time.",
            "只对这一比例的工单，每次都是同一批。",
            ("20%",),
        ),
    },
}
