"""One difference between two bundles, in the words of the rules: `complaint.respond serious: 8m → 6m`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal as OneOf

from reeve.rulelang.problems import language

What = OneOf["policy", "clock", "grade", "step", "count", "message", "site", "calendar", "duty", "score", "test"]
Kind = OneOf["added", "removed", "changed", "order", "text", "edited", "layout", "unreadable"]

_LABELS: dict[str, dict[str, str]] = {
    "en": {
        "grade": "grade", "step": "step", "count": "count", "message": "message", "site": "site",
        "calendar": "calendar", "duty": "duty", "score": "score", "test": "test",
    },
    "zh": {
        "grade": "等级", "step": "步骤", "count": "计数", "message": "消息", "site": "站点",
        "calendar": "日历", "duty": "例行工作", "score": "计分", "test": "测试",
    },
}  # fmt: skip
_SENTENCES: dict[str, dict[Kind, str]] = {
    "en": {
        "added": "{where}: new: {now}",
        "removed": "{where}: removed, was: {was}",
        "changed": "{where}: {was} → {now}",
        "order": "{where}: other order: {was} → {now}",
        "text": "{where}: the text changed",
        "edited": "{where}: changed",
        "layout": "{where}: only comments or layout",
        "unreadable": "{where}: can't be read, so not compared",
    },
    "zh": {
        "added": "{where}：新增：{now}",
        "removed": "{where}：删除，原为：{was}",
        "changed": "{where}：{was} → {now}",
        "order": "{where}：顺序改变：{was} → {now}",
        "text": "{where}：文字有改动",
        "edited": "{where}：有改动",
        "layout": "{where}：只改了注释或排版",
        "unreadable": "{where}：无法读取，未作比较",
    },
}
_BARE: dict[str, dict[Kind, str]] = {
    "en": {"added": "{where}: new", "removed": "{where}: removed"},
    "zh": {"added": "{where}：新增", "removed": "{where}：删除"},
}
"""The same where there is no value to show."""
_INSIDE = frozenset({"policy", "grade", "step", "count"})
"""What stands in a policy, whose name comes first."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is other in the second bundle."""

    file: str
    line: int
    """In the second bundle, or in the first if it is gone; 0: the file as a whole."""
    what: What
    of: str
    """Policy, site or calendar it belongs to; empty where there is none."""
    name: str
    """Of the clock, grade, step, …; empty: the policy or file itself."""
    key: str
    """What of it: `limit`'s grade, `if`, `notify`; empty: all of it."""
    kind: Kind
    was: str = ""
    now: str = ""

    def where(self, lang: str = "en") -> str:
        """`complaint.respond serious`."""
        label = _LABELS[language(lang)].get(self.what, "")
        if self.kind in ("layout", "unreadable"):
            return self.file
        if self.what == "clock":
            parts = [f"{self.of}.{self.name}", self.key]
        elif self.what in _INSIDE:
            parts = [self.of, label, self.name, self.key]
        else:
            parts = [label, self.of, self.name, self.key]
        return " ".join(part for part in parts if part)

    def say(self, lang: str = "en") -> str:
        """`complaint.respond serious: 8m → 6m`."""
        sentence = _BARE[language(lang)].get(self.kind) if not (self.was or self.now) else None
        sentence = sentence or _SENTENCES[language(lang)][self.kind]
        return sentence.format(where=self.where(lang), was=self.was, now=self.now)

    def as_json(self) -> dict[str, str | int | None]:
        """The same for `--json`."""
        return {
            "file": self.file,
            "line": self.line,
            "what": self.what,
            "of": self.of or None,
            "name": self.name or None,
            "key": self.key or None,
            "kind": self.kind,
            "was": self.was or None,
            "now": self.now or None,
            "says": self.say(),
        }
