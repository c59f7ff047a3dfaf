"""The bundle that texts, sites and ladders are read from: always the current one."""

from __future__ import annotations

import asyncio

from nats.aio.msg import Msg

from reeve.contracts.subjects import RULES_ACTIVATED
from reeve.domain.bundle import Bundle
from reeve.ports import StoreAway
from reeve.runtime.bundles import Bundles, NoBundle
from reeve.runtime.bus.connection import BusConnection
from reeve.runtime.telemetry import error_fields, get_log

_POLL_SECONDS = 10.0
"""The announcement comes at once; this is for one that was lost."""
_FIRST_SECONDS = 0.5

log = get_log(__name__)


class ActiveRules:
    """A `BundleSource` on the record; an outage keeps the last one."""

    def __init__(self, bundles: Bundles) -> None:
        self._bundles = bundles
        self._bundle: Bundle | None = None
        self._announced = asyncio.Event()

    @property
    def loaded(self) -> bool:
        """Whether there is a bundle to work with."""
        return self._bundle is not None

    async def current(self) -> Bundle:
        """The active bundle. Raises StoreAway while none could be loaded."""
        if self._bundle is None:
            await self.refresh()
        if self._bundle is None:
            raise StoreAway("no rules are active yet")
        return self._bundle

    async def run(self, bus: BusConnection) -> None:
        """Follows activations until cancelled."""
        bus.on_reconnect(lambda same_server: self._announced.set())
        await bus.client.subscribe(RULES_ACTIVATED, cb=self._heard)
        while True:
            try:
                await self.refresh()
            except StoreAway as error:
                log.debug("The rules stay as they are.", action="bundle_kept", **error_fields(error))
            try:
                wait = _POLL_SECONDS if self.loaded else _FIRST_SECONDS
                await asyncio.wait_for(self._announced.wait(), wait)
            except TimeoutError:
                continue
            self._announced.clear()

    async def refresh(self) -> None:
        """The bundle is what the record calls active. Raises StoreAway; then it stays as it was."""
        version = await self._bundles.active_version()
        if version is None or (self._bundle is not None and self._bundle.version == version):
            return
        try:
            self._bundle = await self._bundles.load_active()
        except NoBundle as error:
            raise StoreAway(error.reason) from error
        log.info("Other rules are active.", action="bundle_loaded", bundle=version)

    async def _heard(self, message: Msg) -> None:
        self._announced.set()
