"""A report's table as the text that a message carries."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from reeve.domain.bundle import Bundle, SiteSettings
from reeve.domain.reports import COUNT, Table
from reeve.domain.schedules import Report
from reeve.rulelang.fact_titles import COLUMN_TITLES, VALUE_TITLES
from reeve.rulelang.message_context import grade_title
from reeve.rulelang.titles import ROLE_TITLES, title_in

MOST_ROWS = 200
"""A longer table ends with how many rows are left out: a mail is no data base."""

_WORDS = {
    "en": {"count": "cases", "none": "Nothing in this period.", "total": "{cases} cases", "more": "{rows} more"},
    "zh": {"count": "件数", "none": "本期没有。", "total": "合计 {cases} 件", "more": "另有 {rows} 行"},
}


def report_text(
    table: Table, report: Report, bundle: Bundle, site: SiteSettings, languages: tuple[str, ...]
) -> str:
    """One line a row, the names of its columns first, in the reader's language as far as the rules have words."""
    words = next((_WORDS[each] for each in languages if each in _WORDS), _WORDS["en"])
    if not table.rows:
        return words["none"]
    spoken = {name: word for word, name in site.vocabulary.items()} if "zh" in languages[:1] else {}
    head = [words["count"] if name == COUNT else _column(name, spoken, languages) for name in table.columns]
    lines = [" | ".join(head)]
    for row in table.rows[:MOST_ROWS]:
        pairs = zip(table.columns, row, strict=True)
        lines.append(" | ".join(_cell(name, value, report, bundle, languages) for name, value in pairs))
    if (left := len(table.rows) - MOST_ROWS) > 0:
        lines.append("… " + words["more"].format(rows=left))
    lines.append(words["total"].format(cases=table.cases))
    return "\n".join(lines)


def _column(name: str, spoken: Mapping[str, str], languages: tuple[str, ...]) -> str:
    return spoken.get(name) or title_in(COLUMN_TITLES.get(name, {}), languages, name)


def _cell(name: str, value: Any, report: Report, bundle: Bundle, languages: tuple[str, ...]) -> str:
    if value is None or value == "":
        return "-"
    if name == "grade":
        titles = [grade_title(bundle.policies.get(policy), value, languages) for policy in report.cases]
        return next((title for title in titles if title != value), str(value))
    if name == "policy":
        policy = bundle.policies.get(str(value))
        return title_in(policy.title if policy else {}, languages, str(value))
    if name == "breached":
        return ", ".join(_clock(each, report, bundle, languages) for each in str(value).split(", "))
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M")
    if isinstance(value, date):
        return value.isoformat()
    return title_in(VALUE_TITLES.get(name, ROLE_TITLES).get(str(value), {}), languages, str(value))


def _clock(name: str, report: Report, bundle: Bundle, languages: tuple[str, ...]) -> str:
    """What the clock is called in the first of the report's policies that has it."""
    policies = [found for each in report.cases if (found := bundle.policies.get(each)) is not None]
    titles = next((policy.clocks[name].title for policy in policies if name in policy.clocks), {})
    return title_in(titles, languages, name)
