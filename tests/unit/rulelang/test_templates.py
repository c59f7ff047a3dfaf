"""The names a template takes, and that check and sending know the same ones."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from reeve.domain.case import Case, CaseKey
from reeve.rulelang.load import LoadResult, load_bundle
from reeve.rulelang.message_context import FIXED, MessageNames, message_context
from reeve.rulelang.messages import TEMPLATES
from reeve.rulelang.templates import place_of

AT = datetime(2026, 11, 20, tzinfo=UTC)
SITE = b"language: 1\nchannels: {default: [sms, email]}\n"
COMPLAINT = b"""
policy: complaint
takes: ticket
if: category == "complaint"
counts: {times_on_incident: {of: ticket.opened, same: incident, within: 90d}}
grades: [{grade: major, if: times_on_incident >= 3 or flooded_rooms > 2}, {grade: ordinary}]
clocks: {respond: {start: ticket.opened, stop: ticket.acknowledged, limit: 10m}}
steps: [{name: late, on: respond breached, notify: front_desk}]
close: ticket.closed
"""
LETTER = b"""
policy: letter
takes: mail
clocks: {collect: {start: mail.received, stop: mail.collected, limit: 14d}}
steps: [{name: lying, on: collect breached, notify: front_desk}]
close: mail.collected
"""


def load(messages: str) -> LoadResult:
    files = {"site.yaml": SITE, "complaint.yaml": COMPLAINT, "letter.yaml": LETTER}
    return load_bundle({**files, "messages.yaml": messages.encode()})


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("{{ a }} {{ b.c }} {{ d['e'] }}", "a b d"),
        ("{% if a and b is none %}{{ c | hm }}{% elif d %}{{ 'e' ~ e }}{% endif %}", "a b c d e"),
        (
            "{% for row in rows %}{{ row.x }} {{ loop.index }} {{ other }}{% else %}{{ row }}{% endfor %}",
            "rows other row",
        ),
        ("{{ a | default(b) }} {{ c | d('') }}", "b"),
        ("{% if a is defined %}{{ a }}{% endif %}{{ b is undefined }}", ""),
        ("{{ true }} {{ none }} {% raw %}{{ a }}{% endraw %}", ""),
    ],
)
def test_the_names_a_template_takes(source: str, names: str) -> None:
    assert [use.name for use in TEMPLATES.names(source)] == names.split()


def test_where_a_name_stands() -> None:
    source = "case {{ a.case }}\n{{ case }}"
    assert place_of(source, "case", 1) == source.index("case }}", 12)
    assert place_of("one\ntwo", "three", 2) == 4


@pytest.mark.parametrize(
    ("message", "name", "known"),
    [
        ("late", "respond_due", True),
        ("late", "flooded_rooms", True),  # a fact of the rules that no contract has
        ("late", "times_on_incident", False),
        ("late", "collect_due", False),
        ("late", "addressee_moved", False),
        ("lying", "collect_due", True),
        ("unreachable", "collect_due", True),  # goes out for every policy
        ("unreachable", "respond_due", True),
        ("sent_by_no_step", "respond_due", True),
    ],
)
def test_what_check_accepts_can_be_sent(message: str, name: str, known: bool) -> None:
    result = load(f"{message}: {{en: {{sms: '{{{{ {name} }}}}', email: {{subject: s, body: b}}}}}}")
    assert ({"template_name", "template_count"} & {found.code for found in result.errors} == set()) is known
    bundle = load("late: {en: {sms: x}}").require()
    names = MessageNames(bundle.policies.values())
    for policy in names.senders(message):
        case = Case(CaseKey("s", policy.name, "T-1"), policy.family, policy.digest, AT)
        words = {"message": message, "role": "guard", "ack_url": "", "now": AT}
        context = message_context(case, policy, names.of(message), bundle.defaults, ("en",), **words)  # type: ignore[arg-type]
        assert (name in context) is known
        assert set(context) == names.of(message)
        assert set(context) >= FIXED


def test_a_report_has_names_of_its_own() -> None:
    messages = "summary: {en: {email: {subject: s, body: '{{ duty_title }}: {{ report }}'}}}"
    duties = b"- {duty: summary, every: month on 30 at 09:00, who: front_desk}\n"
    files = {"site.yaml": SITE, "complaint.yaml": COMPLAINT, "messages.yaml": messages.encode()}
    assert [found.code for found in load_bundle(files).errors] == ["template_name"] * 2
    assert not load_bundle({**files, "duties.yaml": duties}).errors


def test_messages_of_several_files_are_one_set_and_every_problem_keeps_its_place() -> None:
    files = {
        "site.yaml": SITE,
        "complaint.yaml": COMPLAINT,
        "letter.yaml": LETTER,
        "messages.yaml": b"late: {en: {sms: x, email: {subject: s, body: b}}}\n",
        "messages/letter.yaml": b"lying:\n  en:\n    sms: y\n    email: {subject: s, body: '{{ titel }}'}\n",
    }
    loaded = load_bundle(files)
    assert [(found.file, found.line, found.column, found.code) for found in loaded.errors] == [
        ("messages/letter.yaml", 4, 35, "template_name")
    ]
    files["messages/letter.yaml"] = b"lying: {en: {sms: y, email: {subject: s, body: b}}}\n"
    whole = load_bundle(files)
    assert not whole.errors
    bundle = whole.require()
    assert (bundle.messages["late"]["en"]["sms"], bundle.messages["lying"]["en"]["sms"]) == ("x", "y")
    changed = load_bundle({**files, "messages/letter.yaml": files["messages/letter.yaml"] + b"\n# new\n"}).require()
    assert changed.version != bundle.version


def test_a_message_in_two_files_is_refused_where_it_stands_again() -> None:
    files = {
        "site.yaml": SITE,
        "complaint.yaml": COMPLAINT,
        "messages/common.yaml": b"# first\nlate: {en: {sms: x, email: {subject: s, body: b}}}\n",
        "messages/more.yaml": b"late: {en: {sms: '{{ titel }}'}}\n",
    }
    loaded = load_bundle(files)
    (found,) = loaded.errors
    assert found.render("en") == (
        "messages/more.yaml:1:1: error: message `late` has its texts in messages/common.yaml:2 already"
        " → keep it in one file: delete it here or there"
    )
    assert found.render("zh") == (
        "messages/more.yaml:1:1: 错误: 消息 `late` 的文本已写在 messages/common.yaml:2 → 只保留一处：请删除其中一处"
    )
    assert loaded.bundle is None


def test_a_message_file_that_cannot_be_read_makes_no_message_missing() -> None:
    files = {
        "site.yaml": SITE,
        "complaint.yaml": COMPLAINT,
        "messages/common.yaml": b"late: [\n",
        "messages/other.yaml": b"none: {en: {sms: x}}\n",
    }
    result = load_bundle(files)
    assert {found.file for found in result.errors} == {"messages/common.yaml"}
    assert "message_missing" not in {found.code for found in result.problems}
