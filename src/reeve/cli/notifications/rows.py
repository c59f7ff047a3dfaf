"""Deliveries as JSON rows: ids only, as `reeve notifications --json` prints them and its pages read them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from reeve.contracts.timeline import because_json
from reeve.domain.effects import Because
from reeve.runtime.delivery_life import for_nobody, happenings, segments_of_tries
from reeve.runtime.store.deliveries import Delivery
from reeve.runtime.store.short_ids import short_id

Row = dict[str, Any]


def row_of(delivery: Delivery) -> Row:
    """What a list says of a delivery."""
    nobody = for_nobody(delivery)
    last = delivery.attempts[-1] if delivery.attempts else None
    explains = delivery.state not in ("sent", "delivered", "merged")
    return {
        "id": delivery.short,
        "requested_at": delivery.requested_at,
        "site": delivery.case.site,
        "case": str(delivery.case),
        "step": delivery.step,
        "message": delivery.message,
        "role": delivery.role,
        "recipient": None if nobody else delivery.recipient,
        "channel": None if nobody else delivery.channel,
        "provider": next((each.provider for each in reversed(delivery.attempts) if each.provider), None),
        "state": delivery.state,
        "reason": last.reason if last is not None and explains else None,
        "waits_for": waits_for(delivery),
        "attempts": sum(each.result not in ("delivered", "not_delivered") for each in delivery.attempts),
        "segments": delivery.segments,
        "sends": sum(each > 0 for each in segments_of_tries(delivery)),
        "merged": delivery.merged,
        "into": short_id(delivery.into) if delivery.into is not None else None,
        "silence": delivery.silence,
        "resend_of": short_id(delivery.resend_of) if delivery.resend_of is not None else None,
        "by": delivery.by or None,
    }


def waits_for(delivery: Delivery) -> Row | None:
    """What has to come before it goes on, and until when that may take; None: it is settled.

    `for` is a hold (quiet, merge, daily, digest, budget), next_try, turn, in_hand or receipt.
    """
    if not delivery.open:
        return None
    what = {"claimed": "in_hand", "unknown": "receipt"}.get(delivery.state)
    if what is None:
        what = "next_try" if delivery.attempts else delivery.hold or "turn"
    return {"for": what, "until": delivery.due_at, "together": 1}


def whole_row(delivery: Delivery, because: Because, siblings: Sequence[Delivery], together: int) -> Row:
    """Everything about a delivery; `together`: how many of its group wait, itself included."""
    row = row_of(delivery)
    if row["waits_for"] is not None and delivery.group:
        row["waits_for"]["together"] = together
    references = {each.at: each.reference for each in delivery.attempts if each.reference}
    life = [
        {
            "at": each.at,
            "what": each.what,
            "attempt": each.attempt,
            "provider": each.provider or None,
            "reason": each.reason,
            "reference": references.get(each.at),
            "resent": each.resent,
            "until": each.until,
            "into": each.into,
            "merged": delivery.merged if each.what == "sent" else 0,
            "segments": each.segments,
            "answer": each.answer,
            "how": each.how,
            "minutes": each.minutes,
        }
        for each in happenings(delivery)
    ]
    return row | {
        "delivery": delivery.id,
        "notification": delivery.notification,
        "because": because_json(because),
        "at": delivery.at,
        "level": delivery.level,
        "round": delivery.round,
        "run": delivery.run,
        "rung": delivery.rung,
        "rank": delivery.rank,
        "next_role": delivery.next_role,
        "note": delivery.note or None,
        "life": life,
        "siblings": [row_of(each) for each in siblings if each.id != delivery.id],
    }
