"""A bundle is compiled beside the event loop, which goes on meanwhile; the swap is between batches."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import cast

import pytest

from reeve.rulelang.load import LoadResult, bundle_version, load_bundle
from reeve.runtime import bundles
from reeve.runtime.bundles import Bundles
from reeve.runtime.store.bundles import Activated, BundleStore, StoredBundle
from reeve.runtime.time_source import SystemTime
from tests.support.changing_rules import rule_files

FILES = rule_files()
VERSION = bundle_version(FILES)


class Store:
    """One recorded bundle, which is active."""

    async def active(self) -> Activated | None:
        return Activated(VERSION, datetime(2026, 3, 2, tzinfo=UTC), "li", "")

    async def get(self, version: str) -> StoredBundle | None:
        return StoredBundle(version, FILES, ())

    async def with_policy(self, digest: str) -> StoredBundle | None:
        return StoredBundle(VERSION, FILES, (digest,))


@pytest.mark.parametrize("how", ["load_active", "recall"])
async def test_events_are_served_while_a_bundle_is_compiled(monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    served, begun = threading.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def slow(files: Mapping[str, bytes]) -> LoadResult:
        loop.call_soon_threadsafe(begun.set)
        assert served.wait(20), "the event loop stood still"
        return load_bundle(files)

    monkeypatch.setattr(bundles, "load_bundle", slow)
    known = Bundles(cast("BundleStore", Store()), SystemTime())
    digest = load_bundle(FILES).require().policies["repair"].digest
    loading = asyncio.create_task(known.load_active() if how == "load_active" else known.recall(digest))
    await begun.wait()
    served.set()
    await loading
    assert await known.recall(digest)
