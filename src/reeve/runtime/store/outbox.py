"""Collection `outbox`: messages that are decided and not yet surely on the bus, many decisions to a document.

A document comes with the transaction that saves its decisions, is marked once when the bus has acknowledged all
of it, and goes when the bus has surely stored it. Decisions themselves are never touched again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime

import orjson
from pymongo import IndexModel

from reeve.ports import DecisionRow, Message, OutboxRow
from reeve.runtime.bus.lanes import LANES
from reeve.runtime.store.mongo import Collection as MongoCollection
from reeve.runtime.store.mongo import Database, Document, store_errors

COLLECTION = "outbox"

INDEXES: dict[str, Sequence[IndexModel]] = {
    COLLECTION: (IndexModel([("lane", 1), ("server_id", 1), ("at", 1)], name="by_server"),)
}

_MOST_BYTES = 4_000_000
"""A document takes 16 MB; an update of a small one is cheaper, and a sweep holds less at once."""
_FRAME_BYTES = 16
_SWEEP_DOCUMENTS = 8


def outbox_rows(decisions: Iterable[DecisionRow]) -> list[OutboxRow]:
    """The decisions' messages as rows of one lane each, in order; the same decisions always give the same rows.

    A row has the id of the first decision in it, which no other row can have.
    """
    rows: list[OutboxRow] = []
    open_rows: dict[int, tuple[DecisionRow, list[str], list[Message]]] = {}
    sizes: dict[int, int] = {}
    for decision in decisions:
        if not decision.messages:
            continue
        lane = decision.lane
        size = sum(len(each.payload) + len(each.subject) + len(each.msg_id) for each in decision.messages)
        size += _FRAME_BYTES * len(decision.messages)
        if lane in open_rows and sizes[lane] + size > _MOST_BYTES:
            rows.append(_row(*open_rows.pop(lane)))
        if lane not in open_rows:
            open_rows[lane] = (decision, [], [])
            sizes[lane] = 0
        _, cases, messages = open_rows[lane]
        cases.append(decision.case)
        messages.extend(decision.messages)
        sizes[lane] += size
    return rows + [_row(*each) for each in open_rows.values()]


def _row(first: DecisionRow, cases: list[str], messages: list[Message]) -> OutboxRow:
    return OutboxRow(first.id, first.lane, first.at, tuple(dict.fromkeys(cases)), tuple(messages))


def outbox_document(row: OutboxRow) -> Document:
    """The row as it is stored, by no server process acknowledged yet."""
    return {
        "_id": row.id,
        "lane": row.lane,
        "at": row.at,
        "server_id": None,
        "published_at": None,
        "cases": list(row.cases),
        "messages": _framed(row.messages),
    }


def outbox_row(document: Document) -> OutboxRow:
    """The row of a stored document, every message the same bytes."""
    return OutboxRow(
        document["_id"],
        document["lane"],
        document["at"],
        tuple(document["cases"]),
        tuple(_unframed(document["messages"])),
    )


def _framed(messages: Iterable[Message]) -> str:
    """Two lines each: subject, id and the payload's length; the payload as it is. One text costs the record less
    than a list of documents, and a person can read it."""
    parts: list[bytes] = []
    for message in messages:
        parts += (orjson.dumps((message.subject, message.msg_id, len(message.payload))), message.payload)
    parts.append(b"")
    return b"\n".join(parts).decode()


def _unframed(text: str) -> Iterator[Message]:
    data = text.encode()
    start = 0
    while start < len(data):
        line_end = data.index(b"\n", start)
        subject, msg_id, length = orjson.loads(data[start:line_end])
        end = line_end + 1 + length
        yield Message(subject, msg_id, data[line_end + 1 : end])
        start = end + 1


class OutboxRows:
    """The rows as escalation's record shows them. Every method raises StoreAway."""

    def __init__(self, database: Database) -> None:
        self.collection: MongoCollection = database[COLLECTION]

    async def unpublished(
        self, lanes: Collection[int], server_id: str, before: datetime, most: int
    ) -> list[OutboxRow]:
        """See `reeve.ports.CaseRecord`."""
        query = {"lane": {"$in": sorted(lanes)}, "server_id": {"$ne": server_id}, "at": {"$lt": before}}
        found: list[OutboxRow] = []
        messages = 0
        with store_errors():
            async for document in self.collection.find(query, batch_size=_SWEEP_DOCUMENTS).sort("at", 1):
                found.append(outbox_row(document))
                messages += len(found[-1].messages)
                if messages >= most:
                    break
        return found

    async def mark_published(self, ids: Collection[str], server_id: str, now: datetime) -> None:
        """See `reeve.ports.CaseRecord`."""
        with store_errors():
            await self.collection.update_many(
                {"_id": {"$in": list(ids)}}, {"$set": {"server_id": server_id, "published_at": now}}
            )

    async def confirm(self, server_id: str, before: datetime) -> int:
        """See `reeve.ports.CaseRecord`."""
        query = {
            # The index leads to those decided long ago; younger ones are not looked at.
            "lane": {"$in": list(range(LANES))},
            "server_id": server_id,
            "at": {"$lt": before},
            "published_at": {"$lt": before},
        }
        with store_errors():
            return (await self.collection.delete_many(query)).deleted_count
