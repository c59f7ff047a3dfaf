"""Events of the mail family: letters and parcels taken in for residents. Source: MAIL."""

from __future__ import annotations

from typing import Literal as OneOf

from reeve.contracts.answers import Delayed
from reeve.contracts.fields import Count, Data, Day, Flag, Moment, Place, Text

MailKind = OneOf["letter", "paper", "magazine", "slip", "parcel", "express", "registered"]


class MailData(Data):
    """Typed fields of every mail event; null removes the fact."""

    kind: MailKind | None = None
    building: Place | None = None
    """Where on the site; with `unit` it decides who of a role is told. Not personal."""
    unit: Place | None = None
    """The stairwell or section within the building (单元); never a flat, which is `room`."""
    room: Text | None = None
    """Personal data: never leaves the record."""
    customer: Text | None = None
    """The addressee's customer id, never a name."""
    addressee_moved: Flag | None = None
    """Source: MAIL-05, MAIL-06."""
    moved_on: Day | None = None
    appointment_at: Moment | None = None
    count: Count | None = None
    """Pieces."""


class MailReceived(MailData):
    """Something arrived at the desk."""

    kind: MailKind


class MailDelayed(MailData, Delayed):
    """A person who was told needs more time."""


MAIL: dict[str, type[Data]] = {
    "mail.received": MailReceived,
    "mail.announced": MailData,
    "mail.contacted": MailData,
    "mail.acknowledged": MailData,
    "mail.escalated": MailData,
    "mail.delayed": MailDelayed,
    "mail.accepted": MailData,
    "mail.declined": MailData,
    "mail.appointed": MailData,
    "mail.delivered": MailData,
    "mail.collected": MailData,
    "mail.returned": MailData,
}
"""Every type of the family, and the fields of its data."""
