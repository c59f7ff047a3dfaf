"""The escalation service on real servers: what goes in comes out, once."""

from __future__ import annotations

import pytest

from reeve.domain.events import Event
from tests.support.escalation import Escalation, Site, eventually, minutes_ago, now, ticket

pytestmark = pytest.mark.integration


async def test_a_complaint_is_graded_timed_and_told(site: Site, escalation: Escalation) -> None:
    opened = ticket("opened", "T-1", category="complaint", loss_cny=12000)
    await site.post([opened])
    await site.all_applied([opened])
    case = (await site.cases())["s1/complaint/T-1"]
    assert case.grade == "major"
    assert case.next_due is not None
    effects = [line["effect"] for line in await site.effects("s1/complaint/T-1")]
    assert effects[:2] == ["opened", "graded"]
    assert "notify" in effects
    await site.check_nothing_lost_or_doubled()
    subjects = [subject for subject, _ in await site.messages("CASES")]
    assert "cases.s1.complaint.opened.T-1" in subjects


async def test_a_deadline_comes_by_itself(site: Site, escalation: Escalation) -> None:
    # Major: 5 minutes to respond, so this one is due two seconds from now.
    opened = ticket("opened", "T-2", at=minutes_ago(5 - 2 / 60), category="complaint", loss_cny=12000)
    await site.post([opened])
    await site.all_applied([opened])

    async def breached() -> bool:
        lines = await site.effects("s1/complaint/T-2")
        return any(line["effect"] == "breached" and line["clock"] == "respond" for line in lines)

    await eventually("the breach", breached)
    await site.check_nothing_lost_or_doubled()


async def test_a_repeat_changes_nothing(site: Site, escalation: Escalation) -> None:
    opened = ticket("opened", "T-3", category="complaint")
    await site.post([opened])
    await site.all_applied([opened])
    before = await site.cases()
    # Past the bus's own window for duplicates it comes under another message id.
    twin = Event(**{name: getattr(opened, name) for name in opened.__slots__})
    await site.publisher.publish_all(
        [
            (
                f"events.s1.ticket.opened.{twin.subject}",
                "another-id",
                _body(twin),
                None,
            )
        ]
    )
    later = ticket("acknowledged", "T-3")
    await site.post([later])
    await site.all_applied([later])
    after = await site.cases()
    assert after["s1/complaint/T-3"].applied.count(opened.key) == 1
    assert after["s1/complaint/T-3"].version == before["s1/complaint/T-3"].version + 1
    await site.check_nothing_lost_or_doubled()


async def test_a_message_nobody_can_read_is_a_dead_letter_and_stops_nothing(
    site: Site, escalation: Escalation
) -> None:
    await site.publisher.publish_all(
        [
            ("events.s1.ticket.opened.T-4", "bad-1", b"{not json", None),
            ("events.s1.ticket.opened.T-4", "bad-2", b'{"site": "elsewhere"}', None),
            ("events.s1.ticket.opened.T-4", "bad-3", b"\xff\x00", None),
        ]
    )
    good = ticket("opened", "T-4", category="complaint")
    await site.post([good])
    await site.all_applied([good])

    async def three_letters() -> bool:
        return len(await site.messages("DEAD")) == 3

    await eventually("three dead letters", three_letters)
    assert {subject for subject, _ in await site.messages("DEAD")} == {"dead.escalation.s1"}


async def test_an_event_that_never_came_by_the_bus_is_taken_from_the_record(
    site: Site, escalation: Escalation
) -> None:
    lost = ticket("opened", "T-5", category="complaint")
    await site.post([lost], publish=False)
    await site.all_applied([lost])
    assert "s1/complaint/T-5" in await site.cases()


async def test_ten_customers_of_one_incident_make_it_extraordinary_at_once(
    site: Site, escalation: Escalation
) -> None:
    posted = [
        ticket("opened", f"T-{n}", category="complaint", incident="I-1", customer=f"C-{n}", at=now())
        for n in range(10)
    ]
    for event in posted:
        await site.post([event])
        await site.all_applied([event])
    cases = await site.cases()
    assert {case.grade for case in cases.values() if case.key.policy == "complaint"} == {"extraordinary"}
    requested = [
        doc async for doc in site.database["notifications"].find({"step": "report_up", "grade": "extraordinary"})
    ]
    assert len(requested) == 1, "one message for one incident"
    await site.check_nothing_lost_or_doubled()


async def test_sigterm_drains(site: Site, escalation: Escalation) -> None:
    posted = [ticket("opened", f"D-{n}", category="complaint") for n in range(300)]
    await site.post(posted)
    assert await escalation.terminate() == 0
    leases = await site.database["leases"].find().to_list()
    assert leases == [], "the next replica need not wait"
    again = Escalation(site.servers)
    await again.start()
    await again.ready()
    await site.all_applied(posted)
    await site.check_nothing_lost_or_doubled()
    await again.kill()


def _body(event: Event) -> bytes:
    from reeve.contracts.events import canonical

    return canonical(event)
