"""What a channel is: it sends one text to one address and tells transient, permanent and unknown apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol


class Result(StrEnum):
    """What a channel knows after one attempt."""

    SENT = "sent"
    """The provider has taken it."""
    TRANSIENT = "transient"
    """It was not taken; the same later may be."""
    PERMANENT = "permanent"
    """It was not taken and never will be on this address."""
    UNKNOWN = "unknown"
    """It may have been taken: the answer did not come."""


class Reason(StrEnum):
    """Why; also the label of the metric, so the list is fixed."""

    ACCEPTED = "accepted"
    BAD_ADDRESS = "bad_address"
    """The provider does not know the address, or it can't be one."""
    NO_ADDRESS = "no_address"
    """The recipient is gone or has no address on this channel any more."""
    REFUSED = "refused"
    """The provider refuses this message for good."""
    BUSY = "busy"
    """The provider asks to come back later: greylisting, too many, overloaded."""
    PROVIDER_ERROR = "provider_error"
    """The provider reports a fault of its own."""
    CREDENTIALS = "credentials"
    """The provider does not accept our user name or key: a person must act."""
    UNREACHABLE = "unreachable"
    """No connection to the provider."""
    TIMEOUT = "timeout"
    """The provider did not answer in time."""
    DISCONNECTED = "disconnected"
    """The connection broke before the answer."""
    INTERRUPTED = "interrupted"
    """This service died, or lost its lease, with the delivery in hand."""
    ACKNOWLEDGED = "acknowledged"
    """Not sent: a person has taken the case."""
    CASE_CLOSED = "case_closed"
    """Not sent: the case is closed."""
    NO_TEMPLATE = "no_template"
    """The provider sends approved templates only, and the gateway's file names none for this message."""
    NOBODY = "nobody"
    """Not sent: no recipient can be reached for the role."""
    NO_RECEIPT = "no_receipt"
    """Nobody knows whether it arrived, and no receipt came in time."""
    NOT_DELIVERED = "not_delivered"
    """A receipt says that it did not arrive."""
    SILENCED = "silenced"
    """Not sent: a silence hides it."""
    MERGED = "merged"
    """What it says went out with another message to the same person."""
    OVER_BUDGET = "over_budget"
    """Not sent on this channel: the site's budget for the month is spent, and the grade is a mild one."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of one attempt."""

    result: Result
    reason: Reason
    reference: str | None = None
    """The provider's own id of the message, where it gives one."""
    provider: str = ""
    """Which provider was tried."""


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
        """One attempt has been made; the outcome says what is known of it, and names this provider."""
        ...

    async def close(self) -> None:
        """Connections are given back."""
        ...


class Channel(Protocol):
    """Sends on one medium. Never raises for what the provider or the network does."""

    @property
    def name(self) -> str:
        """As rules spell it: `sms`, `email`."""
        ...

    async def send(self, text: Text) -> Outcome:
        """One attempt has been made; the outcome says what is known of it."""
        ...

    async def close(self) -> None:
        """Connections are given back."""
        ...
