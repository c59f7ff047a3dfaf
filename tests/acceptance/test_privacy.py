"""PRIVACY-01: what is known about people is in the record and in their messages, and nowhere else."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import nats
import pytest
import pytest_asyncio

from reeve.devstack.smtp_sink import SmtpBehaviour
from reeve.domain.flood.silences import Matchers, Silence
from reeve.domain.recipients import Recipient
from reeve.runtime.resending import send_again
from reeve.runtime.store.delivery_search import Wanted, latest
from reeve.runtime.store.silences import Kept, SilenceStore
from tests.support.shared_servers import SharedServers
from tests.support.stack import CLOUDEVENT, SERVICES, Stack, running_stack
from tests.support.story import SITE, Json, ago, complaint, event, mail_of, now, phone_of, rules_copy, staff
from tests.support.waiting import PATIENCE, eventually

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.long,
    pytest.mark.asyncio(loop_scope="module"),
]

NAME, ROOM, PHONE, MAIL = "李晓梅", "18-2304", "13912345678", "lixiaomei@example.com"
TITLE, DESCRIPTION = "卧室天花板漏水", "业主李晓梅称昨夜漏水，电话13912345678"
LINK = re.compile(r"http://\S+/ack/\S+")
STAFF_NAME = "王建国"
PRIVATE = (NAME, ROOM, PHONE, MAIL, TITLE, "昨夜漏水", STAFF_NAME, "secret-reason", "+86139")
CASES = (("complaint", "S-1"), ("complaint", "S-8"), ("repair", "S-2"), ("letter", "S-4"), ("arrears", "S-5"))
HOOK = "hook-token-1"
GATEWAY = """
name: local
kind: http
channel: sms
url: "{url}"
json: {to: "{{ to }}", text: "{{ text }}", id: "{{ id }}"}
secrets: {hook: HOOK_TOKEN}
webhooks: {auth: {kind: token, token: "{{ secrets.hook }}"}, methods: [GET]}
receipts: {id: id, status: status, delivered: [1], failed: [2], reason: why, answer: {body: OK}}
inbound: {from: from, text: text, answer: {body: OK}}
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stack(server_pair: SharedServers, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    folder = tmp_path_factory.mktemp("privacy")
    rules = rules_copy(folder / "rules", {})
    async with running_stack(server_pair, folder, rules, gateway=GATEWAY, HOOK_TOKEN=HOOK) as running:
        people = [Recipient(each.id, SITE, each.roles, "zh", each.addresses, name=STAFF_NAME) for each in staff()]
        addresses = {"email": MAIL, "sms": f"+86{PHONE}"}
        await running.people(
            *people, Recipient("o-1", SITE, frozenset(), "zh", addresses, frozenset({"C-77"}), NAME)
        )
        await everything(running)
        yield running


def personal(**more: object) -> Json:
    people = {"customer": "C-77", "room": ROOM, "customer_name": NAME, "phone": PHONE, "email": MAIL}
    return {**people, "title": TITLE, "description": DESCRIPTION, **more}


async def everything(stack: Stack) -> None:
    """All that usually happens, and what goes wrong, with people's data in every field that takes text."""
    # Before anything is planned: notify may know of a silence a second after it was made.
    until = now() + timedelta(hours=1)
    silence = Silence("s-1", Matchers(subject="S-8"), ago(minutes=1), until, "r-general_manager", DESCRIPTION, True)
    await SilenceStore(stack.database).add(Kept(silence, SITE, ago(minutes=1)))
    stack.sinks.smtp.behaviour = SmtpBehaviour(rcpt_reply=f"550 5.1.1 <{MAIL}> {NAME} unknown", times=1)
    await stack.post(
        complaint("S-1", **personal(loss_cny=12000)),
        event("ticket.acknowledged", "S-1", by=NAME, note=DESCRIPTION),
        event("ticket.regraded", "S-1", grade="serious", by="r-general_manager", reason=f"secret-reason {NAME}"),
        event("ticket.resolved", "S-1", note=DESCRIPTION),
        event("ticket.followed_up", "S-1", satisfaction="dissatisfied", note=f"{NAME} {PHONE}"),
        event("ticket.opened", "S-2", **personal(category="repair", repair_class="emergency")),
        event("ticket.opened", "S-3", **personal(category="pass")),
        event("ticket.assigned", "S-3", stage="security_supervisor"),
        event("mail.received", "S-4", at=ago(days=15), kind="letter", addressee_moved=True, **personal()),
        event(
            "payment.billed",
            "S-5",
            at=ago(days=40),
            **personal(item="物业费", amount_cny="1836.50", due_on=ago(days=20).date().isoformat()),
        ),
    )
    refused = complaint("S-6", **personal(loss_cny=f"{PHONE}.123", room=ROOM))
    await stack.http.post("/v1/events", json=refused, headers={"Content-Type": CLOUDEVENT})
    client = await nats.connect(stack.nats.url)
    try:
        body = f'{{"id": "bad-1", "source": "/x", "title": "{NAME}", "room": "{ROOM}", "phone": {PHONE}'.encode()
        await client.jetstream(timeout=PATIENCE).publish(f"intake.{SITE}.ticket.opened", body)
    finally:
        await client.close()
    await stack.arrived(mail_of("general_manager"), "S-1")
    await stack.arrived(phone_of("property_manager"), "S-2")
    await stack.line("S-3", "undeliverable", "pass")
    await stack.line("S-4", "breached", "letter", clock="collect")
    await stack.line("S-5", "breached", "arrears", clock="pay")
    await stack.quiet()
    await what_becomes_of_messages(stack)


async def what_becomes_of_messages(stack: Stack) -> None:
    """Receipts, answers by SMS and by link, a silence, a message sent again: with people's data in every text."""

    async def provider(way: str, **fields: str) -> None:
        answer = await stack.http.get(f"/v1/providers/local/{way}", params={"token": HOOK, **fields})
        assert answer.status_code == 200, answer.text
        assert not private_in(answer.text)

    for message in stack.to(phone_of("general_manager"), "S-1"):
        await provider("receipts", id=message.details["id"], status="1", why=f"{NAME} {PHONE}")
    await provider("receipts", id=f"{NAME}-{PHONE}", status="2", why=DESCRIPTION)
    await provider("inbound", **{"from": phone_of("general_manager"), "text": f"1 {DESCRIPTION}"})
    await provider("inbound", **{"from": phone_of("general_manager"), "text": "2"})
    await provider("inbound", **{"from": f"+86{PHONE}", "text": DESCRIPTION})
    link = LINK.findall(stack.to(mail_of("general_manager"), "S-1")[-1].text)[-1]
    async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE) as phone:
        assert not private_in((await phone.get(link)).text)
        assert not private_in((await phone.post(link)).text)
    await stack.post(complaint("S-8", **personal(loss_cny=12000)))
    [failed] = await latest(stack.database, Wanted(states=["failed"]), 1)
    owner = Recipient("o-1", SITE, addresses={"email": MAIL, "sms": f"+86{PHONE}"})
    await send_again(stack.database, failed, owner, "sms", "wang", f"{NAME}: {DESCRIPTION}", now())
    await stack.line("S-8", "graded")

    async def came_of_it() -> bool:
        effects = {line["effect"] for subject in ("S-1", "S-8") for line in await stack.told(subject)}
        answered = await stack.database["deliveries"].count_documents({"answers.0": {"$exists": True}})
        return {"sent", "delivered", "suppressed"} <= effects and answered > 0

    await eventually("receipts and answers are taken", came_of_it)
    await stack.quiet()


