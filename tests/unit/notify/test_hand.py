"""What a process has in hand, it does not claim a second time."""

from __future__ import annotations

import pytest

from services.notify.hand import Hand


def test_what_is_being_claimed_counts_as_in_hand_until_that_is_done() -> None:
    hand = Hand({"email": 0})
    with hand.expecting(["a", "b"]):
        assert hand.ids == {"a", "b"}
    assert hand.ids == frozenset()


def test_a_claim_that_fails_leaves_nothing_behind() -> None:
    hand = Hand({"email": 0})
    with pytest.raises(ConnectionError), hand.expecting(["a"]):
        raise ConnectionError
    assert hand.ids == frozenset()
