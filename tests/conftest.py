"""What every test that needs servers has: one NATS and one MongoDB for each test process."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadScopeScheduling

from tests.support.seeding import Seed, seed_rules
from tests.support.shared_servers import SharedServers

# A shell switches Ctrl-C off for what it runs in the background, and every process that a test starts would inherit
# that: tests that press Ctrl-C would press in vain.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


# How fast examples are made says something of the machine and nothing of what is tested. They are the same every
# time: what a change is judged by hangs on no luck. REEVE_EXPLORE=1 makes others, to find what is still wrong.
settings.register_profile(
    "reeve",
    deadline=None,
    derandomize="REEVE_EXPLORE" not in os.environ,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("reeve")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long ones come first, so that no process is left with one when the others are done."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling | None:
    """With `--dist loadscope` every test goes to whoever is free; only the stories through the whole stack stay
    together, whose module starts that once."""
    return _StoriesTogether(config, log) if config.getvalue("dist") == "loadscope" else None


class _StoriesTogether(LoadScopeScheduling):  # type: ignore[misc] # pytest-xdist says no types
    def _split_scope(self, nodeid: str) -> str:
        return nodeid.partition("::")[0] if nodeid.startswith("tests/acceptance/") else nodeid


@pytest.fixture(scope="session")
def server_pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SharedServers]:
    """Both servers of this process, started when first taken."""
    pair = SharedServers(tmp_path_factory.mktemp("servers"))
    yield pair
    asyncio.run(pair.end())


@pytest.fixture
async def shared_servers(server_pair: SharedServers) -> AsyncIterator[SharedServers]:
    """Both, running and empty. Whoever stops or kills one need not start it again."""
    async with server_pair.taken() as taken:
        yield taken


@pytest.fixture(scope="session")
def seeded_rules(server_pair: SharedServers) -> Seed:
    """The project's rules for complaints as the record holds them."""

    async def made() -> Seed:
        async with server_pair.taken() as taken:
            return await seed_rules(taken.urls)

    return asyncio.run(made())
