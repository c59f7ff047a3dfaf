"""A case's timeline as people read it: what was decided, and what became of every message. Made when it is read.

The lines about deliveries are no part of the record's timeline, and none of a simulation: they are a view of the
deliveries. Ids only (PRIVACY-01).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from typing import Any

from reeve.contracts.timeline import because_json
from reeve.domain.effects import Because
from reeve.runtime.delivery_life import Happening, for_nobody, happenings
from reeve.runtime.store.deliveries import Delivery, DeliveryStore
from reeve.runtime.store.mongo import Database, store_errors
from reeve.runtime.store.notifications import Requested, requested_of
from reeve.runtime.store.short_ids import short_id

Line = dict[str, Any]

_ANSWERED = ("acknowledged", "escalated", "delayed")


async def deliveries_of_case(database: Database, case: str) -> tuple[dict[str, Requested], list[Delivery]]:
    """Everything asked for and sent about a case, by key and in order of time. Raises StoreAway."""
    with store_errors():
        found = await database["notifications"].find({"case": case}).to_list()
    requested = {each["_id"]: requested_of(each) for each in found}
    deliveries = await DeliveryStore(database).of_notifications(list(requested))
    every = [each for group in deliveries.values() for each in group]
    return requested, sorted(every, key=lambda each: (each.requested_at, each.id))


def whole_timeline(
    decided: Sequence[Line], requested: Mapping[str, Requested], deliveries: Collection[Delivery]
) -> list[Line]:
    """The decided lines, in order of time, with those of the deliveries among them.

    Where an answer from a message made a line, that line says who answered, and no other does.
    """
    said = sorted(decided, key=_moment)
    answers = {answer.id: (one, answer.how) for one in deliveries for answer in one.answers}
    told: set[str] = set()
    lines: list[Line] = []
    for line in said:
        event = line["because"].get("event") if line["effect"] in _ANSWERED else None
        if event in answers and event not in told:
            told.add(event)
            delivery, how = answers[event]
            who = {"recipient": delivery.recipient, "channel": delivery.channel, "answered_by": how}
            line = line | {"delivery": delivery.short} | who | {"because": line["because"]}
        lines.append(line)
    offsets = [_moment(line) for line in said]

    def zone(at: datetime) -> tzinfo:
        """The offset of the line before, or of the first: the site's at that time of the year."""
        if not offsets:
            return UTC
        return offsets[max(0, bisect_right(offsets, at) - 1)].tzinfo or UTC

    for one in deliveries:
        request = requested.get(one.notification)
        because = request.effect.because if request is not None else Because("")
        lines += [
            line
            for each, line in delivery_lines(one, because, zone)
            if each.event is None or each.event not in told
        ]
    return sorted(lines, key=_moment)


def delivery_lines(
    delivery: Delivery, because: Because, zone: Callable[[datetime], tzinfo]
) -> Iterator[tuple[Happening, Line]]:
    """What the delivery did, a line each; none for one that only notes that nobody is told: a decision says it."""
    if for_nobody(delivery):
        return
    for each in happenings(delivery):
        keys: Line = {
            "step": delivery.step,
            "message": delivery.message,
            "recipient": delivery.recipient,
            "role": delivery.role,
            "channel": delivery.channel,
            "provider": each.provider or None,
            "attempt": each.attempt,
            "reason": each.reason,
            "resent": each.resent or None,
            "until": None if each.until is None else each.until.astimezone(zone(each.until)).isoformat(),
            "into": each.into,
            "silence": delivery.silence if each.what == "suppressed" else None,
            "answer": each.answer,
            "answered_by": each.how,
            "minutes": each.minutes,
            "segments": each.segments or None,
        }
        if each.what == "sent":
            keys |= {"merged": delivery.merged or None}
        if delivery.resend_of is not None:
            keys |= {"resend_of": short_id(delivery.resend_of), "by": delivery.by or None}
        yield (
            each,
            {
                "at": each.at.astimezone(zone(each.at)).isoformat(),
                "case": delivery.case.subject,
                "policy": delivery.case.policy,
                "effect": each.what,
                **{name: value for name, value in keys.items() if value is not None},
                "delivery": delivery.short,
                "notification": delivery.notification,
                "because": because_json(because),
            },
        )


def _moment(line: Line) -> datetime:
    return datetime.fromisoformat(line["at"])
