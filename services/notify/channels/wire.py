"""When a request of httpx begins to go out: before that nothing can have been taken, after it nobody knows."""

from __future__ import annotations

from typing import Any

from services.notify.channels.base import Result, Text

_BEGINS = ".send_request_headers.started"
"""How httpcore ends the names of the events that come right before the first byte, of HTTP/1.1 and 2. Not when the
request is handed to httpx: it may connect first, for seconds."""


class Wire:
    """One request; `trace` goes into its extensions."""

    def __init__(self, text: Text) -> None:
        self._text = text
        self._begun = False

    async def trace(self, event: str, info: dict[str, Any]) -> None:
        """httpcore says how far it is. `info` holds the request, and so personal data: it is not looked at."""
        if not self._begun and event.endswith(_BEGINS):
            await self._text.on_wire()
            self._begun = True

    @property
    def silence(self) -> Result:
        """What is known when no answer came."""
        return Result.UNKNOWN if self._begun else Result.TRANSIENT
