"""The words of what can be wrong in a rota file."""

from __future__ import annotations

from reeve.rulelang.texts import Texts, error

SHIFT_TEXTS: dict[str, Texts] = {
    "rota_place": error(
        "`{found}` is no id of a place",
        "write the site's id, lower-case letters, digits and -, such as sunshine-garden",
        "`{found}` 不是地点编号",
        "请写站点编号：小写字母、数字和 -，例如 sunshine-garden",
    ),
    "rota_role": error("there is no role `{found}`", "{choice}", "没有角色 `{found}`", "{choice}"),
    "rota_twice": error(
        "there is a rota for {role} at {place} on line {line} already",
        "make one rota of both, with `layers`",
        "第 {line} 行已有 {place} 的 {role} 值班表",
        "请合并为一份，用 `layers` 分层",
    ),
    "rota_zone_needed": error(
        "the time zone of {place} is not known",
        "write `zone: Asia/Shanghai` or another",
        "不知道 {place} 的时区",
        "请写 `zone: Asia/Shanghai` 或其他时区",
    ),
    "rota_no_start": error(
        "nothing says on which day the turns begin",
        "write `start: 2026-11-02`",
        "没有写轮次从哪一天开始",
        "请写 `start: 2026-11-02`",
    ),
    "rota_until": error(
        "`until` lies before `start`",
        "write a later day, or delete it",
        "`until` 早于 `start`",
        "请写更晚的日期，或删除",
    ),
    "rota_no_turns": error(
        "nothing says who is on",
        "write `turns: [A, B]`, or `turns: {{early: A, late: B}}`",
        "没有写由谁当班",
        "请写 `turns: [甲组, 乙组]`，或 `turns: {{早班: 甲组, 晚班: 乙组}}`",
    ),
    "rota_every": error(
        "`{found}` is no rhythm of turns",
        "write `day at 08:00`, `2 days at 08:00` or `week on mon at 08:00`; "
        "with `shifts` without the time: `day`, `week on mon`",
        "`{found}` 不是轮换周期",
        "请写 `day at 08:00`、`2 days at 08:00` 或 `week on mon at 08:00`；"
        "有 `shifts` 时不写时间：`day`、`week on mon`",
    ),
    "rota_every_needed": error(
        "nothing says when the turns change",
        "write `every: day at 08:00`, or `shifts` with their hours",
        "没有写何时交接",
        "请写 `every: day at 08:00`，或用 `shifts` 写出各班时间",
    ),
    "rota_time_twice": error(
        "`shifts` say the hours already",
        "leave the time out: `{right}`",
        "`shifts` 已写明时间",
        "请去掉时间：`{right}`",
    ),
    "rota_time_needed": error(
        "`{found}` says no time of the hand-over",
        "write `{found} at 08:00`, or `shifts` with their hours",
        "`{found}` 没有写交接时间",
        "请写 `{found} at 08:00`，或用 `shifts` 写出各班时间",
    ),
    "rota_span": error(
        "`{found}` are no hours of a shift",
        "write `08:00-16:00`; `20:00-08:00` ends the next day",
        "`{found}` 不是班次时间",
        "请写 `08:00-16:00`；`20:00-08:00` 表示次日结束",
    ),
    "rota_day": error(
        "`{found}` is no weekday",
        "write `mon-fri`, `sat, sun`, or single days",
        "`{found}` 不是星期",
        "请写 `mon-fri`、`sat, sun` 或单个日子",
    ),
    "rota_days_of_turn": error(
        "a turn of several days does not go with `days`",
        "name the hours under `shifts`, or delete `days`",
        "多日一轮的班次不能再写 `days`",
        "请用 `shifts` 写出时间，或删除 `days`",
    ),
    "rota_shift": error("there is no shift `{found}` here", "{choice}", "这里没有班次 `{found}`", "{choice}"),
    "rota_shift_missing": error(
        "this turn does not say who has `{shift}`",
        "write `{shift}: …`, or `{shift}: nobody`",
        "这一轮没有写 `{shift}` 由谁当班",
        "请写 `{shift}: …`，无人则写 `{shift}: nobody`",
    ),
    "rota_shifts_unnamed": error(
        "there are `shifts`, and this turn does not say who has which",
        "write `{{{shift}: {found}, …}}`",
        "有 `shifts`，但这一轮没有写各班由谁当班",
        "请写 `{{{shift}: {found}, …}}`",
    ),
    "rota_group": error("there is no group `{found}`", "{choice}", "没有组 `{found}`", "{choice}"),
    "rota_person": error(
        "`{found}` is no recipient id",
        "write the id of `reeve recipients list`: letters, digits, . _ -",
        "`{found}` 不是人员编号",
        "请写 `reeve recipients list` 中的编号：字母、数字、. _ -",
    ),
    "rota_both": error(
        "`{key}` stands beside `layers`", "move it into the layers", "`{key}` 与 `layers` 同时出现", "请移到各层里"
    ),
}
