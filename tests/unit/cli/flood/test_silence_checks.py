"""What a person asks to silence: misspelt names are found, moments read, and the worst grades seen."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from reeve.cli.flood.silence_checks import (
    hides_anything,
    known_names,
    misspelt,
    read_when,
    site_meant,
    worst_by_policy,
    worst_of,
)
from reeve.cli.flood.texts import TEXTS
from reeve.domain.bundle import Bundle
from reeve.domain.flood.silences import REFUSALS, Matchers
from reeve.domain.recipients import Recipient
from reeve.rulelang.load import load_bundle, read_folder

RULES = Path(__file__).parents[4] / "rules"


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    """The project's own rules."""
    found = load_bundle(read_folder(RULES)).bundle
    assert found is not None
    return found


def test_a_misspelt_name_is_found_with_what_was_meant(bundle: Bundle) -> None:
    known = known_names(bundle, ["pm-1", "ss-1"])
    asked = Matchers(site="anything", policy="complant", role="technican", recipient="pm-1", grade="ordinary")
    assert set(misspelt(asked, known)) == {
        ("policy", "complant", "complaint"),
        ("role", "technican", "technician"),
    }
    assert list(misspelt(Matchers(message="nobody_answered", subject="T-9"), known)) == []


def test_the_worst_grades_of_what_it_matches_are_known(bundle: Bundle) -> None:
    assert worst_of(Matchers(policy="complaint"), bundle) == ("extraordinary", "major")
    assert worst_of(Matchers(policy="complaint", grade="ordinary"), bundle) == ()
    assert "emergency" in worst_of(Matchers(site="anywhere"), bundle)
    everywhere = worst_by_policy(Matchers(site="anywhere"), bundle)
    assert everywhere["notice"] == ("urgent", "ordinary")
    assert everywhere["complaint"] == ("extraordinary", "major")
    assert "letter" not in everywhere


def test_a_site_that_nobody_knows_is_said_to_be_that(bundle: Bundle) -> None:
    people = [Recipient("pm-1", "sunny-court", frozenset({"property_manager"}))]
    assert site_meant("sunny-cort", bundle, people) == "sunny-court"
    assert site_meant("elsewhere", bundle, people) == ""
    assert site_meant("sunny-court", bundle, people) is None
    assert site_meant("sunshine-garden", bundle, []) is None


def test_a_silence_of_a_worst_grade_alone_hides_nothing(bundle: Bundle) -> None:
    assert not hides_anything(Matchers(policy="complaint", grade="extraordinary"), bundle)
    assert hides_anything(Matchers(policy="complaint", grade="ordinary"), bundle)
    assert hides_anything(Matchers(policy="complaint"), bundle)


def test_moments_are_the_sites() -> None:
    assert read_when("2026-11-22 18:00", "Asia/Shanghai") == datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
    assert read_when("2026-11-22T18:00+01:00", "Asia/Shanghai") == datetime(2026, 11, 22, 17, 0, tzinfo=UTC)
    assert read_when("tomorrow", "Asia/Shanghai") is None
    assert read_when("2026-11-22 25:00", "Asia/Shanghai") is None


def test_both_languages_say_the_same_things() -> None:
    assert TEXTS["en"].keys() | REFUSALS.keys() == TEXTS["zh"].keys()
