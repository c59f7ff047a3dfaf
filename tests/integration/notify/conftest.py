"""A database, sinks and empty streams for each test of this folder."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.integration.notify.world import World, world
from tests.support.seeding import Seed
from tests.support.shared_servers import SharedServers


@pytest.fixture
async def here(seeded_rules: Seed, shared_servers: SharedServers, tmp_path: Path) -> AsyncIterator[World]:
    """Sinks, a record of its own with the project's rules, and no notify running yet."""
    async with world(shared_servers.urls, seeded_rules, tmp_path / "world") as made:
        yield made
