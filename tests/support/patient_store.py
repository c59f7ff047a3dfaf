"""The test's own way to the record: where Reeve says after seconds that it is away, a test goes on waiting."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from reeve.runtime.store import mongo
from reeve.runtime.store.mongo import Client
from tests.support.waiting import PATIENCE


@contextmanager
def patiently() -> Iterator[None]:
    """Connections to the record that are made inside wait as long as a test does."""
    with patch.object(mongo, "_SERVER_SELECTION_MS", round(PATIENCE * 1000)):
        yield


def patient_store(url: str, app_name: str) -> Client:
    """As `connect_store`, for a record that runs, however slowly."""
    with patiently():
        return mongo.connect_store(url, app_name)
