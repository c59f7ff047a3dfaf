"""Events of the ticket family: complaints, repairs, visits and whatever else a front desk writes down."""

from __future__ import annotations

from typing import Literal as OneOf

from reeve.contracts.answers import Delayed
from reeve.contracts.fields import Count, Data, Flag, Moment, Money, Place, Text

Category = OneOf[
    "complaint",
    "repair",
    "request",
    "visit",
    "pass",
    "courier",
    "notice",
    "subscription",
    "service",
    "activity",
    "survey",
    "duty",
    "upkeep",
]
Satisfaction = OneOf["satisfied", "fairly_satisfied", "dissatisfied"]


class TicketData(Data):
    """Typed fields of every ticket event; null removes the fact."""

    category: Category | None = None
    """What the ticket is about; decides which policy takes it."""
    title: Text | None = None
    description: Text | None = None
    building: Place | None = None
    """Where on the site; with `unit` it decides who of a role is told. Not personal."""
    unit: Place | None = None
    """The stairwell or section within the building (单元); never a flat, which is `room`."""
    room: Text | None = None
    """Personal data: never leaves the record."""
    customer: Text | None = None
    """The customer's id, never a name."""
    incident: Text | None = None
    """What tickets of several customers have in common. Source: COMPLAINT-01."""
    item: Text | None = None
    repair_class: OneOf["emergency", "major", "ordinary"] | None = None
    """Source: REPAIR-02."""
    channel: OneOf["phone", "visit", "letter", "app", "email"] | None = None
    """How the customer came in; not a channel we send on."""
    loss_cny: Money | None = None
    injury: OneOf["none", "minor", "serious"] | None = None
    deaths: Count | None = None
    complainants: Count | None = None
    """Customers who complain jointly. Source: COMPLAINT-01."""
    media_outlets: Count | None = None
    media_days: Count | None = None
    times_raised: Count | None = None
    """How often the customer raised it without a solution. Source: COMPLAINT-02."""
    broken_promise: Flag | None = None
    due_at: Moment | None = None
    """The limit the customer set. Source: GAP-4."""
    appointment_at: Moment | None = None
    starts_at: Moment | None = None
    ends_at: Moment | None = None
    expires_at: Moment | None = None
    stage: Text | None = None
    assignee: Text | None = None
    """A recipient id."""
    department: Text | None = None
    paid: Flag | None = None
    on_price_list: Flag | None = None
    """Source: REPAIR-04, REPAIR-05."""
    price_accepted: Flag | None = None
    in_warranty: Flag | None = None
    """Source: REPAIR-06."""
    satisfaction: Satisfaction | None = None
    """Source: FOLLOWUP-08."""
    invalid: Flag | None = None
    """Not the company's fault; still helped. Source: COMPLAINT-13."""


class TicketOpened(TicketData):
    """A ticket begins."""

    category: Category


class TicketRegraded(TicketData):
    """A person with that right sets the grade."""

    grade: Text
    by: Text | None = None
    """A recipient id."""
    reason: Text | None = None


class TicketDelayed(TicketData, Delayed):
    """A person who was told needs more time."""


TICKET: dict[str, type[Data]] = {
    "ticket.opened": TicketOpened,
    "ticket.updated": TicketData,
    "ticket.acknowledged": TicketData,
    "ticket.escalated": TicketData,
    "ticket.delayed": TicketDelayed,
    "ticket.assigned": TicketData,
    "ticket.arrived": TicketData,
    "ticket.waiting": TicketData,
    "ticket.resumed": TicketData,
    "ticket.approved": TicketData,
    "ticket.posted": TicketData,
    "ticket.withdrawn": TicketData,
    "ticket.resolved": TicketData,
    "ticket.informed": TicketData,
    "ticket.followed_up": TicketData,
    "ticket.regraded": TicketRegraded,
    "ticket.reopened": TicketData,
    "ticket.closed": TicketData,
    "ticket.cancelled": TicketData,
}
"""Every type of the family, and the fields of its data."""
