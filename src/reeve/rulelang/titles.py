"""What roles are called in texts, and in which language a reader is spoken to."""

from __future__ import annotations

from collections.abc import Mapping

from reeve.domain.bundle import SiteSettings

DEFAULT_LANGUAGE = "en"

ROLE_TITLES: Mapping[str, Mapping[str, str]] = {
    "front_desk": {"zh": "前台", "en": "front desk"},
    "first_contact": {"zh": "首问责任人", "en": "first contact"},
    "steward": {"zh": "管家", "en": "steward"},
    "head_steward": {"zh": "大管家", "en": "head steward"},
    "service_assistant": {"zh": "客服助理", "en": "service assistant"},
    "service_supervisor": {"zh": "客服主管", "en": "service supervisor"},
    "centre_director": {"zh": "服务中心主任", "en": "centre director"},
    "property_manager": {"zh": "管理处经理", "en": "property manager"},
    "general_manager": {"zh": "总经理", "en": "general manager"},
    "company_leader": {"zh": "公司领导", "en": "company leader"},
    "spokesperson": {"zh": "新闻发言人", "en": "spokesperson"},
    "department_head": {"zh": "被投诉部门责任人", "en": "department head"},
    "engineering_supervisor": {"zh": "工程主管", "en": "engineering supervisor"},
    "technician": {"zh": "维修人员", "en": "technician"},
    "security_supervisor": {"zh": "秩序主管", "en": "security supervisor"},
    "guard": {"zh": "保安员", "en": "guard"},
    "environment_supervisor": {"zh": "环境主管", "en": "environment supervisor"},
    "lobby_assistant": {"zh": "大堂助理", "en": "lobby assistant"},
    "lobby_lead": {"zh": "大堂助理班长", "en": "lobby lead"},
    "finance": {"zh": "财务部", "en": "finance"},
    "admin_office": {"zh": "人事行政部", "en": "admin office"},
    "owner": {"zh": "业主", "en": "owner"},
    "warranty_contractor": {"zh": "维保单位", "en": "warranty contractor"},
    "developer_company": {"zh": "开发商", "en": "developer"},
    "courier": {"zh": "速递", "en": "courier"},
    "assignee": {"zh": "经办人", "en": "assignee"},
}
"""What a role is called in a text. Source: domain.md §1, Roles."""


def title_in(titles: Mapping[str, str], languages: tuple[str, ...], otherwise: str) -> str:
    """The title in the first of these languages that has one."""
    return next((titles[each] for each in languages if titles.get(each)), otherwise)


def languages_for(preferred: str, site: SiteSettings) -> tuple[str, ...]:
    """Language codes in the order to try: the recipient's, the site's, English; each without its region too."""
    wanted: list[str] = []
    for code in (preferred, site.locale, DEFAULT_LANGUAGE):
        wanted += [code, code.replace("_", "-").partition("-")[0]] if code else []
    return tuple(dict.fromkeys(wanted))
