"""From a folder's bytes to a bundle: versions, defaults, overrides, what a policy is filled with."""

from __future__ import annotations

import time
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from reeve.domain.bundle import Bundle, Span
from reeve.domain.durations import Elapsed
from reeve.domain.expressions import Fact
from reeve.rulelang.load import load_bundle, read_folder

CORPUS = Path(__file__).parents[2] / "corpus" / "rules"
POLICY = b"""\
policy: complaint
takes: ticket
clocks:
  respond: {start: ticket.opened, stop: ticket.acknowledged, limit: 10m}
close: ticket.closed
"""


def codes(files: dict[str, bytes]) -> list[str]:
    return [found.code for found in load_bundle(files).problems]


@pytest.fixture
def example() -> Bundle:
    return load_bundle(read_folder(CORPUS / "good" / "shipped-example")).require()


def test_one_policy_file_alone_is_a_bundle() -> None:
    result = load_bundle({"complaint.yaml": POLICY})
    bundle = result.require()
    assert [found.severity for found in result.problems] == ["warning", "warning"]
    assert bundle.defaults.zone == "UTC"
    assert bundle.defaults.locale == "en"
    assert bundle.defaults.channels == {"default": ("email",)}
    assert bundle.defaults.calendar.known_until is None
    assert bundle.site("anywhere") is bundle.defaults


def test_a_policy_is_filled_with_what_it_reads(example: Bundle) -> None:
    policy = example.policies["complaint"]
    assert policy.grade_order == ("extraordinary", "major", "serious", "ordinary")
    assert {"loss_cny", "category", "event.satisfaction", "times_on_incident", "due_at"} <= policy.reads
    assert "loss_cny" in policy.grading_facts
    assert "category" not in policy.grading_facts
    times, people = policy.counts
    assert (times.thresholds, times.within, times.distinct) == ((Decimal(3),), Elapsed(90 * 86400), None)
    assert (people.thresholds, people.same, people.distinct) == ((Decimal(10),), ("incident",), "customer")
    assert policy.title == {"en": "Customer complaint", "zh": "客户投诉"}


def test_limits_steps_and_thens(example: Bundle) -> None:
    policy = example.policies["complaint"]
    resolve = policy.clocks["resolve"]
    assert [type(term.base) for term in resolve.limits["major"].terms] == [Fact, type(None)]
    assert resolve.pause_from is not None
    assert set(policy.clocks["inform"].limits) == {""}
    steps = {step.name: step for step in policy.steps}
    first, second = steps["nobody_answered"].levels
    assert first.repeat is not None
    assert (first.repeat.every, first.repeat.times) == (Elapsed(300), 3)
    assert (second.notify, second.message) == (("property_manager",), "nobody_answered")
    assert steps["report_up"].once_per == "incident"
    assert steps["report_up"].levels[0].via == ("sms", "email")
    assert steps["late"].levels[0].raise_grade == 1
    assert steps["unhappy"].levels[0].reopen


def test_a_fact_can_be_the_grade() -> None:
    bundle = load_bundle(read_folder(CORPUS / "good" / "elsewhere")).require()
    repair = bundle.policies["repair"]
    assert repair.grade_from == "repair_class"
    assert repair.grade_order == ("emergency", "major", "ordinary")
    dunning = bundle.policies["arrears"].steps[0]
    assert not dunning.ack_ends
    assert dunning.until is not None


def test_other_facts_as_grades_are_ordered_as_the_limits_name_them() -> None:
    text = POLICY.replace(b"limit: 10m", b"limit: {hot: 1m, cold: 1h}").replace(
        b"clocks:", b"grades: from heat\nclocks:"
    )
    bundle = load_bundle({"complaint.yaml": text}).require()
    assert bundle.policies["complaint"].grade_order == ("hot", "cold")


def test_chinese_names_are_the_english_facts() -> None:
    policy = load_bundle(read_folder(CORPUS / "good" / "chinese")).require().policies["complaint"]
    assert policy.grading_facts == {"loss_cny", "deaths", "due_at", "injury"}
    assert policy.title == {"zh": "客户投诉"}
    assert set(policy.clocks["respond"].limits) == {"", "特别重大"}


def test_a_site_file_overrides_key_by_key() -> None:
    files = {
        "complaint.yaml": POLICY,
        "site.yaml": b"language: 1\nzone: Asia/Shanghai\nlocale: zh\n"
        b"opening: {default: '08:30-12:00, 13:30-18:00'}\n"
        b"quiet: {from: '21:00', to: '08:00'}\nladder: {a: b, b: c}\nchannels: {default: [sms]}\n",
        "sites/north.yaml": b"title: North\nlocale: en\nopening: {sat: closed}\nquiet: none\nladder: {b: none}\n",
    }
    bundle = load_bundle(files).require()
    north, other = bundle.site("north"), bundle.site("south")
    assert (north.zone, north.locale, other.locale) == ("Asia/Shanghai", "en", "zh")
    assert north.opening == {"default": (Span(510, 720), Span(810, 1080)), "sat": ()}
    assert (north.quiet, north.ladder, other.ladder) == (None, {"a": "b"}, {"a": "b", "b": "c"})
    assert north.title == {"en": "North"}
    assert other.quiet is not None
    assert north.channels == {"default": ("sms",)}


def test_the_version_is_that_of_the_content_not_of_line_ends() -> None:
    files = {"complaint.yaml": POLICY}
    version = load_bundle(files).require().version
    assert len(version) == 16
    assert (
        load_bundle({"complaint.yaml": b"\xef\xbb\xbf" + POLICY.replace(b"\n", b"\r\n")}).require().version
        == version
    )
    assert load_bundle({**files, "README.md": b"x"}).require().version == version
    assert load_bundle({"complaint.yaml": POLICY + b"# more\n"}).require().version != version


