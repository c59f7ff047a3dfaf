"""How many SMS a text takes: the limits of both alphabets, and what takes two places."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reeve.rulelang.sms_segments import encoding, is_gsm, parts, places, segments


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


TWO_SEPTETS = "^{}\\[~]|€\f"
GSM_TEXT = st.text(st.sampled_from("aZ9 @£¥ÄñΩ\n\r" + TWO_SEPTETS), max_size=700)
CHARACTERS = st.characters(codec="utf-8")
ANY_TEXT = st.text(st.sampled_from("a投😀𠮷€\u200d") | CHARACTERS, max_size=400)


def _septets(text: str) -> int:
    """As a phone codes it: an escape before each character of the extension table."""
    return sum(2 if character in TWO_SEPTETS else 1 for character in text)


def _units(text: str) -> int:
    return len(text.encode("utf-16-be")) // 2


@given(GSM_TEXT)
def test_gsm_parts_hold_what_a_network_puts_into_them(text: str) -> None:
    assert encoding(text) == "GSM-7"
    found = parts(text)
    assert "".join(found) == text
    assert len(found) == segments(text)
    most = 160 if len(found) == 1 else 153
    assert all(_septets(part) <= most for part in found)
    # Nothing that would have fitted was left for the next one.
    for part, following in pairwise(found):
        assert _septets(part) + _septets(following[0]) > 153


@given(ANY_TEXT.filter(lambda text: not is_gsm(text)))
def test_parts_in_any_script_hold_whole_characters(text: str) -> None:
    assert encoding(text) == "UCS-2"
    found = parts(text)
    assert "".join(found) == text
    assert len(found) == segments(text)
    most = 70 if len(found) == 1 else 67
    # Encoding a part by itself would fail on half a surrogate pair.
    assert all(_units(part) <= most for part in found)
    for part, following in pairwise(found):
        assert _units(part) + _units(following[0]) > 67


@given(ANY_TEXT, st.sampled_from("投я‘“…"))
def test_one_character_outside_the_alphabet_makes_the_whole_text_ucs2(text: str, other: str) -> None:
    assert segments(text + other) >= segments(text)
    assert places(text + other) == _units(text + other)
