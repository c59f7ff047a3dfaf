"""The project's complaint rules as the active ones of a record, without each process checking all rules anew."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

from reeve.devstack.servers import ServerUrls
from reeve.domain.bundle import Bundle
from reeve.rulelang.load import read_folder
from reeve.runtime.bundles import Bundles
from reeve.runtime.store import bundles
from reeve.runtime.store.bundles import BundleStore
from reeve.runtime.store.mongo import Database, ensure_indexes, open_database
from reeve.runtime.time_source import SystemTime
from tests.support.patient_store import patient_store

RULES = Path(__file__).parents[2] / "rules"
_NEEDED = ("site.yaml", "sites/", "calendars/", "complaint.yaml", "messages/complaint.yaml")

Seed = tuple[Bundle, dict[str, list[dict[str, Any]]]]
"""The loaded rules, and the documents that make them the active ones of a record."""


def complaint_rules() -> dict[str, bytes]:
    """The project's files that complaints need: quickly loaded, and no duty comes up in the middle of a test."""
    return {path: content for path, content in read_folder(RULES).items() if path.startswith(_NEEDED)}


def few_rules(folder: Path) -> Path:
    """Those files in a folder, for what reads its rules from one."""
    rules = folder / "rules"
    for path, content in complaint_rules().items():
        (rules / path).parent.mkdir(parents=True, exist_ok=True)
        (rules / path).write_bytes(content)
    return rules


async def seed_rules(urls: ServerUrls) -> Seed:
    """Those rules, checked and activated once in a database that is dropped again."""
    client = patient_store(urls.mongo_url, "seed")
    try:
        database = open_database(client, f"seed-{uuid.uuid4().hex[:12]}")
        await ensure_indexes(database, bundles.INDEXES)
        known = Bundles(BundleStore(database), SystemTime())
        await known.activate(complaint_rules(), author="seed")
        bundle = await known.load_active()
        documents = {name: await database[name].find().to_list() for name in await database.list_collection_names()}
        await client.drop_database(database.name)
    finally:
        await client.close()
    return bundle, documents


async def plant(database: Database, seed: Seed) -> None:
    """The seed's rules are the active ones of the record."""
    await ensure_indexes(database, bundles.INDEXES)
    for name, documents in seed[1].items():
        if documents:
            await database[name].insert_many(documents)
