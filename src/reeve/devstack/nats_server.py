"""nats-server with JetStream as a local process."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path

import nats

from reeve.devstack.binaries import Binary, find_nats_server
from reeve.devstack.local_server import HOST, LocalServer
from reeve.devstack.readiness import nats_fault

MAX_PAYLOAD_BYTES = 1_048_576
"""The server's own default, so that nothing works here that a plain production server would refuse."""

_API_SECONDS = 60.0
_FILES_SECONDS = 120.0
_POLL_SECONDS = 0.005

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

    async def drop_streams(self) -> None:
        """No stream is left, nor a file of one. Raises TimeoutError, nats.errors.Error.

        The server answers that a stream is deleted before its files are. One of the same name, made meanwhile, may
        be refused or have the old messages.
        """
        bus = await nats.connect(self.url)
        try:
            jetstream = bus.jetstream(timeout=_API_SECONDS)
            for stream in await jetstream.streams_info():
                await jetstream.delete_stream(str(stream.config.name))
        finally:
            await bus.close()
        async with asyncio.timeout(_FILES_SECONDS):
            while any(self.store.glob("jetstream/*/streams/*")):  # noqa: ASYNC110 - files report nothing
                await asyncio.sleep(_POLL_SECONDS)

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
