"""Duties on real servers: a site that is heard of has its duties scheduled, and each opens at its moment."""

from __future__ import annotations

from datetime import timedelta

import pytest

from reeve.domain.bundle import Bundle
from reeve.domain.duties import next_case
from reeve.runtime.bundles import Bundles
from reeve.runtime.store.bundles import BundleStore
from reeve.runtime.store.cases import case_document
from reeve.runtime.time_source import SystemTime
from tests.support.escalation import Escalation, Site, eventually, now, ticket
from tests.support.seeding import complaint_rules

pytestmark = pytest.mark.integration

DUTIES = b"""
- {duty: ledger_check, every: day at 17:00, who: front_desk, limit: same day, late: {notify: property_manager}}
- {duty: meeting, every: week on mon at 09:00, who: front_desk, sites: [elsewhere]}
- {duty: summary, every: month on 30 at 09:00, who: front_desk}
"""


@pytest.fixture
async def duties(site: Site) -> Bundle:
    """Rules with duties are the active ones before escalation starts."""
    bundles = Bundles(BundleStore(site.database), SystemTime())
    await bundles.activate({**complaint_rules(), "duties.yaml": DUTIES}, author="test")
    return await bundles.load_active()


async def test_a_new_site_has_its_duties_scheduled_each_once(
    site: Site, duties: Bundle, escalation: Escalation
) -> None:
    opened = ticket("opened", "T-1", category="complaint")
    await site.post([opened])
    await site.all_applied([opened])

    async def scheduled() -> bool:
        cases = (await site.cases()).values()
        found = [case.facts["duty"] for case in cases if case.scheduled and case.key.site == "s1"]
        return sorted(found) == ["ledger_check", "summary"]

    await eventually("every duty of the site stands ready, once", scheduled)
    await site.check_nothing_lost_or_doubled()


async def test_a_duty_opens_at_its_moment_tells_and_leaves_its_successor(
    site: Site, duties: Bundle, escalation: Escalation
) -> None:
    coming = next_case(duties, duties.duties["ledger_check"], "s2", now() - timedelta(days=1))
    assert coming is not None
    coming.version = 1
    # Its hour came while nothing ran; the reconciler finds it, since no schedule was set for it on the bus.
    await site.database["cases"].insert_one(case_document(coming))

    async def opened() -> bool:
        mine = [case for case in (await site.cases()).values() if case.facts.get("duty") == "ledger_check"]
        return {case.scheduled for case in mine if case.key.site == "s2"} == {True, False}

    await eventually("the duty opened and its successor stands ready", opened)
    lines = await site.effects(str(coming.key))
    assert [line["effect"] for line in lines][:3] == ["opened", "clock_started", "notify"]
    await site.check_nothing_lost_or_doubled()
