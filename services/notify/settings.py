"""What the notify service reads from its environment."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated
from typing import Literal as OneOf

from pydantic import Field, SecretStr, field_validator

from reeve.runtime.providers.senders import sender_address
from reeve.runtime.settings import ReeveSettings

REPLY_ADDRESS = re.compile(r"[A-Za-z0-9._+=-]*\{code\}[A-Za-z0-9._+=-]*@[A-Za-z0-9.-]+")


class NotifySettings(ReeveSettings):
    """Prefix `REEVE_`: REEVE_SMTP_HOST, REEVE_SMS_GATEWAY …"""

    notify_host: str = "127.0.0.1"
    notify_port: Annotated[int, Field(ge=0, le=65535)] = 8402
    """Where /healthz, /readyz and /metrics answer."""
    secret: SecretStr = SecretStr("")
    """Keys the links by which recipients acknowledge; empty: one is made and kept in the record."""
    public_url: str = ""
    """Where recipients reach intake, for links in messages; empty: messages carry no link."""
    reply_to: str = ""
    """`reeve+{code}@example.org`: where mails are answered to, with a code in the place of {code} that says which
    mail it was; empty: answers by mail are not read."""

    smtp_host: str | None = None
    """A mail server besides those of the folder REEVE_CHANNELS."""
    smtp_port: Annotated[int, Field(ge=1, le=65535)] = 25
    smtp_username: Annotated[str | None, Field(repr=False)] = None
    smtp_password: SecretStr | None = None
    smtp_tls: OneOf["auto", "starttls", "tls", "none"] = "auto"
    """auto: STARTTLS where the server offers it."""
    smtp_from: str = "Reeve <reeve@localhost>"
    smtp_timeout_seconds: Annotated[float, Field(gt=0, le=300)] = 30.0
    smtp_connections: Annotated[int, Field(ge=1, le=64)] = 4
    smtp_per_second: Annotated[float, Field(ge=0)] = 0.0
    """Mails a second at most, over time; 0: no limit."""

    sms_connections: Annotated[int, Field(ge=1, le=64)] = 8
    """This and the next are for the provider of REEVE_SMS_GATEWAY, over what its file says."""
    sms_per_second: Annotated[float, Field(ge=0)] = 0.0

    notify_attempts: Annotated[int, Field(ge=1, le=50)] = 8
    """Rounds of a delivery that no provider takes now; after the last another way is looked for."""
    notify_retry_seconds: Annotated[float, Field(gt=0, le=3600)] = 5.0
    """Wait before the second round, where a provider is away or at fault; it doubles each time, give or take.
    Twelve times as long where it is busy (greylisting), twice that where it refuses our password."""
    notify_lease_seconds: Annotated[float, Field(ge=1, le=3600)] = 60.0
    """How long a crashed process keeps the deliveries it had in hand from others."""
    notify_journal: Path | None = None
    """A folder on this machine's disk in which a process notes what it is sending, for the one started after a
    crash; empty: what a crash left waits for its lease, and what was in hand may be sent again."""

    @field_validator("smtp_from")
    @classmethod
    def _sender_is_an_address(cls, value: str) -> str:
        sender_address(value)
        return value

    @field_validator("reply_to")
    @classmethod
    def _reply_address_has_a_code(cls, value: str) -> str:
        if value and not REPLY_ADDRESS.fullmatch(value):
            raise ValueError("must be an address with {code} before the @, like reeve+{code}@example.org")
        return value

    @field_validator("public_url")
    @classmethod
    def _no_slash_at_the_end(cls, value: str) -> str:
        return value.rstrip("/")
