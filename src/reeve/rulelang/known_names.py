"""Names the rule language knows without being told: event types, fields of the contract, computed names.

The contract's own models are in `reeve.contracts`; a contract test holds the two together.
"""

from __future__ import annotations

from typing import Literal as OneOf

from reeve.domain.people import roles
from reeve.domain.people.channels import CHANNELS as CHANNELS

EVENT_TYPES: dict[str, tuple[str, ...]] = {
    "ticket": (
        "opened", "updated", "acknowledged", "escalated", "delayed", "assigned", "arrived", "waiting", "resumed",
        "approved", "posted", "withdrawn", "resolved", "informed", "followed_up", "regraded", "reopened", "closed",
        "cancelled",
    ),
    "mail": (
        "received", "announced", "contacted", "acknowledged", "escalated", "delayed", "accepted", "declined",
        "appointed", "delivered", "collected", "returned",
    ),
    "payment": (
        "billed", "due", "paid", "reduced", "contacted", "acknowledged", "escalated", "delayed", "disputed",
        "promised", "written_off",
    ),
}  # fmt: skip

ALL_EVENT_TYPES = tuple(f"{family}.{verb}" for family, verbs in EVENT_TYPES.items() for verb in verbs)

Kind = OneOf["number", "moment", "date", "truth", "text", "length"]

FIELDS: dict[str, dict[Kind, str]] = {
    "ticket": {
        "number": "loss_cny deaths complainants media_outlets media_days times_raised minutes",
        "truth": "broken_promise paid on_price_list price_accepted in_warranty invalid",
        "moment": "due_at appointment_at starts_at ends_at expires_at",
        "text": "category title description building unit room customer incident item repair_class channel injury "
        "stage assignee department satisfaction reason by grade",
    },
    "mail": {
        "number": "count minutes",
        "truth": "addressee_moved",
        "moment": "appointment_at",
        "date": "moved_on",
        "text": "kind building unit room customer",
    },
    "payment": {
        "number": "amount_cny paid_cny minutes",
        "date": "due_on",
        "text": "item outcome building unit room customer period",
    },
}
"""Fields of each family's events that the contract types."""

FIELD_KINDS: dict[str, dict[str, Kind]] = {
    family: {name: kind for kind, names in kinds.items() for name in names.split()}
    for family, kinds in FIELDS.items()
}
ALL_FIELDS = frozenset(name for fields in FIELD_KINDS.values() for name in fields)

FIELD_VALUES: dict[str, dict[str, tuple[str, ...]]] = {
    "ticket": {
        "category": (
            "complaint", "repair", "request", "visit", "pass", "courier", "notice", "subscription", "service",
            "activity", "survey", "duty", "upkeep",
        ),
        "channel": ("phone", "visit", "letter", "app", "email"),
        "injury": ("none", "minor", "serious"),
        "satisfaction": ("satisfied", "fairly_satisfied", "dissatisfied"),
        "repair_class": ("emergency", "major", "ordinary"),
    },
    "mail": {"kind": ("letter", "paper", "magazine", "slip", "parcel", "express", "registered")},
    "payment": {"outcome": ("reached", "unreachable", "refused", "bad_service")},
}  # fmt: skip
"""Values of the fields that have a closed list of them."""

COMPUTED: dict[str, Kind] = {
    "grade": "text",
    "grade_was": "text",
    "site": "text",
    "owed_cny": "number",
    "open_for": "length",
    "today": "date",
}
"""Names that Reeve computes; counts come on top. Events may not carry them, but `grade` on a regrading."""

GRADE_ORDERS: dict[str, tuple[str, ...]] = {"repair_class": ("emergency", "major", "ordinary")}
"""Worst first, for `grades: from <fact>`. Source: domain.md, classes of a repair."""

ROLES = (*roles.ROLES, roles.ASSIGNEE)
"""Roles of domain.md; others may be used."""

CASE_MOMENTS = ("opened", "graded", "reopened", "acknowledged", "closed")
CLOCK_MOMENTS = ("started", "breached", "stopped", "paused", "resumed")
KEYWORDS = (
    "and", "or", "not", "in", "contains", "matches", "known", "true", "false", "if", "event", "same", "working",
)  # fmt: skip


def kind_of(name: str, family: str, in_event: bool = False) -> Kind | None:
    """The kind of values a fact has, from the contract or from the end of its name; None: any.

    `in_event` is for `event.x`, where computed names mean nothing.
    """
    if not in_event and name in COMPUTED:
        return COMPUTED[name]
    typed = FIELD_KINDS.get(family, {}).get(name)
    if typed is not None:
        return typed
    if name.endswith("_cny"):
        return "number"
    if name.endswith("_at"):
        return "moment"
    return "date" if name.endswith("_on") else None