def private_in(text: str) -> list[str]:
    addresses = [mail_of("general_manager"), phone_of("general_manager"), "@example.org", "+4477009"]
    return [private for private in (*PRIVATE, *addresses) if private in text]


async def test_the_messages_themselves_reach_people(stack: Stack) -> None:
    """So that the silence elsewhere is not for want of anything to say."""
    assert any(TITLE in message.subject for message in stack.to(mail_of("general_manager"), "S-1"))
    assert stack.to(MAIL)


@pytest.mark.parametrize("stream", ["CASES", "NOTIFICATIONS", "RULES", "REJECTED", "TIMERS"])
async def test_nothing_on_the_topics_for_integrators(stack: Stack, stream: str) -> None:
    messages = await stack.on_bus(stream)
    assert messages
    for message in messages:
        text = f"{message.subject} {message.headers} {message.data.decode()}"
        assert not private_in(text), text


async def test_what_decisions_looked_at_is_on_record_and_on_no_topic_and_in_no_log(stack: Stack) -> None:
    own = [each async for each in stack.database["decisions"].find() if "#n:" not in each["_id"]]
    assert own
    assert all('"scenes"' in each["facts"] or each["case"].split("/")[1] == "-" for each in own)
    for stream in ("INTAKE", "EVENTS", "WORK", "CASES", "NOTIFICATIONS", "RULES", "REJECTED", "TIMERS", "DEAD"):
        for message in await stack.on_bus(stream):
            assert b'"scenes"' not in message.data
            assert b'"considered"' not in message.data
    for name in SERVICES:
        log = stack.services[name].log.read_text()
        assert '"scenes"' not in log.replace("\\", "")


