"""Events of the payment family: bills, reductions, payments and what was said about them. Source: FEE."""

from __future__ import annotations

from typing import Literal as OneOf

from reeve.contracts.answers import Delayed
from reeve.contracts.fields import Data, Day, Money, Place, Text


class PaymentData(Data):
    """Typed fields of every payment event; null removes the fact."""

    item: Text | None = None
    amount_cny: Money | None = None
    paid_cny: Money | None = None
    due_on: Day | None = None
    """The last day to pay, 24:00 at the site."""
    outcome: OneOf["reached", "unreachable", "refused", "bad_service"] | None = None
    """What came of contacting the customer. Source: FEE-10 to FEE-13."""
    building: Place | None = None
    """Where on the site; with `unit` it decides who of a role is told. Not personal."""
    unit: Place | None = None
    """The stairwell or section within the building (单元); never a flat, which is `room`."""
    room: Text | None = None
    """Personal data: never leaves the record."""
    customer: Text | None = None
    """The customer's id, never a name."""
    period: Text | None = None


class PaymentBilled(PaymentData):
    """A bill; a second one for the same subject replaces the first."""

    amount_cny: Money
    due_on: Day


class PaymentReduced(PaymentData):
    """Part of a bill is waived. Source: FEE-03."""

    amount_cny: Money


class PaymentPaid(PaymentData):
    """Money came in: `paid_cny` is this payment alone."""

    paid_cny: Money


class PaymentDelayed(PaymentData, Delayed):
    """A person who was told needs more time."""


PAYMENT: dict[str, type[Data]] = {
    "payment.billed": PaymentBilled,
    "payment.due": PaymentData,
    "payment.paid": PaymentPaid,
    "payment.reduced": PaymentReduced,
    "payment.contacted": PaymentData,
    "payment.acknowledged": PaymentData,
    "payment.escalated": PaymentData,
    "payment.delayed": PaymentDelayed,
    "payment.disputed": PaymentData,
    "payment.promised": PaymentData,
    "payment.written_off": PaymentData,
}
"""Every type of the family, and the fields of its data."""
