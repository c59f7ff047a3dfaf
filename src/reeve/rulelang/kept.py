"""What was made for a group of conditions, kept by the identity of its members."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from reeve.domain.expressions import Condition

Group = tuple[Condition | None, ...]
Made = TypeVar("Made")

MOST_KEPT = 65_536
"""More than any bundle has; it only bounds what a caller who builds trees anew each time could fill."""


class Kept(Generic[Made]):
    """Makes something once per group of conditions; hashing whole trees would cost more than matching them.

    Groups are kept alive, so an identity never means another group. A new tuple of the same conditions is
    recognised. Safe to share between threads: at worst something is made twice.
    """

    def __init__(self, make: Callable[[Group], Made]) -> None:
        self._make = make
        self._by_group: dict[int, tuple[Group, Made]] = {}
        self._by_members: dict[tuple[int, ...], tuple[Group, Made]] = {}

    def get(self, group: Group) -> Made:
        """What `make` returned for these conditions."""
        found = self._by_group.get(id(group))
        return found[1] if found is not None else self._remembered(group)

    def _remembered(self, group: Group) -> Made:
        if len(self._by_group) >= MOST_KEPT:
            self._by_group.clear()
            self._by_members.clear()
        members = tuple(map(id, group))
        known = self._by_members.get(members)
        if known is None:
            known = self._by_members[members] = (group, self._make(group))
        self._by_group[id(group)] = (group, known[1])
        return known[1]