async def test_nothing_in_subjects_or_headers_of_any_stream(stack: Stack) -> None:
    for stream in ("INTAKE", "EVENTS", "WORK", "DEAD"):
        for message in await stack.on_bus(stream):
            assert not private_in(f"{message.subject} {message.headers}")


@pytest.mark.parametrize("name", SERVICES)
async def test_nothing_in_logs_or_metrics(stack: Stack, name: str) -> None:
    log = stack.services[name].log.read_text()
    assert log
    assert [line for line in log.splitlines() if private_in(line)] == []
    metrics = await stack.metrics(name)
    assert "reeve_" in metrics
    assert [line for line in metrics.splitlines() if private_in(line)] == []


async def test_nothing_in_answers_about_cases(stack: Stack) -> None:
    answer = await stack.http.get("/v1/cases", params={"site": SITE})
    assert len(answer.json()["cases"]) >= 5
    pages = [answer.text]
    for policy, subject in CASES:
        pages.append((await stack.http.get(f"/v1/cases/{SITE}/{policy}/{subject}")).text)
    assert [found for page in pages if (found := private_in(page))] == []


async def test_what_became_of_every_message_is_told_by_ids(stack: Stack) -> None:
    lines = [line for subject in ("S-1", "S-8") for line in await stack.told(subject)]
    assert {"sent", "delivered", "suppressed"} <= {line["effect"] for line in lines}, lines
    assert {line["silence"] for line in lines if line.get("silence")} == {"s-1"}
    [again] = [
        line for policy, subject in CASES for line in await stack.told(subject, policy) if "resend_of" in line
    ]
    assert (again["by"], again["recipient"]) == ("wang", "o-1")
    told = {message.subject.split(".")[2] for message in await stack.on_bus("NOTIFICATIONS")}
    assert {"requested", "sent", "delivered", "failed", "suppressed", "undeliverable", "acknowledged"} <= told
    database = {"REEVE_MONGO_DATABASE": stack.database_name, "REEVE_MONGO_URL": stack.mongo.url}
    for arguments in (["list"], ["list", "--json"], ["show", again["delivery"], "--json", "--lang", "zh"]):
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "reeve.cli.main", "notifications", *arguments),
            env={**os.environ, **database},
            stdout=asyncio.subprocess.PIPE,
        )
        output = (await process.communicate())[0].decode()
        assert process.returncode == 0
        assert output
        if "show" not in arguments:  # which has the note of whoever had it sent again
            assert not private_in(output)


async def test_nothing_in_errors(stack: Stack) -> None:
    wrong: list[Json] = [
        complaint("E-1", **personal(loss_cny=f"{PHONE}.123")),
        complaint("E-2", **personal(injury=NAME)),
        {**complaint("E-3", **personal()), "time": NAME},
        {**complaint("E-4", **personal()), "type": f"ticket.{NAME}"},
        {**complaint("E-5", **personal()), "site": NAME},
        complaint("E-6", **personal(grade=NAME)),
    ]
    for each in wrong:
        answer = await stack.http.post("/v1/events", json=each, headers={"Content-Type": CLOUDEVENT})
        assert answer.status_code == 422, answer.text
        assert not private_in(answer.text), answer.text
    cut = f'{{"title": "{NAME}", "phone": {PHONE}'.encode()
    answer = await stack.http.post("/v1/events", content=cut, headers={"Content-Type": CLOUDEVENT})
    assert answer.status_code == 400
    assert not private_in(answer.text)
    async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE) as stranger:
        answer = await stranger.get(f"{stack.intake.url}/v1/cases/{SITE}/complaint/{ROOM}")
        assert answer.status_code == 401
        assert not private_in(answer.text)


async def test_nothing_in_links(stack: Stack) -> None:
    links = [link for message in stack.messages for link in LINK.findall(message.text)]
    assert links
    for link in links:
        assert not private_in(link)
        token = link.rpartition("/")[2]
        assert await stack.database["ack_tokens"].count_documents({"$or": [{"_id": token}, {"token": token}]}) == 0
