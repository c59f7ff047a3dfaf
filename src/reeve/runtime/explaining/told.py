"""Who was told by a step, and how far each message has come: from the timeline, the requests and the deliveries."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from reeve.runtime.explaining.story import Line, Story
from reeve.runtime.explaining.teller import Answer, Teller
from reeve.runtime.store.deliveries import NOBODY, Delivery
from reeve.runtime.store.notifications import Requested
from reeve.runtime.store.short_ids import short_id

_SAME = timedelta(milliseconds=1)
"""MongoDB keeps milliseconds, the timeline microseconds."""


def notifications_of(story: Story, teller: Teller, step: str) -> list[Answer]:
    """Every time the step told somebody, in order; `outcome` is one of

    delivered      a provider says that at least one message of it arrived
    sent           at least one message of it went out (`deliveries`)
    merged         it went out within another message to the same person (`into`)
    failed         every delivery failed
    unsure         it may have gone out, and a receipt is awaited (`until`)
    held           it waits on purpose (`hold`: quiet, merge, daily, digest, budget; `until`)
    waits          nothing of it went out yet: it is on its way, or is tried again
    quiet          its hour has not come: quiet hours, or the owner's opening hours (`until`)
    overtaken      never sent: a newer round overtook it
    suppressed     never sent (`why`: acknowledged, case_closed, silenced with the `silence`, over_budget)
    undeliverable  nobody of the role can be reached, nor of those above it
    unknown        the record does not say
    """
    lines = [line for line in story.lines if line.keys.get("step") == step]
    told = [line for line in lines if line.effect == "notify" and not line.decision.added]
    return [_told(story, teller, line, lines) for line in told]


def _told(story: Story, teller: Teller, line: Line, lines: list[Line]) -> Answer:
    keys = line.keys
    request = _request(story, line)
    deliveries = story.deliveries.get(request.key, []) if request is not None else []
    found: Answer = {
        "step": keys.get("step"),
        "at": teller.moment(line.at),
        "rule": line.rule,
        "round": keys.get("round"),
        "level": keys.get("level", 0),
        "to": keys.get("to"),
        "message": keys.get("message"),
        "cause": teller.cause(line.decision, line),
        "deliveries": [_delivery(each, teller) for each in deliveries],
    }
    return found | _outcome(teller, line, lines, request, deliveries)


def _request(story: Story, line: Line) -> Requested | None:
    for request in story.requested.values():
        same = request.wanted.step == line.keys.get("step") and request.wanted.round == line.keys.get("round")
        if same and abs(request.effect.at - line.at) <= _SAME:
            return request
    return None


def _outcome(
    teller: Teller, line: Line, lines: list[Line], request: Requested | None, deliveries: list[Delivery]
) -> Answer:
    if request is None:
        overtaken = any(
            other.effect == "suppressed"
            and other.keys.get("round") == line.keys.get("round")
            and other.at == line.at
            for other in lines
        )
        return {"outcome": "overtaken" if overtaken else "unknown"}
    people = [each for each in deliveries if each.recipient != NOBODY]
    states = {each.state for each in people}
    for state in ("delivered", "sent", "merged"):
        if state in states:
            into = next((each.into for each in people if each.into), None)
            return {"outcome": state, **({"into": short_id(into)} if state == "merged" and into else {})}
    if waiting := [each for each in people if each.open]:
        return _waits(teller, waiting)
    nobody = [each for each in deliveries if each.recipient == NOBODY]
    if "suppressed" in states or any(each.state == "suppressed" for each in nobody):
        why = next((each.attempts[-1].reason for each in deliveries if each.attempts), None)
        silence = next((each.silence for each in deliveries if each.silence), None)
        return {"outcome": "suppressed", "why": why, **({"silence": silence} if silence else {})}
    if "failed" in states:
        return {"outcome": "failed"}
    if nobody:
        return {"outcome": "undeliverable", "next_role": next((e.next_role for e in nobody if e.next_role), None)}
    return _not_planned(teller, request)


def _waits(teller: Teller, waiting: list[Delivery]) -> Answer:
    """What the one that comes next waits for."""
    first = min(waiting, key=lambda each: each.due_at)
    if first.state == "unknown":
        return {"outcome": "unsure", "until": teller.moment(first.due_at)}
    if first.state == "queued" and first.hold and not first.attempts:
        return {"outcome": "held", "hold": first.hold, "until": teller.moment(first.due_at)}
    return {"outcome": "waits"}


def _not_planned(teller: Teller, request: Requested) -> Answer:
    hours: list[datetime] = [
        hour for hour in (request.wanted.not_before, request.wanted.owner_not_before) if hour is not None
    ]
    if request.state == "requested" and hours:
        return {"outcome": "quiet", "until": teller.moment(max(hours))}
    return {"outcome": "waits"}


def _delivery(delivery: Delivery, teller: Teller) -> dict[str, Any]:
    """Ids only; names and addresses stay in the record."""
    last = delivery.attempts[-1] if delivery.attempts else None
    explains = delivery.state not in ("sent", "delivered", "merged")
    return {
        "id": delivery.short,
        "recipient": None if delivery.recipient == NOBODY else delivery.recipient,
        "role": delivery.role,
        "rung": delivery.rung,
        "channel": None if delivery.channel == NOBODY else delivery.channel,
        "message": delivery.message,
        "state": delivery.state,
        "attempts": len(delivery.attempts),
        "last_at": teller.moment(last.at) if last is not None else None,
        "last_reason": last.reason if last is not None and explains else None,
        "provider": (last.provider or None) if last is not None else None,
        "next_role": delivery.next_role,
        "silence": delivery.silence,
        "into": short_id(delivery.into) if delivery.into else None,
        "resend_of": short_id(delivery.resend_of) if delivery.resend_of is not None else None,
    }
