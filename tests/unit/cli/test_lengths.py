"""Lengths of time as people type them, and moments so long ago."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from reeve.cli.lengths import ago, length_of

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("90s", timedelta(seconds=90)),
        ("90m", timedelta(minutes=90)),
        (" 8 h ", timedelta(hours=8)),
        ("8H", timedelta(hours=8)),
        ("８ｈ", timedelta(hours=8)),
        ("2d12h", timedelta(days=2, hours=12)),
        ("1w 1d", timedelta(days=8)),
    ],
)
def test_a_length(text: str, length: timedelta) -> None:
    assert length_of(text) == length
    assert ago(text, NOW) == NOW - length


@pytest.mark.parametrize("text", ["", "8", "0h", "-1h", "12h2d", "2 working days", "soon", "1.5h", "9999999h"])
def test_what_is_no_length(text: str) -> None:
    assert length_of(text) is None
    assert ago(text, NOW) is None


def test_the_longest_length_ends_within_the_calendar() -> None:
    longest = "9999w 99999d 99999h 999999m 999999s"
    assert ago(longest, NOW) == NOW - (length_of(longest) or timedelta())
