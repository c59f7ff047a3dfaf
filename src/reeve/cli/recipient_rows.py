"""Rows of a recipients file, checked: good ones become recipients, bad ones a sentence that says the mend."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from rapidfuzz import process

from reeve.domain.recipients import ASSIGNEE, OWNER, ROLES, Recipient

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "id": ("recipient", "编号", "人员编号", "工号"),
    "place": ("site", "organisation", "organization", "站点", "小区", "项目", "组织", "地点"),
    "roles": ("role", "角色", "岗位", "职务"),
    "language": ("lang", "语言"),
    "sms": ("phone", "mobile", "手机", "手机号", "电话"),
    "email": ("mail", "e-mail", "邮箱", "电子邮箱", "邮件"),
    "customers": ("customer", "客户", "客户编号", "业主编号"),
    "name": ("姓名", "名称"),
}
"""Column → other names it goes by."""

REQUIRED = ("id", "place")

_ROLE_WORDS: Mapping[str, str] = {
    "前台": "front_desk",
    "客服前台": "front_desk",
    "总台接待": "front_desk",
    "首问责任人": "first_contact",
    "管家": "steward",
    "大管家": "head_steward",
    "客服助理": "service_assistant",
    "客户助理": "service_assistant",
    "客服主管": "service_supervisor",
    "客户服务主管": "service_supervisor",
    "服务中心主任": "centre_director",
    "管理处经理": "property_manager",
    "物业经理": "property_manager",
    "总经理": "general_manager",
    "公司领导": "company_leader",
    "被投诉部门责任人": "department_head",
    "工程主管": "engineering_supervisor",
    "维修人员": "technician",
    "机电人员": "technician",
    "秩序主管": "security_supervisor",
    "保安员": "guard",
    "巡逻岗": "guard",
    "环境主管": "environment_supervisor",
    "大堂助理": "lobby_assistant",
    "大堂助理班长": "lobby_lead",
    "财务部": "finance",
    "出纳": "finance",
    "人事行政部": "admin_office",
    "行政部": "admin_office",
    "业主": "owner",
    "业户": "owner",
    "客户": "owner",
    "维保单位": "warranty_contractor",
    "施工单位": "warranty_contractor",
    "开发商": "developer_company",
    "发展商": "developer_company",
    "邮局": "courier",
    "速递": "courier",
}
"""What operators call the roles. Source: domain.md §1, Roles."""

_LANGUAGE_WORDS = {
    "中文": "zh",
    "汉语": "zh",
    "简体中文": "zh",
    "chinese": "zh",
    "英文": "en",
    "英语": "en",
    "english": "en",
}

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_PLACE = re.compile(r"[a-z0-9-]{1,64}")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})?")
_EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})+")
_CHINESE_MOBILE = re.compile(r"1[3-9][0-9]{9}")
_INTERNATIONAL = re.compile(r"\+[1-9][0-9]{6,14}")
_LONGEST_EMAIL = 254
_SHORTEST_NUMBER = 7
_BETWEEN = re.compile(r"[\s,;|、，；/]+")


Say = Callable[[str, str], None]
"""Notes a fault: column, sentence."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a row; the sentence holds no address."""

    row: int
    """As the file's reader sees it: line of a CSV, row of a sheet, place in a JSON list; 0: the whole file."""
    column: str
    says: str

    def __str__(self) -> str:
        where = f"row {self.row}" if self.row else "the file"
        return f"{where}, {self.column}: {self.says}" if self.column else f"{where}: {self.says}"


@dataclass(frozen=True, slots=True)
class Rows:
    """The good rows as recipients, in the order of the file, and everything that is wrong with the others."""

    recipients: tuple[Recipient, ...]
    faults: tuple[Fault, ...]


def read_rows(rows: Iterable[tuple[int, Mapping[str, Any]]]) -> Rows:
    """Every row checked by itself; of two with the same place and id the first counts."""
    good: dict[tuple[str, str], Recipient] = {}
    seen_at: dict[tuple[str, str], int] = {}
    faults: list[Fault] = []
    unknown: set[str] = set()
    for number, raw in rows:
        row, strange = _named(raw)
        unknown |= strange
        if not any(_text(value) for value in row.values()):
            continue
        person, wrong = _person(number, row)
        faults += wrong
        if person is None:
            continue
        key = (person.place, person.id)
        if key in good:
            faults.append(
                Fault(number, "id", f"row {seen_at[key]} has the same id at this place; give each its own")
            )
            continue
        good[key], seen_at[key] = person, number
    header = [Fault(0, column, _unknown_column(column)) for column in sorted(unknown)]
    return Rows(tuple(good.values()), (*header, *faults))


