"""A program that behaves like a service as far as a supervisor can see: ready over HTTP, drains on SIGTERM.

Arguments: port, and `broken` (ends at once) or `deaf` (ignores SIGTERM) if wanted.
"""

from __future__ import annotations

import os
import signal
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import FrameType


class _Ready(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(str(os.getpid()).encode())

    def log_message(self, format: str, *args: object) -> None:
        """Requests are not worth a line."""


def _drain(number: int, frame: FrameType | None) -> None:
    print("drained", flush=True)
    sys.exit(0)


def main() -> None:
    port, *manners = sys.argv[1:]
    if "broken" in manners:
        sys.exit("the setting REEVE_X is wrong")
    signal.signal(signal.SIGTERM, signal.SIG_IGN if "deaf" in manners else _drain)
    print(f"bus {os.environ.get('REEVE_NATS_URL')} sms {os.environ.get('REEVE_SMS_GATEWAY')}", flush=True)
    HTTPServer(("127.0.0.1", int(port)), _Ready).serve_forever()


if __name__ == "__main__":
    main()
