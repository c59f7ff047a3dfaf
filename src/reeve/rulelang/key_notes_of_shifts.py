"""What editors show about the keys of rota files."""

from __future__ import annotations

from reeve.rulelang.key_notes import Note, Notes
from reeve.rulelang.shapes import Shape
from reeve.rulelang.shift_shapes import LayerShape, RotaShape

SHIFT_NOTES: dict[type[Shape], Notes] = {
    LayerShape: {
        "": Note(
            "A layer",
            "Shifts that repeat, and the groups that take turns at them.",
            "重复的班次，以及轮流上班的各组。",
        ),
        "start": Note(
            "First day",
            "The first day with a shift; turns are counted from here.",
            "第一天；轮次从这一天算起。",
            ("2026-11-02",),
        ),
        "until": Note("Last day", "The last day on which a shift begins.", "此后不再有班次开始。"),
        "shifts": Note(
            "Shifts of a day",
            "Name → hours; hours that end before they begin end the next day.",
            "班次名 → 起止时间；结束早于开始的，在次日结束。",
            keys=("early", "late", "night"),
        ),
        "every": Note(
            "Every",
            "How often the next group's turn comes; without `shifts` also at what time.",
            "多久轮换一次；没有 `shifts` 时还要写交接时间。",
            ("day at 08:00", "2 days at 08:00", "week on mon at 08:00", "day", "week on mon"),
        ),
        "days": Note(
            "Weekdays",
            "On these days its shifts begin; without it on every day.",
            "只在这些日子有班次；不写则每天都有。",
            ("mon-fri", "sat, sun"),
        ),
        "turns": Note(
            "Turns",
            "Who is on, turn after turn; with `shifts` a map of shift → group for each turn; `nobody` is free.",
            "各轮由谁当班；有 `shifts` 时每轮写 班次 → 组；`nobody` 表示无人。",
        ),
    },
    RotaShape: {
        "": Note("A rota", "Who is on shift for a role at a place.", "某地点某角色的值班安排。"),
        "place": Note(
            "Place", "Id of the site, or of the organisation above it.", "站点或其上级组织的编号。", offer="sites"
        ),
        "role": Note("Role", "The role that rules name.", "规则中写的角色。", offer="roles"),
        "title": Note("Title", "What people call it, by language.", "名称，按语言。", keys=("zh", "en")),
        "zone": Note("Time zone", "Of its wall times; without it the site's.", "班次时间所属时区；不写用站点的。"),
        "hand_over": Note(
            "Hand-over told",
            "Whether the next shift is told at each hand-over; true unless you say false.",
            "交接班时是否通知接班人；默认 true。",
        ),
        "groups": Note("Groups", "Name → recipient ids of those who work together.", "组名 → 一起上班的人员编号。"),
        "layers": Note(
            "Layers",
            "Several sets of shifts at once, as for weekdays and weekends; all who are on count.",
            "同时有几套班次时使用，例如平日和周末；各套当班的人都算。",
        ),
    },
}
