"""What an effect publishes on cases.> and notifications.>: CloudEvents without personal data (PRIVACY-01)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Generic, NamedTuple, TypeVar
from typing import Literal as OneOf
from zoneinfo import ZoneInfo

import orjson
from pydantic import BaseModel, ConfigDict, Field

from reeve.contracts.subjects import cases_subject, notifications_subject
from reeve.contracts.timeline import BecauseLine, because_json, further_keys, local, timeline_line
from reeve.domain.case import Case, CaseKey
from reeve.domain.effects import Effect, Notification

ESCALATION = "/reeve/escalation"
NOTIFY = "/reeve/notify"

UNPUBLISHED = frozenset({"notify", "suppressed", "undeliverable", "adopted", "scored"})
"""Effects that are no cases.> message: they are notifications, the last told by notify itself."""


class OutMessage(NamedTuple):
    """A message to publish: the same effect always gives the same one, so it can be published again."""

    subject: str
    id: str
    """`Nats-Msg-Id`: the effect's key."""
    body: bytes
    headers: Mapping[str, str] | None = None


DataT = TypeVar("DataT", bound=BaseModel)


class CloudEvent(BaseModel, Generic[DataT]):
    """The envelope of everything Reeve publishes."""

    specversion: OneOf["1.0"] = "1.0"
    id: str = Field(description="The same for the same effect: a repeat is recognised by it")
    source: str
    type: str
    site: str
    subject: str = Field(description="The subject of the case")
    time: str = Field(
        description="The logical moment, with the site's offset", json_schema_extra={"format": "date-time"}
    )
    datacontenttype: OneOf["application/json"] = "application/json"
    correlationid: str = Field(description="The case: `<site>/<policy>/<subject>`")
    causationid: str = Field(description="The event, deadline or notification that caused it")
    data: DataT


class CaseData(BaseModel):
    """What happened to a case; the further keys are those of the timeline line of the same name."""

    model_config = ConfigDict(extra="allow", json_schema_extra={"additionalProperties": True})

    policy: str
    grade: str | None = Field(default=None, description="The case's grade afterwards")
    was: str | None = Field(default=None, description="graded: the grade before")
    clock: str | None = None
    due: str | None = None
    run: int | None = None
    left: float | None = Field(default=None, description="clock_paused: seconds left")
    met: bool | None = None
    step: str | None = None
    level: int | None = None
    child: str | None = None
    outcome: str | None = None
    because: BecauseLine


class RequestedData(BaseModel):
    """A notification to be delivered: roles only, people are found when it is sent."""

    policy: str
    step: str
    level: int = Field(description="0 for the step itself, 1 for its first `then`, …")
    round: int = Field(description="Counts every sending of the step in the case's run, from 1")
    run: int = Field(description="The case's run, from 1")
    grade: str | None
    to: list[str] = Field(description="Roles")
    via: list[str] = Field(description="Channels, in order of preference")
    message: str = Field(description="Name of the template")
    ack_ends: bool = Field(description="Whether an acknowledgement ends the step")
    reminds: bool = Field(default=False, description="Part of a step that repeats or climbs")
    late: bool = Field(default=False, description="Its moment was already past when the case opened")
    not_before: str | None = Field(
        default=None,
        description="Send at this moment at the earliest",
        json_schema_extra={"format": "date-time"},
    )
    owner_not_before: str | None = Field(
        default=None, description="The same for the role `owner`", json_schema_extra={"format": "date-time"}
    )
    because: BecauseLine


class CaseEvent(CloudEvent[CaseData]):
    """On cases.<site>.<policy>.<what>.<key>."""


class NotificationRequested(CloudEvent[RequestedData]):
    """On notifications.<site>.requested.<key>."""


class NotificationSuppressed(CloudEvent[RequestedData]):
    """On notifications.<site>.suppressed.<key>, by escalation: a round that is not sent."""


class Told(NamedTuple):
    """What an effect says: its line on the case's timeline, and its message if it has one."""

    line: dict[str, Any]
    message: OutMessage | None


def told_of(effect: Effect, case: Case, zone: ZoneInfo, *, event_key: str | None = None) -> Told:
    """The line and the message, always the same bytes; what they have in common is made once.

    `case` is the case after the decision; `event_key` the key of the event decided on, if any.
    """
    further = further_keys(effect, zone)
    because = because_json(effect.because)
    line = timeline_line(effect, zone, further, because)
    key = effect.case
    if effect.what in ("notify", "suppressed") and effect.notification is not None:
        what = "requested" if effect.what == "notify" else "suppressed"
        subject = notifications_subject(key.site, what, key.subject)
        data = _requested(effect, effect.notification, zone, because)
        return Told(line, _message(subject, f"notifications.{what}", effect, data, zone, event_key))
    if effect.what in UNPUBLISHED:
        return Told(line, None)
    data = {"policy": key.policy, "grade": case.grade, **further, "because": because}
    subject = cases_subject(key, effect.what)
    return Told(line, _message(subject, f"cases.{effect.what}", effect, data, zone, event_key))


def messages_of(effect: Effect, case: Case, zone: ZoneInfo, *, event_key: str | None = None) -> list[OutMessage]:
    """What an effect publishes: at most one message. See `told_of`."""
    message = told_of(effect, case, zone, event_key=event_key).message
    return [] if message is None else [message]


def causation(effect: Effect, event_key: str | None) -> str:
    """The id of what caused an effect: the event's key, or the deadline as <case>#<clock>@<moment in UTC>."""
    if effect.because.event is not None:
        return event_key or effect.because.event
    return f"{effect.case}#{effect.because.clock or 'time'}@{effect.at.isoformat().replace('+00:00', 'Z')}"


def read_requested(body: bytes) -> NotificationRequested:
    """A requested notification as notify takes it. Raises pydantic's ValidationError (permanent)."""
    return NotificationRequested.model_validate_json(body)


def envelope(
    *,
    id: str,
    source: str,
    type: str,
    case: CaseKey,
    at: datetime,
    zone: ZoneInfo,
    causationid: str,
    data: dict[str, Any],
) -> bytes:
    """An outgoing CloudEvent about a case, as bytes."""
    return orjson.dumps(
        {
            "specversion": "1.0",
            "id": id,
            "source": source,
            "type": type,
            "site": case.site,
            "subject": case.subject,
            "time": local(at, zone),
            "datacontenttype": "application/json",
            "correlationid": str(case),
            "causationid": causationid,
            "data": data,
        }
    )


def _message(
    subject: str, type: str, effect: Effect, data: dict[str, Any], zone: ZoneInfo, event_key: str | None
) -> OutMessage:
    body = envelope(
        id=effect.key,
        source=ESCALATION,
        type=type,
        case=effect.case,
        at=effect.at,
        zone=zone,
        causationid=causation(effect, event_key),
        data=data,
    )
    return OutMessage(subject, effect.key, body)


def _requested(effect: Effect, wanted: Notification, zone: ZoneInfo, because: dict[str, str]) -> dict[str, Any]:
    return {
        "policy": effect.case.policy,
        "step": wanted.step,
        "level": wanted.level,
        "round": wanted.round,
        "run": wanted.run,
        "grade": wanted.grade,
        "to": list(wanted.to),
        "via": list(wanted.via),
        "message": wanted.message,
        "ack_ends": wanted.ack_ends,
        "reminds": wanted.reminds,
        "late": wanted.late,
        "not_before": None if wanted.not_before is None else local(wanted.not_before, zone),
        "owner_not_before": None if wanted.owner_not_before is None else local(wanted.owner_not_before, zone),
        "because": because,
    }
