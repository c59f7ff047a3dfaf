"""A mail server."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated
from typing import Literal as OneOf

from pydantic import Field, field_validator, model_validator

from reeve.runtime.providers.fields import Length, SecretText, TemplateText
from reeve.runtime.providers.file import ProviderFile
from reeve.runtime.providers.senders import sender_address


class SmtpFile(ProviderFile):
    """A mail server that takes our mail; several share the work or stand in for each other (`order`, `share`)."""

    kind: OneOf["smtp"]
    channel: OneOf["email"] = "email"
    host: Annotated[str, Field(pattern=r"^[A-Za-z0-9._:-]{1,253}$")]
    port: Annotated[int, Field(ge=1, le=65535)] = 25
    tls: OneOf["auto", "starttls", "tls", "none"] = "auto"
    """auto: STARTTLS where the server offers it; starttls: it must; tls: from the first byte (465)."""
    username: TemplateText | None = None
    password: SecretText | None = None
    sender: Annotated[str, Field(alias="from")] = "Reeve <reeve@localhost>"
    connections: Annotated[int, Field(ge=1, le=64)] = 4
    messages_per_connection: Annotated[int, Field(ge=1, le=100_000)] = 500
    timeout: Length = timedelta(seconds=30)

    @field_validator("sender")
    @classmethod
    def _an_address(cls, value: str) -> str:
        sender_address(value)
        return value

    @model_validator(mode="after")
    def _both_or_none(self) -> SmtpFile:
        if (self.username is None) != (self.password is None):
            raise ValueError("give username and password together, or neither")
        return self

    def texts(self) -> list[tuple[tuple[str, ...], str]]:
        """User name and password."""
        named = {"username": self.username, "password": self.password}
        return [((name,), text) for name, text in named.items() if text is not None]
