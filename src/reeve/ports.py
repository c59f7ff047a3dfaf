"""What the shell needs from the outside, as few protocols as possible. `reeve.runtime` stands behind them.

Errors of the adapters, by what the caller does about them:

ReeveError
├── Away            a server can't be reached or did not answer in time: wait, try again, lose nothing
│   ├── BusAway
│   └── StoreAway
└── Conflict        somebody else changed the same documents first: load them and decide again
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

from reeve.domain.errors import ReeveError


class Away(ReeveError):
    """A server is out of reach; transient, whatever it lasts."""


class BusAway(Away):
    """The bus did not answer or did not acknowledge."""


class StoreAway(Away):
    """The record can't be read or written now; what was asked may or may not have been done."""


class Conflict(ReeveError):
    """Another writer was faster; nothing was written."""


class TimeSource(Protocol):
    """The only thing that tells `now`; read once per batch or tick and passed down."""

    def now(self) -> datetime:
        """Aware UTC."""
        ...


class Message(NamedTuple):
    """One message to publish. `msg_id` (Nats-Msg-Id) makes a repeat within 12 minutes a no-op on the bus."""

    subject: str
    msg_id: str
    payload: bytes
    headers: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Unpublished:
    """A message whose acknowledgement did not come; `index` is its place in what was handed over."""

    index: int
    reason: str
    refused: bool = False
    """The bus said no (too large, no such stream): trying again unchanged is pointless."""


class Publisher(Protocol):
    """Puts messages on the bus, many at a time."""

    async def publish_all(
        self, messages: Iterable[tuple[str, str, bytes, Mapping[str, str] | None]]
    ) -> list[Unpublished]:
        """Every message not in the answer is stored by the bus; order is kept. Never raises for the bus."""
        ...
