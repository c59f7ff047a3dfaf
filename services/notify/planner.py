"""From a requested notification to deliveries: roles become people, and each delivery is claimed in the record.

Everything is inserted under ids that the notification determines, so planning again, here or in another replica,
adds nothing. The order matters: deliveries first, then the timeline, then the mark that it is done.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Collection, Sequence
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
    unreachable_key,
)
from reeve.domain.telling import WAITED, People, reaches_at_any_hour, resolve_for, suppressed
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
from services.notify.drafts import Draft, drafted, nobody
from services.notify.flood.tempering import Tempering, spared_for_email
from services.notify.hand import Hand, Item
from services.notify.links import AckLinks
from services.notify.metrics import UNDELIVERABLE
from services.notify.settling import unwanted
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
        self._shifts = shifts
        self._planning: set[str] = set()
        """Keys of notifications that are being planned: a wake-up and the sweep find the same ones."""

    async def plan(self, requested: Sequence[Requested]) -> None:
        """Whoever can be told now has a delivery; roles whose hour is still to come wait in the record.

        What another call of this process plans already is left to that.
        """
        waiting = [each for each in requested if each.state == "requested" and each.key not in self._planning]
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
        cases = await self._cases.load({str(each.effect.case) for each in waiting})
        roles = {each.key: each.due_roles(now) for each in waiting}
        people = await self._people(waiting, roles, cases, bundle, now)
        plan = _Plan()
        for each in waiting:
            case = cases.get(str(each.effect.case))
            if case is None:
                log.error("A notification's case is not in the record.", action="case_missing", key=each.key)
                plan.progress.append(Progress(each.key, "requested", look_at=now + _LOOK_AGAIN))
            elif now - each.requested_at > WAITED and (reason := unwanted(case, each.effect.at, each.wanted)):
                self._suppress(plan, each, case, reason, bundle, now)
            else:
                self._tell(plan, each, case, roles[each.key], people[case.key.site], bundle, now)
        await self._temper(plan, bundle, now)
        await self._write(plan, cases)

    async def find_another_way(self, keys: Collection[str]) -> None:
        """For deliveries that failed for good: the next channel, the next person, or the role above has one."""
        now = self._time.now()
        bundle = await self._bundles.current()
        requested = await self._notifications.load(keys)
        deliveries = await self._deliveries.of_notifications(keys)
        cases = await self._cases.load({str(each.effect.case) for each in requested.values()})
        roles = {key: each.told for key, each in requested.items()}
        people = await self._people(list(requested.values()), roles, cases, bundle, now)
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
            self._tell(plan, each, case, roles[key], people[case.key.site], bundle, now, dead)
        plan.dead = frozenset(dead_ways)
        await self._temper(plan, bundle, now)
        await self._write(plan, cases)
        if self._tempering is not None:
            await self._tempering.after_all(spared, bundle, now)
        await self._deliveries.climbed(failed_ids)

    async def _people(
        self,
        requested: Sequence[Requested],
        roles: dict[str, tuple[str, ...]],
        cases: dict[str, Case],
        bundle: Bundle,
        now: datetime,
    ) -> dict[str, People]:
        """Site → the recipients that may matter at `now` to any of its notifications, stand-ins and those on shift
        included; one query a site, and one for stand-ins where there are any."""
        if self._shifts is not None:
            await self._shifts.refresh(now)
        by_site: dict[str, list[Requested]] = {}
        for each in requested:
            by_site.setdefault(each.effect.case.site, []).append(each)

        async def of(site_id: str, those: Sequence[Requested]) -> list[Recipient]:
            site = bundle.site(site_id)
            wanted = roles_to_load((role for each in those for role in roles[each.key]), site.ladder)
            facts = [case.facts for each in those if (case := cases.get(str(each.effect.case)))]
            places = [place for place in (site_id, site.parent) if place]
            ids = rota_ids(self._on_shift, wanted, places, now)
            return await self._recipients.find(
                places,
                wanted - {OWNER, ASSIGNEE},
                _values(facts, "customer") if OWNER in wanted else (),
                ids.union(_values(facts, "assignee")) if ASSIGNEE in wanted else ids,
            )

        found = await asyncio.gather(*(of(site_id, those) for site_id, those in by_site.items()))
        return {site_id: People(those) for site_id, those in zip(by_site, found, strict=True)}

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
        for climb in resolution.climbs:
            # Found out when it was asked for: that moment; found out by failing deliveries: now.
            at = now if dead else each.moment(climb.role)
            key = unreachable_key(each.key, climb.role, climb.rung)
            plan.entries.append(
                timeline_entry(key, climb_effects([climb], each.effect, at), case, site, bundle.version, now)
            )
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
        for target in resolution.targets:
            for channel in target.channels:
                key = delivery_id(each.key, target, channel)
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
        claimed = [each for each in plan.deliveries if each.state == "claimed"]
        with self._hand.expecting(each.id for each in claimed):
            fresh = await self._deliveries.insert(plan.deliveries)
            reach("notify.claimed")
            mine = [each for each in claimed if each.id in fresh]
            items = [Item(each, plan.people[each.id], cases[str(each.case)]) for each in mine]
            await self._links.add(items)
            self._hand.accept(items)
        await self._timeline.write(plan.entries)
        await self._notifications.progress(plan.progress)
        if plan.entries:
            self._news.set()  # somebody was not told, and the bus should hear of it
        reach("notify.planned")


def _values(facts: Sequence[Any], name: str) -> list[str]:
    return sorted({str(each[name]) for each in facts if each.get(name) is not None})
