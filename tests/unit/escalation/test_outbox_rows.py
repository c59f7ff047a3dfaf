"""How decisions' messages are put into rows of the outbox."""

from __future__ import annotations

from datetime import UTC, datetime

from reeve.ports import DecisionRow, Message
from reeve.runtime.store.outbox import outbox_document, outbox_row, outbox_rows

T0 = datetime(2026, 2, 13, 9, 50, tzinfo=UTC)


def a_row(version: int, *messages: Message, lane: int = 0, case: str = "s1/complaint/T-1") -> DecisionRow:
    return DecisionRow(case, version, T0, None, None, "b1", b"[]", messages, (), lane)


def test_a_row_is_read_back_byte_for_byte() -> None:
    messages = (Message("a.b", "k\n1", '{"é": "\n中"}'.encode()), Message("c", "k2", b""), Message("d", "", b"\n"))
    (row,) = outbox_rows([a_row(1, *messages)])
    assert outbox_row(outbox_document(row)) == row
    assert row.messages == messages


def test_large_batches_are_split_without_losing_the_order() -> None:
    decisions = [a_row(number, Message("a", f"k{number}", b"x" * 900_000)) for number in range(1, 11)]
    rows = outbox_rows(decisions)
    assert [row.id for row in rows] == ["s1/complaint/T-1#1", "s1/complaint/T-1#5", "s1/complaint/T-1#9"]
    assert [message.msg_id for row in rows for message in row.messages] == [f"k{number}" for number in range(1, 11)]


def test_a_decision_larger_than_a_row_has_a_row_of_its_own() -> None:
    large = Message("a", "k", b"x" * 5_000_000)
    rows = outbox_rows([a_row(1, large), a_row(2, large), a_row(3)])
    assert [len(row.messages) for row in rows] == [1, 1]


def test_lanes_are_kept_apart() -> None:
    rows = outbox_rows([a_row(1, Message("a", "1", b"")), a_row(2, Message("a", "2", b""), lane=3)])
    assert [(row.lane, row.id) for row in rows] == [(0, "s1/complaint/T-1#1"), (3, "s1/complaint/T-1#2")]
