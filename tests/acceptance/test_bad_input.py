"""What is wrong is told to whoever sent it; nothing stops for it, and nothing good beside it is lost."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import nats
import orjson
import pytest
import pytest_asyncio
from nats.aio.client import Client as NatsClient

from reeve.devstack.sms_sink import GatewayBehaviour
from reeve.domain.recipients import Recipient
from reeve.rulelang.load import read_folder
from reeve.runtime.bundles import Bundles
from reeve.runtime.bus.connection import connect_bus
from reeve.runtime.bus.publisher import BusPublisher
from reeve.runtime.candidates import BundleRejected
from reeve.runtime.store.bundles import BundleStore
from reeve.runtime.time_source import SystemTime
from tests.support.shared_servers import SharedServers
from tests.support.stack import CLOUDEVENT, Stack, running_stack
from tests.support.story import SITE, Json, complaint, event, mail_of, phone_of, rules_copy, staff
from tests.support.waiting import PATIENCE, eventually

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.long,
    pytest.mark.asyncio(loop_scope="module"),
]

GATEWAY = """
name: strict
method: POST
url: {url}
json: {to: "{{ to }}", text: "{{ text }}", id: "{{ id }}"}
success: {status: [200, 202], body: "^0: Accepted"}
timeout_seconds: 15
"""
"""One that says no with a 200, as many do."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stack(server_pair: SharedServers, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    folder = tmp_path_factory.mktemp("bad-input")
    async with running_stack(server_pair, folder, rules_copy(folder / "rules", {}), gateway=GATEWAY) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module", autouse=True)
async def healthy(stack: Stack) -> AsyncIterator[None]:
    """Only the general manager has a phone; and after everything the same processes still do their work."""
    manager = "general_manager"
    people = [
        each if manager in each.roles else replace(each, addresses={"email": each.addresses["email"]})
        for each in staff()
    ]
    await stack.people(*people)
    pids = {name: service.pid for name, service in stack.services.items()}
    yield
    await stack.post(complaint("LAST", title="still there"))
    await stack.arrived(mail_of("service_supervisor"), "LAST")
    await stack.quiet()
    assert {name: service.pid for name, service in stack.services.items() if service.alive} == pids
    for service in stack.services.values():
        assert "Traceback" not in service.log.read_text(), service.name


def good(subject: str, **changes: Any) -> Json:
    return {**complaint(subject), **changes}


def bill(subject: str, **data: Any) -> Json:
    whole = {"item": "fee", "amount_cny": "100.00", "due_on": "2030-01-01", "customer": "C-1"}
    return event("payment.billed", subject, **{name: value for name, value in (whole | data).items() if value})


def dumps(value: Json) -> bytes:
    return json.dumps(value).encode()


