"""Messages about messages and rules: dead letters, refusals told to their sender, activated bundles."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from typing import Literal as OneOf

import orjson
from pydantic import BaseModel, Field

from reeve.contracts.outgoing import OutMessage
from reeve.contracts.problems import Problem
from reeve.contracts.subjects import RULES_ACTIVATED, RULES_REJECTED, UNUSABLE, dead_subject, rejected_subject


class NoticeEnvelope(BaseModel):
    """The CloudEvent around a notice."""

    specversion: OneOf["1.0"] = "1.0"
    id: str
    source: str
    type: str
    time: str = Field(json_schema_extra={"format": "date-time"})
    datacontenttype: OneOf["application/json"] = "application/json"


class DeadLetterData(BaseModel):
    """A message that could not be handled, whole: it may hold what a site system posted."""

    service: str
    site: str = Field(description="`_` where it is unusable")
    reason: str = Field(description="What was wrong; no personal data")
    attempts: int = Field(description="How often it was tried")
    subject: str = Field(description="The subject it came on")
    headers: dict[str, str] = Field(default_factory=dict)
    body: str = Field(description="The original bytes, base64", json_schema_extra={"contentEncoding": "base64"})


class DeadLetter(NoticeEnvelope):
    """On dead.<service>.<site>."""

    data: DeadLetterData


class RejectedData(BaseModel):
    """Why a posted event was refused; none of its data."""

    id: str | None = Field(description="The id it gave itself; null where unreadable")
    subject: str = Field(description="The NATS subject it was posted on")
    reason: str


class Rejected(NoticeEnvelope):
    """On rejected.<site>."""

    data: RejectedData


class RulesData(BaseModel):
    """A bundle that was activated or turned down."""

    version: str
    files: list[str]
    by: str
    note: str | None = None
    errors: list[str] = Field(default_factory=list, description="rejected: each as file:line:column: what is wrong")


class RulesNotice(NoticeEnvelope):
    """On rules.activated or rules.rejected."""

    data: RulesData


def dead_letter(
    service: str,
    site: str | None,
    *,
    reason: str,
    attempts: int,
    subject: str,
    body: bytes,
    at: datetime,
    headers: Mapping[str, str] | None = None,
) -> OutMessage:
    """The dead letter of a message; the same message dying again for the same reason has the same id."""
    to = dead_subject(service, site)
    letter_id = hashlib.sha256(b"\0".join([to.encode(), subject.encode(), reason.encode(), body])).hexdigest()[:32]
    data = {
        "service": service,
        "site": to.rpartition(".")[2],
        "reason": reason,
        "attempts": attempts,
        "subject": subject,
        "headers": dict(headers or {}),
        "body": base64.b64encode(body).decode(),
    }
    return _notice(to, letter_id, f"/reeve/{service}", "dead.letter", at, data)


def read_dead_letter(body: bytes) -> tuple[DeadLetter, bytes]:
    """A dead letter and the original bytes in it. Raises ValueError where it is none."""
    letter = DeadLetter.model_validate_json(body)
    return letter, base64.b64decode(letter.data.body, validate=True)


def rejected_notice(
    site: str | None,
    *,
    id: str | None,
    problems: Sequence[Problem],
    subject: str,
    message_id: str,
    at: datetime,
) -> OutMessage:
    """What the sender of a refused NATS event may listen for: its id and the reason, none of its data."""
    reason = "; ".join(f"{p.path}: expected {p.expected}" for p in problems)
    data = {"id": id, "subject": subject, "reason": reason}
    return _notice(rejected_subject(site), message_id, "/reeve/intake", "rejected.event", at, data)


def rules_notice(
    what: OneOf["activated", "rejected"],
    *,
    version: str,
    files: Sequence[str],
    by: str,
    at: datetime,
    note: str | None = None,
    errors: Sequence[str] = (),
) -> OutMessage:
    """Tells everybody that a bundle was activated, or turned down and why."""
    data = {"version": version, "files": list(files), "by": by, "note": note, "errors": list(errors)}
    notice_id = hashlib.sha256(f"{what}\0{version}\0{at.isoformat()}".encode()).hexdigest()[:32]
    subject = RULES_ACTIVATED if what == "activated" else RULES_REJECTED
    return _notice(subject, notice_id, "/reeve/escalation", subject, at, data)


def _notice(subject: str, id: str, source: str, type: str, at: datetime, data: dict[str, Any]) -> OutMessage:
    body = {
        "specversion": "1.0",
        "id": id,
        "source": source,
        "type": type,
        "time": at.isoformat().replace("+00:00", "Z"),
        "datacontenttype": "application/json",
        "data": data,
    }
    return OutMessage(subject, id, orjson.dumps(body))


__all__ = [
    "UNUSABLE",
    "DeadLetter",
    "Rejected",
    "RulesNotice",
    "dead_letter",
    "read_dead_letter",
    "rejected_notice",
    "rules_notice",
]
