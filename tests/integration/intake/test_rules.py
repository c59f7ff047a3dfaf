"""What intake takes from the active rules."""

from __future__ import annotations

import asyncio
import re

import httpx
import pytest

from reeve.runtime.bundles import Bundles
from reeve.runtime.store.bundles import BundleStore
from reeve.runtime.store.mongo import open_database
from reeve.runtime.time_source import SystemTime
from services.intake import app
from tests.support.intake import Stack, event, eventually
from tests.support.patient_store import patient_store
from tests.support.seeding import complaint_rules
from tests.support.waiting import PATIENCE

pytestmark = pytest.mark.integration


async def _activate(servers: Stack, site: str) -> None:
    """The repository's rules, with one site that wants digests."""
    files = complaint_rules()
    files[f"sites/{site}.yaml"] = b"subjects: digest\n"
    client = patient_store(servers.mongo.url, "test")
    try:
        await Bundles(BundleStore(open_database(client, "reeve")), SystemTime()).activate(files, author="test")
    finally:
        await client.close()


async def test_counts_are_reserved_and_subjects_of_some_sites_become_digests(servers: Stack) -> None:
    await _activate(servers, "harbour")
    async with servers.intake() as (_, client):
        counted = event("1", data={"category": "complaint", "times_on_incident": 3})
        answer = await client.post("/v1/events", json=counted)
        assert (answer.status_code, answer.json()["problems"][0]["path"]) == (422, "$.data.times_on_incident")
        for id_, subject in (("2", "3-1201/2026-11"), ("3", "3-1201/2026-11"), ("4", "3-1202/2026-11")):
            post = event(id_, site="harbour", subject=subject)
            assert (await client.post("/v1/events", json=post)).json() == {"id": id_, "duplicate": False}
        again = await client.post("/v1/events", json=event("2", site="harbour", subject="3-1201/2026-11"))
        assert again.json() == {"id": "2", "duplicate": True}
        await client.post("/v1/events", json=event("5", subject="plain"))

        async def published() -> bool:
            return len(await servers.messages("EVENTS")) == 4

        await eventually("all are on the bus", published)
        on_bus = await servers.messages("EVENTS")
    subjects = [document["subject"] for document in sorted(servers.stored(), key=lambda d: str(d["body"]))]
    assert "1201" not in str(on_bus)
    assert "1201" not in str(servers.stored())
    digests = [subject for subject in subjects if subject != "plain"]
    assert all(re.fullmatch(r"d[0-9a-f]{24}", digest) for digest in digests)
    assert len(digests) == 3
    assert len(set(digests)) == 2


async def test_it_is_ready_for_posts_only_once_it_knows_the_rules(
    servers: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a slow machine that takes longer than intake waits before it listens, and posts are put off."""
    asked = asyncio.Event()
    active_version = Bundles.active_version

    async def slowly(self: Bundles) -> str | None:
        await asked.wait()
        return await active_version(self)

    monkeypatch.setattr(Bundles, "active_version", slowly)
    monkeypatch.setattr(app, "_PREPARE_SECONDS", 0.01)
    async with (
        app.intake(servers.settings()) as running,
        httpx.AsyncClient(base_url=running.url, timeout=PATIENCE) as client,
    ):
        ready = await client.get("/readyz?needs=record")
        assert (ready.status_code, "rules: away" in ready.text) == (503, True)
        assert (await client.get("/readyz")).status_code == 503
        assert (await client.post("/v1/events", json=event("1"))).status_code == 503
        asked.set()

        async def is_ready() -> bool:
            return (await client.get("/readyz?needs=record")).status_code == 200

        await eventually("intake takes posts", is_ready)
        assert (await client.post("/v1/events", json=event("1"))).status_code == 202
