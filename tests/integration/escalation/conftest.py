"""A site on empty servers for each test of this folder."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.escalation import Escalation, Site, running_site
from tests.support.seeding import Seed
from tests.support.shared_servers import SharedServers


@pytest.fixture
async def site(shared_servers: SharedServers, seeded_rules: Seed, tmp_path: Path) -> AsyncIterator[Site]:
    """Nothing was posted yet, and no escalation runs."""
    async with running_site(shared_servers, seeded_rules, tmp_path) as running:
        yield running


@pytest.fixture
async def escalation(site: Site) -> AsyncIterator[Escalation]:
    """The service, ready."""
    service = Escalation(site.servers)
    await service.start()
    await service.ready()
    yield service
    await service.kill()
