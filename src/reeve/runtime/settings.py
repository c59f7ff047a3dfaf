"""What every process reads from its environment, prefix `REEVE_`. Settings tune the process, rules decide."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Self
from typing import Literal as OneOf

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from reeve.domain.errors import ReeveError

PREFIX = "REEVE_"

Hidden = Annotated[str, Field(repr=False)]
"""Text that may hold a password (a server's URL does) and so never shows in a repr or a log."""


class SettingsError(ReeveError):
    """The environment can't be used; `faults` names every variable that is wrong and why, never its value."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("The settings can't be used:\n" + "\n".join(f"  {fault}" for fault in faults))
        self.faults = faults


class ReeveSettings(BaseSettings):
    """Base of each service's settings."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, extra="ignore", frozen=True)

    nats_url: Hidden = "nats://127.0.0.1:4222"
    """The bus; several servers of one cluster separated by commas."""
    mongo_url: Hidden = "mongodb://127.0.0.1:27017/?directConnection=true"
    """The record; a replica set (one node is enough), because transactions need one."""
    mongo_database: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,60}$")] = "reeve"
    rules: Path = Path("rules")
    """The rules folder that seeds an empty record."""
    channels: Path | None = None
    """The folder with one file for each provider; none: `channels`, if there is such a folder."""
    sms_gateway: Annotated[str | None, Field(repr=False)] = None
    """One more provider of SMS: its YAML file, or a URL that takes a JSON {to, text, id}."""
    matcher: OneOf["closures", "durable-rules"] = "closures"
    bus_replicas: Annotated[int, Field(ge=1, le=5)] = 1
    """Copies of each stream; 3 on a NATS cluster. Takes effect when the streams are created."""
    log_format: OneOf["json", "console"] = "json"
    log_level: OneOf["debug", "info", "warning", "error"] = "info"

    @classmethod
    def load(cls, **overrides: Any) -> Self:
        """The settings from the environment. Raises SettingsError with all faults at once."""
        try:
            return cls(**overrides)
        except ValidationError as error:
            faults = [
                f"{PREFIX}{'_'.join(str(part) for part in fault['loc']).upper()}: {fault['msg']}"
                for fault in error.errors(include_input=False, include_url=False, include_context=False)
            ]
            raise SettingsError(faults) from None
