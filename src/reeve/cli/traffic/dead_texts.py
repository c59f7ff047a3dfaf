"""What `reeve dead` says, in English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping

WORDS: Mapping[str, tuple[str, str]] = {
    "one": ("1 dead letter.", "共 1 封死信。"),
    "count": ("{n} dead letters.", "共 {n} 封死信。"),
    "attempt": ("  (1 attempt)", "  （尝试 1 次）"),
    "attempts": ("  ({n} attempts)", "  （尝试 {n} 次）"),
    "again": ("  published again on {subject}", "  已重新发布到 {subject}"),
    "no_such": (
        "There is no dead letter {number}; `reeve dead list` shows what there is.",
        "没有编号为 {number} 的死信；`reeve dead list` 列出全部。",
    ),
    "which": ("Name the letters, or say --all.", "请写明死信的编号，或用 --all。"),
}
