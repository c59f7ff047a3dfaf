"""What facts and their values are called in the tables that people get, where the rules have no title for them."""

from __future__ import annotations

from collections.abc import Mapping

COLUMN_TITLES: Mapping[str, Mapping[str, str]] = {
    "policy": {"zh": "事项", "en": "matter"},
    "case": {"zh": "单号", "en": "case"},
    "grade": {"zh": "等级", "en": "grade"},
    "grade_was": {"zh": "原等级", "en": "former grade"},
    "state": {"zh": "状态", "en": "state"},
    "outcome": {"zh": "结果", "en": "outcome"},
    "breached": {"zh": "超时", "en": "too late"},
    "owed_cny": {"zh": "欠费", "en": "owed"},
    "amount_cny": {"zh": "应付", "en": "amount"},
    "item": {"zh": "项目", "en": "item"},
    "incident": {"zh": "同一事件", "en": "incident"},
    "site": {"zh": "站点", "en": "site"},
}
"""Names that every report may have, and those of the shipped ones that the vocabulary has no word for."""

REPAIR_CLASS = "repair_class"

VALUE_TITLES: Mapping[str, Mapping[str, Mapping[str, str]]] = {
    REPAIR_CLASS: {
        "emergency": {"zh": "紧急报修", "en": "Emergency repair"},
        "major": {"zh": "重大报修", "en": "Major repair"},
        "ordinary": {"zh": "一般报修", "en": "Ordinary repair"},
    },
    "state": {"open": {"zh": "未结", "en": "open"}, "closed": {"zh": "已结", "en": "closed"}},
    "satisfaction": {
        "satisfied": {"zh": "满意", "en": "satisfied"},
        "fairly_satisfied": {"zh": "比较满意", "en": "fairly satisfied"},
        "dissatisfied": {"zh": "不满意", "en": "dissatisfied"},
    },
    "kind": {
        "letter": {"zh": "信件", "en": "letter"},
        "paper": {"zh": "报纸", "en": "paper"},
        "magazine": {"zh": "杂志", "en": "magazine"},
        "slip": {"zh": "取件单", "en": "slip"},
        "parcel": {"zh": "包裹", "en": "parcel"},
        "express": {"zh": "快件", "en": "express"},
        "registered": {"zh": "挂号", "en": "registered"},
    },
}
"""Fact → value → titles, for the values that the contracts list. Source: REPAIR-03, MAIL-10, FOLLOWUP-06."""
