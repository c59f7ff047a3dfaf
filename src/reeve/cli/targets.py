"""Which servers a command talks to: those named in the environment, else those of a running `reeve up`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Annotated

from pydantic import Field

from reeve.devstack.addresses import running_stack
from reeve.devstack.settings import StackSettings
from reeve.runtime.bus.connection import BusConnection, connect_bus
from reeve.runtime.matchers import MatcherName
from reeve.runtime.store.mongo import Database, connect_store, open_database, store_errors
from reeve.runtime.telemetry import configure_logging

WAIT_SECONDS = 5.0
"""How long a command waits for a server, if nobody says otherwise: a person is watching."""


class TargetSettings(StackSettings):
    """What a command reads from its environment besides what `reeve up` reads."""

    url: str | None = None
    """Address of intake, like http://127.0.0.1:8400."""
    api_key: Annotated[str | None, Field(repr=False)] = None
    """Sent to intake as a bearer token."""
    wait_seconds: Annotated[float, Field(ge=3, le=600)] = WAIT_SECONDS
    """How long a command waits for MongoDB or NATS to answer before it says that it can't be reached."""


@dataclass(frozen=True, slots=True)
class Targets:
    """Where everything is."""

    intake_url: str
    """Without a slash at its end."""
    nats_url: str = field(repr=False)
    mongo_url: str = field(repr=False)
    database: str
    sink_url: str | None
    """The page of the local sinks, with a slash at its end; None: real providers, or nothing runs here."""
    api_key: str | None = field(repr=False)
    local: bool
    """A `reeve up` is running on this data folder."""
    matcher: MatcherName = "closures"
    """The matcher that the services use, as far as the environment says."""
    wait_seconds: float = WAIT_SECONDS
    providers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Settings (REEVE_…) that point at the local sinks of a running `reeve up`, where it has any."""


def find_targets() -> Targets:
    """The servers to talk to; a variable that is set wins over a running `reeve up`. Raises SettingsError.

    From now on only warnings are logged, and on stderr: standard output belongs to the answer.
    """
    settings = TargetSettings.load()
    configure_logging("cli", format="console", level="warning")
    stack = running_stack(settings.data)
    intake_url = settings.url or (stack.intake_url if stack else f"http://127.0.0.1:{settings.intake_port}")
    return Targets(
        intake_url=intake_url.rstrip("/"),
        nats_url=settings.external_nats_url or (stack.nats_url if stack else settings.nats_url),
        mongo_url=settings.external_mongo_url or (stack.mongo_url if stack else settings.mongo_url),
        database=settings.mongo_database,
        sink_url=stack.sink_url if stack else None,
        api_key=settings.api_key,
        local=stack is not None,
        matcher=settings.matcher,
        wait_seconds=settings.wait_seconds,
        providers=stack.providers if stack else {},
    )


@asynccontextmanager
async def open_bus(targets: Targets, name: str) -> AsyncIterator[BusConnection]:
    """The bus inside; raises BusAway when it does not answer within `wait_seconds`."""
    bus = await connect_bus(targets.nats_url, name, wait_seconds=targets.wait_seconds)
    try:
        yield bus
    finally:
        await bus.close()


@asynccontextmanager
async def open_record(targets: Targets, name: str) -> AsyncIterator[Database]:
    """The record inside; raises StoreAway when it does not answer within `wait_seconds`."""
    client = connect_store(targets.mongo_url, name, targets.wait_seconds)
    try:
        with store_errors():
            await client.admin.command("ping")
        yield open_database(client, targets.database)
    finally:
        await client.close()
