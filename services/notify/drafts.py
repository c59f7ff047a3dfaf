"""Deliveries as they are before anything is written: for one person on one channel, or for nobody."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal as OneOf

from reeve.domain.case import Case
from reeve.domain.effects import Notification
from reeve.domain.recipients import Climb, Recipient, Target, unreachable_key
from reeve.runtime.store.deliveries import NOBODY, Attempt, Delivery
from reeve.runtime.store.notifications import Requested
from services.notify.channels.base import Reason


@dataclass(frozen=True, slots=True)
class Draft:
    """A delivery that would be made now, with what decides whether it is."""

    delivery: Delivery
    wanted: Notification
    case: Case
    target: Target


def drafted(each: Requested, id: str, target: Target, channel: str, rank: int, now: datetime) -> Delivery:
    """The delivery, queued and due now."""
    wanted = each.wanted
    return Delivery(
        id=id,
        notification=each.key,
        case=each.effect.case,
        recipient=target.recipient.id,
        place=target.recipient.place,
        channel=channel,
        message=target.message,
        role=target.role,
        rung=target.rung,
        step=wanted.step,
        level=wanted.level,
        round=wanted.round,
        run=wanted.run,
        ack_ends=wanted.ack_ends,
        reminds=wanted.reminds,
        at=each.effect.at,
        requested_at=max(each.requested_at, each.moment(target.role)),
        rank=rank,
        state="queued",
        due_at=now,
    )


def climb_key(each: Requested, climb: Climb) -> str:
    """Key of what the record says of a role that nobody could be reached of."""
    return unreachable_key(each.key, climb.role, climb.rung)


def known_climbs(each: Requested, climbs: Iterable[Climb], known: Collection[str]) -> frozenset[Climb]:
    """Those that the record tells of already; `known` are ids of deliveries that stand in it."""
    return frozenset(climb for climb in climbs if _nobody_id(climb_key(each, climb)) in known)


def _nobody_id(key: str) -> str:
    return f"{key}#{NOBODY}#{NOBODY}"


def nobody(
    each: Requested,
    key: str,
    state: OneOf["suppressed", "undeliverable"],
    reason: Reason,
    now: datetime,
    climb: Climb | None = None,
) -> Delivery:
    """An entry among the deliveries that says that none was made, and is published like one."""
    target = Target(
        Recipient(NOBODY, each.effect.case.site),
        (NOBODY,),
        each.wanted.message,
        climb.unreached if climb else ",".join(each.wanted.to),
        climb.rung if climb else 0,
    )
    return replace(
        drafted(each, _nobody_id(key), target, NOBODY, 0, now),
        state=state,
        attempts=[Attempt(now, state, reason.value)],
        next_role=climb.next if climb else None,
    )