def test_a_policy_keeps_its_digest_when_other_files_change() -> None:
    one = load_bundle({"complaint.yaml": POLICY}).require()
    two = load_bundle({"complaint.yaml": POLICY, "site.yaml": b"language: 1\nzone: Asia/Shanghai\n"}).require()
    three = load_bundle({"complaint.yaml": POLICY, "site.yaml": b"language: 1\nvocabulary: {a: b}\n"}).require()
    assert one.policies["complaint"].digest == two.policies["complaint"].digest
    assert one.policies["complaint"].digest != three.policies["complaint"].digest


@pytest.mark.parametrize(
    ("path", "data", "code"),
    [
        ("site.yaml", b"language: 2\n", "wrong_language"),
        ("site.yaml", b"zone: UTC\n", "no_language"),
        ("site.yaml", b"language: 1\nzone: Asia/Shanghi\n", "unknown_zone"),
        ("site.yaml", b"language: 1\ncalendar: atlantis\n", "no_calendar_file"),
        ("site.yaml", b"language: 1\nopening: {default: '18:00-08:00'}\n", "bad_span"),
        ("site.yaml", b"language: 1\nopening: {satday: '08:00-09:00'}\n", "unknown_day"),
        ("site.yaml", b"language: 1\nquiet: {from: '25:00', to: '08:00'}\n", "expected_time"),
        ("site.yaml", b"language: 1\nchannels: {default: [smss]}\n", "unknown_channel"),
        ("site.yaml", b"language: 1\nchannels: {mayor: [sms]}\n", "unknown_site_grade"),
        ("site.yaml", b"language: 1\nladder: {a: b, b: a}\n", "ladder_cycle"),
        ("site.yaml", b"language: 1\nvocabulary: {or: b}\n", "vocabulary_word"),
        ("site.yaml", b"language: 1\nlader: {a: b}\n", "unknown_key"),
        ("sites/North.yaml", b"zone: UTC\n", "wrong_name"),
        ("complaint.yml", POLICY, "not_read"),
        ("policies/repair.yaml", POLICY, "not_read"),
        ("Complaint.yaml", POLICY, "wrong_name"),
        ("calendars/cn.yaml", b"known_until: 2026-02-30\n", "expected_date"),
        ("calendars/cn.yaml", b"holidays: [2026-01-01]\n", "missing_key"),
        (
            "calendars/cn.yaml",
            b"{known_until: 2026-12-31, holidays: [2026-01-01], workdays: [2026-01-01]}",
            "calendar_overlap",
        ),
        ("messages.yaml", b"m: {en: {sms: '{{ x'}}\n", "template_syntax"),
        ("messages.yaml", b"m: {en: {email: text}}\n", "message_shape"),
        ("messages.yaml", b"m: {en: {emial: {subject: a, body: b}}}\n", "unknown_channel"),
        ("duties.yaml", b"- {duty: d, every: sometimes, who: guard}\n", "bad_every"),
        ("score.yaml", b"- {points: -2, on: complaint.respnd breached, to: department}\n", "unknown_clock"),
        ("score.yaml", b"- {points: -2, on: complain.respond breached, to: department}\n", "unknown_policy"),
        (
            "tests/a.test.yaml",
            b"- {test: t, site: s, events: [{at: soon, type: ticket.opened, subject: T}]}\n",
            "expected_moment",
        ),
    ],
)
def test_what_the_other_files_can_get_wrong(path: str, data: bytes, code: str) -> None:
    assert code in codes({"complaint.yaml": POLICY, path: data})


def test_a_calendar_that_ends_soon_is_said() -> None:
    files = {
        "complaint.yaml": POLICY,
        "site.yaml": b"language: 1\ncalendar: cn\n",
        "calendars/cn.yaml": b"{known_until: 2026-12-31, holidays: [2026-10-01], workdays: []}",
    }
    soon = load_bundle(files, today=date(2026, 11, 20))
    assert [(found.code, found.file, found.line) for found in soon.warnings if found.file == "site.yaml"] == [
        ("calendar_ends", "site.yaml", 2)
    ]
    assert "calendar_ends" not in [found.code for found in load_bundle(files, today=date(2026, 9, 1)).problems]


def test_an_empty_folder_says_what_to_write(tmp_path: Path) -> None:
    result = load_bundle(read_folder(tmp_path))
    assert result.bundle is None
    assert [found.code for found in result.errors] == ["nothing_there"]
    with pytest.raises(NotADirectoryError):
        read_folder(tmp_path / "nowhere")


def test_hidden_and_foreign_files_are_not_read(tmp_path: Path) -> None:
    (tmp_path / "complaint.yaml").write_bytes(POLICY)
    (tmp_path / ".git").mkdir()
    for name in (".git/x.yaml", ".hidden.yaml", "complaint.yaml~", "notes.txt"):
        (tmp_path / name).write_text("x")
    assert list(read_folder(tmp_path)) == ["complaint.yaml"]


def test_five_hundred_rules_load_quickly() -> None:
    steps = "".join(
        f"  - {{name: s{n}, on: ticket.updated, if: loss_cny >= {n}, notify: front_desk}}\n" for n in range(10)
    )
    close = "close: ticket.closed\n"
    files = {
        f"p{n}.yaml": f'policy: p{n}\ntakes: ticket\nif: item == "{n}"\nsteps:\n{steps}{close}'.encode()
        for n in range(50)
    }
    started = time.process_time()
    assert len(load_bundle(files).require().policies) == 50
    assert time.process_time() - started < 20
