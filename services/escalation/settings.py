"""What tunes the escalation service."""

from __future__ import annotations

import os
import socket
from typing import Annotated

from pydantic import Field

from reeve.runtime.settings import ReeveSettings


def _instance() -> str:
    return f"{socket.gethostname()}-{os.getpid()}-{os.urandom(3).hex()}"


class EscalationSettings(ReeveSettings):
    """Read from `REEVE_…`; all durations in seconds."""

    escalation_host: str = "0.0.0.0"  # noqa: S104 - a service in a container is reached from outside
    escalation_port: Annotated[int, Field(ge=0, le=65535)] = 8401
    """/healthz, /readyz, /metrics; 0 takes a free one."""
    escalation_instance: str = Field(default_factory=_instance)
    """Unique per process."""
    escalation_batch: Annotated[int, Field(ge=1, le=2048)] = 512
    """Messages decided and committed at once, at most."""
    escalation_buffer: Annotated[int, Field(ge=1, le=16384)] = 2048
    """Messages of one lane held ready, at most."""
    escalation_lease: Annotated[float, Field(ge=0.5)] = 6.0
    """How long a dead replica's lanes stay unserved."""
    escalation_tick_grace: Annotated[float, Field(ge=0.1)] = 5.0
    """How long after its moment a case waits for its tick before the reconciler runs it."""
    escalation_event_grace: Annotated[float, Field(ge=0.1)] = 10.0
    """How long an accepted event may stay undecided before it is taken straight from the record."""
    escalation_reconcile: Annotated[float, Field(ge=0.1)] = 2.0
    """Pause between two looks of the reconciler."""
    escalation_confirm: Annotated[float, Field(ge=0.1)] = 600.0
    """How long the bus must stay the same process after an acknowledgement until the outbox row goes.

    Source: design.md §1; a nats-server syncs its files every 2 minutes, and its duplicate window is 12."""
    escalation_shadow_delay: Annotated[float, Field(ge=0)] = 30.0
    """How far the shadow's time stays behind, so that an event which took a moment to arrive is no late news."""
    escalation_shadow_pause: Annotated[float, Field(ge=0.05)] = 1.0
    """Pause between two looks for what the shadow has not seen."""
