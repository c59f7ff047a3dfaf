"""What `reeve up` reads from its environment."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from reeve.runtime.settings import ReeveSettings

Port = Annotated[int, Field(ge=1, le=65535)]


class StackSettings(ReeveSettings):
    """Everything has a default. A port that is None is the usual one, or a free one."""

    data: Path = Path(".reeve")
    """The folder that keeps the servers' data and the logs between runs."""
    intake_port: Port = 8400
    """Site systems post here, so it never moves by itself."""
    escalation_port: Port | None = None
    notify_port: Port | None = None
    sink_http_port: Port | None = None
    sink_smtp_port: Port | None = None
    nats_port: Port | None = None
    mongo_port: Port | None = None
    smtp_host: str | None = None
    """A real mail server. Where neither this nor a file in `channels` sends mail, or SMS, the local sinks do."""

    @property
    def external_nats_url(self) -> str | None:
        """A NATS to use instead of starting one; None if none was named."""
        return self.nats_url if "nats_url" in self.model_fields_set else None

    @property
    def external_mongo_url(self) -> str | None:
        """A MongoDB to use instead of starting one; None if none was named."""
        return self.mongo_url if "mongo_url" in self.model_fields_set else None
