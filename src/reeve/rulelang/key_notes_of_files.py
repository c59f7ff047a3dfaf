"""The keys of all files but policies, as editors explain them."""

from __future__ import annotations

from reeve.rulelang.facts import FactShape
from reeve.rulelang.files import (
    CalendarShape,
    DutyShape,
    LateShape,
    QuietShape,
    ReportShape,
    ScoreShape,
    SiteShape,
)
from reeve.rulelang.flood_shapes import BudgetShape, DigestShape
from reeve.rulelang.key_notes import Note, Notes
from reeve.rulelang.key_notes_of_policies import TITLE
from reeve.rulelang.known_names import ALL_EVENT_TYPES, CHANNELS
from reeve.rulelang.scenarios import EFFECTS, EventShape, ScenarioShape
from reeve.rulelang.shapes import Shape
from reeve.rulelang.sites import DAYS

FILE_NOTES: dict[type[Shape], Notes] = {
    SiteShape: {
        "": Note(
            "Site",
            "Settings of every site (site.yaml) or of one (sites/<site>.yaml).",
            "所有站点（site.yaml）或某站点（sites/<站点>.yaml）的设置。",
        ),
        "language": Note("Language version", "The version of the rule language.", "规则语言的版本。", only=("1",)),
        "title": TITLE,
        "zone": Note(
            "Time zone",
            "The IANA name of the site's zone.",
            "站点时区的 IANA 名称。",
            ("Asia/Shanghai", "Europe/Berlin", "UTC"),
        ),
        "locale": Note(
            "Language",
            "The language of texts where a reader has none of their own.",
            "读者没有设定语言时所用的语言。",
            ("zh", "en"),
        ),
        "calendar": Note(
            "Calendar",
            "A file in calendars/; `none`: Monday to Friday.",
            "calendars/ 中的文件；`none`：周一至周五。",
            ("cn", "none"),
        ),
        "parent": Note(
            "Organisation above",
            "Where a role is looked for that the site itself does not have.",
            "本站点没有某角色时，到哪个上级组织去找。",
        ),
        "opening": Note(
            "Opening hours",
            "Day → spans, or `closed`; `default` for days not named.",
            "星期 → 时段，或 `closed`；`default` 用于没有写到的日子。",
            keys=("default", *DAYS),
            only_keys=True,
        ),
        "channels": Note(
            "Channels",
            "Grade → channels in the order tried; `default` for all others.",
            "等级 → 渠道，按先后；`default` 用于其余等级。",
            only=CHANNELS,
            keys=("default",),
            key_offer="grades",
        ),
        "quiet": Note(
            "Quiet hours",
            "Nothing is sent then but what is excepted; `none` takes it back at one site.",
            "此时段不发送，例外除外；某站点写 `none` 则取消。",
        ),
        "owner_messages": Note(
            "Messages to owners",
            "Reminders to owners only in opening hours, or at any time.",
            "给业主的提醒：只在开放时间，或任何时间。",
        ),
        "merge": Note(
            "Window",
            "What is said of one case to one person within so long becomes one message; `none`: each on its own.",
            "同一工单在此时长内发给同一人的通知合并为一条；`none`：逐条发送。",
            ("10m", "none"),
        ),
        "digest": Note(
            "Digest",
            "Messages of these grades wait and go out together, never the two worst; `none` takes it back.",
            "这些等级的通知先积攒，再汇总成一条；最严重的两级除外。某站点写 `none` 则取消。",
        ),
        "payment_reminders": Note(
            "Payment reminders",
            "At most one a day to an owner, across all bills, or all of them.",
            "催缴提醒：每位业主每天最多一条（所有账单合计），或不限。",
        ),
        "sms_budget": Note(
            "SMS budget",
            "Segments a month; where it does not last, milder grades go by email or wait for the digest.",
            "每月短信条数上限；不够用时，较轻等级改发邮件或等待汇总。`none`：不限。",
        ),
        "subjects": Note(
            "Case numbers",
            "`digest`: on the bus case numbers stand as digests.",
            "`digest`：总线上工单编号以摘要代替。",
        ),
        "ladder": Note(
            "Role ladder",
            "Role → whom to tell when nobody of it can be reached.",
            "角色 → 无人可达时通知谁。",
            offer="roles",
            key_offer="roles",
        ),
        "vocabulary": Note(
            "Vocabulary", "Words of your own for facts: word → fact.", "自己的用词：词 → 事实。", offer="facts"
        ),
    },
    QuietShape: {
        "": Note(
            "Quiet hours",
            "From when to when, and which grades are sent all the same.",
            "起止时间，以及哪些等级照发。",
        ),
        "from": Note("From", "Time of day at the site, in quotes.", "当地时间，加引号。", ("21:00",)),
        "to": Note("To", "Time of day at the site, in quotes.", "当地时间，加引号。", ("08:00",)),
        "except": Note("Except", "Grades that are sent at any time.", "这些等级随时发送。", offer="grades"),
    },
    DigestShape: {
        "": Note(
            "Digest",
            "Which grades wait, and for when: `at` or `every`.",
            "哪些等级等待，以及何时发送：`at` 或 `every`。",
        ),
        "grades": Note("Grades", "Messages of these grades wait.", "这些等级的通知等待汇总。", offer="grades"),
        "at": Note("At", "Times of day at the site, in quotes.", "当地时间，加引号。", ("09:00", "17:00")),
        "every": Note(
            "Every",
            "Counted from midnight at the site; 15m to 24h.",
            "从当地零点起算；15m 到 24h。",
            ("2h", "30m"),
        ),
    },
    BudgetShape: {
        "": Note("SMS budget", "Per calendar month at the site.", "按站点当地的自然月计。"),
        "segments": Note(
            "Segments",
            "SMS as they are billed: a long text takes several. 0: no budget.",
            "按计费条数：长短信占多条。0：不限。",
            ("5000",),
        ),
    },
    CalendarShape: {
        "": Note(
            "Calendar",
            "Working days, as far as they differ from Monday to Friday.",
            "与周一至周五不同的工作日安排。",
        ),
        "name": Note("Name", "The file's name without `.yaml`.", "与文件名相同（不含 `.yaml`）。"),
        "known_until": Note(
            "Known until",
            "Later days count as Monday to Friday; deadlines there are provisional.",
            "此后按周一至周五计，时限为暂定。",
            ("2026-12-31",),
        ),
        "holidays": Note("Days off", "Days that are not worked.", "放假的日子。", ("2026-10-01",)),
        "workdays": Note(
            "Days worked", "Saturdays and Sundays that are worked.", "调休上班的周末。", ("2026-10-10",)
        ),
    },
    DutyShape: {
        "": Note(
            "A duty",
            "Comes round by the calendar, opens a case, and is told when it is late.",
            "按日历到期，开立工单；超时通知。",
        ),
        "duty": Note(
            "Name",
            "Its evidence is an event with the subject `<duty>/<date>`.",
            "完成凭据是编号为 `<职责>/<日期>` 的事件。",
            ("ledger_check",),
        ),
        "title": TITLE,
        "every": Note(
            "Every",
            "When it comes round.",
            "多久一次。",
            (
                "day at 17:00 working days",
                "week on mon,thu",
                "month on 30 at 09:00",
                "june, december on 1",
                "half year",
            ),
        ),
        "who": Note("Who", "The role that does it.", "由哪个角色完成。", offer="roles"),
        "sites": Note(
            "Sites", "Only at these; without it at every site.", "只在这些站点；不写则所有站点。", offer="sites"
        ),
        "unless": Note(
            "Unless",
            "`rota`: not at sites where all of `who` have a rota that tells its hand-overs: one message is enough.",
            "`rota`：`who` 中的角色在该站点都有值班表（并通知交接）时不再到期，由值班表通知。",
        ),
        "sample": Note(
            "Sample",
            "It comes only on this share of its days; with a report, the report looks at this share of the cases.",
            "只在这一比例的日子到期；有统计表时，只统计这一比例的工单。",
            ("20%",),
        ),
        "limit": Note("Limit", "How long there is for it.", "多长时间内完成。", ("same day",), offer="limits"),
        "message": Note(
            "Message",
            "The message's name; without it the duty's own name.",
            "消息名；不写则用职责名。",
            offer="messages",
        ),
        "via": Note("Channels", "Instead of the site's own.", "不用站点的渠道，改用这些。", only=CHANNELS),
        "quiet": Note(
            "Quiet hours",
            "`ignore`: told at its hour, though the site is quiet.",
            "`ignore`：免打扰时段也按时通知。",
        ),
        "late": Note("When late", "Who is told when the limit has passed.", "超时后通知谁。"),
        "report": Note("Report", "A table that is given to the message.", "交给消息的一张统计表。"),
    },
    LateShape: {"": Note("When late", "Who is told when the limit has passed.", "超时后通知谁。")},
    ReportShape: {
        "": Note("Report", "Cases of a period, counted.", "一段时间内工单的统计。"),
        "cases": Note("Cases of", "A policy, or a list of policies.", "哪些策略的工单。", offer="policies"),
        "period": Note("Period", "It ends when the duty comes.", "到职责到期时为止的一段时间。"),
        "by": Note("Grouped by", "Facts, or `grade`.", "按哪些事实分组。", ("grade", "department"), offer="facts"),
        "if": Note("Which cases", "Only cases for which it holds.", "只统计符合条件的工单。", offer="conditions"),
        "having": Note(
            "Which rows",
            "Only rows for which it holds; `count` is the row's number.",
            "只列出符合条件的行；`count` 为该行工单数。",
            ("count >= 1",),
        ),
        "sum": Note("Added up", "Facts added up in each row.", "每行合计的事实。", ("owed_cny",), offer="facts"),
        "sample": Note("Sample", "Only this share of the cases.", "只统计这一比例的工单。", ("20%",)),
    },
    ScoreShape: {
        "": Note("A score", "Points for what happened.", "对发生的事情计分。"),
        "points": Note("Points", "Negative: taken off.", "负数为扣分。", ("-2",)),
        "on": Note(
            "For what",
            "`<policy>.<clock> breached`, or an event.",
            "`<策略>.<时限> breached`，或事件。",
            ("complaint.resolve breached",),
            offer="events",
        ),
        "if": Note("Only if", "A condition, looked at then.", "届时判断的条件。", offer="conditions"),
        "to": Note(
            "Whose",
            "The fact that says whose points they are.",
            "记在谁名下：事实名。",
            ("department", "assignee"),
            offer="facts",
        ),
        "fact": Note("Source", "The number of the written rule.", "依据的条款编号。", ("SCORE-01",)),
        "title": TITLE,
    },
    FactShape: {
        "": Note("A promise", "What the written procedures promise.", "书面规程中的一条承诺。"),
        "kind": Note(
            "Kind", "`manner`: how people behave, which no rule can see.", "`manner`：行为规范，规则看不到。"
        ),
        "text": Note(
            "Text",
            "What is promised; one text, or language → text.",
            "承诺的内容：一个文本，或 语言 → 文本。",
            key_offer="languages",
        ),
        "reason": Note(
            "Reason", "For a `manner`: why there is no rule.", "`manner` 时：为何没有规则。", key_offer="languages"
        ),
    },
    ScenarioShape: {
        "": Note(
            "A scenario", "Events that are posted, and what must come of them.", "发出哪些事件，必须有什么结果。"
        ),
        "test": Note("What is tested", "A sentence.", "一句话说明。"),
        "site": Note("Site", "Where the events happen.", "事件所在站点。", ("sunshine-garden",), offer="sites"),
        "policy": Note("Policy", "Only this policy's lines are looked at.", "只看该策略的记录。", offer="policies"),
        "events": Note("Events", "In the order posted.", "按发出顺序。"),
        "expect": Note(
            "Expected",
            "Each needs a timeline line of its own that has all its keys.",
            "每条须有一行时间线记录与之完全相符。",
        ),
        "never": Note("Never", "No timeline line may match one of these.", "不得有任何记录与之相符。"),
        "from": Note(
            "From",
            "Duties come from here on; without it from 00:00 of the earliest day that is mentioned.",
            "职责从此刻起到期；不写则从所提到的最早一天的零点起。",
            ("2026-02-13 08:00",),
        ),
        "until": Note("Until", "The clock is run to here.", "把时钟拨到此刻。", ("2026-02-14 08:00",)),
        "recipients": Note("Recipients", "Who holds which role.", "谁担任什么角色。"),
    },
    EventShape: {
        "": Note("An event", "As a site's system would post it.", "站点系统发出的事件。"),
        "at": Note(
            "At",
            "The site's local time unless an offset is given.",
            "未写时差时为当地时间。",
            ("2026-02-13 17:50",),
        ),
        "type": Note("Type", "What happened.", "发生了什么。", only=ALL_EVENT_TYPES),
        "subject": Note("Subject", "The number of the matter.", "事项编号。", ("T-1",)),
        "site": Note("Site", "Another site than the scenario's.", "与场景不同的站点。", offer="sites"),
        "source": Note("Source", "Who posts it; made up where missing.", "来源；可不写。"),
        "id": Note("Id", "Its own number; made up where missing.", "事件编号；可不写。"),
        "data": Note("Data", "The fields it carries; null removes one.", "事件带的字段；null 为删除。"),
    },
}

