"""The words of every problem: English and Chinese, what is wrong and what to write instead."""

from __future__ import annotations

from reeve.rulelang.texts import Texts
from reeve.rulelang.texts_of_expressions import EXPRESSION_TEXTS
from reeve.rulelang.texts_of_files import FILE_TEXTS, SHAPE_TEXTS
from reeve.rulelang.texts_of_policies import BUNDLE_TEXTS, POLICY_TEXTS

WORDS: dict[str, dict[str, str]] = {
    "en": {
        "error": "error",
        "warning": "warning",
        "did_you_mean": "did you mean `{best}`?",
        "allowed": "what can stand here: {allowed}",
        "and_more": " …",
        "nothing_allowed": "there is none here that could be meant",
        "comma": ", ",
    },
    "zh": {
        "error": "错误",
        "warning": "警告",
        "did_you_mean": "是不是想写 `{best}`？",
        "allowed": "这里可以写：{allowed}",
        "and_more": " 等",
        "nothing_allowed": "这里没有可用的名称",
        "comma": "、",
    },
}

TEXTS: dict[str, Texts] = {**FILE_TEXTS, **SHAPE_TEXTS, **EXPRESSION_TEXTS, **POLICY_TEXTS, **BUNDLE_TEXTS}