def _named(raw: Mapping[str, Any]) -> tuple[dict[str, Any], set[str]]:
    """The row by our column names, and the columns nobody knows. `addresses` may stand together, as in JSON."""
    flat: dict[str, Any] = {}
    for name, value in raw.items():
        if name == "addresses" and isinstance(value, Mapping):
            flat |= {str(channel): address for channel, address in value.items()}
        else:
            flat[str(name)] = value
    row: dict[str, Any] = {}
    strange: set[str] = set()
    for name, value in flat.items():
        plain = unicodedata.normalize("NFKC", name).strip().lower()
        column = next((ours for ours, others in COLUMNS.items() if plain == ours or plain in others), None)
        if column is not None:
            row[column] = value
        elif plain:
            strange.add(plain)
    return row, strange


def _unknown_column(column: str) -> str:
    names = [*COLUMNS, *(other for others in COLUMNS.values() for other in others)]
    close = process.extractOne(column, names, score_cutoff=60)
    hint = f"did you mean `{close[0]}`? " if close else ""
    return f"unknown column, left out; {hint}columns are {', '.join(COLUMNS)}"


def _person(number: int, row: Mapping[str, Any]) -> tuple[Recipient | None, list[Fault]]:
    faults: list[Fault] = []

    def fault(column: str, says: str) -> None:
        faults.append(Fault(number, column, says))

    addresses = _addresses(row, fault)
    customers = frozenset(_words(row.get("customers")))
    roles = _roles(_words(row.get("roles")), fault)
    language = _LANGUAGE_WORDS.get(_text(row.get("language")).lower(), _text(row.get("language")))
    own_id, place = _text(row.get("id")), _text(row.get("place"))
    _check_id(own_id, addresses, fault)
    if not _PLACE.fullmatch(place):
        fault("place", "must be the site's id (lower-case letters, digits, -), like sunshine-garden")
    if language and not _LANGUAGE.fullmatch(language):
        fault("language", "must be a code like zh or en, or empty for the site's own")
    if OWNER in roles and not customers:
        fault("customers", "an owner needs the customer ids that tickets carry, like C-88")
    if faults:
        return None, faults
    return Recipient(own_id, place, roles, language, addresses, customers, _text(row.get("name"))), []


def _addresses(row: Mapping[str, Any], fault: Say) -> dict[str, str]:
    phone, mail = _text(row.get("sms")), _text(row.get("email"))
    addresses: dict[str, str] = {}
    if not phone and not mail:
        fault("sms", "a recipient needs an address: a phone number under sms, or an email")
    if phone:
        number = _phone(phone)
        if number is None:
            fault("sms", "must be a number like +8613800138000, or a mainland mobile number of 11 digits")
        else:
            addresses["sms"] = number
    if mail:
        if not _EMAIL.fullmatch(mail) or len(mail) > _LONGEST_EMAIL:
            fault("email", "must be one address like name@example.org")
        addresses["email"] = mail
    return addresses


def _check_id(own_id: str, addresses: Mapping[str, str], fault: Say) -> None:
    """Ids are published and logged, so they are plain, and no phone number (PRIVACY-01)."""
    if not _ID.fullmatch(own_id):
        fault("id", "must be letters, digits, . _ -, at most 64, like zhang-01; it is shown, so no name or number")
    elif own_id.isdigit() and len(own_id) >= _SHORTEST_NUMBER and addresses.get("sms", "").endswith(own_id):
        fault("id", "is the phone number; ids are published, so choose another, like zhang-01")


def _roles(words: list[str], fault: Say) -> frozenset[str]:
    roles: set[str] = set()
    for word in words:
        role = _ROLE_WORDS.get(word, word.lower())
        if role in ROLES:
            roles.add(role)
        elif role == ASSIGNEE:
            fault("roles", "nobody holds assignee: a ticket names its assignee by recipient id; leave it out")
        else:
            close = process.extractOne(role, ROLES, score_cutoff=60)
            fault("roles", f"unknown role {word[:40]!r}" + (f"; did you mean {close[0]}?" if close else ""))
    return frozenset(roles)


def _phone(text: str) -> str | None:
    """The number as +<country><number>; None if it is none."""
    plain = re.sub(r"[\s().\-]", "", text)
    if plain.startswith("00"):
        plain = "+" + plain[2:]
    if _CHINESE_MOBILE.fullmatch(plain):
        return "+86" + plain
    if plain.startswith("86") and _CHINESE_MOBILE.fullmatch(plain[2:]):
        return "+" + plain
    return plain if _INTERNATIONAL.fullmatch(plain) else None


def _words(value: Any) -> list[str]:
    if isinstance(value, list | tuple):
        return [word for item in value if (word := _text(item))]
    return [word for word in _BETWEEN.split(_text(value)) if word]


def _text(value: Any) -> str:
    """A cell as text: full-width characters made plain; a number as sheets keep it without its `.0`."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return unicodedata.normalize("NFKC", str(value)).strip()
