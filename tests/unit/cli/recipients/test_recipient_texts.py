"""Whoever imports people reads in Chinese what is wrong with a row."""

from __future__ import annotations

import ast
import inspect
from types import ModuleType

import pytest

from reeve.cli.recipients import cells, rows
from reeve.cli.recipients.rows import Fault
from reeve.cli.recipients.texts import FAULTS, counts_text, fault_text, staying_text


@pytest.mark.parametrize("module", [cells, rows])
def test_every_fixed_sentence_has_its_chinese(module: ModuleType) -> None:
    said = [
        call.args[-1].value
        for call in ast.walk(ast.parse(inspect.getsource(module)))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Name)
        and call.func.id in ("fault", "Fault")
        and isinstance(call.args[-1], ast.Constant)
    ]
    assert len(said) > 5
    assert [sentence for sentence in said if sentence not in FAULTS] == []


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        (
            Fault(2, "roles", "unknown role 'stewrd'; did you mean steward?"),
            "第 2 行，角色：没有角色 'stewrd'；是不是想写 steward？",
        ),
        (
            Fault(2, "roles", "unknown role; did you mean steward?"),
            "第 2 行，角色：没有这个角色；是不是想写 steward？",
        ),
        (
            Fault(9, "id", "row 8 has the same id at this place; give each its own"),
            "第 9 行，编号：与第 8 行在同一地点编号相同；请各用各的编号",
        ),
        (
            Fault(3, "chat", "must be one line of at most 254 characters"),
            "第 3 行，群聊：应为一行，最多 254 个字符",
        ),
        (
            Fault(0, "phon", "unknown column, left out; did you mean `phone`? columns are id, place"),
            "文件，phon：没有这一列，已忽略；是不是想写“phone”？可用的列：id, place",
        ),
        (Fault(4, "unverified", "channels are sms, email"), "第 4 行，未验证：渠道有：sms, email"),
        (Fault(5, "", "something new"), "第 5 行：something new"),
    ],
)
def test_sentences_with_what_differs(fault: Fault, text: str) -> None:
    assert fault_text(fault, "zh") == text
    assert fault_text(fault, "en") == str(fault)


def test_counts() -> None:
    counts = {"new": 2, "changed": 1, "unchanged": 3, "removed": 4, "bad": 1}
    assert counts_text(counts, "zh", dry_run=True, removing=True) == (
        "将新增 2 人，将更新 1 人，不变 3 人，将删除 4 人，跳过有错的 1 行"
    )
    assert counts_text(counts, "en", dry_run=False, removing=False) == (
        "2 new, 1 changed, 3 as before, 1 bad row left out"
    )
    assert staying_text(1, "en") == "1 person of these places is not in the file, and stays."
    assert staying_text(2, "zh") == "这些地点另有 2 人不在文件里，保留不动。"
