"""Answers by SMS, mail and link through the real intake and notify: once each, to the message that is meant."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
import structlog
from nats.aio.msg import Msg
from prometheus_client import generate_latest
from typer.testing import CliRunner

from reeve.cli.answers.command import app
from reeve.domain.effects import Effect
from reeve.domain.recipients import Recipient
from reeve.runtime.store.ack_tokens import token_of
from reeve.runtime.store.provider_posts import MAIL, ProviderPostStore
from reeve.runtime.store.secrets import load_secret
from reeve.runtime.time_source import SystemTime
from services.escalation.app import serve as serve_escalation
from services.escalation.settings import EscalationSettings
from services.intake.app import intake
from services.intake.settings import IntakeSettings
from tests.integration.notify.world import GENERAL, MANAGER, SITE, World
from tests.support.inbound import ALIYUN, ENVIRONMENT, TOKEN, aliyun_up, write_providers
from tests.support.intake import event, takes_posts
from tests.support.waiting import PATIENCE, eventually

pytestmark = pytest.mark.integration

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
REPLY_TO = "reeve+{code}@example.org"
NUMBER = "447700900001"
"""The manager's, as the provider writes it."""


@pytest.fixture
def folder(here: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    return write_providers(tmp_path / "channels", ALIYUN, url=f"http://127.0.0.1:{here.sms_port}/sms/send")


@asynccontextmanager
async def _intake(here: World, folder: Path) -> AsyncIterator[httpx.AsyncClient]:
    settings = IntakeSettings(
        nats_url=here.urls.nats_url,
        mongo_url=here.urls.mongo_url,
        mongo_database=here.database.name,
        intake_port=0,
        channels=folder,
    )
    async with intake(settings) as running, httpx.AsyncClient(base_url=running.url, timeout=PATIENCE) as client:
        await eventually("intake takes posts", lambda: takes_posts(client))
        yield client


async def _reply(client: httpx.AsyncClient, number: str, text: str, sequence: int) -> None:
    body = aliyun_up(number, text, sequence)
    answer = await client.post(f"/v1/providers/aliyun/inbound?token={TOKEN}", content=body)
    assert answer.json() == {"code": 0, "msg": "ok"}


async def _events(here: World) -> list[tuple[str, str, dict[str, Any]]]:
    """Type, subject and data of the events in the record, as accepted."""
    found = await here.database["events"].find().sort([("received_at", 1), ("place", 1)]).to_list()
    bodies = [orjson.loads(each["body"]) for each in found]
    return [(each["type"], each["subject"], each["data"]) for each in bodies]


async def _outcomes(here: World, count: int) -> list[str]:
    """What became of the replies, oldest post first, once so many posts are worked through."""
    posts = here.database["provider_posts"]

    async def done() -> bool:
        return await posts.count_documents({"open": False}) == count

    await here.until(f"{count} posts are worked through", done)
    found = await posts.find().sort("received_at", 1).to_list()
    return [reply["outcome"] for each in found for reply in each["replies"]]


async def _sent(here: World, effect: Effect) -> dict[str, Any]:
    """The delivery, once it is noted as sent."""
    query = {"notification": effect.key, "state": "sent"}

    async def noted() -> bool:
        return await here.database["deliveries"].count_documents(query) == 1

    await here.until("the message is sent", noted)
    return await here.delivery(effect)


async def _code(here: World, delivery: dict[str, Any]) -> str:
    found = await here.database["reply_codes"].find_one({"delivery": delivery["_id"]})
    assert found is not None
    return str(found["_id"].rpartition("/")[2])


async def test_replies_by_sms_answer_the_message_that_is_meant_and_nothing_else(
    here: World, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    everything: list[bytes] = []

    async def hear(message: Msg) -> None:
        everything.append(message.subject.encode() + message.data)

    for topic in ("notifications.>", "cases.>", "events.>", "rules.>", "dead.>"):
        await here.bus.client.subscribe(topic, cb=hear)
    await here.people(MANAGER, GENERAL)
    with _logged() as lines:
        async with here.notify(sms_gateway=None, channels=folder), _intake(here, folder) as client:
            codes: dict[str, str] = {}
            for subject in ("T-1", "T-2", "T-3"):
                effect = await here.request(await here.case(subject), via=("sms",))
                codes[subject] = await _code(here, await _sent(here, effect))
            texts = [each.text for each in here.mailbox.messages]
            assert all(
                f"回复1收到，2升级，3加分钟数缓办（编号{code}）" in "".join(texts) for code in codes.values()
            )
            await _reply(client, NUMBER, "谁啊，打错了吧", 1)
            await _reply(client, "447700900999", "1", 2)
            assert await _outcomes(here, 2) == ["not_understood", "no_message"]
            assert await _events(here) == []

            await _reply(client, NUMBER, "3，45分钟", 3)
            await _reply(client, NUMBER, "收到，谢谢", 4)
            await _reply(client, f"+{NUMBER}", f"２ {codes['T-1'].lower()}", 5)
            await _reply(client, f"00{NUMBER}", "1", 6)
            outcomes = await _outcomes(here, 6)
            assert outcomes[2:] == ["delayed", "acknowledged", "escalated", "acknowledged"]
            by = {"acknowledged_by": "pm-1", "acknowledged_step": "report_up"}
            told = [
                ("ticket.delayed", "T-3", {"delayed_by": "pm-1", "delayed_step": "report_up", "minutes": 45}),
                ("ticket.acknowledged", "T-3", by),
                ("ticket.escalated", "T-1", {"escalated_by": "pm-1", "escalated_step": "report_up"}),
                ("ticket.acknowledged", "T-2", by),
            ]
            assert await _events(here) == told

            await _reply(client, NUMBER, "1", 6)  # the provider repeats itself, in another post
            await _reply(client, NUMBER, "1", 7)  # nothing awaits an answer any more
            await _reply(client, NUMBER, f"1 {codes['T-1']}", 8)  # was passed up before
            await _reply(client, NUMBER, f"1 {codes['T-2']}", 9)  # was taken before
            assert (await _outcomes(here, 10))[6:] == ["repeated", "no_message", "answered", "repeated"]
            assert await _events(here) == told
            news = await here.told("acknowledged", 4)
        metrics = generate_latest().decode()
    assert {(each["data"]["recipient"], each["data"]["step"]) for each in news} == {("pm-1", "report_up")}
    for hidden in (NUMBER, "7700900001", "打错", "谢谢"):
        assert hidden.encode() not in b"".join(everything)
        assert hidden not in metrics
        assert hidden not in str(lines) + caplog.text
        for collection in ("ack_tokens", "reply_codes", "events", "deliveries", "decisions"):
            assert hidden not in str(await here.database[collection].find().to_list()), collection
    assert 'reeve_notify_replies_total{channel="sms",outcome="not_understood"}' in metrics


async def test_who_asks_for_more_time_than_there_is_hears_what_was_granted(here: World, folder: Path) -> None:
    await here.people(MANAGER)
    async with here.notify(sms_gateway=None, channels=folder), _intake(here, folder) as client:
        effect = await here.request(await here.case("T-1"), via=("sms",))
        code = await _code(here, await _sent(here, effect))
        await _reply(client, NUMBER, "3 90", 1)  # granted as asked for: no SMS says so
        await _reply(client, NUMBER, "3 90", 2)
        assert await _outcomes(here, 2) == ["delayed", "delayed"]
        _, less = await here.arrived(2)
        await _reply(client, NUMBER, "3", 3)
        assert (await _outcomes(here, 3))[2] == "no_more_time"
        *_, none = await here.arrived(3)
        await _reply(client, NUMBER, f"1 {code}", 4)
        assert (await _outcomes(here, 4))[3] == "acknowledged"
    assert "T-1：只延后30分钟，非90分钟（每步骤共120分钟）。" in less.text
    assert "T-1：不能再延后" in none.text
    assert "回复1收到，2升级（编号" in none.text
    assert [data.get("minutes") for _, _, data in await _events(here)] == [90, 30, None]
    posts = await here.database["provider_posts"].find().sort("received_at", 1).to_list()
    assert [reply["minutes"] for each in posts for reply in each["replies"]] == [90, 30, None, None]


@contextmanager
def _logged() -> Iterator[list[Any]]:
    with structlog.testing.capture_logs() as lines:
        yield lines


async def test_what_one_text_said_of_one_matter_is_answered_together(here: World, folder: Path) -> None:
    await here.people(MANAGER)
    case = await here.case("T-1", "ordinary")
    deliveries = here.database["deliveries"]
    async with here.notify(sms_gateway=None, channels=folder), _intake(here, folder) as client:
        await _sent(here, await here.request(case, via=("sms",), step="nobody_answered"))
        again = await here.request(case, via=("sms",), step="nobody_answered", round=2)
        await here.request(case, via=("sms",), step="nearly_late")

        async def held() -> bool:
            return await deliveries.count_documents({"hold": "merge", "state": "queued"}) == 2

        await here.until("both wait for the window's end", held)
        await deliveries.update_many({"state": "queued"}, {"$set": {"due_at": EPOCH}})

        async def merged() -> bool:
            return await deliveries.count_documents({"state": "merged"}) == 1

        await here.until("they went out as one", merged)
        await _reply(client, NUMBER, "3 20", 1)
        assert await _outcomes(here, 1) == ["delayed"]
        delayed = await _events(here)
        assert sorted(data["delayed_step"] for _, _, data in delayed) == ["nearly_late", "nobody_answered"]
        secret = await load_secret(here.database, None)
        page = await client.post(f"/ack/{token_of(secret, again.key, 'pm-1')}")
        assert "Confirmed" in page.text
        taken = (await _events(here))[2:]
    assert sorted(data["acknowledged_step"] for _, _, data in taken) == ["nearly_late", "nobody_answered"]
    assert await here.database["ack_tokens"].count_documents({"used_at": {"$ne": None}}) == 2


async def test_a_mail_is_answered_by_a_person_and_never_by_a_machine(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await here.people(MANAGER)
    async with here.notify(reply_to=REPLY_TO):
        effect = await here.request(await here.case("T-1"), via=("email",))
        (got,) = await here.arrived(1)
        address = got.details["reply-to"]
        assert address.startswith("reeve+")
        away = _mail(address, "自动回复", "1")
        away["Auto-Submitted"] = "auto-replied"
        await _keep(here, away.as_bytes())
        assert await _outcomes(here, 1) == ["automatic"]
        mail = _mail(address, "Re: 投诉", "收到，马上处理\n\n> 3 120\n")
        await _hand_in(here, mail)
        await _keep(here, mail.as_bytes())
        assert await _outcomes(here, 2) == ["automatic", "acknowledged"]
        (news,) = await here.told("acknowledged")
    listed = await _command(here, monkeypatch, "list", "--json")
    rows = [orjson.loads(line) for line in listed.splitlines()]
    assert [(row["provider"], row["outcome"]) for row in rows] == [("mail", "acknowledged"), ("mail", "automatic")]
    asked = {"recipient": "pm-1", "case": str(effect.case), "step": "report_up"}
    assert [row["answers"] for row in rows] == [[asked], []]
    shown = await _command(here, monkeypatch, "list", "--outcome", "acknowledged")
    assert shown.rstrip().endswith(f"acknowledged     pm-1  {effect.case} report_up")
    assert "manager@example.org" not in listed
    assert (await _command(here, monkeypatch, "list", "--outcome", "automatic")).count("automatic") == 1
    assert "manager@example.org" in await _command(here, monkeypatch, "show", rows[0]["id"][:12])
    assert await _events(here) == [
        ("ticket.acknowledged", "T-1", {"acknowledged_by": "pm-1", "acknowledged_step": "report_up"})
    ]
    assert (news["data"]["notification"], news["data"]["channel"]) == (effect.key, "email")


def _mail(to: str, subject: str, body: str) -> EmailMessage:
    made = EmailMessage()
    made["From"] = "王经理 <manager@example.org>"
    made["To"] = f"Reeve <{to}>"
    made["Subject"] = subject
    made["Message-ID"] = f"<{abs(hash(body))}@example.org>"
    made.set_content(body)
    return made


async def _command(here: World, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> str:
    """What `reeve answers` prints."""
    monkeypatch.setenv("REEVE_MONGO_URL", here.urls.mongo_url)
    monkeypatch.setenv("REEVE_MONGO_DATABASE", here.database.name)
    monkeypatch.setattr("reeve.cli.targets.configure_logging", lambda *_, **__: None)
    ran = await asyncio.to_thread(CliRunner().invoke, app, list(arguments))
    assert ran.exit_code == 0, ran.output
    return ran.output


async def _keep(here: World, raw: bytes) -> None:
    """As intake keeps what the hook of a mail server posts."""
    await ProviderPostStore(here.database).add(
        provider=MAIL,
        kind="inbound",
        method="POST",
        query="",
        content_type="message/rfc822",
        body=raw,
        now=SystemTime().now(),
    )


async def _hand_in(here: World, mail: EmailMessage) -> None:
    """As a mail server's pipe does."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "reeve.cli.main", "answers", "mail"),
        env={**os.environ, "REEVE_MONGO_URL": here.urls.mongo_url, "REEVE_MONGO_DATABASE": here.database.name},
        stdin=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    _, said = await asyncio.wait_for(process.communicate(mail.as_bytes()), PATIENCE)
    assert (process.returncode, said) == (0, b"")


async def test_kills_at_every_point_leave_one_answer(here: World, folder: Path) -> None:
    await here.people(MANAGER)
    environment = {"REEVE_CHANNELS": str(folder), "REEVE_SMS_GATEWAY": ""}
    async with _intake(here, folder) as client:
        async with here.notify(sms_gateway=None, channels=folder):
            for subject in ("T-1", "T-2"):
                await _sent(here, await here.request(await here.case(subject), via=("sms",)))
        await _reply(client, NUMBER, "1", 1)
        for point in ("notify.reply_decided", "notify.reply_noted", "notify.answer_told"):
            process = await here.process(**environment, REEVE_CRASH_AT=point)
            assert await asyncio.wait_for(process.wait(), PATIENCE) == -9, point
            # What a dead process keeps for a while is free at once here.
            await here.database["provider_posts"].update_many({}, {"$set": {"claim": None, "look_at": EPOCH}})
        async with here.notify(sms_gateway=None, channels=folder):
            assert await _outcomes(here, 1) == ["acknowledged"]
            await here.told("acknowledged")
    assert [(kind, subject) for kind, subject, _ in await _events(here)] == [("ticket.acknowledged", "T-2")]
    assert (await here.database["ack_tokens"].count_documents({"used_at": {"$ne": None}})) == 1


async def test_an_answer_by_link_whose_event_was_lost_becomes_one(here: World) -> None:
    """Intake died between noting the answer and putting its event."""
    await here.people(MANAGER)
    async with here.notify(public_url="https://reeve.example.com"):
        effect = await here.request(await here.case("T-1"), via=("sms",))
        await _sent(here, effect)
        answer = {"id": "a-1", "what": "escalated", "at": EPOCH, "how": "link", "minutes": None, "told": False}
        await here.database["ack_tokens"].update_one(
            {"notification": effect.key}, {"$push": {"answers": answer}, "$set": {"used_at": EPOCH, "untold": True}}
        )
        (news,) = await here.told("acknowledged")
    assert await _events(here) == [
        ("ticket.escalated", "T-1", {"escalated_by": "pm-1", "escalated_step": "report_up"})
    ]
    assert news["data"]["recipient"] == "pm-1"


async def test_an_acknowledgement_by_sms_ends_the_mail_of_the_same_step_that_is_being_retried(
    here: World, folder: Path
) -> None:
    ways = {"sms": "+" + NUMBER, "email": "general@example.org"}
    general = Recipient("gm-1", SITE, frozenset({"general_manager"}), "zh", ways)
    await here.people(general)
    here.smtp.behaviour.data_reply = "451 4.7.1 greylisted"
    stop = asyncio.Event()
    escalation = asyncio.create_task(serve_escalation(_escalation(here), stop))
    try:
        async with (
            here.notify(sms_gateway=None, channels=folder, notify_attempts=50),
            _intake(here, folder) as client,
        ):
            opened = event("e-1", subject="T-1", time=SystemTime().now().isoformat())
            opened["data"] = {"category": "complaint", "loss_cny": 12000}
            assert (await client.post("/v1/events", json=opened)).status_code == 202
            mails = {"subject": "T-1", "step": "report_up", "channel": "email"}

            async def retried() -> bool:
                found = await here.database["deliveries"].find_one(mails)
                sms = await here.database["deliveries"].find_one({**mails, "channel": "sms", "state": "sent"})
                return sms is not None and found is not None and len(found["attempts"]) >= 2

            await here.until("the mail is being retried, and the SMS is out", retried)
            await _reply(client, NUMBER, "1", 1)

            async def dropped() -> bool:
                return await here.database["deliveries"].find_one({**mails, "state": "suppressed"}) is not None

            await here.until("the mail is dropped", dropped)
            here.smtp.behaviour.data_reply = None
            lines = (await client.get(f"/v1/cases/{SITE}/complaint/T-1")).json()["timeline"]
    finally:
        stop.set()
        await asyncio.wait_for(escalation, PATIENCE)
    mail = await here.database["deliveries"].find_one(mails)
    assert mail is not None
    assert mail["attempts"][-1]["reason"] == "acknowledged"
    assert not [each for each in here.mailbox.messages if each.channel == "email" and each.accepted]
    said = [(each["effect"], each.get("step"), each.get("channel"), each.get("reason")) for each in lines]
    assert ("acknowledged", "report_up") in [each[:2] for each in said]
    assert ("suppressed", "report_up", "email", "acknowledged") in said


def _escalation(here: World) -> EscalationSettings:
    return EscalationSettings.load(
        nats_url=here.urls.nats_url,
        mongo_url=here.urls.mongo_url,
        mongo_database=here.database.name,
        escalation_host="127.0.0.1",
        escalation_port=0,
        escalation_lease=1.0,
    )