EXPECTATION_NOTES: Notes = {
    "": Note(
        "Expected", "The keys that a timeline line must have, with these values.", "时间线记录必须有的键和值。"
    ),
    "at": Note(
        "At", "The moment; local time without an offset.", "时刻；未写时差为当地时间。", ("2026-02-13 17:55",)
    ),
    "effect": Note("Effect", "What happened to the case.", "工单发生了什么。", only=EFFECTS),
    "case": Note("Case", "The subject of the case.", "工单编号。"),
    "policy": Note("Policy", "Its policy.", "策略。", offer="policies"),
    "clock": Note("Clock", "Which clock.", "哪个时限。", ("respond",)),
    "step": Note("Step", "Which step.", "哪个步骤。"),
    "child": Note("Child", "The case opened.", "所开立的子工单。"),
    "to": Note("To", "The roles told, as a list.", "通知的角色（列表）。", offer="roles"),
    "grade": Note("Grade", "The grade.", "等级。", offer="grades"),
    "was": Note("Was", "What it was before.", "此前的值。"),
    "due": Note("Due", "When the clock runs out; null: unknown.", "时限到期时刻；null 为未知。"),
    "run": Note("Run", "Which run of the clock, from 1.", "第几轮，从 1 起。"),
    "left": Note("Left", "What was left.", "剩余。"),
    "met": Note("Met", "Whether it was in time.", "是否按时。"),
    "via": Note("Channels", "The channels, as a list.", "渠道（列表）。"),
    "message": Note("Message", "The message sent.", "所发消息。", offer="messages"),
    "level": Note("Level", "Which rung of the step.", "步骤的第几级。"),
    "outcome": Note("Outcome", "What came of it.", "结果。"),
    "because": Note("Because", "The rule and the event behind it.", "依据的规则和事件。"),
    "late": Note("Late", "true: was past already when the case opened.", "true：开立时已经过了。"),
    "provisional": Note("Provisional", "true: the calendar does not reach that far.", "true：超出日历范围，暂定。"),
    "on_change": Note("On change", "What moved the case to another file.", "工单因何改用另一版本。"),
    "now": Note("Now", "What it is afterwards.", "此后的值。"),
    "points": Note("Points", "The points given.", "所计分数。"),
    "fact": Note("Source", "The number of the written rule.", "依据的条款编号。"),
    "by": Note("By", "Who did it.", "由谁操作。"),
    "minutes": Note("Minutes", "How much later the step goes on.", "该步骤推迟多少分钟。"),
}
