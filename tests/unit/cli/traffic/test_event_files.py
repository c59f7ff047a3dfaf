"""Files of events as people and programs write them: all are read, a bad place is named by its line."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from reeve.cli.traffic.event_files import MOST_LINE, Unreadable, read_items

ONE, TWO = {"id": "1", "n": {"deep": [1, 2]}}, {"id": "2", "text": '漏水 ] } " \n'}


def items(content: bytes) -> list[tuple[int, Any]]:
    read: list[int] = []
    found = []
    for line, item in read_items(io.BytesIO(content), read.append):
        found.append((line, json.loads(item) if isinstance(item, bytes) else item))
    assert sum(read) <= len(content)
    return found


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        (json.dumps(ONE), [1]),
        (json.dumps(ONE, indent=2), [1]),
        (f"{json.dumps(ONE)}\n{json.dumps(TWO)}", [1, 2]),
        (f"\n\n{json.dumps(ONE)}\r\n\r\n{json.dumps(TWO)}\r\n", [3, 5]),
        (f"\ufeff{json.dumps(ONE)}\n", [1]),
        (f"[{json.dumps(ONE)},{json.dumps(TWO)}]", [1, 1]),
        (f"[\n  {json.dumps(ONE)},\n  {json.dumps(TWO)}\n]\n", [2, 3]),
        (json.dumps([ONE, TWO], indent=2, ensure_ascii=False), [2, 11]),
        (json.dumps(ONE, indent=1) + "\n" + json.dumps(TWO, indent=1), [1, 10]),
        ("[]", []),
        ("", []),
        ("\n \n", []),
    ],
)
def test_every_way_of_writing_events(content: str, lines: list[int]) -> None:
    found = items(content.encode())
    assert [item for _, item in found] == [ONE, TWO][: len(lines)]
    assert [line for line, _ in found] == lines


def test_a_bad_line_does_not_stop_the_others() -> None:
    content = f'{{"broken\n{json.dumps(ONE)}\n\x00\n{json.dumps(TWO)}\n'.encode()
    read = list(read_items(io.BytesIO(content), lambda size: None))
    assert [line for line, _ in read] == [1, 2, 3, 4]
    assert read[1][1] == json.dumps(ONE).encode()
    assert read[3][1] == json.dumps(TWO).encode()


def test_a_broken_array_is_read_up_to_the_break() -> None:
    found = items(f'[\n{json.dumps(ONE)},\n{{"id": nonsense}},\n{json.dumps(TWO)}]'.encode())
    assert found[0] == (2, ONE)
    assert found[1][0] == 3
    assert isinstance(found[1][1], Unreadable)
    assert len(found) == 2


@pytest.mark.parametrize("text", ["NaN", "[[[", '{"a": 1', "1" * 5000, "[" * 100_000])
def test_what_is_no_json_within_an_array_is_said(text: str) -> None:
    found = items(f"[{json.dumps(ONE)}, {text}".encode())
    assert found[0] == (1, ONE)
    assert isinstance(found[-1][1], Unreadable)


def test_an_array_element_that_is_no_object_is_said_and_the_rest_read() -> None:
    found = items(f"[1, {json.dumps(ONE)}]".encode())
    assert isinstance(found[0][1], Unreadable)
    assert found[1] == (1, ONE)


def test_an_array_larger_than_what_is_read_at_once() -> None:
    many = [{"id": str(n), "text": "漏" * 300} for n in range(2000)]
    assert [item for _, item in items(json.dumps(many, ensure_ascii=False).encode())] == many


def test_a_line_without_end_is_named_and_passed_over() -> None:
    content = b'{"id": "1"}\n' + b"x" * (3 * MOST_LINE) + b'\n{"id": "2"}\n'
    found = [(line, item) for line, item in read_items(io.BytesIO(content), lambda size: None)]
    assert [line for line, _ in found] == [1, 2, 3]
    assert isinstance(found[1][1], Unreadable)
    assert found[2][1] == b'{"id": "2"}'
