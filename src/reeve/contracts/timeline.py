"""Timeline lines (contracts.md §5): what happened to a case, one JSON object each."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import Any
from typing import Literal as OneOf
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field

from reeve.domain.effects import Because, Effect, EffectName

DeliveryEffect = OneOf[
    "held", "sent", "delivered", "failed", "unknown", "retried", "merged", "suppressed", "acknowledged"
]
"""What a delivery did. Such lines are made when a timeline is read, and have `delivery`; a simulation has none."""

FURTHER: dict[str, tuple[str, ...]] = {
    "opened": ("clock", "step", "child", "to"),
    "reopened": ("clock", "step", "child", "to"),
    "acknowledged": ("clock", "step", "child", "to"),
    "delayed": ("step", "minutes"),
    "corrected": ("clock", "step", "child", "to"),
    "child_opened": ("clock", "step", "child", "to"),
    "undeliverable": ("clock", "step", "child", "to"),
    "suppressed": ("clock", "step", "child", "to"),
    "graded": ("grade", "was"),
    "clock_started": ("clock", "due", "run"),
    "clock_resumed": ("clock", "due", "run"),
    "clock_paused": ("clock", "left"),
    "clock_stopped": ("clock", "met"),
    "breached": ("clock", "due"),
    "notify": ("to", "via", "message"),
    "escalated": ("step", "level"),
    "closed": ("outcome",),
    "adopted": ("on_change", "was", "now"),
    "scored": ("points", "to", "fact"),
}
"""Effect → its further keys, in the order they are written; keys that are not named here come after them."""


def timeline_line(
    effect: Effect,
    zone: ZoneInfo,
    further: dict[str, Any] | None = None,
    because: dict[str, str] | None = None,
) -> dict[str, Any]:
    """One line, keys in the order of contracts.md §5, every moment with the offset of `zone`.

    `further` and `because`: the results of `further_keys` and `because_json`, where they are known already.
    """
    return {
        "at": local(effect.at, zone),
        "case": effect.case.subject,
        "policy": effect.case.policy,
        "effect": effect.what,
        **(further_keys(effect, zone) if further is None else further),
        "because": because_json(effect.because) if because is None else because,
    }


def further_keys(effect: Effect, zone: ZoneInfo) -> dict[str, Any]:
    """The details of an effect as JSON values, the keys of contracts.md §5 first."""
    details = effect.details
    found = {}
    for key in FURTHER[effect.what]:
        if key in details:
            value = details[key]
            found[key] = value if type(value) is str else _as_json(value, zone)
    if len(found) < len(details):
        found.update((key, _as_json(value, zone)) for key, value in details.items() if key not in found)
    return found


def because_json(because: Because) -> dict[str, str]:
    """The rule's line, and the event or the clock behind it."""
    reason = {"rule": because.rule}
    if because.event is not None:
        reason["event"] = because.event
    if because.clock is not None:
        reason["clock"] = because.clock
    return reason


@lru_cache(maxsize=8192)
def local(moment: datetime, zone: ZoneInfo) -> str:
    """RFC 3339 with the offset that `zone` has at that moment."""
    return moment.astimezone(zone).isoformat()


_LISTS = (list, tuple)


def _as_json(value: Any, zone: ZoneInfo) -> Any:
    if isinstance(value, datetime):
        return local(value, zone)
    if isinstance(value, _LISTS):
        return [_as_json(item, zone) for item in value]
    return value


class BecauseLine(BaseModel):
    """Why a line is there."""

    rule: str = Field(description="`<file>:<line>` of the rule", examples=["complaint.yaml:14"])
    event: str | None = Field(default=None, description="Id of the event, as posted")
    clock: str | None = Field(default=None, description="The clock whose moment came")


class TimelineLine(BaseModel):
    """One line of a case's timeline; further keys depend on `effect`."""

    model_config = ConfigDict(extra="allow", json_schema_extra={"additionalProperties": True})

    at: str = Field(description="RFC 3339 with the site's offset", json_schema_extra={"format": "date-time"})
    case: str = Field(description="The subject")
    policy: str
    effect: EffectName | DeliveryEffect
    grade: str | None = Field(default=None, description="graded: the grade now")
    was: str | None = Field(
        default=None, description="graded: the grade before, null at first; adopted: the policy file before"
    )
    clock: str | None = None
    due: str | None = Field(default=None, description="When the clock runs out, null while unknown")
    run: int | None = Field(default=None, description="Which run of the clock, from 1")
    left: float | None = Field(default=None, description="clock_paused: seconds left")
    met: bool | None = Field(default=None, description="clock_stopped: in time")
    to: list[str] | str | None = Field(default=None, description="Roles")
    via: list[str] | None = Field(default=None, description="Channels")
    message: str | None = Field(default=None, description="Name of the template")
    step: str | None = None
    level: int | None = Field(default=None, description="escalated: which rung, from 1")
    minutes: int | None = Field(default=None, description="delayed: how much later the step goes on")
    child: str | None = Field(default=None, description="Subject of the child case")
    outcome: str | None = None
    on_change: str | None = Field(
        default=None, description="adopted: adopt, recompute, or person (whose choice it was)"
    )
    now: str | None = Field(default=None, description="adopted: digest of the policy file from now on")
    by: str | None = Field(
        default=None, description="adopted: the person who chose; with resend_of: who had it sent again"
    )
    reason: str | None = Field(
        default=None,
        description="adopted: why, in that person's words; of a delivery: a word from a fixed list",
    )
    points: float | None = Field(default=None, description="scored: how many, below zero for a lapse")
    fact: str | None = Field(default=None, description="scored: the fact the points rest on")
    delivery: str | None = Field(
        default=None, description="Short id of the delivery that did this; only lines about deliveries have it"
    )
    notification: str | None = Field(default=None, description="Id of the requested notification behind it")
    recipient: str | None = Field(default=None, description="Recipient id: whom it is for, or who answered")
    role: str | None = Field(default=None, description="The role they were told as")
    channel: str | None = None
    provider: str | None = None
    attempt: int | None = Field(default=None, description="Which try on this channel, from 1")
    resent: bool | None = Field(
        default=None, description="sent: once more, after nobody knew whether it had arrived"
    )
    resend_of: str | None = Field(default=None, description="Short id of the delivery that a person had sent again")
    until: str | None = Field(default=None, description="held: when it goes out")
    into: str | None = Field(default=None, description="merged: short id of the delivery whose message says it")
    merged: int | None = Field(default=None, description="sent: how many others its message says, too")
    silence: str | None = Field(default=None, description="suppressed: the silence that hides it")
    segments: int | None = Field(default=None, description="sent or unknown, by sms: how many this very send took")
    answered_by: str | None = Field(
        default=None, description="acknowledged, escalated, delayed: `link`, or the channel of the reply"
    )
    because: BecauseLine
