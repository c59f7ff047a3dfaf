"""Email over SMTP on connections that are kept and reused; `reeve bench notify` says what that saves."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from typing import Literal as OneOf

import aiosmtplib
from pydantic import SecretStr

from services.notify.channels.base import Outcome, Reason, Result, Text
from services.notify.channels.certificates import Connecting
from services.notify.channels.mail_bytes import BadHeader, MailBuilder

Tls = OneOf["auto", "starttls", "tls", "none"]

_IDLE_SECONDS = 25.0
"""A connection unused for longer is not trusted: servers close idle ones."""

_DONE = frozenset({250, 251})
_CREDENTIAL_CODES = frozenset({530, 534, 535, 538})


class _Connection:
    """One SMTP session and what is known of its health."""

    def __init__(self, smtp: aiosmtplib.SMTP) -> None:
        self.smtp = smtp
        self.sent = 0
        self.used_at = 0.0


class SmtpProvider:
    """Sends mail through one SMTP server, `connections` at a time at most."""

    channel = "email"

    def __init__(
        self,
        host: str,
        port: int,
        sender: str,
        *,
        username: str | None = None,
        password: SecretStr | None = None,
        tls: Tls = "auto",
        timeout_seconds: float = 30.0,
        connections: int = 4,
        messages_per_connection: int = 500,
        name: str = "smtp",
    ) -> None:
        """Raises ValueError when `sender` is no address."""
        self.name = name
        self._host = host
        self._port = port
        self._builder = MailBuilder(sender)
        self._username = username
        self._password = password
        self._tls = tls
        self._timeout = timeout_seconds
        self._most_messages = messages_per_connection
        self._places = asyncio.Semaphore(connections)
        self._idle: list[_Connection] = []
        self._connecting = Connecting(name)

    async def send(self, text: Text) -> Outcome:
        """One attempt; the reference is the Message-ID, the same for every attempt of a delivery."""
        try:
            mail = self._builder.build(text)
        except (BadHeader, UnicodeError):
            return Outcome(Result.PERMANENT, Reason.BAD_ADDRESS, provider=self.name)
        if any(each in "<> \t" for each in text.to):  # it would end the command's argument early
            return Outcome(Result.PERMANENT, Reason.BAD_ADDRESS, provider=self.name)
        reference = self._builder.message_id(text.id)
        async with self._places:
            return replace(await self._attempt(text, mail, reference), provider=self.name)

    async def close(self) -> None:
        """Every idle connection says goodbye, or is cut when that takes longer than a second."""
        idle, self._idle = self._idle, []
        for connection in idle:
            with contextlib.suppress(aiosmtplib.SMTPException, OSError, TimeoutError):
                await asyncio.wait_for(connection.smtp.quit(), 1)
            connection.smtp.close()

    async def _attempt(self, text: Text, mail: bytes, reference: str) -> Outcome:
        connection = self._take_idle()
        if connection is not None:
            try:
                return await self._send_on(connection, text, mail, reference)
            except _Stale:
                pass  # closed by the server while idle, before it was given anything: a fresh one will do
        try:
            connection = await self._connect()
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            return self._not_connected(error)
        self._connecting.worked()
        try:
            return await self._send_on(connection, text, mail, reference)
        except _Stale:
            return Outcome(Result.TRANSIENT, Reason.DISCONNECTED)

    def _take_idle(self) -> _Connection | None:
        now = asyncio.get_running_loop().time()
        while self._idle:
            connection = self._idle.pop()
            if connection.smtp.is_connected and now - connection.used_at < _IDLE_SECONDS:
                return connection
            connection.smtp.close()
        return None

    async def _connect(self) -> _Connection:
        smtp = aiosmtplib.SMTP(
            hostname=self._host,
            port=self._port,
            username=self._username,
            password=self._password.get_secret_value() if self._password else None,
            timeout=self._timeout,
            use_tls=self._tls == "tls",
            start_tls={"starttls": True, "none": False}.get(self._tls),
        )
        try:
            await smtp.connect()
            if smtp.is_ehlo_or_helo_needed:
                try:
                    await smtp.ehlo()
                except aiosmtplib.SMTPHeloError:
                    await smtp.helo()
        except BaseException:
            smtp.close()
            raise
        return _Connection(smtp)

    def _not_connected(self, error: Exception) -> Outcome:
        """Nothing was given to the server, so nothing is lost."""
        if isinstance(error, aiosmtplib.SMTPAuthenticationError):
            return Outcome(Result.TRANSIENT, Reason.CREDENTIALS)
        if isinstance(error, aiosmtplib.SMTPResponseException):
            return Outcome(Result.TRANSIENT, Reason.BUSY)
        return Outcome(Result.TRANSIENT, self._connecting.failed(error))

    async def _send_on(self, connection: _Connection, text: Text, mail: bytes, reference: str) -> Outcome:
        """Raises _Stale when the connection was gone before the server could have taken anything."""
        smtp = connection.smtp
        given = False
        keep = False
        try:
            await _addressed(smtp, "MAIL FROM", self._builder.address, aiosmtplib.SMTPSenderRefused)
            await _addressed(smtp, "RCPT TO", text.to, aiosmtplib.SMTPRecipientRefused)
            await _all_but_the_end(smtp, mail)
            # A mail that has no end is none (RFC 5321 §4.1.1.4): up to here nothing can have been delivered.
            await text.on_wire()
            given = True
            answer = await smtp.execute_command(b".")
            if answer.code != aiosmtplib.SMTPStatus.completed:
                raise aiosmtplib.SMTPDataError(answer.code, answer.message)
            keep = True
            return Outcome(Result.SENT, Reason.ACCEPTED, reference)
        except aiosmtplib.SMTPResponseException as error:
            if not 400 <= error.code < 600:  # neither yes nor no: who talks like this is not asked again
                return Outcome(Result.UNKNOWN if given else Result.TRANSIENT, Reason.PROVIDER_ERROR, reference)
            keep = error.code != 421 and await self._reset(smtp)
            return _answered(error)
        except (aiosmtplib.SMTPTimeoutError, TimeoutError):
            return Outcome(Result.UNKNOWN if given else Result.TRANSIENT, Reason.TIMEOUT, reference)
        except (aiosmtplib.SMTPException, OSError) as error:
            if given:
                return Outcome(Result.UNKNOWN, Reason.DISCONNECTED, reference)
            raise _Stale from error
        finally:
            self._give_back(connection, keep)

    async def _reset(self, smtp: aiosmtplib.SMTP) -> bool:
        """Whether the connection is good for another mail after a refusal."""
        try:
            await smtp.rset()
        except (aiosmtplib.SMTPException, OSError, TimeoutError):
            return False
        return True

    def _give_back(self, connection: _Connection, keep: bool) -> None:
        connection.sent += 1
        if keep and connection.sent < self._most_messages and connection.smtp.is_connected:
            connection.used_at = asyncio.get_running_loop().time()
            self._idle.append(connection)
        else:
            connection.smtp.close()


class _Stale(Exception):
    """The connection was gone before anything was given to the server."""


async def _addressed(
    smtp: aiosmtplib.SMTP,
    command: str,
    address: str,
    refused: type[aiosmtplib.SMTPSenderRefused | aiosmtplib.SMTPRecipientRefused],
) -> None:
    """The server takes the address; raises `refused` if not. Not smtp.mail() and smtp.rcpt(): they take every
    address to pieces again, which costs more than all the rest of a mail."""
    answer = await smtp.execute_command(f"{command}:<{address}>".encode("ascii"))
    if answer.code not in _DONE:
        raise refused(answer.code, answer.message, "")


async def _all_but_the_end(smtp: aiosmtplib.SMTP, mail: bytes) -> None:
    """The server wants the mail and has it, except for the dot that ends it. Not smtp.data(): it does not tell a
    line that broke before the mail from one that broke after."""
    answer = await smtp.execute_command(b"DATA")
    if answer.code != aiosmtplib.SMTPStatus.start_input:
        raise aiosmtplib.SMTPDataError(answer.code, answer.message)
    if smtp.protocol is None:
        raise aiosmtplib.SMTPServerDisconnected("gone between two lines")
    smtp.protocol.write(mail.replace(b"\r\n.", b"\r\n.."))


def _answered(error: aiosmtplib.SMTPResponseException) -> Outcome:
    """The server said no: 4xx for now, 5xx for good (RFC 5321 §4.2.1)."""
    code = error.code
    if code in _CREDENTIAL_CODES:
        # Nothing is wrong with this message: it goes out once a person has put the password right.
        return Outcome(Result.TRANSIENT, Reason.CREDENTIALS)
    if code >= 500:
        bad = isinstance(error, aiosmtplib.SMTPRecipientRefused)
        return Outcome(Result.PERMANENT, Reason.BAD_ADDRESS if bad else Reason.REFUSED)
    return Outcome(Result.TRANSIENT, Reason.BUSY)
