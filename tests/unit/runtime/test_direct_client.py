"""What goes over the wire, and what a header block says."""

from __future__ import annotations

import pytest

from reeve.runtime.bus.direct_client import publication, read_headers


def test_a_message_with_headers_says_the_lengths_of_both_parts() -> None:
    frame = publication("a.b", "_INBOX.1", "é".encode(), {"Nats-Msg-Id": "k", "X": " y "})
    block = b"NATS/1.0\r\nNats-Msg-Id: k\r\nX: y\r\n\r\n"
    assert frame == b"HPUB a.b _INBOX.1 %d %d\r\n%b%b\r\n" % (len(block), len(block) + 2, block, "é".encode())


def test_a_message_without_headers_or_reply_is_a_plain_one() -> None:
    assert publication("a.b", "", b"+ACK") == b"PUB a.b  4\r\n+ACK\r\n"


def test_a_header_can_not_begin_another_line() -> None:
    assert b"X: a  b\r\n\r\n" in publication("a", "", b"", {"X": "a\r\nb"})
    with pytest.raises(ValueError, match="header"):
        publication("a", "", b"", {"X\r\nY": "a"})


@pytest.mark.parametrize("subject", ["", "a b"])
def test_what_is_no_subject_is_refused(subject: str) -> None:
    with pytest.raises(ValueError, match="subject"):
        publication(subject, "", b"")


def test_headers_are_read_and_a_status_is_one_of_them() -> None:
    assert read_headers(b"NATS/1.0\r\nA: 1\r\nB:  x: y \r\n\r\n") == {"A": "1", "B": "x: y"}
    assert read_headers(b"NATS/1.0 408 Request Timeout\r\nNats-Pending-Messages: 3\r\n\r\n") == {
        "Status": "408",
        "Description": "Request Timeout",
        "Nats-Pending-Messages": "3",
    }
    assert read_headers(b"NATS/1.0 100\r\n\r\n") == {"Status": "100", "Description": ""}
