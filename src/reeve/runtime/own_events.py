"""Events that Reeve itself puts into the record: answers of recipients, hand-overs of shifts.

They go the way of posted ones: into `events` first, then onto the bus. What the bus did not take here intake's
outbox publishes seconds later, and escalation takes what is still undecided after that straight from the record.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from reeve.contracts.events import parse_event
from reeve.contracts.subjects import events_subject
from reeve.domain.events import Event
from reeve.ports import Message, Publisher, TimeSource
from reeve.runtime.store.events import EventStore, Stored
from reeve.runtime.telemetry import get_log

log = get_log(__name__)


def own_event(
    *, site: str, source: str, id: str, type: str, subject: str, at: datetime, data: Mapping[str, Any]
) -> Event:
    """The event, checked as a posted one is. `id` must be the same whenever the same thing is said again.

    Raises InvalidEvent (permanent): whoever makes such an event has a mistake in it.
    """
    moment = at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    envelope = {"specversion": "1.0", "id": id, "source": source, "type": type, "site": site}
    return parse_event({**envelope, "subject": subject, "time": moment, "data": dict(data)})


class OwnEvents:
    """Puts them there, once each however often they are given."""

    def __init__(self, store: EventStore, publisher: Publisher, time_source: TimeSource) -> None:
        self._store = store
        self._publisher = publisher
        self._time = time_source

    async def put(self, events: Sequence[Event]) -> list[Stored]:
        """All stand in the record, an answer for each in order; new ones are on the bus, or will be soon.

        Raises StoreAway: any of them may be there; the same call again changes nothing about those.
        """
        answers = await self._store.insert(events, self._time.now())
        fresh = [answer.outgoing for answer in answers if answer.outgoing is not None]
        if not fresh:
            return answers
        failed = await self._publisher.publish_all(
            Message(events_subject(each.site, each.type, each.subject), each.key, each.body) for each in fresh
        )
        unpublished = {failure.index for failure in failed}
        if unpublished:
            log.info("The bus gets these events later.", action="own_events_wait", count=len(unpublished))
        published = [each.key for index, each in enumerate(fresh) if index not in unpublished]
        if published:
            await self._store.mark_published(published, self._time.now())
        return answers
