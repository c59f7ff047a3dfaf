"""From a site's post to the mail in the mailbox and the text on the phone: who is told what, and when.

What takes minutes or weeks is posted with times in the past; what repeats does so every two seconds.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from reeve.devstack.mailbox import Received
from reeve.domain.recipients import Recipient
from tests.support.shared_servers import SharedServers
from tests.support.stack import Stack, running_stack
from tests.support.story import (
    SITE,
    STAFF,
    Json,
    ago,
    complaint,
    event,
    holds,
    key_of,
    mail_of,
    now,
    phone_of,
    rules_copy,
    staff,
)
from tests.support.waiting import PATIENCE, eventually

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.long,
    pytest.mark.asyncio(loop_scope="module"),
]

SHORT = {
    "complaint.yaml": {
        "major: 5m, serious: 8m, ordinary: 10m": "major: 5m, serious: 8m, ordinary: 5m",
        "repeat: {every: 5m, times: 3} # 17:55": "repeat: {every: 2s, times: 3} # 17:55",
    }
}
OWNER = Recipient("o-1", SITE, frozenset(), "en", {"email": "owner@example.net"}, frozenset({"C-1"}), "The Owner")
EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
LINK = re.compile(r"http://\S+/ack/\S+")
_OF_ANSWERS = ("delivery", "recipient", "channel", "answered_by")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stack(server_pair: SharedServers, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    folder = tmp_path_factory.mktemp("story")
    async with running_stack(server_pair, folder, rules_copy(folder / "rules", SHORT)) as running:
        await running.people(*staff(), OWNER)
        yield running


SECONDS = timedelta(seconds=PATIENCE)
"""On a slow machine with other tests beside this one; `reeve bench` says how many it takes."""
LIMIT = timedelta(minutes=5)
"""To answer an ordinary complaint."""


def nearly_late(subject: str, **data: Any) -> Json:
    """A complaint whose answer is due a second from now. Others have minutes, which no slow machine uses up."""
    return complaint(subject, at=now() - LIMIT + timedelta(seconds=1), **data)


def channels(messages: list[Received]) -> Counter[str]:
    return Counter(message.channel for message in messages)


def moments(lines: list[Json], **keys: Any) -> list[datetime]:
    return [datetime.fromisoformat(line["at"]) for line in lines if holds(line, **keys)]


async def test_a_major_complaint_is_with_the_general_manager_within_seconds(stack: Stack) -> None:
    posted_at = now()
    await stack.post(complaint("M-1", title="ceiling leak", loss_cny=12000))
    [mail] = await stack.arrived(mail_of("general_manager"), "M-1")
    [sms] = await stack.arrived(phone_of("general_manager"), "M-1")
    assert mail.subject == "Major complaint: ceiling leak (M-1)"
    assert sms.text.startswith("Sunshine Garden: Major complaint: ceiling leak, no. M-1, respond by ")
    assert max(mail.at, sms.at) - posted_at < SECONDS
    await stack.quiet()
    told = {address for message in stack.messages if "M-1" in message.text for address in message.to}
    roles = ("general_manager", "company_leader", "service_supervisor", "property_manager", "department_head")
    assert told == {mail_of(role) for role in roles} | {phone_of(role) for role in roles}
    [reported] = [line for line in await stack.timeline("M-1") if line.get("step") == "report_up"]
    assert reported | {"at": "", "because": ""} == {
        "at": "",
        "case": "M-1",
        "policy": "complaint",
        "effect": "notify",
        "to": ["general_manager"],
        "via": ["sms", "email"],
        "message": "complaint_reported",
        "step": "report_up",
        "round": 1,
        "because": "",
    }
    sent = {(line["recipient"], line["channel"]) for line in await stack.told("M-1") if line["effect"] == "sent"}
    assert {("r-general_manager", "sms"), ("r-general_manager", "email")} <= sent


async def test_an_unanswered_complaint_climbs_the_ladder_in_time(stack: Stack) -> None:
    opened = nearly_late("U-1", title="noise")
    await stack.post(opened)
    rung = await stack.line("U-1", "escalated", step="nobody_answered")
    due = datetime.fromisoformat(opened["time"]) + LIMIT
    lines = await stack.timeline("U-1")
    assert moments(lines, effect="breached", clock="respond") == [due]
    rounds = moments(lines, effect="notify", step="nobody_answered", to=["service_supervisor"])
    assert rounds == [due + timedelta(seconds=seconds) for seconds in (0, 2, 4)]
    assert datetime.fromisoformat(rung["at"]) == due + timedelta(seconds=6)
    # Where no decision was made for longer than a round takes, only the newest of what it caught up on is sent.
    missed = moments(lines, effect="suppressed", step="nobody_answered")
    sent = [moment for moment in rounds if moment not in missed]
    assert rounds[-1] in sent
    to_supervisor = await stack.arrived(mail_of("service_supervisor"), "Nobody has answered", len(sent))
    [to_manager] = await stack.arrived(mail_of("property_manager"), "Nobody has answered")
    for moment, message in zip([*sent, due + timedelta(seconds=6)], [*to_supervisor, to_manager], strict=True):
        assert timedelta(0) <= message.at - moment < SECONDS, (moment, message)
        assert message.channel == "email"
        assert "U-1" in message.subject + message.text


async def test_an_acknowledgement_by_event_ends_the_ladder(stack: Stack) -> None:
    await stack.post(nearly_late("A-1"))
    await stack.line("A-1", "notify", step="nobody_answered")
    taken = event("ticket.acknowledged", "A-1")
    await stack.post(taken)
    await stack.line("A-1", "acknowledged")
    await stack.post(nearly_late("A-2"))
    # By the time a later complaint is on its third round, this one would have been on it too.
    await stack.line("A-2", "notify", step="nobody_answered", round=3)
    lines = await stack.timeline("A-1")
    stopped = [line for line in lines if holds(line, effect="clock_stopped", clock="respond")]
    assert [line["met"] for line in stopped] == [False]
    assert moments(lines, effect="acknowledged") == [datetime.fromisoformat(taken["time"])]
    told = [line["effect"] for line in lines if line["effect"] == "acknowledged" or holds(line, effect="notify")]
    assert told[-1] == "acknowledged", "nobody was told anything after that was decided"
    case = await stack.case("A-1")
    assert case is not None
    running = {clock["clock"] for clock in case["clocks"] if clock["status"] == "running"}
    assert running == {"dispatch", "resolve", "doorstep"}, "taking a case never stops its completion clock"


async def test_an_acknowledgement_by_the_link_in_the_message(stack: Stack) -> None:
    await stack.post(complaint("L-1", title="broken gate", loss_cny=15000))
    [mail] = await stack.arrived(mail_of("general_manager"), "L-1")
    link = LINK.search(mail.text)
    assert link is not None
    async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE) as phone:
        page = await phone.get(link[0])
        assert page.status_code == 200
        assert "<button" in page.text
        assert not any(private in page.text for private in ("L-1", "broken gate", SITE, "general"))
        assert not moments(await stack.timeline("L-1"), effect="acknowledged"), "a preview takes nothing"
        assert (await phone.post(link[0])).status_code == 200
        line = await stack.line("L-1", "acknowledged")
        assert line["step"] == "report_up", "the timeline says which message was answered"
        again = await phone.post(link[0])
        assert "answered before" in again.text
    lines = await stack.timeline("L-1")
    assert [line["met"] for line in lines if holds(line, effect="clock_stopped", clock="respond")] == [True]
    assert len(moments(lines, effect="acknowledged")) == 1


async def test_where_nobody_can_be_reached_the_next_role_hears_of_it(stack: Stack) -> None:
    assert "security_supervisor" not in STAFF
    await stack.post(
        event("ticket.opened", "P-9", category="pass"),
        event("ticket.assigned", "P-9", stage="security_supervisor"),
    )
    [mail] = await stack.arrived(mail_of("property_manager"), "P-9")
    assert mail.subject == "Nobody could be reached: pass P-9"
    assert (await stack.line("P-9", "undeliverable", "pass", step="to_security"))["to"] == ["security_supervisor"]
    lines = await stack.timeline("P-9", "pass")
    assert [line["to"] for line in lines if line.get("message") == "unreachable"] == [["property_manager"]]


async def test_late_news_sets_a_breach_right(stack: Stack) -> None:
    opened = nearly_late("N-1")
    await stack.post(opened)
    await stack.line("N-1", "breached", clock="respond")
    in_time = datetime.fromisoformat(opened["time"]) + LIMIT - timedelta(milliseconds=500)
    await stack.post(event("ticket.acknowledged", "N-1", at=in_time))
    corrected = await stack.line("N-1", "corrected", clock="respond")
    assert datetime.fromisoformat(corrected["at"]) == in_time
    lines = await stack.timeline("N-1")
    assert [line["met"] for line in lines if holds(line, effect="clock_stopped", clock="respond")] == [True]


async def test_ten_households_of_one_incident_are_one_message(stack: Stack) -> None:
    for n in range(1, 11):
        await stack.post(complaint(f"H-{n:02}", incident="I-1", customer=f"C-{n + 100}"))
        await stack.line(f"H-{n:02}", "opened")  # so that they are counted in this order
    await stack.post(*(event("ticket.acknowledged", f"H-{n:02}") for n in range(1, 11)))
    for n in range(1, 11):
        await stack.line(f"H-{n:02}", "graded", grade="extraordinary")
    await stack.quiet()
    to_manager = stack.to(mail_of("general_manager"), "H-") + stack.to(phone_of("general_manager"), "H-")
    assert channels(to_manager) == {"email": 1, "sms": 1}
    lines = [
        line for n in range(1, 11) for line in await stack.timeline(f"H-{n:02}") if line.get("step") == "report_up"
    ]
    assert Counter(line["effect"] for line in lines) == {"notify": 1, "suppressed": 9}


async def test_a_bill_runs_from_notice_to_payment(stack: Stack) -> None:
    day = ago(days=40)
    due = (day + timedelta(days=20)).date().isoformat()
    bill: Json = {"item": "property fee", "amount_cny": "1836.50", "due_on": due, "customer": "C-1"}
    await stack.post(event("payment.billed", "B-1", at=day, **bill))
    breached = await stack.line("B-1", "breached", "arrears", clock="pay")
    assert breached["at"].startswith((day + timedelta(days=21)).date().isoformat() + "T00:00:00")
    [reminder] = await stack.arrived("owner@example.net", "reminder")
    assert "1,836.50" in reminder.text
    await stack.post(event("payment.paid", "B-1", paid_cny="1000.00"))
    await stack.post(event("payment.paid", "B-1", paid_cny="836.50"))
    await stack.line("B-1", "clock_stopped", "arrears", clock="pay", met=False)
    assert (await stack.line("B-1", "closed", "arrears"))["outcome"] == "paid"


async def test_a_letter_for_somebody_who_moved_away(stack: Stack) -> None:
    received = event("mail.received", "LT-1", at=ago(days=15), kind="letter", addressee_moved=True, customer="C-1")
    await stack.post(received)
    await stack.line("LT-1", "breached", "letter", clock="collect")
    await stack.line("LT-1", "notify", "letter", step="return_letter", to=["front_desk"])
    await stack.arrived(mail_of("front_desk"), "LT-1")
    await stack.arrived("owner@example.net", "LT-1")
    await stack.post(event("mail.returned", "LT-1"))
    assert (await stack.line("LT-1", "closed", "letter"))["outcome"] == "returned"


async def test_a_repair_ends_in_a_follow_up_of_its_own(stack: Stack) -> None:
    opened = ago(seconds=100)
    data: Json = {"category": "repair", "repair_class": "emergency", "title": "burst pipe"}
    await stack.post(event("ticket.opened", "R-1", at=opened, **data))
    [sms] = await stack.arrived(phone_of("technician"), "R-1")
    assert "Sunshine Garden" in sms.text
    await stack.post(
        event("ticket.assigned", "R-1", at=opened + timedelta(seconds=10), assignee="r-technician"),
        event("ticket.arrived", "R-1", at=opened + timedelta(seconds=40)),
        event("ticket.resolved", "R-1", at=opened + timedelta(seconds=80)),
    )
    assert (await stack.line("R-1", "child_opened", "repair"))["child"] == "R-1~follow_up"
    await stack.line("R-1~follow_up", "clock_started", "follow_up", clock="follow_up")
    await stack.arrived(mail_of("front_desk"), "R-1~follow_up")
    await stack.post(event("ticket.followed_up", "R-1", satisfaction="satisfied"))
    await stack.line("R-1~follow_up", "closed", "follow_up")
    await stack.line("R-1", "closed", "repair")


async def test_a_pass_goes_from_desk_to_desk(stack: Stack) -> None:
    start = ago(seconds=60)
    stages = ("finance", "front_desk", "admin_office", "front_desk")
    handed = [
        event("ticket.assigned", "P-1", at=start + timedelta(seconds=10 * n), stage=stage)
        for n, stage in enumerate(stages, 1)
    ]
    done = event("ticket.resolved", "P-1", at=start + timedelta(seconds=55))
    await stack.post(event("ticket.opened", "P-1", at=start, category="pass"), *handed, done)
    await stack.line("P-1", "closed", "pass")
    await stack.arrived(mail_of("finance"), "P-1")
    await stack.arrived(mail_of("admin_office"), "P-1")
    lines = await stack.timeline("P-1", "pass")
    assert not moments(lines, effect="breached")
    assert [line["run"] for line in lines if holds(line, effect="clock_started", clock="hand_off")] == [
        1,
        2,
        3,
        4,
        5,
    ]


async def test_every_case_tells_what_rules_simulate_tells(stack: Stack, tmp_path: Path) -> None:
    """All lines but those of what was overtaken before it was sent: simulating, nothing is ever late."""
    links = await stack.database["events"].find({"body": {"$regex": "/reeve/ack"}}).to_list()
    posted = [*stack.posted, *(json.loads(each["body"]) for each in links)]
    until = await _all_decided(stack)
    simulated = await _simulate(stack, await _as_decided(stack, posted), until, tmp_path)
    cases = await stack.database["cases"].find({"policy": {"$ne": "duty"}}).to_list()
    assert {(each["policy"], each["subject"]) for each in cases} == set(simulated)
    for case, expected in simulated.items():
        policy, subject = case
        found = [
            line for line in await stack.timeline(subject, policy) if datetime.fromisoformat(line["at"]) <= until
        ]
        assert _comparable(found) == _comparable(expected), case
        assert _by_notify(found) == _by_notify(expected), case


async def _all_decided(stack: Stack) -> datetime:
    """A moment up to which everything has been decided."""
    moment = now()

    async def passed() -> bool:
        return not await stack.database["cases"].count_documents({"open": True, "next_due": {"$lte": moment}})

    await eventually("all that is due has happened", passed)
    await stack.quiet()
    return moment


async def _as_decided(stack: Stack, posted: list[Json]) -> list[Json]:
    """The events so that a simulation meets each when its case did: one that came to be decided only after a
    deadline later than itself stands behind something that lets so much time pass."""
    decided_before: dict[str, datetime] = {}
    upto: dict[str, datetime] = {}
    decisions = await stack.database["decisions"].find({"_id": {"$regex": r"#\d+$"}}).to_list()
    for each in sorted(decisions, key=lambda each: int(each["_id"].rpartition("#")[2])):
        if each["event_key"] is not None and each["case"] in upto:
            decided_before[each["event_key"]] = upto[each["case"]]
        lines = [datetime.fromisoformat(line["at"]) for line in json.loads(each["lines"])]
        upto[each["case"]] = max([*lines, upto.get(each["case"], EPOCH)])
    clock, arrivals = EPOCH, []
    for each in posted:
        clock = max(clock, datetime.fromisoformat(each["time"]))
        arrivals.append((max(clock, decided_before.get(key_of(each), clock)), each))
    found: list[Json] = []
    clock = EPOCH
    for arrival, each in sorted(arrivals, key=lambda pair: pair[0]):
        if arrival > max(clock, datetime.fromisoformat(each["time"])):
            later = arrival + timedelta(milliseconds=1)
            found.append(event("ticket.acknowledged", f"nobody-knows-{len(found)}", at=later))
        clock = max(clock, arrival)
        found.append(each)
    return found


async def _simulate(
    stack: Stack, posted: list[Json], until: datetime, folder: Path
) -> dict[tuple[str, str], list[Json]]:
    events, people = folder / "events.ndjson", folder / "people.json"
    events.write_text("\n".join(json.dumps(each) for each in posted))
    rows = [
        {
            "id": each.id,
            "site": SITE,
            "roles": sorted(each.roles),
            "customers": sorted(each.customers),
            **each.addresses,
        }
        for each in [*staff(), OWNER]
    ]
    people.write_text(json.dumps(rows))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "reeve.cli.main", "rules", "simulate", str(stack.rules), str(events), "--json"),
        *("--until", until.isoformat(), "--recipients", str(people)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, said = await process.communicate()
    assert process.returncode == 0, said.decode()
    cases: dict[tuple[str, str], list[Json]] = {}
    for text in output.splitlines():
        line = json.loads(text)
        if line["policy"] != "duty":  # duties come by the time of day, not by what was posted
            cases.setdefault((line["policy"], line["case"]), []).append(line)
    return cases


def _comparable(lines: list[Json]) -> list[Json]:
    """What the decision core says, in order of time; simulating, late news comes where it was posted.

    Who answered from which message only the real timeline knows.
    """
    said = [
        {name: value for name, value in line.items() if name not in _OF_ANSWERS}
        for line in lines
        if not _overtaken(line) and not _of_climb(line, lines)
    ]
    return sorted(said, key=lambda line: datetime.fromisoformat(line["at"]))


def _by_notify(lines: list[Json]) -> list[str]:
    """What the search for somebody to tell says: written when that is found out, so its place may differ."""
    return sorted(json.dumps(line, sort_keys=True) for line in lines if _of_climb(line, lines))


def _overtaken(line: Json) -> bool:
    return line["effect"] == "suppressed" and "once_per" not in line


def _of_climb(line: Json, lines: list[Json]) -> bool:
    if line["effect"] == "undeliverable" or line.get("message") == "unreachable":
        return True
    climbed = {other.get("step") for other in lines if other["effect"] == "undeliverable"}
    return line["effect"] == "escalated" and line["step"] in climbed
