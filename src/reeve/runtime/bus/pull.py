"""A continuous pull: the bus keeps handing messages over, never more than the buffer has room for.

A fetch per batch costs 80-100 µs a message, this about 20. One pull reads one durable consumer.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import nats.errors
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from reeve.ports import BusAway
from reeve.runtime.bus.connection import BusConnection
from reeve.runtime.telemetry import get_log

_EXPIRES_SECONDS = 30
_HEARTBEAT_SECONDS = 3
_NANO = 1_000_000_000

log = get_log(__name__)


@dataclass(frozen=True, slots=True)
class Durable:
    """A durable pull consumer with explicit acknowledgement, as it must exist on the bus."""

    stream: str
    name: str
    filter: str
    ack_wait_seconds: float = 30.0
    max_ack_pending: int = 4096
    max_deliver: int = -1
    """Deliveries before the bus gives up; -1: never, the consumer itself ends a poisoned message."""

    def request(self) -> dict[str, Any]:
        """The body of the bus's CONSUMER.CREATE call."""
        return {
            "stream_name": self.stream,
            "action": "",
            "config": {
                "durable_name": self.name,
                "name": self.name,
                "filter_subject": self.filter,
                "ack_policy": "explicit",
                "ack_wait": int(self.ack_wait_seconds * _NANO),
                "max_ack_pending": self.max_ack_pending,
                "max_deliver": self.max_deliver,
                "deliver_policy": "all",
                "replay_policy": "instant",
                "max_waiting": 64,
            },
        }


@dataclass(slots=True)
class Received:
    """One message in hand. Its verdict is exactly one of ack, nak, term, or none (shutdown)."""

    subject: str
    data: bytes
    headers: dict[str, str] | None
    reply: str
    generation: int
    """The connection's generation it came in; its verdict is void in a later one."""

    delivery: int = 1
    """How many times it has been delivered, this time included."""
    stamp: int = 0
    """When the stream stored it, in nanoseconds: restores the order of messages from several consumers."""

    @classmethod
    def of(cls, message: Msg, generation: int) -> Received:
        """A message that a consumer delivered; what it says about itself stands in its reply subject."""
        tokens = message.reply.split(".")
        # With a domain there are two tokens more in front of the stream's name.
        skip = 2 if len(tokens) >= 11 else 0
        return cls(
            message.subject,
            message.data,
            message.headers,
            message.reply,
            generation,
            int(tokens[4 + skip]),
            int(tokens[7 + skip]),
        )


