"""What intake reads from its environment."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, SecretStr, field_validator

from reeve.runtime.settings import ReeveSettings
from services.intake.keys import ApiKeys


class IntakeSettings(ReeveSettings):
    """Settings of the intake service."""

    intake_host: str = "127.0.0.1"
    intake_port: Annotated[int, Field(ge=0, le=65535)] = 8400
    """0 takes a free one."""
    api_keys: SecretStr = SecretStr("")
    """`site=key,site=key`; `*=key` is good for every site. Empty: everybody may post, for trying out."""
    secret: SecretStr = SecretStr("")
    """Keys the digests and acknowledgement links; empty: one is made and kept in the record."""
    intake_rate: Annotated[int, Field(ge=1)] = 20_000
    """Events a second that one key may post, with a burst of twice that."""
    intake_waiting: Annotated[int, Field(ge=1)] = 20_000
    """Events that may wait for the record at once; beyond them posts are told to come again."""

    intake_posts_rate: Annotated[int, Field(ge=1)] = 500
    """Posts a second that one provider of messages may make (receipts, replies), with a burst of twice that."""
    public_url: str = ""
    """How providers reach intake: some sign the address they call. Empty: as the request says."""

    @field_validator("public_url")
    @classmethod
    def _no_slash_at_the_end(cls, value: str) -> str:
        return value.rstrip("/")

    @field_validator("api_keys")
    @classmethod
    def _readable(cls, value: SecretStr) -> SecretStr:
        ApiKeys.read(value.get_secret_value())
        return value
