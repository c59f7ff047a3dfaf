"""What `reeve shifts` says, in English and Chinese."""
# ruff: noqa: E501 -- one sentence a line reads best

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

TEXTS: Mapping[str, tuple[str, str]] = {
    # list, show, now
    "none": ("There are no rotas yet; start with: reeve shifts import examples/shifts.yaml", "还没有值班表；请先运行：reeve shifts import examples/shifts.yaml"),
    "no_shifts": ("No shifts in that time.", "这段时间没有班次。"),
    "nobody": ("nobody", "无人"),
    "until": ("  until {at}", "  至 {at}"),
    "off": ("nobody is on; everybody who holds the role is told", "无人当班；通知所有任该角色的人"),
    "no_rota_then": ("no shift then", "此时没有排班"),
    "names": ("  ({names})", "（{names}）"),
    "name_comma": (", ", "、"),
    "override": ("override", "代班"),
    "swap": ("swap", "换班"),
    "change": ("{kind}: {parts}  by {author}", "{kind}：{parts}  由 {author} 登记"),
    "part": ("{who}{stead}, {start} – {end}", "{who}{stead}，{start} – {end}"),
    "part_semicolon": ("; ", "；"),
    "instead_of": (" instead of {who}", " 顶替 {who}"),
    "as_well": (" as well", "（增派）"),
    "written": ("{n} shifts written to {file}", "已将 {n} 个班次写入 {file}"),
    # check, import
    "finding": ("{place}/{role}: {says}", "{place}/{role}：{says}"),
    "good": ("{rotas} rotas, {days} days: somebody is always on, and can be reached.", "{rotas} 份值班表，{days} 天：任何时候都有人当班，且都能联系到。"),
    "unknown_person": ("{person} is no recipient there or at the organisation above; see reeve recipients list --place {place}", "本处和上级组织都没有编号为 {person} 的人员；见 reeve recipients list --place {place}"),
    "no_address": ("{person} has no address and can't be reached", "{person} 没有联系方式，无法通知"),
    "hand_over_untold": ("the rules tell no {role} of a hand-over; add a step to handover.yaml, or write hand_over: false", "规则没有向 {role} 通知交接；请在 handover.yaml 中加一个步骤，或写 hand_over: false"),
    "gap": ("nobody is on from {start} to {end}", "{start} 至 {end} 无人当班"),
    "more_gaps": ("… and {n} gaps more", "另有 {n} 个时段无人当班"),
    "counts": ("{new} new, {changed} changed, {same} as before", "新增 {new} 份，更新 {changed} 份，不变 {same} 份"),
    "would_counts": ("{new} would be new, {changed} would be changed, {same} as before", "将新增 {new} 份，将更新 {changed} 份，不变 {same} 份"),
    # override, swap, remove
    "one_end": ("say when it ends: --until or --for, one of them", "请写明何时结束：--until 或 --for，二选一"),
    "one_way": ("either --add or --instead-of", "--add 和 --instead-of 只能写一个"),
    "who_comes": ("say who comes: --person ID", "请写明由谁当班：--person 编号"),
    "past": ("it would end before it begins, or before now: what was stays as it was", "结束早于开始或早于现在：过去的安排不能更改"),
    "not_on": ("{who} is not on in that time; on are {on}", "{who} 在这段时间不当班；当班的是 {on}"),
    "none_on": ("none", "无人"),
    "one_person": ("these are two shifts of one person; there is nothing to swap", "这是同一个人的两个班次，不用换"),
    "on_already": ("{person} is on in both of these shifts already", "这两个班次 {person} 都已当班"),
    "over": ("the shift that ended at {at} is over", "{at} 结束的班次已经过去"),
    "id_day": ("'{text}': write guard-01@2026-11-24", "“{text}”：请写成 guard-01@2026-11-24"),
    "several": ("{person} begins more than one shift that day; name a moment of it: {starts}", "{person} 当天有几个班次；请写明时刻：{starts}"),
    "no_shift": ("{person} has no shift then", "{person} 那时没有班次"),
    "no_shift_next": ("{person} has no shift then; the next begin {when}", "{person} 那时没有班次；之后的班次：{when}"),
    "unchanged": ("nothing was changed", "没有作任何更改"),
    "way_back": ("take it back with: reeve shifts remove {id}", "撤销：reeve shifts remove {id}"),
    "stranger": ("{one} is no recipient at {place}", "{place} 没有编号为 {one} 的人员"),
    "stranger_like": ("{one} is no recipient at {place}; did you mean {best}?", "{place} 没有编号为 {one} 的人员；是不是想写 {best}？"),
    "whole_rota": ("that would remove the whole rota; if you mean it: reeve shifts remove {what} --rota", "这会删除整份值班表；确需如此：reeve shifts remove {what} --rota"),
    "no_change": ("there is no change {what}, or it was taken back before; see: reeve shifts list", "没有变更 {what}，或此前已撤销；见 reeve shifts list"),
    "removed": ("{what} is removed", "{what} 已删除"),
    "taken_back": ("{what} counts no longer", "{what} 已撤销"),
    # what people type
    "no_moment": ("'{text}' is no moment; write 2026-11-22T08:00 (local time), 2026-11-22T08:00+08:00, or now", "“{text}”不是时刻；请写 2026-11-22T08:00（当地时间）、2026-11-22T08:00+08:00 或 now"),
    "no_length": ("'{text}' is no length; write 8h, 90m or 2d", "“{text}”不是时长；请写 8h、90m 或 2d"),
    "no_day": ("'{text}' is no day; write 2026-11-22", "“{text}”不是日期；请写 2026-11-22"),
    "no_rota": ("there is no rota for {which}; there are {names}", "没有 {which} 的值班表；已有：{names}"),
    "no_rotas": ("there is no rota for {which}; bring one in with: reeve shifts import FILE", "没有 {which} 的值班表；导入：reeve shifts import 文件"),
}  # fmt: skip


def say(name: str, lang: str, /, **values: Any) -> str:
    """The sentence of that name."""
    return TEXTS[name][lang == "zh"].format(**values)
