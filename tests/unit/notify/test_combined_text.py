"""Several messages as one: a line for each matter, in the reader's language, as it is now."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from reeve.domain.bundle import Bundle, Calendar, GradeRule, Policy, SiteSettings
from reeve.domain.case import Case, CaseKey
from reeve.rulelang.closures import Closures
from reeve.rulelang.load import load_bundle
from reeve.rulelang.sms_segments import segments
from reeve.runtime.combined_text import Part, combined_text
from reeve.runtime.rendering import MessageRenderer, Rendered

NOW = datetime(2026, 11, 20, 1, 0, tzinfo=UTC)
POLICY = Policy(
    "complaint",
    "ticket",
    "d1",
    None,
    (GradeRule("ordinary", None, {"zh": "一般", "en": "Ordinary"}),),
    ("ordinary",),
    None,
    {},
    (),
    None,
    title={"zh": "客户投诉", "en": "Complaint"},
)
SITE = SiteSettings(
    *("", "Asia/Shanghai", "zh", Calendar("cn", frozenset(), frozenset(), None), {}, {}, {}),
    title={"zh": "阳光花园", "en": "Sunshine"},
)
LATE = {
    "zh": {"email": {"subject": "{{ case }}超时", "body": "."}},
    "en": {"email": {"subject": "{{ case }} is late", "body": "."}},
}


def _bundle(**messages: Any) -> Bundle:
    return Bundle("v", {"complaint": POLICY}, SITE, {}, {"late": LATE, **messages}, Closures())


def _part(subject: str = "T-1", step: str = "late", minutes: int = 0, role: str = "guard", **changes: Any) -> Part:
    case = Case(CaseKey("garden", "complaint", subject), "ticket", "d1", NOW, grade="ordinary", root=subject)
    return Part(replace(case, **changes), "late", step, role, NOW + timedelta(minutes=minutes))


def _said(*parts: Part, channel: str = "email", language: str = "en", **messages: Any) -> Rendered:
    return combined_text(MessageRenderer(), _bundle(**messages), parts, channel, language, NOW)


def test_it_says_how_many_about_what_and_which_steps() -> None:
    said = _said(_part(minutes=1), _part(minutes=2), _part(step="nearly_late"), _part("T-2"))
    assert said.subject == "Sunshine: 4 messages, 2 cases"
    assert said.body == "Sunshine: 4 messages, 2 cases:\nT-1 is late (3: nearly_late, late ×2)\nT-2 is late"
    assert said.fault is None


def test_it_speaks_chinese() -> None:
    said = _said(_part(), _part(minutes=1), language="zh")
    assert said.subject == "【阳光花园】2条通知，1件事项"
    assert said.body == "【阳光花园】2条通知，1件事项：\nT-1超时（2条：late ×2）"


def test_one_case_is_said_as_one_case() -> None:
    assert "2 messages about one case" in _said(_part(), _part(minutes=1)).subject


def test_a_closed_case_says_so_and_has_no_link() -> None:
    open_one = replace(_part("T-2"), ack_url="https://a/ack/1")
    closed = replace(_part(open=False, closed_at=NOW), ack_url="https://a/ack/2")
    said = _said(closed, open_one)
    assert "T-1 is late (closed)" in said.body
    assert "Acknowledge: https://a/ack/1" in said.body
    assert "ack/2" not in said.body


def test_owners_are_not_told_steps() -> None:
    said = _said(_part(role="owner"), _part(role="owner", minutes=1, step="dunning"))
    assert "T-1 is late (2 messages)" in said.body
    assert "dunning" not in said.body


def test_cases_of_several_sites_name_no_site() -> None:
    elsewhere = replace(_part(), case=replace(_part().case, key=CaseKey("other", "complaint", "T-1")))
    said = _said(_part(), elsewhere)
    assert said.subject == "2 messages, 2 cases"


def test_the_operators_own_text_has_the_numbers_and_the_lines() -> None:
    own = {"en": {"sms": "{{ site_title }} {{ count }}/{{ matters }}: {{ lines }}"}}
    assert _said(_part(), _part("T-2"), channel="sms", digest=own).body == "Sunshine 2/2: T-1 is late\nT-2 is late"


def test_a_broken_text_of_the_operators_is_replaced() -> None:
    said = _said(_part(), _part("T-2"), channel="sms", digest={"en": {"sms": "{{ 1 / 0 }}"}})
    assert said.fault is not None
    assert said.body.startswith("Sunshine: 2 messages, 2 cases:")


@given(st.integers(2, 300))
def test_an_sms_stays_short_and_counts_the_rest(many: int) -> None:
    said = _said(*(_part(f"T-{number}") for number in range(many)), channel="sms")
    assert segments(said.body) <= 3
    shown = said.body.count("is late")
    assert shown >= 1
    assert shown == many or f"and {many - shown} more" in said.body


def test_rules_may_bring_a_text_for_it_and_its_names_are_known() -> None:
    files = {
        "complaint.yaml": b"policy: complaint\ntakes: ticket\nclose: ticket.closed\n",
        "site.yaml": b"language: 1\nzone: UTC\n",
        "messages.yaml": b"digest: {en: {sms: '{{ count }} {{ matters }} {{ lines }}'}}\n"
        b"other: {en: {sms: '{{ lines }}'}}\n",
    }
    found = [(one.code, one.line) for one in load_bundle(files).problems]
    assert ("template_name", 2) in found
    assert ("template_name", 1) not in found
