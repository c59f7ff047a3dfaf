"""What `reeve recipients` says to people; faults of a file in Chinese, as the English stands where it arises."""

from __future__ import annotations

import re
from collections.abc import Mapping

from reeve.cli.recipients.columns import COLUMNS
from reeve.cli.recipients.rows import Fault

FAULTS: Mapping[str, str] = {
    "has more cells than the first row; put a cell that holds commas in quotes": (
        "单元格比首行的列多；含逗号的内容请加引号"
    ),
    "is before since": "早于任职开始日期",
    "must be the site's id (lower-case letters, digits, -), like sunshine-garden": (
        "应为站点编号（小写字母、数字、-），如 sunshine-garden"
    ),
    "must be a code like zh or en, or empty for the site's own": "应为 zh 或 en；空着用站点的语言",
    "an owner needs the customer ids that tickets carry, like C-88": "业主须有客户编号，与工单里的一致，如 C-88",
    "a customer id has no blanks and none of , ; / |": "客户编号里不能有空格和 , ; / |",
    "names a channel that this person has no address on": "写了此人没有联系方式的渠道",
    "nobody stands in for themselves; name somebody else, or nobody": "不能自己给自己代班；请写别人，或空着",
    "a recipient needs an address: a phone number under sms, or an email": "至少要有一个联系方式：手机或邮箱",
    "the spreadsheet cut the number; make the column text, and enter the number again": (
        "表格软件改掉了号码；请把该列设为文本，重新输入号码"
    ),
    "must be a number like +8613800138000, or a mainland mobile number of 11 digits": (
        "应为 11 位大陆手机号，或带国家码的号码，如 +8613800138000"
    ),
    "must be one address like name@example.org": "应为一个邮箱地址，如 name@example.org",
    "must be a URL like https://example.org/reeve, at most 2000 characters": (
        "应为网址，如 https://example.org/reeve，最多 2000 个字符"
    ),
    "must be letters, digits, . _ -, at most 64, like zhang-01; it is shown, so no name or number": (
        "只能用字母、数字、. _ -，最多 64 个，如 zhang-01；编号会显示出来，不要用姓名或电话"
    ),
    "is the phone number; ids are published, so choose another, like zhang-01": (
        "与手机号相同；编号会显示出来，请换一个，如 zhang-01"
    ),
    "row {} has the same id at this place; give each its own": "与第 {} 行在同一地点编号相同；请各用各的编号",
    "must be one line of at most {} characters": "应为一行，最多 {} 个字符",
    "unknown column, left out; did you mean `{}`? columns are {}": (
        "没有这一列，已忽略；是不是想写“{}”？可用的列：{}"
    ),
    "unknown column, left out; columns are {}": "没有这一列，已忽略；可用的列：{}",
    "an area is a building or building/unit, like 3 or 3/2": "区域是楼栋或楼栋/单元，如 3 或 3/2",
    "an area stands after its role, like steward @3": "区域写在角色后面，如 管家 @3",
    "an owner is found by customers, so owner has neither areas nor dates": "业主按客户编号查找，不写区域和日期",
    "dates are from..until, like 2026-01-01..2026-06-30; 2026-01-01.. has no end": (
        "日期写成 2026-01-01至2026-06-30；2026-01-01.. 表示没有结束"
    ),
    "dates stand after their role, like steward 2026-01-01..2026-06-30": (
        "日期写在角色后面，如 管家 2026-01-01至2026-06-30"
    ),
    "nobody holds assignee: a ticket names its assignee by recipient id; leave it out": (
        "受派人不是岗位，由工单里的人员编号指定；请去掉"
    ),
    'must be like: front_desk; steward @3 @"Tower A/2" 2026-01-01..2026-06-30': (
        '应写成：前台；管家 @3栋 @"Tower A/2" 2026-01-01至2026-06-30'
    ),
    "the last day is before the first": "最后一天早于第一天",
    "must be a date like 2026-01-31": "应为日期，如 2026-01-31",
    "unknown role {}; did you mean {}?": "没有角色 {}；是不是想写 {}？",
    "unknown role; did you mean {}?": "没有这个角色；是不是想写 {}？",
    "unknown role {}": "没有角色 {}",
    "unknown role": "没有这个角色",
    "must be like 2026-07-01..2026-07-14 li-02: the days, then the id of the stand-in": (
        "应写成 2026-07-01至2026-07-14 li-02：先写日期，再写代班人的编号"
    ),
    "needs its first day, like 2026-07-01..2026-07-14": "要写第一天，如 2026-07-01至2026-07-14",
    "must be like default: email sms; major: sms email, each grade once": (
        "应写成 默认：邮箱 短信；重大：短信 邮箱，每个等级一次"
    ),
    "channels are {}": "渠道有：{}",
    "must be like 22:00-07:00": "应写成 22:00-07:00",
}
"""English → Chinese; `{}` stands for what differs, in the same order."""

