"""What a provider is: it sends one text to one address and tells transient, permanent and unknown apart."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from reeve.runtime.providers.reasons import Reason, Result

__all__ = ["Outcome", "Provider", "Reason", "Result", "Text"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of one attempt."""

    result: Result
    reason: Reason
    reference: str | None = None
    """The provider's own id of the message, where it gives one."""
    provider: str = ""
    """Which provider was tried."""
    retry_after: timedelta | None = None
    """How long the provider asks to be left alone; None: it does not say."""


async def _nobody_asks() -> None:
    """Nobody wants to know."""


@dataclass(frozen=True, slots=True)
class Text:
    """What is sent, ready to go. Personal data throughout: never logged."""

    id: str
    """The delivery's id: the same text sent again has the same, and so the same Message-ID."""
    to: str
    subject: str
    """One line; channels without subjects ignore it."""
    body: str
    at: datetime
    """When it is sent, aware UTC."""
    message: str = ""
    """Name of the message, for providers that have templates of their own for it."""
    language: str = ""
    """The reader's, as far as it is known."""
    values: Mapping[str, Any] = field(default_factory=dict)
    """What the message's template could name."""
    reply_to: str = ""
    """Where an answer goes, on channels whose messages say so; empty: to the sender."""
    on_wire: Callable[[], Awaitable[None]] = field(default=_nobody_asks, compare=False)
    """Awaited once, right before the first byte after which the provider may have taken the message."""

    def __repr__(self) -> str:
        # Tracebacks and failed assertions print arguments; this one must not print people.
        return f"Text(id={self.id!r})"


class Provider(Protocol):
    """One company or server that sends on a channel. Never raises for what it or the network does."""

    @property
    def name(self) -> str:
        """Its name in its file, also the label of the metrics: `aliyun`."""
        ...

    @property
    def channel(self) -> str:
        """The channel it serves: `sms`."""
        ...

    async def send(self, text: Text) -> Outcome:
        """One attempt has been made; the outcome says what is known of it, and names this provider.

        Where `text.on_wire` was not awaited nothing was sent, and the outcome is never `unknown`.
        """
        ...

    async def close(self) -> None:
        """Connections are given back."""
        ...
