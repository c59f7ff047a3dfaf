"""Deliveries as tests write them down."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from reeve.domain.case import CaseKey
from reeve.runtime.store.deliveries import Attempt, Delivery

AT = datetime(2026, 11, 20, 1, 0, tzinfo=UTC)
CASE = CaseKey("garden", "complaint", "T-1")


def delivery(*attempts: str | Attempt, state: Any = "sent", **changes: Any) -> Delivery:
    """A delivery with these attempts; of those written `result`, `result/reason` or `result/reason/provider` the
    second is a minute after the first, and so on.
    """
    made = []
    for number, text in enumerate(attempts, 1):
        if isinstance(text, Attempt):
            made.append(text)
            continue
        result, reason, provider, *_ = (*text.split("/"), "", "")
        made.append(Attempt(AT + timedelta(minutes=number), result, reason, provider=provider))
    values: dict[str, Any] = {
        "id": "n1#gm-1#sms",
        "notification": "n1",
        "case": CASE,
        "recipient": "gm-1",
        "place": "garden",
        "channel": "sms",
        "message": "reported",
        "role": "general_manager",
        "rung": 0,
        "step": "report_up",
        "level": 0,
        "round": 1,
        "run": 1,
        "ack_ends": True,
        "reminds": True,
        "at": AT,
        "requested_at": AT,
        "rank": 0,
        "due_at": AT + timedelta(hours=1),
    }
    return Delivery(**(values | changes), state=state, attempts=made)
