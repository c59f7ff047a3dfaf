"""From a requested notification to deliveries: roles become people, and each delivery is claimed in the record.

Everything is inserted under ids that the notification determines, so planning again, here or in another replica,
adds nothing. The order matters: deliveries first, then the timeline, then the mark that it is done, which nobody
waits for.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from reeve.domain.bundle import Bundle
from reeve.domain.case import Case
from reeve.domain.flood.tempering import EMAIL
from reeve.domain.recipients import (
    ASSIGNEE,
    OWNER,
    OnShift,
    Recipient,
    Resolution,
    climb_effects,
    delivery_id,
    roles_to_load,
    rota_ids,
    said_once,
)
from reeve.domain.telling import People, owner_apart, reaches_at_any_hour, resolve_for, suppressed
from reeve.ports import DecisionRow, TimeSource
from reeve.runtime.crash import reach
from reeve.runtime.rendering import policy_of
from reeve.runtime.store.deliveries import Delivery, DeliveryStore
from reeve.runtime.store.notifications import NotificationStore, Progress, Requested
from reeve.runtime.store.recipients import RecipientStore
from reeve.runtime.telemetry import get_log
from services.notify.case_reader import BundleSource, CaseReader
from services.notify.channels.base import Reason
from services.notify.context import rank_of
from services.notify.drafts import Draft, climb_key, drafted, known_climbs, nobody
from services.notify.flood.tempering import Tempering, spared_for_email
from services.notify.hand import Hand, Item
from services.notify.links import AckLinks
from services.notify.metrics import UNDELIVERABLE
from services.notify.progress import ProgressMarks
from services.notify.settling import unwanted, withdrawn
from services.notify.timeline import TimelineWriter, timeline_entry

_LOOK_AGAIN = timedelta(minutes=1)
"""After a notification whose case is not in the record."""

log = get_log(__name__)


class Shifts(Protocol):
    """Who is on shift, from memory."""

    async def refresh(self, now: datetime) -> None:
        """What is in memory is as in the record, or a few seconds older. Raises StoreAway."""
        ...

    def on_shift(self, place: str, role: str, at: datetime) -> Collection[str] | None:
        """See `recipients.OnShift`."""
        ...


@dataclass(slots=True)
class _Plan:
    """What one round of planning writes."""

    drafts: list[Draft] = field(default_factory=list)
    """Deliveries to somebody; what becomes of them is decided when they are written."""
    drafted: set[str] = field(default_factory=set)
    """Their ids."""
    known: frozenset[str] = frozenset()
    """Ids of deliveries that stand already."""
    dead: frozenset[tuple[str, str, str]] = frozenset()
    """(notification, recipient, channel) that turned out not to reach anybody."""
    deliveries: list[Delivery] = field(default_factory=list)
    people: dict[str, Recipient] = field(default_factory=dict)
    """Delivery id → who it is for."""
    entries: list[DecisionRow] = field(default_factory=list)
    progress: list[Progress] = field(default_factory=list)


class Planner:
    """Raises StoreAway when the record can't be reached; what was not written is then planned again."""

    def __init__(
        self,
        notifications: NotificationStore,
        deliveries: DeliveryStore,
        recipients: RecipientStore,
        cases: CaseReader,
        timeline: TimelineWriter,
        bundles: BundleSource,
        links: AckLinks,
        hand: Hand,
        news: asyncio.Event,
        time_source: TimeSource,
        claim: str,
        lease: timedelta,
        marks: ProgressMarks,
        shifts: Shifts | None = None,
        tempering: Tempering | None = None,
    ) -> None:
        self._notifications = notifications
        self._deliveries = deliveries
        self._recipients = recipients
        self._cases = cases
        self._timeline = timeline
        self._bundles = bundles
        self._links = links
        self._tempering = tempering
        self._hand = hand
        self._news = news
        self._time = time_source
        self._claim = claim
        self._lease = lease
        self._marks = marks
        self._shifts = shifts
        self._planning: set[str] = set()
        """Keys of notifications that are being planned: a wake-up and the sweep find the same ones."""

    async def plan(self, requested: Sequence[Requested]) -> None:
        """Whoever can be told now has a delivery; roles whose hour is still to come wait in the record.

        What another call of this process plans already is left to that.
        """
        waiting = [
            each
            for each in requested
            if each.state == "requested" and each.key not in self._planning and each.key not in self._marks
        ]
        if not waiting:
            return
        keys = {each.key for each in waiting}
        self._planning |= keys
        try:
            await self._plan(waiting)
        finally:
            self._planning -= keys

    async def _plan(self, waiting: Sequence[Requested]) -> None:
        now = self._time.now()
        bundle = await self._bundles.current()
        roles = {each.key: each.due_roles(now) for each in waiting}
        cases, people = await self._read(waiting, roles, bundle, now)
        plan = _Plan()
        for each in waiting:
            case = cases.get(str(each.effect.case))
            if case is None:
                log.error("A notification's case is not in the record.", action="case_missing", key=each.key)
                plan.progress.append(Progress(each.key, "requested", look_at=now + _LOOK_AGAIN))
            elif reason := withdrawn(each, case, roles[each.key], now):
                self._suppress(plan, each, case, reason, bundle, now)
            else:
                self._tell(plan, each, case, roles[each.key], people, bundle, now)
        await self._temper(plan, bundle, now)
        await self._write(plan, cases)

    async def find_another_way(self, keys: Collection[str]) -> None:
        """For deliveries that failed for good: the next channel, the next person, or the role above has one."""
        now = self._time.now()
        bundle = await self._bundles.current()
        requested = await self._notifications.load(keys)
        deliveries = await self._deliveries.of_notifications(keys)
        roles = {key: self._told(each, deliveries.get(key, ())) for key, each in requested.items()}
        cases, people = await self._read(list(requested.values()), roles, bundle, now)
        plan = _Plan(known=frozenset(one.id for found in deliveries.values() for one in found))
        dead_ways: set[tuple[str, str, str]] = set()
        spared: list[tuple[Delivery, Case]] = []
        failed_ids: list[str] = []
        for key, found in deliveries.items():
            failed = [each for each in found if each.state == "failed"]
            failed_ids += [each.id for each in failed]
            each = requested.get(key)
            case = cases.get(str(each.effect.case)) if each else None
            if each is None or case is None or unwanted(case, each.effect.at, each.wanted):
                continue
            dead = {(one.recipient, one.channel) for one in failed}
            dead_ways |= {(key, *pair) for pair in dead}
            spared += [(one, case) for one in found if spared_for_email(one) and (one.recipient, EMAIL) in dead]
            self._tell(plan, each, case, roles[key], people, bundle, now, dead)
        plan.dead = frozenset(dead_ways)
        await self._temper(plan, bundle, now)
        await self._write(plan, cases)
        if self._tempering is not None:
            await self._tempering.after_all(spared, bundle, now)
        await self._deliveries.climbed(failed_ids)

    def _told(self, each: Requested, deliveries: Sequence[Delivery]) -> tuple[str, ...]:
        """Roles that have been resolved, whether or not the mark that says so is made yet, or ever will be."""
        resolved = {*each.told, *self._marks.told(each.key), *(one.role for one in deliveries)}
        return tuple(role for role in each.wanted.to if role in resolved)

    async def _read(
        self,
        requested: Sequence[Requested],
        roles: Mapping[str, tuple[str, ...]],
        bundle: Bundle,
        now: datetime,
    ) -> tuple[dict[str, Case], People]:
        """Their cases by id, and all recipients that may matter to any of them at `now`, stand-ins and those on
        shift included. One query for each, and one for owners and assignees where they are to be told."""
        if self._shifts is not None:
            await self._shifts.refresh(now)
        places: set[str] = set()
        wanted: set[str] = set()
        ids: set[str] = set()
        for each in requested:
            site_id = each.effect.case.site
            site = bundle.site(site_id)
            here = [place for place in (site_id, site.parent) if place]
            to_load = roles_to_load(roles[each.key], site.ladder)
            places.update(here)
            wanted |= to_load
            ids |= rota_ids(self._on_shift, to_load, here, now)
        cases, people = await asyncio.gather(
            self._cases.load({str(each.effect.case) for each in requested}),
            self._recipients.find(sorted(places), wanted - {OWNER, ASSIGNEE}, (), ids),
        )
        facts = [case.facts for case in cases.values()]
        owners = _values(facts, "customer") if OWNER in wanted else []
        assignees = _values(facts, "assignee") if ASSIGNEE in wanted else []
        if owners or assignees:
            people += await self._recipients.find(sorted(places), (), owners, assignees)
        return cases, People({(each.place, each.id): each for each in people}.values())

    @property
    def _on_shift(self) -> OnShift | None:
        return self._shifts.on_shift if self._shifts is not None else None

    def _tell(
        self,
        plan: _Plan,
        each: Requested,
        case: Case,
        roles: tuple[str, ...],
        people: People,
        bundle: Bundle,
        now: datetime,
        dead: Collection[tuple[str, str]] = (),
    ) -> None:
        site = bundle.site(case.key.site)
        rank = rank_of(bundle, case, each.wanted.grade)
        any_hour = reaches_at_any_hour(policy_of(bundle, case), each.wanted.grade)
        # A town of owners is loaded for a bulk run; each notification looks only at its own.
        those = people.who_matter(roles, case.facts, site, case.key.site, now, self._on_shift)
        resolution = resolve_for(
            *(each.wanted, roles, case, those, site, self._hand.channels, dead),
            at=now,
            on_shift=self._on_shift,
            any_hour=any_hour,
        )
        self._add_targets(plan, each, case, resolution, rank, now)
        said = known_climbs(each, resolution.climbs, plan.known)
        for climb, tells in said_once(resolution.climbs, said, owner_apart=owner_apart(each.wanted)):
            # Found out when it was asked for: that moment; found out by failing deliveries: now.
            at = now if dead else each.moment(climb.role)
            key = climb_key(each, climb)
            effects = climb_effects(climb, each.effect, at, tells=tells)
            plan.entries.append(timeline_entry(key, effects, case, site, bundle.version, now))
            plan.deliveries.append(nobody(each, key, "undeliverable", Reason.NOBODY, now, climb))
            UNDELIVERABLE.labels("role" if climb.next else "nobody").inc()
            log.log(
                30 if climb.next else 40,
                "Nobody can be reached for a role.",
                action="undeliverable",
                case=str(case.key),
                role=climb.unreached,
                next_role=climb.next,
            )
        if not dead:
            hour = each.next_hour(now)
            plan.progress.append(Progress(each.key, "requested" if hour else "done", roles, hour))

    def _add_targets(
        self, plan: _Plan, each: Requested, case: Case, resolution: Resolution, rank: int, now: datetime
    ) -> None:
        # Who hears of an owner and of another role at once hears of the other: that can be taken over.
        for target in sorted(resolution.targets, key=lambda one: bool(one.rung) and one.role == OWNER):
            for channel in target.channels:
                key = delivery_id(each.key, target, channel, owner_apart=owner_apart(each.wanted))
                if key in plan.known or key in plan.drafted:  # one person may hold two of the roles
                    continue
                plan.drafted.add(key)
                delivery = drafted(each, key, target, channel, rank, now)
                plan.drafts.append(Draft(delivery, each.wanted, case, target))

    async def _temper(self, plan: _Plan, bundle: Bundle, now: datetime) -> None:
        """The drafts are deliveries: those that go now are claimed by this process as far as there is room."""
        channels = self._hand.channels
        planned = set(plan.known)
        coming: Counter[str] = Counter()
        drafts = plan.drafts
        if self._tempering is not None:
            drafts = await self._tempering.temper(drafts, bundle, now, channels, plan.dead)
        for draft in drafts:
            delivery = draft.delivery
            if delivery.id in planned:
                continue
            planned.add(delivery.id)
            due = delivery.state == "queued" and delivery.due_at <= now
            if due and self._hand.takes(delivery.channel, delivery.rank, coming[delivery.channel]):
                coming[delivery.channel] += 1
                delivery = replace(delivery, state="claimed", claim=self._claim, due_at=now + self._lease)
            plan.deliveries.append(delivery)
            plan.people[delivery.id] = draft.target.recipient

    def _suppress(
        self, plan: _Plan, each: Requested, case: Case, reason: Reason, bundle: Bundle, now: datetime
    ) -> None:
        site = bundle.site(case.key.site)
        line = suppressed(each.effect, each.wanted, now)
        plan.entries.append(timeline_entry(each.key, [line], case, site, bundle.version, now))
        plan.deliveries.append(nobody(each, each.key, "suppressed", reason, now))
        plan.progress.append(Progress(each.key, "suppressed"))

    async def _write(self, plan: _Plan, cases: dict[str, Case]) -> None:
        claimed = [
            Item(each, plan.people[each.id], cases[str(each.case)])
            for each in plan.deliveries
            if each.state == "claimed"
        ]
        begun = asyncio.get_running_loop().time()
        with self._hand.expecting(item.delivery.id for item in claimed):
            inserting = asyncio.create_task(self._deliveries.insert(plan.deliveries), name="insert deliveries")
            try:
                await self._links.add(claimed)
            finally:
                # Its answer is waited for in any case: what it claims is expected here.
                fresh = await inserting
            reach("notify.claimed")
            # One whose lease ran out meanwhile the feeder may have found already.
            self._hand.accept(
                self._hand.without_known((item for item in claimed if item.delivery.id in fresh), begun)
            )
        await self._timeline.write(plan.entries)
        self._marks.put(plan.progress)
        if plan.entries:
            self._news.set()  # somebody was not told, and the bus should hear of it
        reach("notify.planned")


def _values(facts: Sequence[Any], name: str) -> list[str]:
    return sorted({str(each[name]) for each in facts if each.get(name) is not None})
