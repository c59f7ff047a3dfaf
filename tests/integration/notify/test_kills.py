"""Notify dies at random moments while it works off many notifications: `reeve bench kills`, in short."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from reeve.devstack.bench.kills_section import kills
from reeve.devstack.bench.rig import connected_rig, usable_bundle
from reeve.runtime.bus.streams import declare_streams
from tests.support.seeding import few_rules
from tests.support.shared_servers import SharedServers

pytestmark = [pytest.mark.integration, pytest.mark.long]


async def test_nothing_is_lost_and_every_repeat_is_marked(shared_servers: SharedServers, tmp_path: Path) -> None:
    rules = few_rules(tmp_path)
    async with connected_rig(shared_servers.urls, usable_bundle(rules), shared_servers.nats) as connected:
        await declare_streams(connected.bus)
        found = {
            figure.what: figure.value
            async for figure in kills(replace(connected, folder=tmp_path, rules=rules), quick=True)
        }
    assert found["notifications"] >= 290
    assert found["kills"] >= 1, "how many there are time for is the machine's affair"
    assert found["lost"] == 0
    assert found["came again without a mark"] == 0
    assert found["most repeats of one message"] <= found["kills"]
