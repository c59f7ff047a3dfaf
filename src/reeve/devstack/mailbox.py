"""What has arrived at the local sinks: the last messages, in order of arrival."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from typing import Literal as OneOf

from reeve.ports import TimeSource

KEPT_MESSAGES = 500
"""Older ones are forgotten, so that a sink that runs for days stays small."""


@dataclass(frozen=True, slots=True)
class Received:
    """One message as a provider would have got it."""

    number: int
    """1 for the first since the sinks started; never used twice."""
    at: datetime
    """When it had arrived whole; aware UTC."""
    channel: OneOf["email", "sms"]
    accepted: bool
    """Whether we told the sender that we took it. False for what we refused, on request, in a test."""
    sender: str
    """Envelope sender, or the `from` of an SMS; empty if none was given."""
    to: tuple[str, ...]
    """Envelope recipients, or the number of an SMS."""
    subject: str
    """Empty for an SMS."""
    text: str
    """The readable part."""
    details: Mapping[str, str] = field(default_factory=dict)
    """Mail headers by lower-case name, or the SMS request's fields plus `method` and `path`."""

    def as_json(self) -> dict[str, Any]:
        """What `/messages` shows."""
        return {
            "number": self.number,
            "at": self.at.isoformat(timespec="milliseconds"),
            "channel": self.channel,
            "accepted": self.accepted,
            "from": self.sender,
            "to": list(self.to),
            "subject": self.subject,
            "text": self.text,
            "details": dict(self.details),
        }


class Mailbox:
    """Shared by the SMTP and the SMS sink; used from one event loop."""

    def __init__(self, time_source: TimeSource, kept: int = KEPT_MESSAGES) -> None:
        self._time_source = time_source
        self._messages: deque[Received] = deque(maxlen=kept)
        self._changed = asyncio.Condition()
        self._count = 0

    @property
    def messages(self) -> list[Received]:
        """Oldest first."""
        return list(self._messages)

    async def add(
        self,
        channel: OneOf["email", "sms"],
        *,
        accepted: bool,
        sender: str,
        to: tuple[str, ...],
        subject: str,
        text: str,
        details: Mapping[str, str],
    ) -> Received:
        """The message is kept, and whoever waits for it goes on."""
        self._count += 1
        message = Received(
            self._count, self._time_source.now(), channel, accepted, sender, to, subject, text, details
        )
        async with self._changed:
            self._messages.append(message)
            self._changed.notify_all()
        return message

    def clear(self) -> None:
        """Nothing has arrived, as far as `messages` is concerned."""
        self._messages.clear()

    async def wait_for(
        self, wanted: Callable[[list[Received]], bool], timeout_seconds: float = 10
    ) -> list[Received]:
        """The messages, once `wanted` is true of them. Raises TimeoutError naming what had arrived."""
        try:
            async with asyncio.timeout(timeout_seconds), self._changed:
                await self._changed.wait_for(lambda: wanted(self.messages))
        except TimeoutError as error:
            summary = [(message.channel, message.to, message.subject) for message in self._messages]
            raise TimeoutError(f"not within {timeout_seconds:g} s; arrived: {summary}") from error
        return self.messages
