"""The bundle this replica decides with, and how it learns of another one."""

from __future__ import annotations

import asyncio

from nats.aio.msg import Msg

from reeve.contracts.subjects import RULES_ACTIVATED
from reeve.domain.bundle import Bundle
from reeve.ports import Away
from reeve.runtime.bundles import Bundles, NoBundle
from reeve.runtime.bus.connection import BusConnection
from reeve.runtime.telemetry import error_fields, get_log
from services.escalation.metrics import BUNDLE

_POLL_SECONDS = 10.0
"""The announcement comes at once; this is for one that was lost."""

log = get_log(__name__)


class ActiveRules:
    """The active bundle; a batch reads it once, so that it never changes within one."""

    def __init__(self, bundles: Bundles, first: Bundle) -> None:
        self._bundles = bundles
        self._bundle = first
        self._announced = asyncio.Event()
        BUNDLE.labels(version=first.version).set(1)

    @property
    def bundle(self) -> Bundle:
        """The bundle to decide with from now on."""
        return self._bundle

    async def recall(self, digest: str) -> bool:
        """Whether the policy file of that digest is in `bundle.archive` now. Raises StoreAway."""
        return await self._bundles.recall(digest)

    async def run(self, bus: BusConnection) -> None:
        """Follows activations until cancelled."""
        bus.on_reconnect(lambda same_server: self._announced.set())
        await bus.client.subscribe(RULES_ACTIVATED, cb=self._heard)
        while True:
            try:
                await asyncio.wait_for(self._announced.wait(), _POLL_SECONDS)
            except TimeoutError:
                log.debug("Looking whether other rules are active.", action="bundle_poll")
            self._announced.clear()
            try:
                await self._bundles.announce_pending()
                await self.refresh()
            except (Away, NoBundle) as error:
                log.warning("The rules stay as they are.", action="bundle_kept", **error_fields(error))

    async def refresh(self) -> None:
        """`bundle` is what the record calls active. Raises StoreAway or NoBundle; then it stays as it was."""
        if await self._bundles.active_version() == self._bundle.version:
            return
        loaded = await self._bundles.load_active()
        BUNDLE.remove(self._bundle.version)
        BUNDLE.labels(version=loaded.version).set(1)
        log.info("Other rules are active.", action="bundle_loaded", bundle=loaded.version)
        self._bundle = loaded

    async def _heard(self, message: Msg) -> None:
        self._announced.set()
