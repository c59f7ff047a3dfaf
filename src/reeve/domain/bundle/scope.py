"""What conditions see, and who says whether they hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from reeve.domain.expressions import Condition

TYPED_ENDINGS = ("_cny", "_at", "_on")
"""Ends of a fact's name that give its text another kind: money, a moment, a date."""

COMPUTED = frozenset({"grade", "grade_was", "site", "owed_cny", "open_for", "today"})
"""Names that Reeve computes: events must not use them. Counts of the bundle are reserved as well."""

Scope = Mapping[str, Any]
"""What conditions see: fact name → value, `event` → type, `event.<field>` → value. Absent names are missing."""


class Matcher(Protocol):
    """Says which conditions hold. Closures by default; durable-rules as the second, same answers."""

    def holds(self, condition: Condition, scope: Scope) -> bool:
        """Whether one condition holds. Never raises on data: what can't be compared is false."""
        ...

    def first(self, group: tuple[Condition | None, ...], scope: Scope) -> int | None:
        """Index of the first condition that holds; None in the group always holds; None if nothing does."""
        ...
