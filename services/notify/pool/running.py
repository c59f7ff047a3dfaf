"""The providers that run: what the files say, opened, in pools; exchanged one by one when the files change."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

from reeve.runtime.providers.faults import ProvidersRefused
from reeve.runtime.providers.load import Configured
from services.notify.channels.base import Provider
from services.notify.channels.configured import configured
from services.notify.channels.opening import open_providers
from services.notify.metrics import PROVIDER_QUALITY
from services.notify.pool.choice import Member, ProviderPool
from services.notify.pool.from_files import terms_of
from services.notify.settings import NotifySettings


@dataclass(frozen=True, slots=True)
class _Opened:
    """What stands in a file, and what sends as it says."""

    configured: Configured
    provider: Provider


class RunningProviders:
    """`files` and `pools` are the same objects for as long as the process lives: what they hold changes.

    A channel whose last provider went keeps its pool, with nobody in it.
    """

    def __init__(self, settings: NotifySettings) -> None:
        """Nothing runs until `load`."""
        self._settings = settings
        self._opened: dict[str, _Opened] = {}
        self._leaving: list[Member] = []
        self.files: dict[str, Configured] = {}
        """By name."""
        self.pools: dict[str, ProviderPool] = {}
        """By channel."""

    @property
    def channels(self) -> list[str]:
        """Those that somebody sends on."""
        return sorted(channel for channel, pool in self.pools.items() if pool.members)

    @property
    def takes_replies(self) -> bool:
        """Whether what people reply by SMS comes back to us."""
        # Without the secrets that prove a post, every post is refused.
        files = self.files.values()
        return any(each.channel == "sms" and each.file.inbound is not None and not each.missing for each in files)

    async def load(self) -> None:
        """What the files say runs.

        A provider whose file is as it was stays as it is, with its connections and what is known of it. Raises
        ProvidersRefused with all faults, and then nothing has changed.
        """
        # Not in the loop: reading takes long, and Apprise much longer.
        found = await asyncio.to_thread(configured, self._settings)
        fresh = [each for each in found if not self._runs(each)]
        opened = {each.configured.name: each for each in await self._open(fresh)}
        self._opened = {each.name: opened.get(each.name) or self._opened[each.name] for each in found}
        self.files.clear()
        self.files |= {each.name: each for each in found}
        for channel in {*self.pools, *(each.channel for each in found)}:
            pool = self.pools.setdefault(channel, ProviderPool(()))
            those = [each for each in self._opened.values() if each.provider.channel == channel]
            left = pool.become([(each.provider, terms_of(each.configured.file)) for each in those])
            for name in {each.name for each in left} - pool.names:
                PROVIDER_QUALITY.remove(channel, name)
            self._leaving += left

    async def close_done(self) -> None:
        """Those that are not used any more are closed once what they are sending has ended."""
        done = [each for each in self._leaving if not each.busy]
        self._leaving = [each for each in self._leaving if each.busy]
        for each in done:
            await each.provider.close()

    async def close(self) -> None:
        """All are closed."""
        leaving, self._leaving = self._leaving, []
        opened, self._opened = self._opened, {}
        for provider in (*(each.provider for each in leaving), *(each.provider for each in opened.values())):
            await provider.close()

    def _runs(self, wanted: Configured) -> bool:
        running = self._opened.get(wanted.name)
        return running is not None and running.configured == wanted

    async def _open(self, wanted: Iterable[Configured]) -> list[_Opened]:
        opened: list[_Opened] = []
        try:
            for each in wanted:
                [provider] = await asyncio.to_thread(open_providers, [each], self._settings.public_url)
                opened.append(_Opened(each, provider))
        except ProvidersRefused:
            for done in opened:
                await done.provider.close()
            raise
        return opened
