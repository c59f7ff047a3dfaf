"""The in-memory twin of the bus's publishing side, for tests that need no server; one suite runs on both."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from reeve.ports import Message, Unpublished
from reeve.runtime.bus.streams import STREAMS


class MemoryBus:
    """A `reeve.ports.Publisher`. It never forgets an id; `away` makes it acknowledge nothing."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.away = False
        self._ids: set[tuple[str, str]] = set()

    async def publish_all(
        self, messages: Iterable[tuple[str, str, bytes, Mapping[str, str] | None]]
    ) -> list[Unpublished]:
        """Every message not in the answer is stored, once per stream and id, in order."""
        failed = []
        for index, (subject, msg_id, payload, headers) in enumerate(messages):
            stream = _stream_of(subject)
            if self.away:
                failed.append(Unpublished(index, "the bus is away"))
            elif stream is None:
                failed.append(Unpublished(index, "no stream takes this subject"))
            elif (stream, msg_id) not in self._ids:
                self._ids.add((stream, msg_id))
                self.messages.append(Message(subject, msg_id, payload, headers))
        return failed


def _stream_of(subject: str) -> str | None:
    first = subject.partition(".")[0]
    return next((stream["name"] for stream in STREAMS if f"{first}.>" in stream.get("subjects", ())), None)
