"""What `reeve demo` says, in English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping

SCENES: Mapping[str, tuple[tuple[str, str], tuple[str, str]]] = {
    "leak": (
        ("A ceiling leaks, and ten households report it", "天花板漏水，十户先后投诉"),
        (
            (
                "The third report makes it serious, the tenth extraordinary, for all ten cases; the general "
                "manager hears of it once, not ten times. Nine households are answered. One is forgotten: its "
                "clock runs."
            ),
            (
                "第三户投诉时升为 serious，第十户时升为 extraordinary，十张工单同时升级；"
                "总经理只收到一次通知，而不是十次。九户得到答复，一户被遗忘：它的时限还在走。"
            ),
        ),
    ),
    "pipe": (
        ("A pipe bursts", "水管爆裂"),
        (
            (
                "An emergency: a technician on site within 15 minutes, day or night. He is there in time, and a "
                "follow-up visit is opened by itself."
            ),
            "紧急维修：不分昼夜，维修人员 15 分钟内到场。他按时到达，回访工单自动开立。",
        ),
    ),
    "unanswered": (
        ("An ordinary complaint that nobody answers", "一件无人答复的普通投诉"),
        (
            (
                "Ten minutes to answer. It was opened 26 minutes ago and is posted only now: the supervisor's "
                "three reminders are in its timeline, of which only the newest is sent, and the property manager "
                "is told."
            ),
            (
                "应在十分钟内答复。它在 26 分钟前开立，现在才上报：给主管的三次提醒都在时间线里，只发出最新的一次，"
                "并通知物业经理。"
            ),
        ),
    ),
    "letter": (
        ("A letter for somebody who moved away", "收件人已搬走的信件"),
        (
            (
                "It is kept apart for at most two weeks, and the addressee is phoned within them. It came 15 days "
                "ago."
            ),
            "另行保管，最多两周，期间应电话联系收件人。它是 15 天前到的。",
        ),
    ),
    "bill": (
        ("A bill goes overdue", "一张账单逾期"),
        (
            (
                "A notice before the due date, a friendly reminder, a second one after two months, a dunning "
                "letter after three. Then it is paid, and everything about it ends."
            ),
            "到期前通知，逾期后友好提醒，两个月后再次提醒，三个月后发催款告知书。随后缴清，一切随之结束。",
        ),
    ),
    "forgotten": (
        ("The forgotten household", "被遗忘的那一户"),
        (
            "An extraordinary complaint is answered within one minute. That minute is real time: wait for it.",
            "extraordinary 级投诉应在一分钟内答复。这一分钟是真实时间，请稍候。",
        ),
    ),
}
"""Title, and what to watch for."""

POSTS: Mapping[str, tuple[str, str]] = {
    "leak_reported": ("household {number} reports the leak", "第 {number} 户报告漏水"),
    "leak_answered": ("household {number} is answered", "第 {number} 户得到答复"),
    "pipe_reported": ("a burst pipe is reported", "有人报告水管爆裂"),
    "pipe_assigned": ("a technician has it", "派给维修人员"),
    "pipe_taken": ("he takes it", "他已接单"),
    "pipe_arrived": ("he is there", "他已到场"),
    "pipe_resolved": ("the pipe holds again", "水管修好了"),
    "noise": ("noise from the pump room, 26 minutes ago", "水泵房噪声，26 分钟前"),
    "letter": ("a letter, 15 days ago", "一封信，15 天前"),
    "billed": ("1,836.50 yuan, due {day}", "1,836.50 元，{day} 到期"),
    "paid": ("paid today", "今天缴清"),
}
"""What a front desk would say of an event."""

WORDS: Mapping[str, tuple[str, str]] = {
    "starting": (
        "Starting Reeve in a temporary folder; that takes some seconds…",
        "正在临时文件夹中启动 Reeve，需要几秒…",
    ),
    "no_file": (
        "{path} does not exist here; run it in Reeve's folder or name another",
        "这里没有 {path}；请在 Reeve 的文件夹中运行，或另外指定",
    ),
    "no_answer": ("Nothing answers at REEVE_URL ({url}).", "REEVE_URL（{url}）没有应答。"),
    "real": (
        "This Reeve sends through real providers, and so would the demo; add --real-providers if you mean it.",
        "这个 Reeve 通过真实的服务商发送，演示也会如此；确需如此请加 --real-providers。",
    ),
    "not_imported": ("The recipients can't be imported: {said}", "人员无法导入：{said}"),
    "people": ("People who can be told: ", "可以通知的人员："),
    "refused": ("Intake answered {status} to {type}.", "intake 对 {type} 的应答是 {status}。"),
    "set_key": (" Set REEVE_API_KEY.", "请设置 REEVE_API_KEY。"),
    "again_longer": (
        "Reeve for longer; then, in another terminal, the demo again",
        "让 Reeve 一直运行；然后在另一个终端再次演示",
    ),
    "why_steps": (
        "why each step of the forgotten household's case happened",
        "被遗忘那一户的工单，每一步的原因",
    ),
    "late_now": ("what is late now", "现在已超时的"),
    "follow": ("follow the topics while the demo plays again", "再次演示时跟踪各主题"),
    "edit": ("edit rules/messages/complaint.yaml", "修改 rules/messages/complaint.yaml"),
    "edited": ("change a text, save, play the demo again", "改一段文字，保存，再次演示"),
    "whole": ("the emails and SMS, whole", "邮件和短信全文"),
    "late": ("   (posted late, on purpose)", "   （有意补发）"),
    "post": ("   post   ", "   上报   "),
    "case": ("{policy} {subject}: ", "{policy} {subject}："),
    "cases": ("{policy} {subject} +{more} more: ", "{policy} {subject} 和另外 {more} 张："),
    "held": (" (not before {at}: quiet or closed now)", "（{at} 之后才发：现为免打扰或非营业时间）"),
    "email": ("email", "邮件"),
    "sms": ("SMS", "短信"),
    "to": ("to {whom}{others}{times}: ", "发给 {whom}{others}{times}："),
    "comma": (", ", "、"),
    "others": (" and {n} more", " 和另外 {n} 个"),
    "times": (" ({n} of these)", "（共 {n} 条）"),
    "over": ("\nThat was the morning.", "\n这个上午结束了。"),
    "became": (
        "   {events} events became {cases} cases; graded: {grades}.",
        "   {events} 个事件成为 {cases} 张工单；定级：{grades}。",
    ),
    "requested": (
        (
            "   {breached} deadlines passed, {notifications} notifications were requested, {suppressed} older "
            "rounds left unsent."
        ),
        "   {breached} 个时限超时，要求发出 {notifications} 条通知，{suppressed} 条较早的不再发送。",
    ),
    "arrived": ("   {sms} SMS and {emails} emails arrived.", "   收到 {sms} 条短信和 {emails} 封邮件。"),
    "night": (
        "   {n} notifications wait: it is night at the site, and its quiet hours hold them back.",
        "   {n} 条通知在等待：站点现在是夜间，免打扰时段内不发。",
    ),
    "missing": ("   Not seen: {what}", "   未出现：{what}"),
    "next": ("\nTry next", "\n接下来可以"),
}
