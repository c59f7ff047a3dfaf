"""A message's whole life: on the bus each outcome once, on the case's timeline, in `reeve notifications`."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from dataclasses import asdict, replace
from datetime import timedelta
from typing import Any

import pytest

from reeve.devstack.smtp_sink import SmtpBehaviour
from reeve.runtime.store.deliveries import Answer, Attempt
from reeve.runtime.store.delivery_news import DeliveryNews
from reeve.runtime.time_source import SystemTime
from services.intake.cases_api import CaseReader
from tests.integration.notify.world import MANAGER, SITE, SUPERVISOR, World

pytestmark = pytest.mark.integration

PRIVATE = ("manager@example", "supervisor@example", "+4477009", "王经理", "ceiling leak", "C-88", "张三")


async def reeve(here: World, *arguments: str) -> tuple[int, str, str]:
    """The command, in a process of its own: exit code, output, errors."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "reeve.cli.main", *arguments),
        env={
            **{name: value for name, value in os.environ.items() if not name.startswith("REEVE_")},
            "LANG": "en_GB.UTF-8",
            "REEVE_MONGO_URL": here.urls.mongo_url,
            "REEVE_NATS_URL": here.urls.nats_url,
            "REEVE_MONGO_DATABASE": here.database.name,
            "REEVE_SMTP_HOST": "127.0.0.1",
            "REEVE_SMTP_PORT": str(here.smtp.port),
            "REEVE_SMS_GATEWAY": f"http://127.0.0.1:{here.sms_port}/sms/send",
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


async def rows(here: World, *arguments: str) -> list[dict[str, Any]]:
    code, out, err = await reeve(here, *arguments, "--json")
    assert code == 0, err
    return [json.loads(line) for line in out.splitlines()]


async def test_outcomes_that_come_together_are_each_told_once_also_to_a_bus_that_comes_back(here: World) -> None:
    await here.people(MANAGER)
    case = await here.case("T-1", customer="C-88")
    deliveries, news, time = here.database["deliveries"], DeliveryNews(here.database), SystemTime()
    effect = await here.request(case)
    async with here.notify():
        await here.told("sent")
    # While notify is away a receipt and two answers come: three outcomes between two rounds.
    [stored] = await deliveries.find({"notification": effect.key}).to_list()
    receipt = Attempt(time.now(), "delivered", "accepted", "r-1", "smtp")
    change = {"$set": {"state": "delivered", "unpublished": True}, "$push": {"attempts": asdict(receipt)}}
    await deliveries.update_one({"_id": stored["_id"]}, change)
    later = Answer("answer-1", time.now(), "delayed", "link", 30)
    taken = Answer("answer-2", time.now() + timedelta(milliseconds=1), "acknowledged", "link")
    for answer, fresh in ((later, True), (taken, True), (taken, False)):
        assert await news.note_answer(effect.key, "pm-1", answer) is fresh
    assert not await news.note_answer(effect.key, "nobody", taken)
    async with here.notify():
        await here.told("acknowledged", 2)
    # What a start tells again has the same ids, and the stream takes none of it twice.
    heard = list({each["id"]: each for each in here.heard}.values())
    assert [(each["type"].partition(".")[2], each["data"]["answer"]) for each in heard] == [
        ("sent", None),
        ("delivered", None),
        ("acknowledged", "delayed"),
        ("acknowledged", "acknowledged"),
    ]
    assert [each["data"]["answered_by"] for each in heard][2:] == ["link", "link"]
    kept = await here.bus.jetstream.stream_info("NOTIFICATIONS")
    assert kept.state.messages == 5, "the request and four outcomes"
    here.heard.clear()
    async with here.notify():  # for a bus that was put back it tells all of it again
        await here.told("acknowledged", 2)
        await here.until("all is told", lambda: _nothing_untold(here))
    assert {each["id"] for each in here.heard} == {each["id"] for each in heard}
    [stored] = await deliveries.find({"notification": effect.key}).to_list()
    assert {name.partition("_")[0] for name in stored["told"]} == {"sent", "delivered", "acknowledged"}


async def _nothing_untold(here: World) -> bool:
    return not await here.database["deliveries"].count_documents({"unpublished": True})


async def test_a_message_that_had_to_wait_says_how_the_case_is_when_it_goes_out(here: World) -> None:
    await here.people(SUPERVISOR)
    case = await here.case("T-5", title="water on the floor")
    here.smtp.behaviour = SmtpBehaviour(rcpt_reply="450 4.2.0 come back later")
    effect = await here.request(case, ["service_supervisor"], reminds=False)
    async with here.notify():

        async def tried() -> bool:
            query = {"notification": effect.key, "attempts.0": {"$exists": True}, "state": "queued"}
            return await here.database["deliveries"].count_documents(query) == 1

        await here.until("it was tried", tried)
    here.smtp.behaviour = SmtpBehaviour()
    await here.save(replace(case, facts={**case.facts, "title": "ceiling came down"}, version=case.version + 1))
    await here.database["deliveries"].update_one({"notification": effect.key}, {"$set": {"due_at": case.opened_at}})
    async with here.notify():
        [mail] = await here.arrived(1)
    assert "ceiling came down" in mail.subject
    assert "water" not in mail.subject + mail.text


@pytest.mark.long
async def test_looked_at_and_sent_again_from_the_command_line(here: World) -> None:
    await here.people(MANAGER, SUPERVISOR)
    case = await here.case("T-7", customer="C-88")
    here.smtp.behaviour = SmtpBehaviour(rcpt_reply="550 5.1.1 no such mailbox", times=1)
    async with here.notify():
        await here.request(case, ["service_supervisor"], message="complaint_reported")
        await here.told("failed")
        await here.told("sent")  # the role above hears that nobody could be reached
        [failed] = await rows(here, "notifications", "list", "--state", "failed", "--since", "1h")
        assert (failed["recipient"], failed["channel"], failed["case"]) == ("ss-1", "email", str(case.key))
        assert failed["reason"] == "bad_address"
        [whole] = await rows(here, "notifications", "show", failed["id"][:6].upper())
        assert [each["what"] for each in whole["life"]] == ["failed"]
        assert {each["recipient"] for each in whole["siblings"]} >= {"pm-1"}
        assert whole["because"] == {"rule": "complaint.yaml:57"}

        code, _, err = await reeve(here, "notifications", "resend", failed["id"], "--to", "pm-2", "--dry-run")
        assert code == 1
        assert "did you mean pm-1?" in err
        note = "张三 has a new number"
        [made] = await rows(here, "notifications", "resend", failed["id"], "--author", "wang", "--note", note)
        assert made["resend_of"] == failed["id"]
        [mail] = [each for each in await here.arrived(2) if "supervisor@example.org" in each.to]
        assert "T-7" in mail.text
        sent = await here.told("sent", 2)
        [again] = [each["data"] for each in sent if each["data"]["resend_of"]]
        assert (again["resend_of"], again["recipient"]) == (failed["id"], "ss-1")
        code, out, _ = await reeve(here, "notifications", "show", made["id"], "--text")
        assert code == 0
        assert note in out
        assert "ceiling leak" in out, "asked for by --text"
        night = SystemTime().now() + timedelta(hours=8)
        quiet = await here.request(case, round=9, not_before=night)
        [held] = await rows(here, "notifications", "list", "--state", "held")
        assert (held["notification"], held["role"], held["id"]) == (quiet.key, "property_manager", None)
        assert held["waits_for"]["for"] == "hours"
        code, _, err = await reeve(here, "notifications", "list", "--recipient", "ss-2")
        assert "Did you mean --recipient ss-1?" in err

        view = await CaseReader(here.database, SystemTime()).one(str(case.key))
        assert view is not None
        lines = [line for line in view["timeline"] if line.get("notification")]
        assert [line["effect"] for line in lines if line["recipient"] == "ss-1"] == ["failed", "sent"]
        [line] = [line for line in lines if line.get("resend_of")]
        assert (line["by"], line["delivery"]) == ("wang", made["id"])
        listed = (await reeve(here, "notifications", "list", "--case", "T-7"))[1]
        shown = (await reeve(here, "cases", "show", "T-7"))[1]
        assert "again, as wang asked" in shown
    heard = b"\n".join(here.heard_bytes).decode()
    for text in (listed, shown, json.dumps(lines), json.dumps(whole), heard):
        assert not [private for private in PRIVATE if private in text], text


@pytest.mark.long
async def test_a_message_is_tried_for_real(here: World) -> None:
    await here.people(MANAGER)
    await here.case("T-9")
    [row] = await rows(here, *_try("pm-1"), "--channel", "email")
    assert (row["result"], row["provider"], row["recipient"]) == ("sent", "smtp", "pm-1")
    code, _, err = await reeve(here, *_try("+44 7700 900009"), "--language", "en")
    assert code == 0, err
    code, _, err = await reeve(here, *_try("pm-l"))
    assert code == 1
    assert "did you mean pm-1?" in err
    mail, sms = await here.arrived(2)
    assert mail.subject.startswith("【测试】")
    assert "ceiling leak" in mail.subject
    assert "+447700900009" in sms.to
    assert sms.text.startswith("[TEST] ")
    assert not await here.database["deliveries"].count_documents({})
    previews = await rows(here, "messages", "preview", "complaint_reported", "--case", f"{SITE}/complaint/T-9")
    assert {(each["language"], each["channel"]) for each in previews} >= {("zh", "sms"), ("en", "email")}
    assert all("ceiling leak" in each["body"] for each in previews)
    assert {each["provider"] for row in previews for each in row["providers"]} >= {"smtp"}


def _try(to: str) -> tuple[str, ...]:
    return ("messages", "send", "complaint_reported", "--case", "T-9", "--to", to)
