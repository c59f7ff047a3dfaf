"""What people read: templates within limits, the reader's language, and Reeve's own text where a template fails."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from email import message_from_bytes, policy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reeve.domain.bundle import Bundle, Calendar, ClockRule, GradeRule, Policy, SiteSettings
from reeve.domain.case import Account, Case, CaseKey, ClockState, Due
from reeve.domain.expressions import Trigger
from reeve.rulelang.closures import Closures
from reeve.rulelang.template_filters import FILTERS
from reeve.rulelang.template_limits import RenderingFailed, TemplateRefused
from reeve.rulelang.templates import Renderer
from reeve.rulelang.titles import languages_for
from reeve.runtime.rendering import MessageRenderer
from services.notify.channels.base import Text
from services.notify.channels.mail_bytes import BadHeader, MailBuilder
from services.notify.context import rank_of

NOW = datetime(2026, 11, 20, 1, 0, tzinfo=UTC)
NOTHING = Trigger(())
POLICY = Policy(
    "complaint",
    "ticket",
    "d1",
    None,
    (GradeRule("major", None, {"zh": "重大投诉", "en": "Major"}), GradeRule("ordinary", None)),
    ("major", "ordinary"),
    None,
    {name: ClockRule(name, NOTHING, NOTHING, {}) for name in ("respond", "resolve")},
    (),
    None,
    title={"zh": "客户投诉", "en": "Customer complaint"},
)
DEFAULTS = SiteSettings(
    "", "Asia/Shanghai", "zh", Calendar("cn", frozenset(), frozenset(), None), {}, {}, {}, title={"zh": "阳光花园"}
)


def _bundle(**messages: Any) -> Bundle:
    return Bundle("v", {"complaint": POLICY}, DEFAULTS, {}, messages, Closures())


def _case(**facts: Any) -> Case:
    return Case(
        CaseKey("garden", "complaint", "T-1"),
        "ticket",
        "d1",
        NOW,
        grade="major",
        facts=facts,
        clocks={"respond": ClockState(1, "running", due=Due(NOW + timedelta(minutes=5)))},
    )


def _render(template: Any, channel: str = "sms", language: str = "", case: Case | None = None) -> tuple[str, str]:
    bundle = _bundle(m={"zh": {channel: template}})
    rendered = MessageRenderer().render(
        bundle, case or _case(), "m", channel, language, "guard", NOW, "http://a/ack/1"
    )
    assert rendered.fault is None, rendered.fault
    return rendered.subject, rendered.body


def test_the_names_a_template_sees() -> None:
    template = (
        "【{{ site_title }}】{{ policy_title }}{{ case }} {{ grade_title }}/{{ grade }}：{{ title }} "
        "{{ respond_due | hm }} {{ respond_due | date }} [{{ resolve_due | hm }}] {{ role_title }} {{ ack_url }} "
        "{{ loss_cny | money }} {{ due_at | hm }} {{ owed_cny }} {{ message }}"
    )
    case = _case(title="漏水 <b>", loss_cny="12000.50", due_at="2026-11-20T05:00:00+00:00")
    assert _render(template, case=case)[1] == (
        "【阳光花园】客户投诉T-1 重大投诉/major：漏水 <b> "
        "09:05 2026-11-20 [] 保安员 http://a/ack/1 12,000.50 13:00  m"
    )


def test_a_fact_the_case_lacks_prints_as_nothing() -> None:
    assert _render("{{ title }}-{{ room }}-{{ customer }}") == ("", "--")


def test_the_readers_language_then_the_sites_then_english() -> None:
    bundle = _bundle(
        m={
            "zh": {"sms": "中文"},
            "en": {"sms": "English", "email": {"subject": "s", "body": "b"}},
            "fr": {"sms": "f"},
        }
    )

    def said(language: str, channel: str = "sms") -> str:
        return MessageRenderer().render(bundle, _case(), "m", channel, language, "guard", NOW).body

    assert said("en") == said("en-GB") == "English"
    assert said("zh-CN") == said("") == said("de") == "中文"
    assert said("fr") == "f"
    assert said("zh", "email") == "b"
    assert languages_for("zh_TW", replace(DEFAULTS, locale="en")) == ("zh_TW", "zh", "en")


@pytest.mark.parametrize(
    ("message", "language", "expected"),
    [
        ("none", "zh", "【阳光花园】客户投诉 T-1（重大投诉），请处理，时限 09:05。"),
        ("none", "en", "阳光花园: Customer complaint T-1 (Major) needs attention, due 09:05."),
        ("unreachable", "zh", "【阳光花园】客户投诉 T-1（重大投诉）：无法联系到保安员，请您接手，时限 09:05。"),
        (
            "unreachable",
            "en",
            "阳光花园: Customer complaint T-1 (Major): no guard could be reached; please take over, due 09:05.",
        ),
    ],
)
def test_the_built_in_text(message: str, language: str, expected: str) -> None:
    rendered = MessageRenderer().render(_bundle(), _case(), message, "sms", language, "guard", NOW)
    assert (rendered.body, rendered.fault) == (expected, None)
    assert "T-1" in rendered.subject


@pytest.mark.parametrize("template", ["{{ no_such_name }}", "{{ title | hm(1) }}", "{% set a = 1 %}", "  ", "{{"])
def test_a_broken_template_is_replaced_and_reported(template: str) -> None:
    bundle = _bundle(m={"zh": {"sms": template}})
    rendered = MessageRenderer().render(bundle, _case(title="秘密"), "m", "sms", "zh", "guard", NOW)
    assert "T-1" in rendered.body
    assert rendered.fault is not None
    assert "秘密" not in rendered.fault + repr(rendered)


def test_a_title_with_line_breaks_stays_one_subject_line() -> None:
    case = _case(title="a\r\nBcc: x@example.org\u2028\x00b")
    subject, _ = _render({"subject": "{{ title }}", "body": "b"}, "email", case=case)
    assert subject == "a Bcc: x@example.org b"


@pytest.mark.parametrize(
    "template",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ a.__init__.__globals__ }}",
        "{{ 'x' * 1000000000 }}",
        "{{ a.upper() }}",
        "{% for i in range(9) %}{% endfor %}",
        "{% macro m() %}{{ m() }}{% endmacro %}",
        "{% set a = a ~ a %}",
        "{% include 'x' %}",
        "{% import 'x' as y %}",
        "{{ a | attr('upper') }}",
        "{{ a | map('upper') }}",
        "{{ a ** 9 }}",
        "{% for x in rows recursive %}{{ loop(x) }}{% endfor %}",
        "{{ _budget }}",
        "x" * 20_001,
        "{% for x in rows %}" * 25 + "{% endfor %}" * 25,
        "{% if a %}" * 120 + "{% endif %}" * 120,
        "{{ " + "(" * 300 + "a" + ")" * 300 + " }}",
        "{{ " + "[" * 90 + "a" + "]" * 90 + " }}",
        "{{ a" + "|upper" * 2500 + " }}",
        "{{ " + "9" * 6000 + " }}",
    ],
)
def test_what_could_do_harm_is_refused(template: str) -> None:
    with pytest.raises((TemplateRefused, RenderingFailed)):
        Renderer(FILTERS).render(template, {"a": "b", "rows": [1]})


@pytest.mark.timeout(20)  # a loop that did not end would take hours
def test_loops_end_soon() -> None:
    rows = list(range(1000))
    template = "{% for a in rows %}{% for b in rows %}{% for c in rows %}{% endfor %}{% endfor %}{% endfor %}"
    with pytest.raises(RenderingFailed):
        Renderer({}).render(template, {"rows": rows})
    with pytest.raises(RenderingFailed):
        Renderer({}).render("{% for a in rows %}{{ text }}{% endfor %}", {"rows": rows, "text": "x" * 1000})


def test_a_report_table_is_fine() -> None:
    rows = [{"grade": "major", "count": number} for number in range(300)]
    text = Renderer({}).render(
        "{% for row in rows %}{{ loop.index }} {{ row.grade }}: {{ row.count }}\n{% endfor %}", {"rows": rows}
    )
    assert text.splitlines()[299] == "300 major: 299"


@pytest.mark.parametrize(
    ("value", "text"),
    [(Decimal("12000.00"), "12,000"), (Decimal("0.5"), "0.50"), (-3, "-3"), (True, True), (None, None), ("x", "x")],
)
def test_money(value: Any, text: Any) -> None:
    assert FILTERS["money"](value) == text


def test_moments_and_dates() -> None:
    assert FILTERS["hm"](NOW) == "01:00"
    assert FILTERS["date"](NOW) == FILTERS["date"](date(2026, 11, 20)) == "2026-11-20"
    assert FILTERS["hm"](None) is None


def test_a_limit_that_ends_with_a_day_reads_as_24_00_of_it() -> None:
    case = _case()
    midnight = datetime(2026, 11, 20, 16, tzinfo=UTC)  # 00:00 of the 21st in Shanghai
    case.clocks["respond"].due = Due(midnight, date(2026, 11, 20))
    template = "{{ respond_due | date }} {{ respond_due | hm }}, {{ respond_due }}"
    assert _render(template, case=case)[1] == "2026-11-20 24:00, 2026-11-20 24:00"
    assert _render("{{ respond_due > due_at }}", case=_case(due_at=midnight.isoformat()))[1] == "False"
    built_in = MessageRenderer().render(_bundle(), case, "none", "sms", "en", "guard", NOW).body
    assert built_in.endswith("due 24:00.")
    day_before = MessageRenderer().render(_bundle(), case, "none", "sms", "en", "guard", NOW - timedelta(1)).body
    assert day_before.endswith("due 2026-11-20 24:00.")
    case.clocks["respond"].due = Due(midnight)  # a limit that merely happens to end then
    assert _render("{{ respond_due | date }} {{ respond_due | hm }}", case=case)[1] == "2026-11-21 00:00"


def test_the_worst_grade_ranks_first() -> None:
    bundle, case = _bundle(), _case()
    assert rank_of(bundle, case, "major") == 0
    assert rank_of(bundle, case, "ordinary") == 1
    assert rank_of(bundle, case, None) > 1
    assert rank_of(replace(bundle, policies={}), case, "major") > 1


def test_what_is_owed() -> None:
    case = replace(_case(), family="payment", account=Account(Decimal("100.5"), paid=Decimal("0.5")))
    assert _render("{{ owed_cny | money }}", case=case)[1] == "100"


SINGLE_LINES = st.text(st.characters(blacklist_categories=("Cs", "Cc", "Zl", "Zp")), max_size=200)
BODIES = st.text(st.characters(blacklist_categories=("Cs", "Cc")) | st.just("\n"), max_size=500)


@given(SINGLE_LINES, BODIES)
def test_every_subject_and_body_arrives_unchanged(subject: str, body: str) -> None:
    builder = MailBuilder("物业服务 <reeve@example.org>")
    mail = builder.build(Text("id", "a@example.org", subject, body, NOW))
    assert max(len(line) for line in mail.split(b"\r\n")) <= 98
    assert b"\n" not in mail.replace(b"\r\n", b"")
    parsed = message_from_bytes(mail, policy=policy.default)
    assert " ".join(str(parsed["subject"] or "").split()) == " ".join(subject.split())
    assert parsed.get_content().replace("\r\n", "\n").rstrip("\n") == body.rstrip("\n")
    assert str(parsed["from"]) == "物业服务 <reeve@example.org>"
    assert parsed["message-id"] == builder.message_id("id")


@pytest.mark.parametrize("broken", ["a\r\nBcc: x", "a\nb", "a\rb", "a\0b"])
def test_line_breaks_in_headers_are_refused(broken: str) -> None:
    builder = MailBuilder("reeve@example.org")
    with pytest.raises(BadHeader):
        builder.build(Text("id", "a@example.org", broken, "", NOW))
    with pytest.raises(BadHeader):
        builder.build(Text("id", broken, "s", "", NOW))
    with pytest.raises(ValueError, match="sender"):
        MailBuilder(f"reeve@example.org{broken[1:]}")


@pytest.mark.parametrize(
    ("texts", "channel", "said"),
    [
        ({"chat": "c", "sms": "s"}, "chat", ("", "c")),
        ({"chat": {"subject": "t", "body": "c"}, "sms": "s"}, "chat", ("t", "c")),
        ({"sms": "s", "email": {"subject": "t", "body": "b"}}, "chat", ("", "s")),
        ({"email": {"subject": "t", "body": "b"}}, "webhook", ("t", "b")),
        ({"chat": "c", "sms": "s"}, "webhook", ("", "s")),
    ],
)
def test_a_channel_without_a_text_of_its_own_takes_anothers(
    texts: dict[str, Any], channel: str, said: tuple[str, str]
) -> None:
    rendered = MessageRenderer().render(_bundle(m={"zh": texts}), _case(), "m", channel, "zh", "guard", NOW)
    assert (rendered.subject, rendered.body) == said
