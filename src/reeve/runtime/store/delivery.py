"""One notification to one recipient on one channel, with every attempt of it, and its document."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from typing import Literal as OneOf

from reeve.domain.case import CaseKey
from reeve.runtime.store.mongo import Document
from reeve.runtime.store.short_ids import short_id

NOBODY = "-"
"""Recipient and channel of an entry that stands for a notification nobody gets."""

State = OneOf[
    "queued", "claimed", "unknown", "sent", "delivered", "failed", "suppressed", "merged", "undeliverable"
]
"""queued: waits for `due_at`; claimed: a process has it in hand until `due_at`; unknown: it may have gone out, and
a receipt is awaited until `due_at`. The others are final, but that a receipt makes sent into delivered or failed.
merged: what it says went out with the delivery `into`."""

OPEN_STATES = ("queued", "claimed", "unknown")

Hold = OneOf["", "quiet", "merge", "daily", "digest", "budget"]
"""Why a queued delivery waits: the person's quiet hours, the window of its matter, the one payment reminder of the
day, the digest of mild grades, the month's budget; empty: it does not, or waits for a retry."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try of a delivery."""

    at: datetime
    result: str
    """sent, resent, transient, permanent, unknown; of a receipt: delivered, not_delivered; suppressed."""
    reason: str
    reference: str | None = None
    """The provider's own id of the message."""
    provider: str = ""
    """Name of the provider that was tried; empty: none was."""
    segments: int = 0
    """sms: how many parts the provider was handed in this try; 0 as well where an older release did not note it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a recipient answered, from the message itself."""

    id: str
    """Id of the event that it became."""
    at: datetime
    what: OneOf["acknowledged", "escalated", "delayed"]
    how: str
    """The way it came: `link`, or the channel of the reply (`sms`, `email`)."""
    minutes: int | None = None
    """delayed: how many more were asked for."""


@dataclass(slots=True)
class Delivery:
    """One notification to one recipient on one channel."""

    id: str
    notification: str
    """Key of the notify effect."""
    case: CaseKey
    recipient: str
    place: str
    channel: str
    message: str
    role: str
    """The role the rule named."""
    rung: int
    step: str
    level: int
    round: int
    run: int
    ack_ends: bool
    reminds: bool
    """These five are the notification's: see `reeve.domain.effects.Notification`."""
    at: datetime
    """Logical moment of the notification."""
    requested_at: datetime
    """When it was asked for, or the hour it waited for."""
    rank: int
    """0 is the worst grade; the lowest goes first."""
    state: State
    due_at: datetime
    """queued: not before; claimed: the end of the lease; final: when it was settled."""
    claim: str | None = None
    attempts: list[Attempt] = field(default_factory=list)
    next_role: str | None = None
    """undeliverable: the role that is told instead."""
    hold: Hold = ""
    group: str = ""
    """Queued deliveries of one group that are due go out as one message; empty: it stands alone."""
    into: str | None = None
    """merged: id of the delivery whose message says this one's matter, too."""
    merged: int = 0
    """How many others went out with it."""
    silence: str | None = None
    """suppressed: id of the silence that hides it."""
    segments: int = 0
    """SMS segments that were handed to providers in all its tries: what was sent twice counts twice."""
    resend_of: str | None = None
    """Id of the delivery that a person had sent again by this one."""
    by: str = ""
    """Who had it sent again."""
    note: str = ""
    """Why, in that person's words."""
    answers: list[Answer] = field(default_factory=list)
    """What the recipient has answered to it, first things first."""
    words: Mapping[str, Any] = field(default_factory=dict)
    """Names that its message has on top: numbers and moments, nobody's data."""

    @property
    def open(self) -> bool:
        return self.state in OPEN_STATES

    @property
    def short(self) -> str:
        """What people call it: `7m2f-0q3d`."""
        return short_id(self.id)


def document_of(delivery: Delivery) -> Document:
    """As it is stored."""
    document: Document = {
        "_id": delivery.id,
        "notification": delivery.notification,
        "site": delivery.case.site,
        "policy": delivery.case.policy,
        "subject": delivery.case.subject,
        "case": str(delivery.case),
        "recipient": delivery.recipient,
        "place": delivery.place,
        "channel": delivery.channel,
        "message": delivery.message,
        "role": delivery.role,
        "rung": delivery.rung,
        "step": delivery.step,
        "level": delivery.level,
        "round": delivery.round,
        "run": delivery.run,
        "ack_ends": delivery.ack_ends,
        "reminds": delivery.reminds,
        "at": delivery.at,
        "requested_at": delivery.requested_at,
        "rank": delivery.rank,
        "state": delivery.state,
        "due_at": delivery.due_at,
        "claim": delivery.claim,
        "attempts": [attempt_document(each) for each in delivery.attempts],
        "open": delivery.open,
        "next_role": delivery.next_role,
        "hold": delivery.hold,
        "group": delivery.group,
        "into": delivery.into,
        "merged": delivery.merged,
        "silence": delivery.silence,
        "segments": delivery.segments,
        "short": delivery.short,
    }
    if delivery.resend_of is not None:
        document |= {"resend_of": delivery.resend_of, "by": delivery.by, "note": delivery.note}
    if delivery.words:
        document["words"] = dict(delivery.words)
    if not delivery.open:
        document |= {"unpublished": True, "settled_at": delivery.due_at}
    return document


def attempt_document(attempt: Attempt) -> Document:
    """As it is stored within its delivery."""
    document: Document = {
        "at": attempt.at,
        "result": attempt.result,
        "reason": attempt.reason,
        "reference": attempt.reference,
        "provider": attempt.provider,
    }
    return document | {"segments": attempt.segments} if attempt.segments else document


def delivery_of(document: Document) -> Delivery:
    """The delivery of a stored document."""
    return Delivery(
        id=document["_id"],
        notification=document["notification"],
        case=CaseKey(document["site"], document["policy"], document["subject"]),
        recipient=document["recipient"],
        place=document["place"],
        channel=document["channel"],
        message=document["message"],
        role=document["role"],
        rung=document["rung"],
        step=document["step"],
        level=document["level"],
        round=document["round"],
        run=document["run"],
        ack_ends=document["ack_ends"],
        reminds=document["reminds"],
        at=document["at"],
        requested_at=document["requested_at"],
        rank=document["rank"],
        state=document["state"],
        due_at=document["due_at"],
        claim=document["claim"],
        attempts=[Attempt(**each) for each in document["attempts"]],
        next_role=document.get("next_role"),
        hold=document.get("hold", ""),
        group=document.get("group", ""),
        into=document.get("into"),
        merged=document.get("merged", 0),
        silence=document.get("silence"),
        segments=document.get("segments", 0),
        resend_of=document.get("resend_of"),
        by=document.get("by", ""),
        note=document.get("note", ""),
        answers=[Answer(**each) for each in document.get("answers", ())],
        words=document.get("words", {}),
    )
