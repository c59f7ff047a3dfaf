"""A program that starts both servers from a thread that then ends, says where they are, and stays.

Argument: the folder. Prints one JSON line: the process ids and the URLs.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import threading
from pathlib import Path

from reeve.devstack.mongo_server import MongoServer
from reeve.devstack.nats_server import NatsServer


async def _start(nats_server: NatsServer, mongo_server: MongoServer) -> None:
    await asyncio.gather(nats_server.start(), mongo_server.start())


def main() -> None:
    folder = Path(sys.argv[1])
    nats_server, mongo_server = NatsServer(folder / "nats"), MongoServer(folder / "mongo")
    starter = threading.Thread(target=lambda: asyncio.run(_start(nats_server, mongo_server)))
    starter.start()
    starter.join()
    line = {
        "pids": [nats_server.pid, mongo_server.pid],
        "nats_url": nats_server.url,
        "mongo_url": mongo_server.url,
    }
    print(json.dumps(line), flush=True)
    signal.pause()


if __name__ == "__main__":
    main()
