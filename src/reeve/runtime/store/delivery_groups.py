"""Which deliveries of a group may be claimed: one process at a time has a group in hand, through its least member.

Pure. Processes look at a group at the same moment; whatever they see, one message comes of it: who sees nobody
with the group wants its least member, which the record gives to one of them, and who sees somebody with it waits.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from reeve.runtime.store.mongo import Document

_NAMES = ("group", "place", "recipient", "channel")
"""These make the group: its name alone could be another person's, too."""


def groups_among(found: Iterable[Document]) -> list[Document]:
    """A query for each group that one of them belongs to."""
    keys = {_key(each) for each in found if each.get("group")}
    return [dict(zip(_NAMES, key, strict=True)) for key in sorted(keys)]


def leaders(found: Iterable[Document], members: Sequence[Document], claim: str, now: datetime) -> list[Document]:
    """Of `found` those without a group; and the least due member of each group that nobody but `claim` has in hand.

    `members`: everybody who is open of the groups, as the record has them now.
    """
    elsewhere = {
        _key(each)
        for each in members
        if each["state"] == "claimed" and each["claim"] != claim and each["due_at"] > now
    }
    least: dict[tuple[str, ...], Document] = {}
    for each in members:
        key = _key(each)
        if each["due_at"] <= now and key not in elsewhere and (key not in least or each["_id"] < least[key]["_id"]):
            least[key] = each
    return [each for each in found if not each.get("group")] + list(least.values())


def _key(document: Document) -> tuple[str, ...]:
    return tuple(document[name] for name in _NAMES)
