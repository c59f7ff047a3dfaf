"""What `reeve scores` says, in English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping

WORDS: Mapping[str, tuple[str, str]] = {
    "no_month": ("--month {text}: write a month like 2026-11.", "--month {text}：请写月份，例如 2026-11。"),
    "none": ("Nothing scored in {month}.", "{month} 没有计分。"),
    "line": ("1 line", "1 条"),
    "lines": ("{n} lines", "{n} 条"),
    "because": ("  ← {rule}", "  ← {rule}"),
    "because_of_fact": ("  ← {rule} ({fact})", "  ← {rule}（{fact}）"),
}
