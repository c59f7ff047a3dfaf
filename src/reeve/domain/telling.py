"""From a `notify` effect to the people it is for: when each role is told, whether it still is, who stands in.

What notify does with servers and a simulation without them; both add the same lines to the timeline.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Protocol
from typing import Literal as OneOf

from reeve.domain.bundle import Policy, SiteSettings
from reeve.domain.case import Case
from reeve.domain.effects import Effect, Notification
from reeve.domain.recipients import (
    ASSIGNEE,
    CHANNELS,
    OWNER,
    OnShift,
    Recipient,
    Resolution,
    resolve,
    roles_to_load,
    rota_ids,
)

WAITED = timedelta(seconds=5)
"""A notification older than this was queued, not on its way: an acknowledgement or a closing cancels it."""

_EXEMPT_GRADES = 2
"""The worst grades, which nothing holds back."""

Moot = OneOf["case_closed", "acknowledged"]


class Reminding(Protocol):
    """A notification, or a delivery of one."""

    @property
    def reminds(self) -> bool: ...

    @property
    def ack_ends(self) -> bool: ...

    @property
    def step(self) -> str: ...


def hour_of(wanted: Notification, role: str) -> datetime | None:
    """The moment before which the role is not told (quiet hours, opening hours); None: it need not wait."""
    hours = [wanted.not_before, wanted.owner_not_before if role == OWNER else None]
    return max((hour for hour in hours if hour is not None), default=None)


def owner_apart(wanted: Notification) -> bool:
    """Whether the role `owner` has an hour of its own, in which whatever concerns it is told."""
    return wanted.owner_not_before is not None


def moment_of(asked: Effect, wanted: Notification, role: str) -> datetime:
    """The logical moment at which the role is told: that of the request, or the hour it waits for."""
    return max(asked.at, hour_of(wanted, role) or asked.at)


def due_roles(wanted: Notification, told: Collection[str], now: datetime) -> tuple[str, ...]:
    """Roles not yet told whose hour has come."""
    return tuple(
        role for role in wanted.to if role not in told and ((hour := hour_of(wanted, role)) is None or hour <= now)
    )


def next_hour(wanted: Notification, told: Collection[str], now: datetime) -> datetime | None:
    """The earliest hour later than `now` that a role waits for; None: no role waits."""
    hours = [hour for role in wanted.to if role not in told and (hour := hour_of(wanted, role))]
    return min((hour for hour in hours if hour > now), default=None)


def moot(case: Case, at: datetime, wanted: Reminding) -> Moot | None:
    """Why a queued notification of the logical moment `at` is not sent any more; None: send it.

    Whoever answers a message of a step has taken what that very step says, for everybody else it is for and on
    every channel. Else only what reminds (repeats or climbs) can become moot: news is sent however the case has
    gone on. What the acknowledgement or the closing itself asked for has its moment, and is sent.
    """
    answered = case.answered.get(wanted.step)
    if wanted.ack_ends and answered is not None and answered > at:
        return "acknowledged"
    if not wanted.reminds:
        return None
    if not case.open and case.closed_at is not None and case.closed_at > at:
        return "case_closed"
    if wanted.ack_ends and case.acknowledged_at is not None and case.acknowledged_at > at:
        return "acknowledged"
    return None


def suppressed(asked: Effect, wanted: Notification, at: datetime) -> Effect:
    """The line that says that a queued notification was not sent, at the moment that was found out."""
    details: dict[str, Any] = {"step": wanted.step, "to": list(wanted.to)}
    return replace(asked, what="suppressed", details=details, notification=None, at=at)


def resolve_for(
    wanted: Notification,
    roles: Iterable[str],
    case: Case,
    people: Collection[Recipient],
    site: SiteSettings,
    available: Collection[str] = CHANNELS,
    failed: Collection[tuple[str, str]] = (),
    *,
    at: datetime,
    on_shift: OnShift | None = None,
    any_hour: bool = False,
) -> Resolution:
    """Who is told at `at` for these roles of a notification. See `recipients.resolve`."""
    return resolve(
        *(roles, case.facts, people, site, case.key.site, wanted.message, wanted.via, available, failed),
        at=at,
        on_shift=on_shift,
        grade=wanted.grade,
        any_hour=any_hour,
    )


def reaches_at_any_hour(policy: Policy | None, grade: str | None) -> bool:
    """Whether personal quiet hours don't hold messages of that grade: the two worst of the case's policy."""
    return policy is not None and grade in policy.grade_order[:_EXEMPT_GRADES]


class People:
    """Recipients held in memory, found as fast for a town of owners as for a front desk."""

    def __init__(self, people: Iterable[Recipient]) -> None:
        self._found: dict[tuple[str, str, str], list[Recipient]] = {}
        for person in people:
            keys = [("role", role) for role in person.all_roles] + [(ASSIGNEE, person.id)]
            for kind, key in keys + [(OWNER, customer) for customer in person.customers]:
                self._found.setdefault((person.place, kind, key), []).append(person)

    def who_matter(
        self,
        roles: Iterable[str],
        facts: Mapping[str, Any],
        site: SiteSettings,
        place: str,
        at: datetime,
        on_shift: OnShift | None = None,
    ) -> list[Recipient]:
        """All that a resolution of these roles at `at` may ask for, for a case with these facts at `place`:
        whoever stands in for them included."""
        wanted = roles_to_load(roles, site.ladder)
        keys = [("role", role) for role in sorted(wanted)]
        keys += [
            (kind, str(facts[fact]))
            for kind, fact in ((OWNER, "customer"), (ASSIGNEE, "assignee"))
            if fact in facts
        ]
        places = [place] if site.parent is None else [place, site.parent]
        keys += [(ASSIGNEE, one) for one in sorted(rota_ids(on_shift, wanted, places, at))]
        found: dict[tuple[str, str], Recipient] = {}
        while keys:
            fresh = [
                each for where in places for kind, key in keys for each in self._found.get((where, kind, key), ())
            ]
            fresh = [each for each in fresh if (each.place, each.id) not in found]
            found |= {(each.place, each.id): each for each in fresh}
            keys = [(ASSIGNEE, one) for each in fresh for one in sorted(each.stand_ins)]
        return list(found.values())
