"""One NATS and one MongoDB for this folder; a database, sinks and an empty stream for each test."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from reeve.devstack.servers import ServerUrls
from tests.integration.notify.world import Seed, World, seed_rules, world

HOLDER = Path(__file__).parents[2] / "support" / "server_holder.py"


@pytest.fixture(scope="session")
def server_urls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerUrls]:
    """Both servers, gone with the process that holds them."""
    folder = tmp_path_factory.mktemp("servers")
    holder = subprocess.Popen([sys.executable, str(HOLDER), str(folder)], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout is not None
        line = json.loads(holder.stdout.readline())
        yield ServerUrls(line["nats_url"], line["mongo_url"])
    finally:
        holder.terminate()
        holder.wait(20)
        if holder.stdout is not None:
            holder.stdout.close()


@pytest.fixture(scope="session")
def seeded_rules(server_urls: ServerUrls) -> Seed:
    """The project's own rules as the record holds them; checking and trying them takes seconds, so once."""
    return asyncio.run(seed_rules(server_urls))


@pytest.fixture
async def here(server_urls: ServerUrls, seeded_rules: Seed) -> AsyncIterator[World]:
    """Sinks, a record of its own with the project's rules, and no notify running yet."""
    async with world(server_urls, seeded_rules) as made:
        yield made
