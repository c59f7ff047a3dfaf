"""How many SMS a text takes: the limits of both alphabets, and what takes two places."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reeve.rulelang.sms_segments import is_gsm, places, segments


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("a" * 152 + "€" * 76 + "a", 2),
        ("a" * 152 + "€" * 77, 3),  # 306 places, but no character is torn in two
        ("投" * 70, 1),
        ("投" * 71, 2),
        ("投" * 134, 2),
        ("投" * 135, 3),
        ("a" * 70 + "投", 2),
        ("😀" * 35, 1),
        ("😀" * 36, 2),
        ("😀" * 67, 3),  # 33 in 67 places
    ],
)
def test_how_many_sms_a_text_takes(text: str, count: int) -> None:
    assert segments(text) == count


@given(st.text(max_size=400))
def test_no_sms_is_fuller_than_it_can_be(text: str) -> None:
    alone, each = (160, 153) if is_gsm(text) else (70, 67)
    count = segments(text)
    assert places(text) <= (alone if count == 1 else count * each)
    assert count == 1 or places(text) > alone
