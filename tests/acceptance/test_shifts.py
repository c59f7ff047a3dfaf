"""A shift changes: the one who comes is told how the site stands, and somebody above when nobody takes over."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from reeve.domain.facts import zone_of
from reeve.domain.recipients import Recipient
from tests.support.shared_servers import SharedServers
from tests.support.stack import Stack, running_stack
from tests.support.story import SITE, complaint, event, now, rules_copy, staff
from tests.support.waiting import eventually

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.long,
    pytest.mark.asyncio(loop_scope="module"),
]

ZONE = zone_of("Asia/Shanghai")
SHORT = {"handover.yaml": {"limit: 15m\n": "limit: 5s\n"}}
ROTA = """
- {{place: sunshine-garden, role: guard, start: 2026-01-01, every: day at {hour:02}:00, turns: [guard-1]}}
"""


def person(id: str, role: str) -> Recipient:
    return Recipient(
        id, SITE, frozenset({role}), "en", {"email": f"{id}@example.org", "sms": "+4477009" + id[-1] * 5}
    )


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stack(server_pair: SharedServers, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    folder = tmp_path_factory.mktemp("shifts")
    async with running_stack(server_pair, folder, rules_copy(folder / "rules", SHORT)) as running:
        guards = [person(f"guard-{number}", "guard") for number in (1, 2, 3)]
        await running.people(*staff(), *guards, person("chief-9", "security_supervisor"))
        yield running


async def reeve(stack: Stack, *arguments: str) -> list[dict[str, object]]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "reeve.cli.main", "shifts", *arguments, "--json"),
        env=stack.environment(),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    return [json.loads(line) for line in out.splitlines()]


async def test_who_comes_is_told_how_the_site_stands_and_the_chief_when_nobody_takes_over(
    stack: Stack, tmp_path: Path
) -> None:
    await stack.post(
        complaint("T-1", title="noise at night"),
        complaint("T-2", title="ceiling leak", loss_cny=12000),
        event("mail.received", "P-1", kind="express", count=2),
        event("mail.accepted", "P-1"),
    )
    hour = (now().astimezone(ZONE).hour + 12) % 24  # no shift begins by itself while this goes on
    (tmp_path / "shifts.yaml").write_text(ROTA.format(hour=hour), encoding="utf-8")
    *_, counts = await reeve(stack, "import", str(tmp_path / "shifts.yaml"))
    assert counts == {"new": 1, "changed": 0, "unchanged": 0, "dry_run": False}
    await stack.quiet()
    assert await stack.case("P-1", "parcel")

    [row] = await reeve(
        stack, "override", f"{SITE}/guard", "--person", "guard-2", "--for", "1h", "--author", "chief-9"
    )
    assert row["people"] == ["guard-2"]
    [mail] = await stack.arrived("guard-2@example.org", "Your shift begins")
    lines = mail.text.splitlines()
    assert mail.subject.startswith("Your shift begins: guard (handover-guard-")
    cases = lines[lines.index("Open matters (2):") + 1 :]
    assert cases[1].startswith("Major complaint | T-2 | ceiling leak | Response by ")  # worst first
    assert cases[2].startswith("Ordinary complaint | T-1 | noise at night | ")
    mail_lines = lines[lines.index("Undelivered mail (1):") + 1 :]
    assert mail_lines[1].startswith("express | P-1 | 2 | ")
    assert "Duties not entered in time (0):" in lines
    [sms] = await stack.arrived("+447700922222", "your shift begins")
    assert "2 open, 1 undelivered, 0 duties late" in sms.text

    await stack.arrived("chief-9@example.org", "Nobody took over: guard")
    assert not stack.to("guard-1@example.org")  # not on shift any more
    assert not stack.to("guard-3@example.org")  # never was

    async def told_once() -> bool:
        waiting = {"policy": "duty", "open": False, "next_due": {"$type": "date"}}
        coming = await stack.database["cases"].distinct("subject", waiting)
        duties = {subject.partition("/")[0] for subject in coming}
        return "lobby_day_handover" in duties and not duties & {"day_handover", "night_handover"}

    await eventually("the guards' duties are left to their rota", told_once)


async def test_whoever_is_on_shift_stands_for_the_role_and_takes_over_by_acknowledging(stack: Stack) -> None:
    [row] = await reeve(
        stack, "override", f"{SITE}/guard", "--person", "guard-3", "--for", "1h", "--author", "chief-9"
    )
    assert row["people"] == ["guard-3"]
    [mail] = await stack.arrived("guard-3@example.org", "Your shift begins")
    subject = mail.subject.partition("(")[2].rstrip(")")
    await stack.post(event("ticket.acknowledged", subject, acknowledged_by="guard-3"))
    closed = await stack.line(subject, "closed", policy="handover")
    assert closed["outcome"] == "acknowledged"
    [on] = await reeve(stack, "now", f"{SITE}/guard")
    assert on["people"] == ["guard-3"]
    on_bus = [message.data for stream in ("EVENTS", "CASES") for message in await stack.on_bus(stream)]
    said = b"".join(data for data in on_bus if b"/reeve/shifts" in data or b"handover-guard-" in data)
    assert said
    assert b"guard-1" not in said  # nobody's shifts are told on the bus
