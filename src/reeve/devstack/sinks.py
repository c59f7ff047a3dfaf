"""A local SMTP server and SMS gateway that keep what arrives and show it on a page.

As a program: `python -m reeve.devstack.sinks --smtp-port 2525 --http-port 8025`. In tests: `Sinks()`.

| HTTP | does |
|---|---|
| `GET /` | the page |
| `GET /messages` | the kept messages as JSON, oldest first |
| `DELETE /messages` | forgets them |
| `GET /healthz`, `/readyz` | 200 |
| any other path, GET or POST | is an SMS to be sent |
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from reeve.devstack.errors import PortTaken
from reeve.devstack.launching import port_is_free
from reeve.devstack.mailbox import KEPT_MESSAGES, Mailbox
from reeve.devstack.sink_page import SECURITY_HEADERS, render_page
from reeve.devstack.sms_sink import SmsGateway
from reeve.devstack.smtp_sink import SmtpSink
from reeve.devstack.tiny_http import Request, Response, TinyHttpServer
from reeve.ports import TimeSource
from reeve.runtime.time_source import SystemTime

_LOOPBACK = {"127.0.0.1", "localhost", "[::1]"}
_OWN_PATHS = {"/", "/messages", "/healthz", "/readyz", "/favicon.ico"}


class Sinks:
    """Both sinks in this process, listening inside the context; `port` 0 means any free one."""

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        smtp_port: int = 0,
        http_port: int = 0,
        kept: int = KEPT_MESSAGES,
        time_source: TimeSource | None = None,
    ) -> None:
        self.host = host
        self.mailbox = Mailbox(time_source or SystemTime(), kept)
        self.smtp = SmtpSink(self.mailbox, host, smtp_port)
        self.gateway = SmsGateway(self.mailbox)
        self._http = TinyHttpServer(self._answer, host, http_port)

    @property
    def smtp_port(self) -> int:
        """Where mail is taken, without TLS or login."""
        return self.smtp.port

    @property
    def http_port(self) -> int:
        """Where SMS are taken and the page is shown."""
        return self._http.port

    @property
    def page_url(self) -> str:
        """The page that shows what arrived."""
        return f"http://{self.host}:{self.http_port}/"

    @property
    def gateway_url(self) -> str:
        """Where an SMS is sent, by GET or POST."""
        return f"http://{self.host}:{self.http_port}/sms/send"

    async def __aenter__(self) -> Self:
        """Raises PortTaken."""
        for what, port in (("the mail sink", self.smtp_port), ("the SMS sink", self.http_port)):
            if port and not port_is_free(port, self.host):
                raise PortTaken(what, port, None)
        await self.smtp.start()
        try:
            await self._http.start()
        except OSError:
            await self.smtp.stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.smtp.stop()
        await self._http.stop()

    async def _answer(self, request: Request) -> Response | None:
        if request.path not in _OWN_PATHS or (request.path == "/" and (request.query or request.body)):
            if request.method not in {"GET", "POST"}:
                return Response(405, b"an SMS is sent by GET or POST\n", headers={"Allow": "GET, POST"})
            return await self.gateway.handle(request)
        return self._show(request)

    def _show(self, request: Request) -> Response:
        if self.host in _LOOPBACK and _host_name(request) not in _LOOPBACK:
            # A page of another site must not read these messages by pointing its name at 127.0.0.1.
            return Response(403, b"ask for this by its local address\n")
        if request.path == "/messages" and request.method == "DELETE":
            self.mailbox.clear()
            return Response(204, b"")
        if request.method not in {"GET", "HEAD"}:
            return Response(405, b"GET only\n")
        if request.path == "/":
            page = render_page(self.mailbox.messages).encode("utf-8", "replace")
            return Response(200, page, "text/html; charset=utf-8", SECURITY_HEADERS)
        if request.path == "/messages":
            # ASCII only, because a header that was no text may have come as lone surrogates.
            rows = [message.as_json() for message in self.mailbox.messages]
            return Response(200, json.dumps(rows).encode(), "application/json", SECURITY_HEADERS)
        if request.path == "/favicon.ico":
            return Response(404, b"none\n")
        return Response(200, b"ok\n")


def _host_name(request: Request) -> str:
    host = request.headers.get("host", "")
    return host if host.endswith("]") else host.rpartition(":")[0] or host


async def _serve(options: argparse.Namespace) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with Sinks(
        host=options.host, smtp_port=options.smtp_port, http_port=options.http_port, kept=options.keep
    ) as sinks:
        print(f"mail at {sinks.host}:{sinks.smtp_port}, SMS and page at {sinks.page_url}", flush=True)
        await stopped.wait()


def main(arguments: Sequence[str] | None = None) -> int:
    """Serves until SIGTERM or SIGINT. Returns 0, or 1 if a port is taken."""
    parser = argparse.ArgumentParser(description="Keeps email and SMS instead of sending them, and shows them.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--smtp-port", type=int, default=0, help="0: any free one")
    parser.add_argument("--http-port", type=int, default=0, help="0: any free one")
    parser.add_argument("--keep", type=int, default=KEPT_MESSAGES, help="how many messages to keep")
    try:
        asyncio.run(_serve(parser.parse_args(arguments)))
    except PortTaken as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
