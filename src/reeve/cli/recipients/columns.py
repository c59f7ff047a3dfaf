"""The columns of a recipients file, and what operators call them and what stands in them."""

from __future__ import annotations

from collections.abc import Mapping

from reeve.domain.recipients import CHANNELS

_ADDRESSES: Mapping[str, tuple[str, ...]] = {
    "sms": ("phone", "mobile", "手机", "手机号", "电话"),
    "email": ("mail", "e-mail", "邮箱", "电子邮箱", "邮件"),
    "chat": ("群聊", "聊天", "即时消息"),
    "webhook": ("url", "回调", "回调地址"),
}

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "id": ("recipient", "编号", "人员编号", "工号"),
    "place": ("site", "organisation", "organization", "站点", "小区", "项目", "组织", "地点"),
    "roles": ("role", "角色", "岗位", "职务"),
    "areas": ("area", "buildings", "楼栋", "区域", "负责楼栋", "负责区域"),
    "since": ("from", "term from", "任职开始", "起始日期", "开始日期"),
    "until": ("to", "term until", "任职结束", "截止日期", "结束日期"),
    "language": ("lang", "语言"),
    **{channel: _ADDRESSES.get(channel, ()) for channel in CHANNELS},
    "unverified": ("not verified", "未验证", "未核实"),
    "channel_order": ("channels", "order", "渠道顺序", "通知顺序", "渠道"),
    "quiet": ("quiet hours", "免打扰", "免打扰时段"),
    "away": ("absence", "absences", "holiday", "休假", "请假", "外出"),
    "customers": ("customer", "客户", "客户编号", "业主编号"),
    "name": ("姓名", "名称"),
}
"""Column → other names it goes by."""

REQUIRED = ("id", "place")

WRITTEN = tuple(column for column in COLUMNS if column not in ("areas", "since", "until"))
"""The columns of an export: what the three others say stands in `roles`, for each role by itself."""

ROLE_WORDS: Mapping[str, str] = {
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

LANGUAGE_WORDS: Mapping[str, str] = {
    "中文": "zh",
    "汉语": "zh",
    "简体中文": "zh",
    "chinese": "zh",
    "英文": "en",
    "英语": "en",
    "english": "en",
}

CHANNEL_WORDS: Mapping[str, str] = {
    "短信": "sms",
    **{other: channel for channel, others in _ADDRESSES.items() if channel in CHANNELS for other in others},
}

URGENCY_WORDS: Mapping[str, str] = {
    "默认": "default",
    "其他": "default",
    "特别重大": "extraordinary",
    "重大": "major",
    "较大": "serious",
    "一般": "ordinary",
    "紧急": "emergency",
}
"""Grades of complaints and repairs. Source: domain.md §1."""
