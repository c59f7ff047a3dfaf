"""nats-server with JetStream as a local process."""

from __future__ import annotations

import json
import re
from pathlib import Path

from reeve.devstack.binaries import Binary, find_nats_server
from reeve.devstack.local_server import HOST, LocalServer
from reeve.devstack.readiness import nats_fault

MAX_PAYLOAD_BYTES = 1_048_576
"""The server's own default, so that nothing works here that a plain production server would refuse."""

_LOG_LINE = re.compile(r"^\[\d+\] \S+ \S+ \[(?P<level>[A-Z]{3})\] (?P<text>.*)$")


class NatsServer(LocalServer):
    """nats-server; every start is another `server_id` on the same store."""

    label = "NATS"
    port_setting = "REEVE_NATS_PORT"

    @property
    def url(self) -> str:
        """nats://127.0.0.1:<port>."""
        return f"nats://{HOST}:{self.port}"

    @property
    def store(self) -> Path:
        """JetStream's folder; copy it or put a copy back only while the server is stopped."""
        return self.folder / "store"

    def _binary(self) -> Binary:
        return find_nats_server()

    def _prepare(self) -> list[str]:
        # No sync_interval: the default (2 minutes) is what production has, and what Reeve must survive.
        config = {
            "host": HOST,
            "port": self.port,
            "server_name": "reeve",
            "max_payload": MAX_PAYLOAD_BYTES,
            "jetstream": {"store_dir": str(self.store)},
        }
        path = self.folder / "nats-server.conf"
        path.write_text(json.dumps(config, indent=1), encoding="utf-8")
        return ["--config", str(path)]

    async def _is_ready(self) -> bool:
        return await nats_fault(self.url, timeout_seconds=2) is None

    def _useful(self, line: str) -> str | None:
        match = _LOG_LINE.match(line)
        if match is None:
            return line.removeprefix("nats-server: ")
        return match["text"] if match["level"] in {"FTL", "ERR"} else None
