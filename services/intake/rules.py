"""What intake takes from the active rules: the names of counts, and the sites whose subjects become digests."""

from __future__ import annotations

import asyncio

from nats.aio.msg import Msg

from reeve.contracts.subjects import RULES_ACTIVATED
from reeve.domain.bundle import Bundle
from reeve.ports import Away, StoreAway
from reeve.runtime.bundles import Bundles, NoBundle
from reeve.runtime.bus.connection import BusConnection
from reeve.runtime.telemetry import error_fields, get_log

_POLL_SECONDS = 10.0
"""The announcement comes at once; this is for one that was lost, or while the bus is away."""

log = get_log(__name__)


class RulesView:
    """Follows the active bundle. Without one nothing is reserved and no subject is replaced."""

    def __init__(self, bundles: Bundles) -> None:
        self._bundles = bundles
        self._bundle: Bundle | None = None
        self._reserved: frozenset[str] = frozenset()
        self._looked = False
        self._announced = asyncio.Event()

    def reserved(self) -> frozenset[str]:
        """Names of the counts of every active policy."""
        return self._reserved

    def digests(self, site: str) -> bool:
        """Whether the site's subjects are stored as digests. Raises StoreAway before the record was asked."""
        if not self._looked:
            raise StoreAway("the rules are not known yet")
        return self._bundle is not None and self._bundle.site(site).subjects == "digest"

    async def listen(self, bus: BusConnection) -> None:
        """Announced activations are followed at once from now on."""
        bus.on_reconnect(lambda same_server: self._announced.set())
        await bus.client.subscribe(RULES_ACTIVATED, cb=self._heard)

    async def run(self) -> None:
        """Follows activations until cancelled."""
        while True:
            try:
                await asyncio.wait_for(self._announced.wait(), _POLL_SECONDS if self._looked else 1.0)
            except TimeoutError:
                log.debug("Looking whether other rules are active.", action="bundle_poll")
            self._announced.clear()
            try:
                await self.refresh()
            except Away as away:
                log.debug("The rules stay as they are.", action="bundle_kept", **error_fields(away))

    async def refresh(self) -> None:
        """What the record calls active is followed. Raises StoreAway; then everything stays as it was."""
        version = await self._bundles.active_version()
        if version is not None and (self._bundle is None or self._bundle.version != version):
            try:
                bundle = await self._bundles.load_active()
            except NoBundle as error:
                log.warning("The active rules can't be read.", action="bundle_unreadable", **error_fields(error))
            else:
                self._bundle = bundle
                policies = bundle.policies.values()
                self._reserved = frozenset(count.name for policy in policies for count in policy.counts)
        self._looked = True

    async def _heard(self, message: Msg) -> None:
        self._announced.set()
