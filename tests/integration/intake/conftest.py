"""Servers that the tests of this folder share one after the other, each finding them empty."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.intake import Stack, stack


@pytest.fixture(scope="package")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Both servers, for tests that leave them running."""
    with stack(tmp_path_factory.mktemp("servers")) as running:
        yield running


@pytest.fixture
async def servers(shared: Stack) -> Stack:
    """Both servers, empty."""
    await shared.clear()
    return shared
