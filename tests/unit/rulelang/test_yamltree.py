"""YAML as operators' editors leave it: text stays as written, places are right, the rest is mended or refused."""

from __future__ import annotations

import time
from decimal import Decimal

import pytest

from reeve.rulelang.problems import BadRule
from reeve.rulelang.yamlfile import read_yaml
from reeve.rulelang.yamltree import Scalar, plain, typed


def refused(data: bytes) -> tuple[str, int, int]:
    with pytest.raises(BadRule) as bad:
        read_yaml("a.yaml", data)
    found = bad.value.problem
    return found.code, found.line, found.column


def test_nothing_is_guessed_into_another_kind() -> None:
    doc = read_yaml("a.yaml", b"on: yes\nat: 08:30\nn: 010\nday: 2026-01-31\noff: no\nempty:\ntilde: ~\n")
    assert plain(doc.root) == {
        "on": "yes",
        "at": "08:30",
        "n": "010",
        "day": "2026-01-31",
        "off": "no",
        "empty": None,
        "tilde": None,
    }


def test_event_data_has_the_kinds_of_yaml_1_2() -> None:
    doc = read_yaml(
        "a.yaml", b"{a: 12000, b: '12', c: true, d: null, e: 0.50, f: yes, g: [1, {h: x}], i: 2026-01-31}"
    )
    assert typed(doc.root) == {
        "a": 12000,
        "b": "12",
        "c": True,
        "d": None,
        "e": Decimal("0.50"),
        "f": "yes",
        "g": [1, {"h": "x"}],
        "i": "2026-01-31",
    }


@pytest.mark.parametrize(
    ("text", "word", "line", "column"),
    [
        ("k: alpha beta gamma", "gamma", 1, 15),
        ("k: 'alpha beta gamma'", "gamma", 1, 16),
        ('k: "al\\u0070ha \\"b\\" gamma"', "gamma", 1, 22),
        ("k: >\n  alpha\n  beta\n  gamma", "gamma", 4, 3),
        ("k: |  # why\n  alpha\n    beta gamma", "gamma", 3, 10),
        ("k: alpha\n  beta\n   gamma", "gamma", 3, 4),
        ('k: "alpha\n  beta\n  gamma"', "gamma", 3, 3),
        ("{a: 1, k: alpha gamma}", "gamma", 1, 17),
        ("{损失: 甲, k: 乙 gamma}", "gamma", 1, 14),
        ("{k: x in [alpha, gamma]}", "gamma", 1, 18),
    ],
)
def test_a_character_of_a_value_knows_its_place_in_the_file(text: str, word: str, line: int, column: int) -> None:
    scalar = read_yaml("a.yaml", text.encode()).node("k")
    assert isinstance(scalar, Scalar)
    place = scalar.position(scalar.text.index(word))
    assert (place.line, place.column) == (line, column)


def test_line_ends_and_byte_order_marks_change_nothing() -> None:
    doc = read_yaml("a.yaml", b"\xef\xbb\xbfa: 1\r\nb: x y\r\n")
    assert plain(doc.root) == {"a": "1", "b": "x y"}
    assert doc.at("b").line == 2
    assert doc.problems == ()


def test_gb18030_is_read_and_said() -> None:
    doc = read_yaml("a.yaml", "标题: 投诉\n".encode("gb18030"))
    assert plain(doc.root) == {"标题": "投诉"}
    assert [found.code for found in doc.problems] == ["encoding_mended"]


def test_a_list_in_a_condition_may_stand_inside_braces() -> None:
    doc = read_yaml("a.yaml", b'{start: mail.received if kind in ["letter", "paper"], stop: mail.collected}')
    assert plain(doc.root) == {
        "start": 'mail.received if kind in ["letter", "paper"]',
        "stop": "mail.collected",
    }


@pytest.mark.parametrize(
    ("data", "code", "line"),
    [
        (b"a: 1\n\tb: 2\n", "tab", 2),
        (b"a: &x 1\nb: *x\n", "anchor", 1),
        (b"a: *x\n", "alias", 1),
        (b"a: !!python/object:os.system x\n", "tag", 1),
        (b"a: 1\n---\nb: 2\n", "several_documents", 2),
        (b"a: \x00\n", "control_character", 1),
        (b"\xff\xff\xff\x80", "encoding_unknown", 1),
        (b"? [a]\n: 1\n", "key_not_text", 1),
        (b"a: " + b"[" * 100, "too_deep", 1),
        (b"a: " + b"{b: " * 60, "too_deep", 1),
        (b"x" * 1_100_000, "file_too_large", 1),
        (b"- x\n" * 60_000, "too_many_parts", 50_000),
        (b"a: b: c\n", "stray_colon", 1),
        (b"a: 'x\n", "never_closed", 1),
        (b"{", "never_closed", 1),
        (b"a: @x\n", "needs_quotes", 1),
        (b"a:\tx\n", "tab_inside", 1),
        ("a:\n  b: 1\n\u3000\u3000c: 2\n  d: 3\n".encode(), "wide_blank", 3),
        ("a:\n  b: 1\n\u00a0\u00a0c: 2\n  d: 3\n".encode(), "wide_blank", 3),
        (b'a: "\\q"\n', "bad_escape", 1),
        ("a：1\nb: 2\n".encode(), "wide_colon", 1),
    ],
)
def test_what_can_not_be_read_is_said_in_one_sentence(data: bytes, code: str, line: int) -> None:
    assert refused(data)[:2] == (code, line)


def test_the_second_of_two_equal_keys_is_said_with_the_line_of_the_first() -> None:
    doc = read_yaml("a.yaml", b"a: 1\nb: 2\na: 3\n")
    (found,) = doc.problems
    assert (found.code, found.line, found.particulars["line"]) == ("repeated_key", 3, 1)


def test_a_billion_laughs_are_refused_at_once() -> None:
    lines = ["a0: &a0 [x, x]"] + [f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 40)]
    started = time.process_time()
    assert refused("\n".join(lines).encode())[0] == "anchor"
    assert time.process_time() - started < 20