REFUSED: dict[str, tuple[bytes, int, str]] = {
    "malformed JSON": (b'{"specversion": "1.0", ', 400, ""),
    "unknown type": (dumps(good("X-1", type="ticket.exploded")), 422, "$.type"),
    "a bill without its date": (dumps(bill("X-2", due_on=None)), 422, "$.data.due_on"),
    "a time without offset": (dumps(good("X-3", time="2026-11-20T09:00:00")), 422, "$.time"),
    "an amount with a fraction": (dumps(bill("X-4", amount_cny=1836.5)), 422, "$.data.amount_cny"),
    "300 KiB": (dumps(good("X-5", data={"category": "complaint", "title": "x" * 300 * 1024})), 413, "$"),
    "1e400": (dumps(good("X-6")).replace(b'"complaint"', b'"complaint", "loss_cny": 1e400'), 400, ""),
    "a NUL byte": (dumps(good("X-7")).replace(b"X-7", b"X\x007"), 400, ""),
    "a NUL in text": (dumps(good("X-8\0")), 422, "$.subject"),
    "half a character": (dumps(good("X-9")).replace(b"X-9", b"X-\\ud800"), 400, ""),
    "a site with dots": (dumps(good("X-10", site="a.b")), 422, "$.site"),
    "a site with >": (dumps(good("X-11", site="a>")), 422, "$.site"),
    "a name that Reeve computes": (
        dumps(good("X-12", data={"category": "complaint", "grade": "x"})),
        422,
        "$.data.grade",
    ),
    "a count of the rules": (
        dumps(good("X-13", data={"category": "complaint", "people_on_incident": 10})),
        422,
        "$.data.people_on_incident",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_a_bad_event_is_refused_with_its_place(stack: Stack, name: str) -> None:
    body, status, path = REFUSED[name]
    answer = await stack.http.post("/v1/events", content=body, headers={"Content-Type": CLOUDEVENT})
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    told = answer.json()
    assert told["title"]
    assert not path or path in [problem["path"] for problem in told["problems"]], told


async def test_the_same_beside_good_ones_in_one_post(stack: Stack) -> None:
    lines = [dumps(good("N-1"))]
    lines += [body for body, _, _ in REFUSED.values() if b"\n" not in body]
    lines.append(dumps(good("N-2")))
    headers = {"Content-Type": "application/x-ndjson"}
    answer = await stack.http.post("/v1/events", content=b"\n".join(lines), headers=headers)
    assert answer.status_code == 200
    statuses = [row["status"] for row in answer.json()]
    assert statuses == [202, *(status for _, status, _ in REFUSED.values()), 202]
    for subject in ("N-1", "N-2"):
        await stack.line(subject, "graded", grade="ordinary")


async def test_the_wrong_content_type_and_a_body_of_20_mb(stack: Stack) -> None:
    answer = await stack.http.post("/v1/events", content=dumps(good("C-1")), headers={"Content-Type": "text/plain"})
    assert answer.status_code == 415
    large = b"[" + b" " * 20_000_000 + b"]"
    headers = {"Content-Type": "application/cloudevents-batch+json"}
    answer = await stack.http.post("/v1/events", content=large, headers=headers)
    assert answer.status_code == 413
    assert "title" in answer.json()


async def test_the_same_id_with_other_content(stack: Stack) -> None:
    first = complaint("D-1", loss_cny=100)
    other = {**first, "data": {**first["data"], "loss_cny": 120000}}
    [answer] = await stack.post(first)
    assert answer == {"id": first["id"], "duplicate": False}
    [again] = await stack.post(other)
    assert again == {"id": first["id"], "duplicate": True, "differs": True}
    await stack.line("D-1", "graded", grade="ordinary")
    await stack.quiet()
    assert (await stack.case("D-1") or {})["grade"] == "ordinary"


async def test_strange_names_and_many_of_them_go_through_unchanged(stack: Stack) -> None:
    data: Json = {f"field_{n}": n for n in range(300)}
    odd: Json = {"$where": "1", "a.b": {"$gt": [{"c.d": 1}]}, "": 0, "__proto__": {"x": 1}}
    posted = complaint("K-1", **data, **odd)
    await stack.post(posted)
    await stack.line("K-1", "graded", grade="ordinary")
    stored = await stack.database["events"].find_one({"body": {"$regex": '"K-1"'}})
    assert stored is not None
    assert orjson.loads(stored["body"])["data"] == posted["data"]


async def test_bad_events_on_the_bus_are_told_on_the_bus(stack: Stack) -> None:
    client = await nats.connect(stack.nats.url)
    try:
        bad = good("B-1", time="yesterday", data={"category": "complaint", "title": "王家漏水"})
        await _publish(client, "ticket.opened", bad)
        await _publish(client, "ticket.opened", good("B-2"))
        await _publish(client, "ticket.closed", good("B-3"))  # says another type than its subject
        await client.jetstream(timeout=PATIENCE).publish(f"intake.{SITE}.ticket.opened", b"\xff\x00 not JSON")
    finally:
        await client.close()
    await stack.line("B-2", "graded", grade="ordinary")

    async def told() -> bool:
        return len(await stack.on_bus("REJECTED")) == len(await stack.on_bus("DEAD")) == 3

    await eventually("three rejections and three dead letters", told)
    notices = [message.data.decode() for message in await stack.on_bus("REJECTED")]
    assert any(bad["id"] in notice and "$.time" in notice for notice in notices)
    assert not any("漏水" in notice for notice in notices)
    letters = [json.loads(message.data) for message in await stack.on_bus("DEAD")]
    assert {message.subject.split(".")[1] for message in await stack.on_bus("DEAD")} == {"intake"}
    assert all(letter for letter in letters)


async def _publish(client: NatsClient, type: str, posted: Json) -> None:
    await client.jetstream(timeout=PATIENCE).publish(f"intake.{SITE}.{type}", dumps(posted))


BAD_RULES = {
    "a typo in a key": ("steps:", "stpes:", "stpes"),
    "a grade without a limit": ("limit: {extraordinary: 1m, major: 5m, ", "limit: {extraordinary: 1m, ", "major"),
    "a condition that does not parse": (
        "if: >\n      loss_cny >= 10000 or",
        "if: >\n      loss_cny >= or",
        "here stands `or`",
    ),
}


@pytest.mark.parametrize("name", BAD_RULES)
async def test_bad_rules_are_refused_and_the_good_ones_stay(stack: Stack, name: str) -> None:
    old, new, about = BAD_RULES[name]
    files = dict(read_folder(stack.rules))
    text = files["complaint.yaml"].decode()
    assert old in text
    files["complaint.yaml"] = text.replace(old, new, 1).encode()
    bus = await connect_bus(stack.nats.url, "test", PATIENCE)
    publisher = BusPublisher(bus, PATIENCE)
    await publisher.start()
    try:

        async def publish(message: Any) -> None:
            await publisher.publish(message.subject, message.id, message.body)

        bundles = Bundles(BundleStore(stack.database), SystemTime(), publish)
        before = await bundles.active_version()
        with pytest.raises(BundleRejected) as rejected:
            await bundles.activate(files, "tester")
        assert await bundles.active_version() == before
    finally:
        await bus.close()
    assert any(error.startswith("complaint.yaml:") and about in error for error in rejected.value.errors)
    notices = [message for message in await stack.on_bus("RULES") if message.subject == "rules.rejected"]
    assert rejected.value.version in notices[-1].data.decode()


async def test_a_recipient_without_an_address_is_refused_and_never_a_dead_end(stack: Stack, tmp_path: Path) -> None:
    people = tmp_path / "people.csv"
    people.write_text(f"site,id,roles,email,sms\n{SITE},g-1,security_supervisor,,\n")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "reeve.cli.main", "recipients", "import", str(people)),
        env={**os.environ, "REEVE_MONGO_URL": stack.mongo.url, "REEVE_MONGO_DATABASE": stack.database_name},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    assert process.returncode == 1
    assert b"g-1" in said or b"row" in said, said
    await stack.people(Recipient("g-1", SITE, frozenset({"security_supervisor"})))
    await stack.post(
        event("ticket.opened", "P-1", category="pass"),
        event("ticket.assigned", "P-1", stage="security_supervisor"),
    )
    await stack.line("P-1", "undeliverable", "pass")
    await stack.arrived(mail_of("property_manager"), "P-1")


async def test_a_gateway_that_says_no_hangs_or_hangs_up(stack: Stack) -> None:
    manners = {
        "G-1": (GatewayBehaviour(status=200, body="9: no credit", accepts=False, times=1), ["transient", "sent"]),
        "G-2": (GatewayBehaviour(delay_seconds=PATIENCE, times=1), ["unknown", "resent"]),
        "G-3": (GatewayBehaviour(drop_after_accepting=True, times=1), ["unknown", "resent"]),
    }
    for subject, (behaviour, results) in manners.items():
        stack.sinks.gateway.behaviour = behaviour
        await stack.post(complaint(subject, loss_cny=12000))
        # A repeat that comes within a second must not meet the next one's manners.
        await stack.arrived(phone_of("general_manager"), subject, 2 if "transient" in results else 1)
    await stack.quiet()
    for subject, (_, results) in manners.items():
        texts = stack.to(phone_of("general_manager"), subject)
        assert len(texts) == 2
        assert len({text.details["id"] for text in texts}) == 1, "the gateway can tell a repeat"
        [delivery] = await stack.database["deliveries"].find({"subject": subject, "channel": "sms"}).to_list()
        assert [attempt["result"] for attempt in delivery["attempts"]] == results
        assert len(stack.to(mail_of("general_manager"), subject)) == 1, "the other channel has its own fate"
