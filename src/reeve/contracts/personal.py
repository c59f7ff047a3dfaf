"""Which facts may be shown to whoever works with cases, without being asked for personal data (PRIVACY-01)."""

from __future__ import annotations

from typing import Any

from reeve.contracts.events import EVENT_TYPES
from reeve.domain.bundle import COMPUTED

TYPED = frozenset(name for model in EVENT_TYPES.values() for name in model.model_fields)
"""Every field of `data` that contracts.md §1 names."""

PERSONAL = frozenset({"title", "description", "room", "customer", "reason", "by", "item", "assignee"})
"""Typed fields that name or describe a person, or that a person typed."""

PLAIN = TYPED - PERSONAL | COMPUTED | {"event"}
"""Typed fields and computed names that can't hold personal data."""


def may_show(name: str, value: Any) -> bool:
    """Whether the value of a fact, or of `event.<field>`, can't be personal data; of a field that we don't know
    text, lists and objects might be."""
    field = name.removeprefix("event.")
    return field in PLAIN or (field not in PERSONAL and not isinstance(value, str | list | dict))
