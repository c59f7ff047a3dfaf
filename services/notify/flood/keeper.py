"""What comes round: segments are counted, budgets and silences looked after. Several may run: each thing is done
once, because events have ids that say what they are about and deliveries are released from one state only."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from reeve.domain.bundle import Bundle
from reeve.domain.case import Case
from reeve.domain.events import Event
from reeve.domain.facts import zone_of
from reeve.domain.flood.budget import due_warnings, month_of, usage
from reeve.domain.flood.settings import UPKEEP
from reeve.domain.flood.silences import Silence
from reeve.ports import StoreAway, TimeSource
from reeve.runtime.own_events import OwnEvents, own_event
from reeve.runtime.store.budgets import COUNTED_AT_ONCE, BudgetStore
from reeve.runtime.store.deliveries import Delivery
from reeve.runtime.store.notifications import NotificationStore
from reeve.runtime.store.silences import Kept, SilenceStore
from reeve.runtime.store.suppressed import AfterAll, SuppressedStore
from reeve.runtime.telemetry import get_log
from services.notify.case_reader import BundleSource, CaseReader
from services.notify.flood.told import HiddenMessage
from services.notify.settling import unwanted

_LOOK_SECONDS = 1.0
_SEEN_TO_AFTER = timedelta(seconds=10)
"""So long after its end a silence is still looked at: whoever plans may know it for a moment longer."""

SOURCE_OF_BUDGETS = "/reeve/sms-budget"
SOURCE_OF_SILENCES = "/reeve/silences"

log = get_log(__name__)


class FloodKeeper:
    """`run` it as long as the service lives."""

    def __init__(
        self,
        budgets: BudgetStore,
        silences: SilenceStore,
        suppressed: SuppressedStore,
        notifications: NotificationStore,
        cases: CaseReader,
        bundles: BundleSource,
        events: OwnEvents,
        time_source: TimeSource,
    ) -> None:
        self._budgets = budgets
        self._silences = silences
        self._suppressed = suppressed
        self._notifications = notifications
        self._cases = cases
        self._bundles = bundles
        self._events = events
        self._time = time_source

    async def run(self) -> None:
        """Looks until cancelled; a record that is away is waited for."""
        while True:
            try:
                await self.look()
            except StoreAway:
                log.debug("The record is away; budgets and silences wait.", action="flood_keeper_waits")
            await asyncio.sleep(_LOOK_SECONDS)

    async def look(self) -> None:
        """One round. Raises StoreAway."""
        bundle = await self._bundles.current()
        now = self._time.now()

        def month(site: str, at: datetime) -> str:
            return month_of(at, zone_of(bundle.site(site).zone))

        # Not until nothing is left: while SMS go out there always is something.
        while await self._budgets.count(month) == COUNTED_AT_ONCE:
            pass
        await self._warn_of_budgets(bundle, now)
        for kept in await self._silences.unreleased():
            if kept.silence.until <= now:
                await self._release(kept, bundle, now)
            elif not kept.warned and now >= kept.silence.warn_at:
                await self._warn_of_end(kept, bundle, now)

    async def _warn_of_budgets(self, bundle: Bundle, now: datetime) -> None:
        settings = [bundle.defaults, *bundle.sites.values()]
        zones = {each.zone for each in settings if each.flood.sms_budget is not None}
        for month in await self._budgets.of_months({month_of(now, zone_of(zone)) for zone in zones}):
            site = bundle.site(month.site)
            zone = zone_of(site.zone)
            budget = site.flood.sms_budget
            if budget is None or month.month != month_of(now, zone):
                continue
            reached = due_warnings(usage(month.segments, budget, now, zone))
            fresh = [percent for percent in reached if percent not in month.told]
            if not fresh:
                continue
            subject = f"sms-budget/{month.month}/{fresh[-1]}"
            data = {"item": f"sms_budget_{fresh[-1]}", "title": f"{month.segments}/{budget}"}
            await self._put(month.site, SOURCE_OF_BUDGETS, subject, subject, now, data)
            for percent in fresh:
                await self._budgets.told(month.site, month.month, percent)
            log.warning("A site's SMS budget runs out.", action="sms_budget", site=month.site, percent=fresh[-1])

    async def _warn_of_end(self, kept: Kept, bundle: Bundle, now: datetime) -> None:
        hidden = await self._still_wanted(kept.silence, bundle)
        if not hidden:
            return  # something may be hidden yet: it is looked at again
        silence = kept.silence
        until = silence.until.astimezone(zone_of(bundle.site(kept.place).zone))
        # One that is extended is warned of again: a case of its own.
        subject = f"silence/{silence.id}/{until:%m%d-%H%M}"
        data = {"item": "silence_ends", "title": f"{until:%Y-%m-%d %H:%M}", "assignee": silence.author}
        event_id = f"{subject}@{silence.until.isoformat()}"
        await self._put(kept.place, SOURCE_OF_SILENCES, event_id, subject, now, data)
        await self._silences.mark(kept, "warned")

    async def _release(self, kept: Kept, bundle: Bundle, now: datetime) -> None:
        """The newest it hides of each matter that is still open goes to each person, or stays hidden by another."""
        wanted = await self._still_wanted(kept.silence, bundle)
        others = [each for each in await self._silences.active(now) if each.id != kept.silence.id]
        keys = {each.notification for each, _ in wanted}
        grades = {key: each.wanted.grade for key, each in (await self._notifications.load(keys)).items()}
        newest: dict[tuple[str, ...], Delivery] = {}
        moved: list[AfterAll] = []
        for delivery, case in wanted:  # oldest first
            told = HiddenMessage(delivery, grades.get(delivery.notification))
            other = next((each.id for each in others if each.hides(told, now)), None)
            if other is not None:
                moved.append(AfterAll(delivery.id, now, "", silence=other))
                continue
            matter = (case.key.site, case.family, case.root or case.key.subject)
            newest[(*matter, delivery.place, delivery.recipient, delivery.channel)] = delivery
        # Released before a crash it is not suppressed any more; the older ones of its matter stay where they are.
        released = [AfterAll(each.id, now, _group(kept.silence, each)) for each in newest.values()]
        sent = await self._suppressed.send([*moved, *released])
        if sent:
            log.info("A silence has ended.", action="silence_ended", silence=kept.silence.id, told=sent)
        if kept.silence.until <= now - _SEEN_TO_AFTER:
            await self._silences.mark(kept, "released")

    async def _still_wanted(self, silence: Silence, bundle: Bundle) -> Sequence[tuple[Delivery, Case]]:
        """What it hides, or hid before a crash, of cases that are open and want it still; oldest first."""
        hidden = await self._suppressed.hidden_by(silence.id)
        cases: Mapping[str, Case] = await self._cases.load({str(each.case) for each in hidden})
        return [
            (each, case)
            for each in hidden
            if (case := cases.get(str(each.case))) is not None
            and case.open
            and unwanted(case, each.at, each) is None
        ]

    async def _put(
        self, site: str, source: str, id: str, subject: str, now: datetime, data: Mapping[str, str]
    ) -> None:
        event: Event = own_event(
            site=site,
            source=source,
            id=id,
            type="ticket.opened",
            subject=subject,
            at=now,
            data={"category": UPKEEP, **data},
        )
        await self._events.put([event])


def _group(silence: Silence, each: Delivery) -> str:
    return f"silence|{silence.id}|{each.place}|{each.recipient}|{each.channel}"
