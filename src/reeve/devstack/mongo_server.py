"""mongod as a local replica set of one node."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from reeve.devstack.binaries import Binary, find_mongod
from reeve.devstack.local_server import HOST, LocalServer

REPLICA_SET = "reeve"
_CACHE_GIGABYTES = "0.5"
"""mongod's own default, half of the memory, is meant for a machine of its own."""
_OPLOG_MEGABYTES = "512"
_PING_MILLISECONDS = 1500


class MongoServer(LocalServer):
    """mongod with transactions; it is primary again after every start, on whichever port."""

    label = "MongoDB"
    port_setting = "REEVE_MONGO_PORT"

    @property
    def url(self) -> str:
        """mongodb://127.0.0.1:<port>/?replicaSet=reeve."""
        return f"mongodb://{HOST}:{self.port}/?replicaSet={REPLICA_SET}"

    def _binary(self) -> Binary:
        return find_mongod(self.folder)

    def _prepare(self) -> list[str]:
        data = self.folder / "data"
        data.mkdir(parents=True, exist_ok=True)
        return [
            *("--dbpath", str(data), "--port", str(self.port), "--bind_ip", HOST, "--nounixsocket"),
            *("--replSet", REPLICA_SET, "--oplogSize", _OPLOG_MEGABYTES),
            *("--wiredTigerCacheSizeGB", _CACHE_GIGABYTES),
            *("--logpath", str(self.log), "--logappend", "--quiet"),
            *("--setParameter", "diagnosticDataCollectionEnabled=false"),
            # A primary waits 15 s for another to take over when told to stop; here there is no other.
            *("--setParameter", "shutdownTimeoutMillisForSignaledShutdown=100"),
        ]

    async def _is_ready(self) -> bool:
        # The asynchronous client leaves a socket open when it is closed while it connects, as it would here.
        return await asyncio.to_thread(self._ask)

    def _ask(self) -> bool:
        with MongoClient[dict[str, Any]](
            HOST, self.port, directConnection=True, serverSelectionTimeoutMS=_PING_MILLISECONDS
        ) as client:
            try:
                return self._primary(client)
            except PyMongoError:
                return False

    def _primary(self, client: MongoClient[dict[str, Any]]) -> bool:
        """Whether it is primary under its present address; initiates or readdresses the set if need be."""
        hello = client.admin.command("hello")
        member = {"_id": 0, "host": f"{HOST}:{self.port}"}
        if hello.get("isWritablePrimary") and hello.get("hosts") == [member["host"]]:
            return True
        if "setName" not in hello and hello.get("isreplicaset") and not self._has_config(client):
            client.admin.command("replSetInitiate", {"_id": REPLICA_SET, "members": [member]})
            return False
        config = (client.admin.command("replSetGetConfig"))["config"]
        if [known["host"] for known in config["members"]] != [member["host"]]:
            config.update(members=[member], version=config["version"] + 1)
            client.admin.command("replSetReconfig", config, force=True)
        return False

    def _has_config(self, client: MongoClient[dict[str, Any]]) -> bool:
        return client["local"]["system.replset"].find_one() is not None

    def _useful(self, line: str) -> str | None:
        try:
            entry = json.loads(line)
        except ValueError:
            return line
        if not isinstance(entry, dict) or entry.get("s") not in {"E", "F"}:
            return None
        attributes = entry.get("attr", {})
        detail = attributes.get("error") or attributes.get("errorMessage") or ""
        text = detail if isinstance(detail, str) else json.dumps(detail, ensure_ascii=False)
        return f"{entry.get('msg', '')} {text}".strip()
