"""A real SMTP server that keeps what it is given, and can be told to misbehave."""

from __future__ import annotations

import asyncio
import email
import email.policy
import weakref
from dataclasses import dataclass
from email.message import EmailMessage
from typing import cast

from aiosmtpd.smtp import SMTP, Envelope, Session

from reeve.devstack.mailbox import Mailbox

_LARGEST_MAIL_BYTES = 33_554_432


@dataclass(slots=True)
class SmtpBehaviour:
    """How the sink answers; the defaults are those of a server in good health."""

    rcpt_reply: str | None = None
    """Instead of accepting a recipient, e.g. `550 5.1.1 no such mailbox`."""
    data_reply: str | None = None
    """Instead of accepting a mail, e.g. `451 4.7.1 greylisted`."""
    delay_seconds: float = 0.0
    """Before the answer to DATA."""
    drop_after_accepting: bool = False
    """The mail is taken, and the connection drops before the answer: the sender can't know."""
    times: int | None = None
    """For so many mails or refused recipients, then healthy again; None means until changed."""


class SmtpSink:
    """Listens from `start` to `stop`; every mail goes into the mailbox."""

    def __init__(self, mailbox: Mailbox, host: str, port: int) -> None:
        self.behaviour = SmtpBehaviour()
        self._mailbox = mailbox
        self._host = host
        self._port = port
        self._server: asyncio.Server | None = None
        self._connections: weakref.WeakSet[SMTP] = weakref.WeakSet()

    @property
    def port(self) -> int:
        """The port listened on; it differs from the one asked for when that was 0."""
        return int(self._server.sockets[0].getsockname()[1]) if self._server else self._port

    async def start(self) -> None:
        """Listens from now on. Raises OSError when the port is taken."""
        self._server = await asyncio.get_running_loop().create_server(self._connect, self._host, self._port)

    async def stop(self) -> None:
        """Listens no more; open connections are cut."""
        if self._server is not None:
            self._server.close()
            for connection in self._connections:
                _cut(connection)
            await self._server.wait_closed()
            self._server = None

    def _connect(self) -> SMTP:
        connection = SMTP(
            self,
            hostname="sink.localhost",
            ident="Reeve sink",
            enable_SMTPUTF8=True,
            data_size_limit=_LARGEST_MAIL_BYTES,
            loop=asyncio.get_running_loop(),
        )
        self._connections.add(connection)
        return connection

    def _next_behaviour(self) -> SmtpBehaviour:
        behaviour = self.behaviour
        if behaviour.times is not None:
            behaviour.times -= 1
            if behaviour.times <= 0:
                self.behaviour = SmtpBehaviour()
        return behaviour

    async def handle_RCPT(  # noqa: N802 - the name is aiosmtpd's
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Answers RCPT TO."""
        if (reply := self.behaviour.rcpt_reply) is not None:
            self._next_behaviour()
            return reply
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Answers the end of DATA; the mail is in the mailbox by then."""
        behaviour = self._next_behaviour()
        content = envelope.content or b""
        mail = email.message_from_bytes(
            content if isinstance(content, bytes) else content.encode(), policy=email.policy.default
        )
        await self._mailbox.add(
            "email",
            accepted=behaviour.data_reply is None,
            sender=envelope.mail_from or "",
            to=tuple(envelope.rcpt_tos),
            subject=_header(mail, "subject"),
            text=_readable(mail),
            details={name.lower(): _header(mail, name) for name in mail},
        )
        await asyncio.sleep(behaviour.delay_seconds)
        if behaviour.drop_after_accepting:
            _cut(server)
        return behaviour.data_reply or "250 2.0.0 OK: kept"


def _cut(connection: SMTP) -> None:
    if connection.transport is not None:
        cast("asyncio.Transport", connection.transport).abort()


def _header(mail: EmailMessage, name: str) -> str:
    try:
        return str(mail.get(name, ""))
    except (ValueError, LookupError, IndexError, AttributeError):
        return "(unreadable header)"  # email.policy.default raises these on some malformed headers


def _readable(mail: EmailMessage) -> str:
    """The plain part, else the HTML one as text, else what can be read of the bytes."""
    part = mail.get_body(preferencelist=("plain", "html"))
    if part is None:
        return ""
    try:
        return str(part.get_content())
    except (LookupError, UnicodeError, ValueError):
        payload = part.get_payload(decode=True)
        return payload.decode("utf-8", "replace") if isinstance(payload, bytes) else ""
