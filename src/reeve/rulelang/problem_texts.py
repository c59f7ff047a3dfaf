"""The words of every problem: English and Chinese, what is wrong and what to write instead."""

from __future__ import annotations

from reeve.rulelang.texts import Texts
from reeve.rulelang.texts_of_expressions import EXPRESSION_TEXTS
from reeve.rulelang.texts_of_facts import FACT_TEXTS
from reeve.rulelang.texts_of_files import FILE_TEXTS, SHAPE_TEXTS
from reeve.rulelang.texts_of_policies import BUNDLE_TEXTS, POLICY_TEXTS
from reeve.rulelang.texts_of_shifts import SHIFT_TEXTS

WORDS: dict[str, dict[str, str]] = {
    "en": {
        "error": "error",
        "warning": "warning",
        "did_you_mean": "did you mean `{best}`?",
        "allowed": "what can stand here: {allowed}",
        "and_more": " …",
        "nothing_allowed": "there is none here that could be meant",
        "comma": ", ",
        "hint_number": "write a number without quotes: `{x} 10000`",
        "hint_text": 'write a text in quotes: `{x} "…"`',
        "hint_truth": "write true or false without quotes, or the name alone",
        "hint_moment": "write a moment, such as 2026-01-31T17:00+08:00",
        "hint_date": "write a date, such as 2026-01-31, or `today`",
        "hint_length": "write a length, such as `{x} 3d`",
        "or_default": "; if events carry a field of that name, write `{{{{ {x} | default('') }}}}`",
        "from_to": "from {x}",
        "exactly": "of exactly {x}",
    },
    "zh": {
        "error": "错误",
        "warning": "警告",
        "did_you_mean": "是不是想写 `{best}`？",
        "allowed": "这里可以写：{allowed}",
        "and_more": " 等",
        "nothing_allowed": "这里没有可用的名称",
        "comma": "、",
        "hint_number": "请写不带引号的数字：`{x} 10000`",
        "hint_text": '请写加引号的文本：`{x} "…"`',
        "hint_truth": "请写不带引号的 true 或 false，或只写名称",
        "hint_moment": "请写时刻，例如 2026-01-31T17:00+08:00",
        "hint_date": "请写日期，例如 2026-01-31，或 `today`",
        "hint_length": "请写时长，例如 `{x} 3d`",
        "or_default": "；若事件确有此字段，请写 `{{{{ {x} | default('') }}}}`",
        "from_to": "在 {x} 之间",
        "exactly": "恰为 {x}",
    },
}

TEXTS: dict[str, Texts] = {
    **FILE_TEXTS,
    **SHAPE_TEXTS,
    **EXPRESSION_TEXTS,
    **POLICY_TEXTS,
    **BUNDLE_TEXTS,
    **FACT_TEXTS,
    **SHIFT_TEXTS,
}
