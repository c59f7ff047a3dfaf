"""What a shift should know of its site, as text for a message: open cases, undelivered mail, duties not done."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from reeve.domain.bundle import Bundle, Policy, SiteSettings
from reeve.domain.case import Case, ClockState, Due
from reeve.domain.duties import SCHEDULED, duty_of
from reeve.domain.facts import zone_of
from reeve.rulelang.fact_titles import VALUE_TITLES
from reeve.rulelang.message_context import grade_title
from reeve.rulelang.template_filters import day, hm, local_due
from reeve.rulelang.titles import title_in
from reeve.runtime.rendering import policy_of

MOST_ROWS = 40
"""A longer table ends with how many more there are: this is read at the beginning of a shift."""
_MOST_TITLE = 60
"""Characters of a case's own title."""

_WORDS = {
    "en": {"none": "None.", "more": "{count} more", "over": "over since", "by": "by", "undated": "no date"}
    | {"case": "case", "grade": "grade", "title": "matter", "due": "next due"}
    | {"kind": "kind", "since": "since", "duty": "duty", "came": "came", "count": "pieces"},
    "zh": {"none": "无。", "more": "另有 {count} 件", "over": "已超时", "by": "限", "undated": "无时限"}
    | {"case": "单号", "grade": "等级", "title": "内容", "due": "下一时限"}
    | {"kind": "种类", "since": "收件时间", "duty": "工作", "came": "应做时间", "count": "件数"},
}
_KINDS = VALUE_TITLES["kind"]


def open_cases_text(
    cases: Sequence[Case], count: int, bundle: Bundle, site: SiteSettings, languages: tuple[str, ...]
) -> str:
    """A line a case, in the order given; `count` is how many there are, also beyond those given."""
    words, zone = _words(languages), zone_of(site.zone)
    rows = []
    for case in cases[:MOST_ROWS]:
        policy = policy_of(bundle, case)
        named = grade_title(policy, case.grade, languages) or _title(policy, languages, case.key.policy)
        title = " ".join(str(case.facts.get("title") or "-").split())[:_MOST_TITLE]
        rows.append((named, case.key.subject, title, _next_due(case, policy, zone, languages, words)))
    return _table((words["grade"], words["case"], words["title"], words["due"]), rows, count, words)


def mail_text(cases: Sequence[Case], count: int, site: SiteSettings, languages: tuple[str, ...]) -> str:
    """A line for each letter or parcel that is still here."""
    words, zone = _words(languages), zone_of(site.zone)
    rows = [
        (
            title_in(_KINDS.get(kind := str(case.facts.get("kind") or "-"), {}), languages, kind),
            case.key.subject,
            str(case.facts.get("count") or 1),
            _moment(case.opened_at, zone),
        )
        for case in cases[:MOST_ROWS]
    ]
    return _table((words["kind"], words["case"], words["count"], words["since"]), rows, count, words)


def duties_text(
    cases: Sequence[Case], count: int, bundle: Bundle, site: SiteSettings, languages: tuple[str, ...]
) -> str:
    """A line for each duty whose time ran out and that nobody has entered since."""
    words, zone = _words(languages), zone_of(site.zone)
    rows = []
    for case in cases[:MOST_ROWS]:
        name = duty_of(case)
        duty = bundle.duties.get(name)
        came = case.facts.get(SCHEDULED)
        at = datetime.fromisoformat(str(came)) if came else case.opened_at
        rows.append((title_in(duty.title if duty else {}, languages, name), case.key.subject, _moment(at, zone)))
    return _table((words["duty"], words["case"], words["came"]), rows, count, words)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], count: int, words: dict[str, str]) -> str:
    lines = [" | ".join(row) for row in rows]
    if not lines:
        return words["none"]
    if (left := count - len(lines)) > 0:
        lines.append("… " + words["more"].format(count=left))
    return "\n".join([" | ".join(head), *lines])


def _next_due(
    case: Case, policy: Policy | None, zone: ZoneInfo, languages: tuple[str, ...], words: dict[str, str]
) -> str:
    """The next limit that runs out; one that has run out and was not met comes first."""
    running = [(name, clock) for name, clock in case.clocks.items() if clock.live]
    over = [(name, clock) for name, clock in running if clock.breached_at is not None and clock.stopped_at is None]
    dated = over or [(name, clock) for name, clock in running if clock.due is not None]
    if not dated:
        return words["undated"]
    name, clock = min(dated, key=lambda each: _due_at(each[1]))
    rule = policy.clocks.get(name) if policy else None
    title = title_in(rule.title if rule else {}, languages, name)
    due = local_due(clock.due or Due(_due_at(clock)), zone)
    return f"{title} {words['over'] if over else words['by']} {day(due)} {hm(due)}"


def _due_at(clock: ClockState) -> datetime:
    at = clock.breached_at or (clock.due.at if clock.due else clock.started_at)
    assert at is not None  # a live clock was started  # noqa: S101
    return at


def _title(policy: Policy | None, languages: tuple[str, ...], name: str) -> str:
    return title_in(policy.title if policy else {}, languages, name)


def _moment(at: datetime, zone: ZoneInfo) -> str:
    return at.astimezone(zone).strftime("%Y-%m-%d %H:%M")


def _spoken(languages: tuple[str, ...]) -> str:
    return next((each for each in languages if each in _WORDS), "en")


def _words(languages: tuple[str, ...]) -> dict[str, str]:
    return _WORDS[_spoken(languages)]
