"""The rules folder under a running stack: active at start, and again after every valid save."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from rich.console import Console

from reeve.contracts.outgoing import OutMessage
from reeve.devstack.log_lines import show
from reeve.devstack.servers import ServerUrls
from reeve.devstack.settings import StackSettings
from reeve.runtime.author import login_name
from reeve.runtime.bundles import Bundles
from reeve.runtime.bus.connection import connect_bus
from reeve.runtime.bus.publisher import BusPublisher
from reeve.runtime.bus.streams import declare_streams
from reeve.runtime.rules_folder import RulesFolder
from reeve.runtime.store import bundles
from reeve.runtime.store.mongo import connect_store, ensure_indexes, open_database
from reeve.runtime.store.running_cases import RunningCases
from reeve.runtime.time_source import SystemTime

_NAME = "reeve-up"


@asynccontextmanager
async def watched_rules(
    folder: Path, urls: ServerUrls, settings: StackSettings, console: Console, lang: str = "en"
) -> AsyncIterator[str]:
    """The folder's rules are active inside, as far as they are valid; yields a few sentences about them.

    What later saves bring is told on the console. Raises Away if a server went away in the meantime.
    """
    client = connect_store(urls.mongo_url, _NAME)
    try:
        database = open_database(client, settings.mongo_database)
        await ensure_indexes(database, bundles.INDEXES)
        bus = await connect_bus(urls.nats_url, _NAME)
        try:
            await declare_streams(bus, settings.bus_replicas)
            publisher = BusPublisher(bus)
            await publisher.start()

            async def publish(message: OutMessage) -> None:
                await publisher.publish(message.subject, message.id, message.body)

            store = bundles.BundleStore(database)
            known = Bundles(store, SystemTime(), publish, settings.matcher)

            def tell(text: str) -> None:
                show(console, text)

            cases = RunningCases(database)
            rules = RulesFolder(known, store, folder, tell, login_name(), cases, lang)
            sentence = await rules.start()
            watching = asyncio.create_task(rules.watch(), name="watch the rules folder")
            watching.add_done_callback(lambda task: _say_why_it_ended(task, console))
            try:
                yield sentence
            finally:
                watching.cancel()
                await asyncio.gather(watching, return_exceptions=True)
        finally:
            await bus.close()
    finally:
        await client.close()


def _say_why_it_ended(task: asyncio.Task[None], console: Console) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        show(console, f"The rules folder is watched no more ({type(error).__name__}: {error}); restart reeve up.")
