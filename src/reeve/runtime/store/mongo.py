"""The connection to MongoDB, and the one place where its driver's errors become ours.

Every write is acknowledged by a majority and journaled; that costs 8 % of throughput and makes it the record.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import pymongo
from bson.codec_options import CodecOptions
from pymongo import AsyncMongoClient, IndexModel, WriteConcern
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import (
    AutoReconnect,
    BulkWriteError,
    ConnectionFailure,
    DuplicateKeyError,
    ExecutionTimeout,
    NetworkTimeout,
    OperationFailure,
    PyMongoError,
    WTimeoutError,
)
from pymongo.read_concern import ReadConcern

from reeve.ports import Away, Conflict, StoreAway

Document = dict[str, Any]
Client = AsyncMongoClient[Document]
Database = AsyncDatabase[Document]
Collection = AsyncCollection[Document]

_SERVER_SELECTION_MS = 3000
_SOCKET_MS = 20000

_DUPLICATE = 11000
_CONFLICT_CODES = frozenset({112, 251, 24, 246})
"""WriteConflict, NoSuchTransaction, LockTimeout, SnapshotUnavailable: the whole transaction may run again."""


def connect_store(url: str, app_name: str, wait_seconds: float = 0) -> Client:
    """A client that connects when first used and again whenever it must; instants come back aware UTC.

    `wait_seconds`: how long a record that does not answer is waited for, if longer than the 3 s of a service, which
    has people waiting for its own answer. Create it inside the running loop and close it there
    (`await client.close()`).
    """
    wait = max(_SERVER_SELECTION_MS, round(wait_seconds * 1000))
    return AsyncMongoClient(
        url,
        appname=f"reeve-{app_name}",
        w="majority",
        journal=True,
        readConcernLevel="majority",
        retryWrites=True,
        retryReads=True,
        tz_aware=True,
        serverSelectionTimeoutMS=wait,
        socketTimeoutMS=_SOCKET_MS,
        connectTimeoutMS=wait,
    )


def open_database(client: Client, name: str) -> Database:
    """The database; durable writes and majority reads stand here too, so that no URL option weakens them."""
    options: CodecOptions[Document] = CodecOptions(tz_aware=True)
    return client.get_database(
        name,
        codec_options=options,
        write_concern=WriteConcern(w="majority", j=True),
        read_concern=ReadConcern("majority"),
    )


async def ensure_indexes(database: Database, indexes: Mapping[str, Sequence[IndexModel]]) -> None:
    """The collections exist and have these indexes; an index that is already there stays.

    A collection is created here because a transaction that creates one conflicts with every other.
    """
    with store_errors():
        existing = set(await database.list_collection_names())
        for name, models in indexes.items():
            if name not in existing:
                try:
                    await database.create_collection(name)
                except pymongo.errors.CollectionInvalid:
                    pass
                except OperationFailure as error:
                    if error.code != 48:  # NamespaceExists: another process was first
                        raise
            if models:
                await database[name].create_indexes(list(models))


async def insert_missing(collection: Collection, documents: Sequence[Document]) -> None:
    """Every document is there; one whose id was taken stays as it was. Raises the driver's errors."""
    if not documents:
        return
    try:
        await collection.insert_many(documents, ordered=False)
    except BulkWriteError as error:
        faults = error.details.get("writeErrors", ())
        if error.details.get("writeConcernErrors") or any(each["code"] != _DUPLICATE for each in faults):
            raise


async def store_answers(client: Client) -> bool:
    """Whether a primary answers now."""
    try:
        await client.admin.command("ping")
    except PyMongoError:
        return False
    return True


@contextmanager
def store_errors() -> Iterator[None]:
    """Turns the driver's errors into Conflict or StoreAway; what is neither is a bug and passes through."""
    try:
        yield
    except PyMongoError as error:
        ours = translate(error)
        if ours is None:
            raise
        raise ours from error


def translate(error: PyMongoError) -> Away | Conflict | None:
    """Conflict: run the transaction again. StoreAway: wait. None: neither, somebody made a mistake."""
    if isinstance(error, DuplicateKeyError):
        return Conflict("a document with this id was written first")
    if isinstance(error, BulkWriteError):
        codes = {item.get("code") for item in error.details.get("writeErrors", ())}
        if codes and codes <= (_CONFLICT_CODES | {11000}):
            return Conflict("documents were written first by somebody else")
    if error.has_error_label("TransientTransactionError"):
        away = isinstance(error, ConnectionFailure)
        return StoreAway("the record went away within a transaction") if away else Conflict("write conflict")
    if isinstance(error, OperationFailure) and error.code in _CONFLICT_CODES:
        return Conflict("write conflict")
    if error.has_error_label("UnknownTransactionCommitResult"):
        return StoreAway("the record went away while a transaction was committed")
    if isinstance(
        error, ConnectionFailure | AutoReconnect | NetworkTimeout | ExecutionTimeout | WTimeoutError
    ) or error.has_error_label("RetryableWriteError"):
        return StoreAway("the record can't be reached")
    return None