_PATTERNS = [
    (re.compile("(.+?)".join(re.escape(part) for part in english.split("{}")), re.DOTALL), chinese)
    for english, chinese in FAULTS.items()
]


def fault_text(fault: Fault, language: str) -> str:
    """The fault as a sentence in `en` or `zh`."""
    if language != "zh":
        return str(fault)
    where = f"第 {fault.row} 行" if fault.row else "文件"
    titles = [title for title in COLUMNS.get(fault.column, ()) if not title.isascii()]
    column = f"，{titles[0] if titles else fault.column}" if fault.column else ""
    return f"{where}{column}：{_chinese(fault.says)}"


def counts_text(counts: Mapping[str, int], language: str, *, dry_run: bool, removing: bool) -> str:
    """How many people an import changes."""
    new, changed, same, removed, bad = (counts[key] for key in ("new", "changed", "unchanged", "removed", "bad"))
    if language == "zh":
        will = "将" if dry_run else ""
        gone = f"，{will}删除 {removed} 人" if removing else ""
        return f"{will}新增 {new} 人，{will}更新 {changed} 人，不变 {same} 人{gone}，跳过有错的 {bad} 行"
    would = "would be " if dry_run else ""
    gone = f", {removed} {would}removed" if removing else ""
    rows = "row" if bad == 1 else "rows"
    return f"{new} {would}new, {changed} {would}changed, {same} as before{gone}, {bad} bad {rows} left out"


def staying_text(staying: int, language: str) -> str:
    """How many people the file lacks."""
    if language == "zh":
        return f"这些地点另有 {staying} 人不在文件里，保留不动。"
    if staying == 1:
        return "1 person of these places is not in the file, and stays."
    return f"{staying} people of these places are not in the file, and stay."


_WORDS: Mapping[str, tuple[str, str]] = {
    "nobody_to_ask": (
        "Nobody can be asked here: add --yes to remove people, or --dry-run to only look.",
        "这里无法询问：加 --yes 直接删除人员，或加 --dry-run 只看。",
    ),
    "none_removed": (
        "Nobody is removed, because rows are bad: mend them and import again.",
        "有错误的行，因此没有删除任何人：请改正后重新导入。",
    ),
    "remove": ("Remove them?", "是否删除？"),
    "no_role": ("--role {role}: no such role", "--role {role}：没有这个角色"),
    "no_role_like": (
        "--role {role}: no such role; did you mean {best}?",
        "--role {role}：没有这个角色；是不是想写 {best}？",
    ),
    "none": ("There are no recipients{role}{place}.", "{place}没有{role}人员。"),
    "as_role": (" as {role}", "角色为 {role} 的"),
    "at_place": (" at {place}", "{place} "),
    "unverified": (" (unverified)", "（未核实）"),
    "comma": (", ", "，"),
    "quiet": ("quiet {hours}", "免打扰 {hours}"),
    "away": ("away {days}", "休假 {days}"),
    "written": (
        "{count} recipients written to {file}, with names and addresses.",
        "已将 {count} 人写入 {file}，含姓名和联系方式。",
    ),
    "no_ending": (
        "{file}: name it .csv, .xlsx or .json, or say --format.",
        "{file}：请以 .csv、.xlsx 或 .json 结尾，或用 --format 指定。",
    ),
    "no_encoding": (
        "--encoding is utf-8, utf-8-sig or gb18030.",
        "--encoding 只能是 utf-8、utf-8-sig 或 gb18030。",
    ),
    "exists": ("{file}: is there already; add --force to overwrite it.", "{file}：已存在；加 --force 覆盖。"),
}


def say(name: str, language: str, **words: object) -> str:
    """The sentence of that name."""
    return _WORDS[name][language == "zh"].format(**words)


def removed_text(named: list[str], count: int, language: str) -> str:
    """Who is to be removed; `named` are the first of them."""
    more = count - len(named)
    if language == "zh":
        rest = f"，等 {count} 人" if more else ""
        return f"有 {count} 人不在文件里，将被删除：{'、'.join(named)}{rest}"
    rest = f" and {more} more" if more else ""
    return f"{count} people are not in the file and will be removed: {', '.join(named)}{rest}"


def _chinese(says: str) -> str:
    for pattern, chinese in _PATTERNS:
        if (found := pattern.fullmatch(says)) is not None:
            return chinese.format(*found.groups())
    return says
