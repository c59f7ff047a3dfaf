"""Sends on every channel with the providers that the files describe at each moment."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

from reeve.ports import TimeSource
from reeve.runtime.process import cancelled
from reeve.runtime.providers.faults import ProvidersRefused
from reeve.runtime.providers.watching import FilesWatch, tell_refused, tell_taken
from reeve.runtime.telemetry import get_log
from services.notify.hand import Hand
from services.notify.links import AckLinks
from services.notify.pool.running import RunningProviders
from services.notify.recorder import Recorder
from services.notify.settling import put_back

_ROUND_SECONDS = 0.5

log = get_log(__name__)


class Refitter:
    """`run` once, until cancelled: it starts whoever sends, and exchanges providers when their files change."""

    def __init__(
        self,
        providers: RunningProviders,
        watch: FilesWatch,
        run_channel: Callable[[str], Coroutine[Any, Any, None]],
        hand: Hand,
        recorder: Recorder,
        links: AckLinks,
        time_source: TimeSource,
    ) -> None:
        """`run_channel` sends on a channel one message after the other and never ends."""
        self._providers = providers
        self._watch = watch
        self._run_channel = run_channel
        self._hand = hand
        self._recorder = recorder
        self._links = links
        self._time = time_source
        self._senders: dict[str, list[asyncio.Task[None]]] = {}

    async def run(self) -> None:
        """What a sender raises is raised here."""
        watching = asyncio.create_task(self._watch.run(self.look), name="provider files")
        try:
            while True:
                self._start_senders()
                tasks = [watching, *(task for those in self._senders.values() for task in those)]
                ended, _ = await asyncio.wait(tasks, timeout=_ROUND_SECONDS, return_when=asyncio.FIRST_COMPLETED)
                for task in ended:
                    task.result()
                self._put_back()
                await self._providers.close_done()
        finally:
            await cancelled([watching, *(task for those in self._senders.values() for task in those)], 0.5)

    async def look(self) -> None:
        """What the files say runs from now on; where they have faults they are told, and nothing changes."""
        before = self._providers.files.copy()
        try:
            await self._providers.load()
        except ProvidersRefused as refused:
            tell_refused(refused.faults)
            return
        self._links.ways = replace(self._links.ways, sms=self._providers.takes_replies)
        self._hand.serve(self._providers.channels)
        tell_taken(before, self._providers.files)
        for channel in sorted({each.channel for each in before.values()} - set(self._providers.channels)):
            log.warning(
                "A channel has no provider any more; what waits for it goes another way after a while.",
                action="channel_closed",
                channel=channel,
            )

    def _start_senders(self) -> None:
        """As many for a channel as it may send at a time. Where that became less the others find nothing to do."""
        for channel in self._providers.channels:
            those = self._senders.setdefault(channel, [])
            for place in range(len(those), self._providers.pools[channel].connections):
                those.append(asyncio.create_task(self._run_channel(channel), name=f"{channel}-{place}"))

    def _put_back(self) -> None:
        """What waits in hand for a channel that nobody sends on: others may, and who waits too long goes another
        way."""
        now = self._time.now()
        for item in self._hand.take_unserved():
            self._recorder.put(item, put_back(item.delivery, now, item.tries))
            for each in item.others:
                self._recorder.put(each, put_back(each.delivery, now))
