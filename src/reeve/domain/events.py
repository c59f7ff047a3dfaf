"""An event as the core sees it: already validated, its moment known."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

FAMILIES = ("ticket", "mail", "payment")

OPENING_TYPE = {"ticket": "ticket.opened", "mail": "mail.received", "payment": "payment.billed"}
"""The one type of each family that may open a case (rule-language, Opening and routing)."""


def event_key(site: str, source: str, id: str) -> str:
    """What identifies an event for ever: 32 hex digits of a digest, so it can stand in any id or subject."""
    return hashlib.sha256(f"{site}\0{source}\0{id}".encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Event:
    """Something a site system posted. `at` is its own time, aware UTC; when it arrived is only recorded.

    `data` holds JSON values as posted, money as text or int; `reeve.domain.facts` gives them their kinds.
    """

    site: str
    source: str
    id: str
    type: str
    subject: str
    at: datetime
    data: Mapping[str, Any]
    key: str

    @property
    def family(self) -> str:
        return self.type.partition(".")[0]

    @property
    def verb(self) -> str:
        return self.type.partition(".")[2]
