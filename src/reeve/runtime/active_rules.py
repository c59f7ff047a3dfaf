"""The active bundle as one process sees it, and how it learns of another one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from nats.aio.msg import Msg

from reeve.contracts.subjects import RULES_ACTIVATED, RULES_REJECTED
from reeve.domain.bundle import Bundle
from reeve.ports import Away, StoreAway
from reeve.runtime import rules_metrics
from reeve.runtime.bundles import Bundles, NoBundle
from reeve.runtime.bus.connection import BusConnection
from reeve.runtime.telemetry import error_fields, get_log

_POLL_SECONDS = 10.0
"""The announcement comes at once; this is for one that was lost, or while the bus is away."""
_FIRST_SECONDS = 0.5
"""The same while there is no bundle yet: a service waits for its first."""

log = get_log(__name__)


class ActiveRules:
    """Follows the active bundle; an outage, or a bundle that can't be read, keeps the last one.

    A batch reads `bundle` once, so that it never changes within one.
    """

    def __init__(
        self, bundles: Bundles, first: Bundle | None = None, taken: Callable[[Bundle], None] | None = None
    ) -> None:
        """`taken` is called with every bundle that becomes the one to work with, `first` included."""
        self._bundles = bundles
        self._listeners = [rules_metrics.show_active] + ([taken] if taken is not None else [])
        self._bundle: Bundle | None = None
        self._asked = False
        self._announced = asyncio.Event()
        self._looking = asyncio.Lock()
        if first is not None:
            self._take(first)

    def on_taken(self, listener: Callable[[Bundle], None]) -> None:
        """`listener` is called with every bundle that becomes the one to work with from now on."""
        self._listeners.append(listener)

    @property
    def loaded(self) -> bool:
        """Whether there is a bundle to work with."""
        return self._bundle is not None

    @property
    def asked(self) -> bool:
        """Whether the record has said which bundle is active, or that none is."""
        return self._asked

    @property
    def bundle(self) -> Bundle:
        """The bundle to work with from now on. Raises StoreAway while there is none."""
        if self._bundle is None:
            raise StoreAway("no rules are active yet")
        return self._bundle

    async def current(self) -> Bundle:
        """`bundle`, looked for in the record if there is none yet. Raises StoreAway."""
        if self._bundle is None:
            await self.refresh()
        return self.bundle

    async def recall(self, digest: str) -> bool:
        """Whether the policy file of that digest is in `bundle.archive` now. Raises StoreAway."""
        return await self._bundles.recall(digest)

    async def listen(self, bus: BusConnection) -> None:
        """Announced activations are followed at once from now on, while `run` runs.

        Plain NATS without acknowledgement: the record is the truth, an announcement only says when to look.
        """
        bus.on_reconnect(lambda same_server: self._announced.set())
        await bus.client.subscribe(RULES_ACTIVATED, cb=self._heard)
        await bus.client.subscribe(RULES_REJECTED, cb=self._heard_rejected)

    async def run(self) -> None:
        """Follows activations until cancelled, and announces one that nobody could announce yet."""
        while True:
            self._announced.clear()
            try:
                await self._bundles.announce_pending()
                await self.refresh()
            except Away as error:
                log.debug("The rules stay as they are.", action="bundle_kept", **error_fields(error))
            try:
                # Not wait_for: Python 3.11's loses a cancellation that comes together with the news.
                async with asyncio.timeout(_POLL_SECONDS if self.loaded else _FIRST_SECONDS):
                    await self._announced.wait()
            except TimeoutError:
                log.debug("Looking whether other rules are active.", action="bundle_poll")

    async def refresh(self) -> None:
        """`bundle` is what the record calls active, if it can be read. Raises StoreAway; then it stays.

        Whoever asks while somebody looks waits for that one: a bundle is loaded once.
        """
        async with self._looking:
            version = await self._bundles.active_version()
            if version is not None and (self._bundle is None or self._bundle.version != version):
                await self._load()
            self._asked = True

    async def _load(self) -> None:
        try:
            loaded = await self._bundles.load_active()
        except NoBundle as error:
            rules_metrics.OUTCOMES.labels(outcome="unreadable").inc()
            log.warning("The active rules can't be read.", action="bundle_unreadable", **error_fields(error))
        else:
            if self._bundle is not None:
                rules_metrics.OUTCOMES.labels(outcome="activated").inc()
            log.info("Other rules are active.", action="bundle_loaded", bundle=loaded.version)
            self._take(loaded)

    def _take(self, bundle: Bundle) -> None:
        self._bundle = bundle
        self._asked = True
        for listener in self._listeners:
            listener(bundle)

    async def _heard(self, message: Msg) -> None:
        self._announced.set()

    async def _heard_rejected(self, message: Msg) -> None:
        # What was wrong is in the notice, and was told to whoever tried.
        rules_metrics.OUTCOMES.labels(outcome="rejected").inc()
        log.warning("Other rules were rejected; the active ones stay.", action="bundle_rejected")
