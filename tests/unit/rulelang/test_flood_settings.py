"""What a site file says against floods: read, overridden at one site, and refused with the place and the mend."""

from __future__ import annotations

from datetime import timedelta

import pytest

from reeve.domain.flood.settings import DEFAULT_MERGE, Digest, Flood
from reeve.rulelang.load import load_bundle

POLICY = b"""policy: complaint
takes: ticket
grades:
  - {grade: extraordinary, if: loss_cny >= 100000}
  - {grade: major, if: loss_cny >= 10000}
  - {grade: ordinary}
clocks:
  respond: {start: ticket.opened, stop: ticket.acknowledged, limit: 10m}
close: ticket.closed
"""
HEAD = b"language: 1\nzone: Asia/Shanghai\n"


def _flood(site: bytes, own: bytes = b"locale: zh\n", at: str = "north") -> Flood:
    files = {"complaint.yaml": POLICY, "site.yaml": HEAD + site, "sites/north.yaml": own}
    return load_bundle(files).require().site(at).flood


def _found(site: bytes) -> list[tuple[str, int]]:
    files = {"complaint.yaml": POLICY, "site.yaml": HEAD + site}
    quiet = {"no_messages_file"}
    return [(one.code, one.line) for one in load_bundle(files).problems if one.code not in quiet]


def test_a_site_that_says_nothing_merges_for_minutes_and_reminds_once_a_day() -> None:
    assert _flood(b"") == Flood(DEFAULT_MERGE, None, True, None)


def test_everything_is_read() -> None:
    said = b"merge: 10m\ndigest: {grades: ordinary, at: ['17:00', '09:00']}\n"
    said += b"payment_reminders: all\nsms_budget: {segments: 5000}\n"
    assert _flood(said) == Flood(timedelta(minutes=10), Digest(("ordinary",), (540, 1020)), False, 5000)
    assert _flood(b"digest: {grades: [ordinary], every: 2h}\n").digest == Digest(
        ("ordinary",), (), timedelta(hours=2)
    )


def test_one_site_takes_back_what_all_have() -> None:
    common = b"merge: 10m\ndigest: {grades: ordinary, at: '09:00'}\nsms_budget: {segments: 5000}\n"
    own = b"merge: none\ndigest: none\nsms_budget: none\npayment_reminders: all\n"
    assert _flood(common, own) == Flood(None, None, False, None)
    assert _flood(common, own, at="south").sms_budget == 5000


@pytest.mark.parametrize(
    ("said", "found"),
    [
        (b"merge: 10s\n", [("merge_length", 3)]),
        (b"merge: 2 working days\n", [("merge_length", 3)]),
        (b"merge: soon\n", [("merge_length", 3)]),
        (b"digest: {grades: [ordinary]}\n", [("digest_moments", 3)]),
        (b"digest: {at: ['09:00']}\n", [("digest_moments", 3)]),
        (b"digest: {grades: [ordinary], at: ['09:00'], every: 2h}\n", [("digest_moments", 3)]),
        (b"digest:\n  grades: [ordinary]\n  at: ['25:00']\n", [("expected_time", 5)]),
        (b"digest: {grades: [ordinary], every: 5m}\n", [("digest_every", 3)]),
        (b"digest: {grades: [major], at: '09:00'}\n", [("digest_worst_grade", 3)]),
        (b"digest: {grades: [ordinry], at: '09:00'}\n", [("unknown_site_grade", 3)]),
        (b"payment_reminders: two a day\n", [("expected_choice", 3)]),
        (b"sms_budget: {segments: many}\n", [("expected_number", 3)]),
        (b"sms_budget: 5000\n", [("expected_map", 3)]),
    ],
)
def test_a_mistake_is_named_where_it_stands(said: bytes, found: list[tuple[str, int]]) -> None:
    assert _found(said) == found


def test_both_languages_say_what_to_write_instead() -> None:
    files = {"complaint.yaml": POLICY, "site.yaml": HEAD + b"merge: 10s\n"}
    (wrong,) = (one for one in load_bundle(files).problems if one.code == "merge_length")
    assert "`10m`" in wrong.render("en")
    assert "`10m`" in wrong.render("zh")
    assert wrong.render("zh").startswith("site.yaml:3:8: 错误")
