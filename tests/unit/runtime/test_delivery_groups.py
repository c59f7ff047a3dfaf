"""A group goes out as one message, however many processes look at it in the same millisecond."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from reeve.runtime.store.delivery_groups import groups_among, leaders

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
LEASE = timedelta(minutes=1)


def one(
    id: str, group: str = "g", state: str = "queued", claim: str | None = None, **changes: Any
) -> dict[str, Any]:
    values = {"_id": id, "group": group, "place": "garden", "recipient": "a", "channel": "sms"}
    return {**values, "state": state, "claim": claim, "due_at": NOW, **changes}


def led(found: list[dict[str, Any]], members: list[dict[str, Any]], claim: str = "me") -> list[str]:
    return [each["_id"] for each in leaders(found, members, claim, NOW)]


def test_the_least_leads_whoever_was_seen() -> None:
    a, b, alone = one("a"), one("b"), one("x", group="")
    assert led([alone, b], [a, b]) == ["x", "a"]
    assert led([alone], []) == ["x"]


def test_a_group_is_of_one_person_and_channel() -> None:
    mine, other, mail = one("a"), one("b", recipient="b"), one("c", channel="email")
    assert led([mine, other, mail], [mine, other, mail]) == ["a", "b", "c"]
    query = {"group": "g", "place": "garden", "recipient": "a", "channel": "sms"}
    assert groups_among([mine, one("d"), one("x", group="")]) == [query]


def test_what_somebody_has_in_hand_waits_and_what_he_died_with_does_not() -> None:
    a, b = one("a", state="claimed", claim="other", due_at=NOW + LEASE), one("b")
    assert led([b], [a, b]) == []
    assert led([b], [a, b], claim="other") == ["b"]
    lapsed = one("a", state="claimed", claim="other")
    assert led([b], [lapsed, b]) == ["a"]


def test_what_is_not_due_neither_leads_nor_holds_up() -> None:
    later, unknown = one("a", due_at=NOW + LEASE), one("b", state="unknown", due_at=NOW + LEASE)
    assert led([one("c")], [later, unknown, one("c")]) == ["c"]


@given(st.lists(st.sampled_from(["look-1", "look-2", "claim-1", "claim-2"]), max_size=12), st.integers(2, 4))
def test_two_processes_never_have_one_group_at_once(steps: list[str], size: int) -> None:
    """Each looks, and later claims what it chose if that still is as it was seen, with all others that are due."""
    record = {f"d{number}": one(f"d{number}") for number in range(size)}
    chosen: dict[str, list[dict[str, Any]]] = {}
    for step in steps:
        what, _, who = step.partition("-")
        due = [dict(each) for each in record.values() if each["due_at"] <= NOW]
        if what == "look":
            chosen[who] = leaders(due, [dict(each) for each in record.values()], who, NOW) if due else []
        else:
            for leader in chosen.pop(who, []):
                if record[leader["_id"]] == leader:
                    record[leader["_id"]] |= {"state": "claimed", "claim": who, "due_at": NOW + LEASE}
    assert len({each["claim"] for each in record.values() if each["state"] == "claimed"}) <= 1