class ContinuousPull:
    """Hands every message of one durable to `sink`, in order, as fast as `room()` allows."""

    def __init__(
        self,
        bus: BusConnection,
        durable: Durable,
        sink: Callable[[Received], None],
        room: Callable[[], int],
    ) -> None:
        """`sink` must not block; `room` says how many more messages the buffer can take."""
        self._bus = bus
        self.durable = durable
        self._sink = sink
        self._room = room
        self._outstanding = 0
        self._inbox = ""
        self._heard_at = 0.0
        self._subscription: Subscription | None = None
        self._watch: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        self._renew = True

    async def start(self) -> None:
        """The durable exists and is being read. Raises BusAway."""
        await ensure_durable(self._bus, self.durable)
        self._bus.on_reconnect(self._reconnected)
        self._watch = asyncio.create_task(self._keep_asking(), name=f"pull {self.durable.name}")

    async def stop(self) -> None:
        """Nothing more is asked for or handed over."""
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)
            self._watch = None
        await self._drop_subscription()

    def taken(self) -> None:
        """The buffer has been emptied a little: ask for more if it is time."""
        if self._outstanding < self._low_water():
            self._wake.set()

    def _low_water(self) -> int:
        """Asked for again below this; by halves, because each request stays open on the bus until it is filled."""
        return max(1, self._room() // 2)

    def _reconnected(self, same_server: bool) -> None:
        self._renew = True
        self._wake.set()

    async def _keep_asking(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                if self._renew and self._bus.connected:
                    await self._start_afresh()
                await self._ask()
            except (BusAway, nats.errors.Error, OSError):
                self._renew = True
                await asyncio.sleep(_HEARTBEAT_SECONDS / 10)
                continue
            try:
                async with asyncio.timeout(_HEARTBEAT_SECONDS):  # wait_for of Python 3.11 may lose a cancellation
                    await self._wake.wait()
            except TimeoutError:
                # Heartbeats come while a request is open; silence means that the bus forgot it.
                if self._outstanding and loop.time() - self._heard_at > 3 * _HEARTBEAT_SECONDS:
                    self._renew = True
            self._wake.clear()

    async def _start_afresh(self) -> None:
        """A new inbox and no request open: whatever was asked before counts for nothing."""
        await self._drop_subscription()
        await ensure_durable(self._bus, self.durable)
        self._inbox = self._bus.client.new_inbox()
        self._outstanding = 0
        self._heard_at = asyncio.get_running_loop().time()
        self._subscription = await self._bus.client.subscribe(
            self._inbox, cb=self._received, pending_msgs_limit=-1, pending_bytes_limit=-1
        )
        self._renew = False

    async def _drop_subscription(self) -> None:
        if self._subscription is None:
            return
        subscription, self._subscription = self._subscription, None
        try:
            await subscription.unsubscribe()
        except (nats.errors.Error, OSError):
            log.debug("A pull ended while the bus was away.", action="pull_end", durable=self.durable.name)

    async def _ask(self) -> None:
        wanted = self._room() - self._outstanding
        if self._renew or wanted <= 0 or self._outstanding >= self._low_water():
            return
        body = {
            "batch": wanted,
            "expires": _EXPIRES_SECONDS * _NANO,
            "idle_heartbeat": _HEARTBEAT_SECONDS * _NANO,
        }
        self._outstanding += wanted
        await self._bus.client.publish(
            f"$JS.API.CONSUMER.MSG.NEXT.{self.durable.stream}.{self.durable.name}",
            json.dumps(body).encode(),
            reply=self._inbox,
        )

    async def _received(self, message: Msg) -> None:
        self._heard_at = asyncio.get_running_loop().time()
        headers = message.headers
        if headers is not None and not message.reply and "Status" in headers:
            self._status(headers)
            return
        self._outstanding = max(0, self._outstanding - 1)
        self._sink(Received.of(message, self._bus.generation))
        if self._outstanding < self._low_water():
            self._wake.set()

    def _status(self, headers: dict[str, str]) -> None:
        status = headers["Status"]
        if status == "100":
            return  # heartbeat
        left = headers.get("Nats-Pending-Messages")
        if status in ("408", "404") or (status == "409" and left is not None):
            # The request ended before it was filled; what it did not bring is asked for again.
            self._outstanding = max(0, self._outstanding - int(left)) if left is not None else 0
        else:
            # 503, or 409 without a count: consumer deleted, leader changed, server going down.
            self._renew = True
        self._wake.set()


async def ensure_durable(bus: BusConnection, durable: Durable) -> None:
    """The consumer exists; one that exists keeps its place, its limits become these. Raises BusAway."""
    call = f"$JS.API.CONSUMER.CREATE.{durable.stream}.{durable.name}.{durable.filter}"
    try:
        reply = await bus.client.request(call, json.dumps(durable.request()).encode(), timeout=5)
    except (nats.errors.Error, TimeoutError, OSError) as error:
        raise BusAway("the bus did not answer") from error
    answer = json.loads(reply.data)
    if "error" in answer:
        raise BusAway(f"consumer {durable.name}: {answer['error'].get('description', 'refused')}")


async def acknowledge(bus: BusConnection, received: Received, verdict: bytes = b"+ACK") -> None:
    """The verdict is on its way; it is not sent when the connection was renewed since (see `generation`)."""
    if received.generation != bus.generation or not bus.connected or not received.reply:
        return
    try:
        await bus.client.publish(received.reply, verdict)
    except (nats.errors.Error, OSError):
        log.debug("A verdict could not be sent; the message comes again.", action="verdict_unsent")


def nak(delay_seconds: float) -> bytes:
    """The verdict 'again, but not before this delay'."""
    return b"-NAK " + json.dumps({"delay": int(delay_seconds * _NANO)}).encode()


TERM = b"+TERM"
PROGRESS = b"+WPI"
