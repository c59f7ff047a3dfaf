"""Servers for the tests of this folder, each finding them empty."""

from __future__ import annotations

import pytest

from tests.support.intake import Stack
from tests.support.shared_servers import SharedServers


@pytest.fixture
def servers(shared_servers: SharedServers) -> Stack:
    """Both servers, empty; the test may stop them."""
    return Stack(shared_servers.nats, shared_servers.mongo)
