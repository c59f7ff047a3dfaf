"""What notify publishes on notifications.>: how the delivery of a requested notification went."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from typing import Literal as OneOf
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field

from reeve.contracts.outgoing import NOTIFY, CloudEvent, OutMessage, envelope
from reeve.contracts.subjects import notifications_subject
from reeve.domain.case import CaseKey

DeliveryWhat = OneOf["sent", "delivered", "failed", "undeliverable", "acknowledged", "suppressed"]


class DeliveryData(BaseModel):
    """One outcome. Recipients appear as ids, never by name or address (PRIVACY-01)."""

    model_config = ConfigDict(extra="allow", json_schema_extra={"additionalProperties": True})

    notification: str = Field(description="Id of the requested notification")
    policy: str
    step: str
    level: int
    round: int
    message: str = Field(description="Name of the template")
    recipient: str | None = Field(default=None, description="Recipient id; null where there is none")
    role: str | None = Field(default=None, description="The role they were told as")
    channel: str | None = None
    provider: str | None = Field(default=None, description="Name of the provider that took or refused it")
    attempt: int | None = Field(default=None, description="Which try on this channel, from 1")
    reason: str | None = Field(
        default=None, description="failed, undeliverable, suppressed, merged: a word from a fixed list"
    )
    resent: bool = Field(default=False, description="Sent once more after nobody knew whether it had arrived")
    resend_of: str | None = Field(
        default=None, description="A person had that delivery sent again by this one: its short id"
    )
    merged: int = Field(default=0, description="How many other notifications' matters the same message says")
    into: str | None = Field(
        default=None, description="Its matter was said by another delivery's message: that one's short id"
    )
    segments: int | None = Field(
        default=None,
        description="sms: how many this send took; of what is not `sent`: how many all sends so far took together",
    )
    answer: OneOf["acknowledged", "escalated", "delayed"] | None = Field(
        default=None, description="acknowledged: what the recipient answered"
    )
    minutes: int | None = Field(default=None, description="acknowledged, delayed: how many more were asked for")
    answered_by: str | None = Field(default=None, description="acknowledged: `link`, or the channel of the reply")
    delivery: str = Field(default="", description="Short id of the delivery, for `reeve notifications show`")
    next_role: str | None = Field(default=None, description="undeliverable: the role that is told instead")


class NotificationOutcome(CloudEvent[DeliveryData]):
    """On notifications.<site>.<sent|delivered|failed|undeliverable|acknowledged|suppressed>.<key>.

    One delivery may have several: sent, then delivered or failed, then acknowledged; each has an id of its own.
    """


def delivery_message(
    what: DeliveryWhat, *, id: str, case: CaseKey, at: datetime, zone: ZoneInfo, data: dict[str, Any]
) -> OutMessage:
    """The message that tells an outcome; `id` is its Nats-Msg-Id, `data` the fields of DeliveryData."""
    body = envelope(
        id=id,
        source=NOTIFY,
        type=f"notifications.{what}",
        case=case,
        at=at,
        zone=zone,
        causationid=str(data["notification"]),
        data=data,
    )
    return OutMessage(notifications_subject(case.site, what, case.subject), id, body)
