"""One connection to the bus that comes back by itself for ever and knows when the server is a new process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import nats
import nats.errors
from nats.aio.client import Client
from nats.js import JetStreamContext

from reeve.ports import BusAway
from reeve.runtime.telemetry import error_fields, get_log

_RECONNECT_SECONDS = 0.25
_PING_SECONDS = 5
_BUFFERED_BYTES = 2 * 1024 * 1024

log = get_log(__name__)


class BusConnection:
    """A live connection. `generation` grows with every reconnect: what was received before it is stale.

    An acknowledgement must not be sent in a later generation than its message came in: a restored server
    numbers its messages anew, and the acknowledgement would settle a stranger.
    """

    def __init__(self, client: Client) -> None:
        self.client = client
        self.generation = 0
        self.changed = asyncio.Event()
        """Set at every reconnect to another server process; whoever waits clears it."""
        self._server_id = ""
        self._listeners: list[Callable[[bool], None]] = []
        self._loss_listeners: list[Callable[[], None]] = []

    @property
    def jetstream(self) -> JetStreamContext:
        """JetStream over this connection, 5 s for an answer."""
        return self.client.jetstream(timeout=5)

    @property
    def connected(self) -> bool:
        """Whether the socket stands now."""
        return self.client.is_connected

    @property
    def server_id(self) -> str:
        """Identity of the server *process*: a restarted server has another one."""
        return self._server_id

    def on_reconnect(self, listener: Callable[[bool], None]) -> None:
        """Calls `listener(same_server)` after every reconnect; it must not block."""
        self._listeners.append(listener)

    def on_disconnect(self, listener: Callable[[], None]) -> None:
        """Calls `listener()` whenever the socket was lost; it must not block."""
        self._loss_listeners.append(listener)

    async def close(self) -> None:
        """What was published is sent, then the socket is closed; at most a few seconds."""
        if self.client.is_closed:
            return
        try:
            if self.client.is_connected:
                await asyncio.wait_for(self.client.flush(timeout=2), 3)
        except (nats.errors.Error, TimeoutError, OSError) as error:
            log.debug("The bus went away while closing.", action="bus_close", **error_fields(error))
        await self.client.close()

    def _remember_server(self) -> bool:
        """Notes which process answered; true if it is the one from before."""
        # nats-py has no public name for INFO's server_id; the connect tests of this package notice a change.
        server_id = str(self.client._server_info.get("server_id", ""))
        same = server_id == self._server_id
        self._server_id = server_id
        return same

    async def _reconnected(self) -> None:
        self.generation += 1
        same = self._remember_server()
        log.info("The bus is back.", action="bus_reconnected", same_server=same)
        if not same:
            self.changed.set()
        for listener in self._listeners:
            listener(same)

    async def _disconnected(self) -> None:
        for listener in self._loss_listeners:
            listener()
        if not self.client.is_closed:
            log.warning("The bus is away; trying again until it is back.", action="bus_disconnected")

    async def _failed(self, error: Exception) -> None:
        log.debug("The bus reported an error.", action="bus_error", **error_fields(error))


async def connect_bus(url: str, name: str, wait_seconds: float | None = None) -> BusConnection:
    """A connection to the first of the comma-separated servers that answers.

    Waits until one does, or raises BusAway after `wait_seconds`. Later outages never raise here.
    """
    client = Client()
    connection = BusConnection(client)
    try:
        await asyncio.wait_for(
            client.connect(
                servers=[part.strip() for part in url.split(",")],
                name=f"reeve-{name}",
                max_reconnect_attempts=-1,
                reconnect_time_wait=_RECONNECT_SECONDS,  # type: ignore[arg-type]  # seconds, fractions work
                connect_timeout=3,
                ping_interval=_PING_SECONDS,
                max_outstanding_pings=2,
                pending_size=_BUFFERED_BYTES,
                # Subjects are built in one place, which encodes whatever a token can't hold.
                skip_subject_validation=True,
                error_cb=connection._failed,
                disconnected_cb=connection._disconnected,
                reconnected_cb=connection._reconnected,
            ),
            wait_seconds,
        )
    except (TimeoutError, OSError, nats.errors.Error) as error:
        raise BusAway("the bus can't be reached") from error
    connection._remember_server()
    return connection
