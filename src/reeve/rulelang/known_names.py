"""Names the rule language knows without being told: event types, fields of the contract, computed names.

The contract's own models are in `reeve.contracts`; a contract test holds the two together.
"""

from __future__ import annotations

from typing import Literal as OneOf

EVENT_TYPES: dict[str, tuple[str, ...]] = {
    "ticket": (
        "opened", "updated", "acknowledged", "assigned", "arrived", "waiting", "resumed", "approved", "posted",
        "withdrawn", "resolved", "informed", "followed_up", "regraded", "reopened", "closed", "cancelled",
    ),
    "mail": (
        "received", "announced", "contacted", "acknowledged", "accepted", "declined", "appointed", "delivered",
        "collected", "returned",
    ),
    "payment": (
        "billed", "due", "paid", "reduced", "contacted", "acknowledged", "disputed", "promised", "written_off",
    ),
}  # fmt: skip

ALL_EVENT_TYPES = tuple(f"{family}.{verb}" for family, verbs in EVENT_TYPES.items() for verb in verbs)

Kind = OneOf["number", "moment", "date", "truth", "text"]

_NUMBERS = "deaths complainants media_outlets media_days times_raised count"
_TRUTHS = "broken_promise paid on_price_list price_accepted in_warranty invalid addressee_moved"
_TEXTS = (
    "category title description room customer incident item repair_class channel injury stage assignee department "
    "satisfaction reason by kind outcome period"
)
_MOMENTS = "due_at appointment_at starts_at ends_at expires_at"
_DATES = "due_on moved_on"
_MONEY = "loss_cny amount_cny paid_cny"

FIELD_KINDS: dict[str, Kind] = {
    **dict.fromkeys(_NUMBERS.split(), "number"),
    **dict.fromkeys(_MONEY.split(), "number"),
    **dict.fromkeys(_TRUTHS.split(), "truth"),
    **dict.fromkeys(_TEXTS.split(), "text"),
    **dict.fromkeys(_MOMENTS.split(), "moment"),
    **dict.fromkeys(_DATES.split(), "date"),
}
"""Fields of events' data that the contract types."""

FIELD_VALUES: dict[str, tuple[str, ...]] = {
    "category": (
        "complaint", "repair", "request", "visit", "pass", "courier", "notice", "subscription", "service",
        "activity", "survey", "duty",
    ),
    "channel": ("phone", "visit", "letter", "app", "email"),
    "injury": ("none", "minor", "serious"),
    "satisfaction": ("satisfied", "fairly_satisfied", "dissatisfied"),
    "kind": ("letter", "paper", "magazine", "slip", "parcel", "express", "registered"),
    "outcome": ("reached", "unreachable", "refused", "bad_service"),
    "repair_class": ("emergency", "major", "ordinary"),
}  # fmt: skip
"""Values of the fields that have a closed list of them."""

COMPUTED: dict[str, Kind] = {
    "grade": "text",
    "grade_was": "text",
    "site": "text",
    "owed_cny": "number",
    "open_for": "number",
    "today": "date",
}
"""Names that Reeve computes; counts come on top. Events may not carry them, but `grade` on a regrading."""

GRADE_ORDERS: dict[str, tuple[str, ...]] = {"repair_class": ("emergency", "major", "ordinary")}
"""Worst first, for `grades: from <fact>`. Source: domain.md, classes of a repair."""

ROLES = (
    "front_desk", "first_contact", "steward", "head_steward", "service_assistant", "service_supervisor",
    "centre_director", "property_manager", "general_manager", "company_leader", "department_head",
    "engineering_supervisor", "technician", "security_supervisor", "guard", "environment_supervisor",
    "lobby_assistant", "lobby_lead", "finance", "admin_office", "owner", "warranty_contractor",
    "developer_company", "courier", "assignee",
)  # fmt: skip
"""Roles of domain.md; others may be used."""

CHANNELS = ("sms", "email")
CASE_MOMENTS = ("opened", "graded", "reopened", "acknowledged", "closed")
CLOCK_MOMENTS = ("started", "breached", "stopped", "paused", "resumed")
KEYWORDS = (
    "and", "or", "not", "in", "contains", "matches", "known", "true", "false", "if", "event", "same", "working",
)  # fmt: skip


def kind_of(name: str, computed: bool = True) -> Kind | None:
    """The kind of values a fact has, from the contract or from the end of its name; None: any."""
    if computed and name in COMPUTED:
        return COMPUTED[name]
    if name in FIELD_KINDS:
        return FIELD_KINDS[name]
    if name.endswith("_cny"):
        return "number"
    if name.endswith("_at"):
        return "moment"
    return "date" if name.endswith("_on") else None
