"""Every stream, declared once and here. An existing stream is only ever extended, never cut back.

Streams are declared with raw JetStream requests: a client library that does not know an option of the
running stream would reset it by writing its own picture of the configuration back.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

import nats.errors

from reeve.domain.errors import ReeveError
from reeve.ports import BusAway
from reeve.runtime.bus.connection import BusConnection
from reeve.runtime.bus.lanes import LANES

DUPLICATE_WINDOW_SECONDS = 12 * 60
"""Longer than the 10 minutes for which an outbox row outlives its acknowledgement (design.md §1)."""

_DAY = 86400
_NANO = 1_000_000_000
_NOT_FOUND = 10059
_NAME_IN_USE = 10058


class StreamRefused(ReeveError):
    """The bus refuses a stream's declaration; `reason` is its own sentence. A person must act."""

    def __init__(self, stream: str, reason: str) -> None:
        super().__init__(f"the bus refuses stream {stream}: {reason}")
        self.stream = stream
        self.reason = reason


def _stream(name: str, days: int, **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "retention": "limits",
        "storage": "file",
        "discard": "old",
        "max_age": days * _DAY * _NANO,
        "duplicate_window": DUPLICATE_WINDOW_SECONDS * _NANO,
        "allow_direct": True,
        **more,
    }


STREAMS: tuple[dict[str, Any], ...] = (
    _stream("INTAKE", 7, subjects=["intake.>"]),
    _stream("EVENTS", 7, subjects=["events.>"]),
    _stream(
        "WORK",
        7,
        sources=[
            {
                "name": "EVENTS",
                "subject_transforms": [
                    {
                        "src": "events.*.*.*.*",
                        "dest": f"work.{{{{partition({LANES},1,4)}}}}."
                        "{{wildcard(1)}}.{{wildcard(2)}}.{{wildcard(3)}}.{{wildcard(4)}}",
                    }
                ],
            }
        ],
    ),
    _stream("CASES", 90, subjects=["cases.>"]),
    _stream("NOTIFICATIONS", 90, subjects=["notifications.>"]),
    _stream("RULES", 3650, subjects=["rules.>"]),
    _stream("DEAD", 30, subjects=["dead.>"]),
    _stream("REJECTED", 30, subjects=["rejected.>"]),
    _stream(
        "TIMERS",
        3650,
        subjects=["timers.>"],
        allow_msg_schedules=True,
        allow_msg_ttl=True,
        # One schedule and at most one tick not yet taken per case: a tick only says "look at this case".
        max_msgs_per_subject=1,
    ),
)
"""Days kept: contracts.md §2. TIMERS and RULES are never cut by age: a limit may be months away."""

_EXTENDED_FLAGS = ("allow_msg_schedules", "allow_msg_ttl", "allow_direct")


async def declare_streams(bus: BusConnection, replicas: int = 1) -> None:
    """Every stream exists with at least what this release needs.

    Missing subjects, message scheduling and a longer duplicate window are added to an existing stream;
    what an operator set otherwise stays. Raises BusAway (transient) or StreamRefused (permanent).
    """
    for wanted in STREAMS:
        name = wanted["name"]
        answer = await _ask(bus, f"STREAM.INFO.{name}", {})
        if "error" in answer:
            if answer["error"].get("err_code") != _NOT_FOUND:
                raise StreamRefused(name, answer["error"].get("description", "unknown"))
            created = await _ask(bus, f"STREAM.CREATE.{name}", {**wanted, "num_replicas": replicas})
            if "error" not in created or created["error"].get("err_code") == _NAME_IN_USE:
                continue
            raise StreamRefused(name, created["error"].get("description", "unknown"))
        extended = _extended(answer["config"], wanted)
        if extended != answer["config"]:
            updated = await _ask(bus, f"STREAM.UPDATE.{name}", extended)
            if "error" in updated:
                raise StreamRefused(name, updated["error"].get("description", "unknown"))


def _extended(current: dict[str, Any], wanted: dict[str, Any]) -> dict[str, Any]:
    config = dict(current)
    missing = [subject for subject in wanted.get("subjects", ()) if subject not in current.get("subjects", ())]
    if missing:
        config["subjects"] = [*current.get("subjects", ()), *missing]
    for flag in _EXTENDED_FLAGS:
        if wanted.get(flag) and not current.get(flag):
            config[flag] = True
    if current.get("duplicate_window", 0) < wanted["duplicate_window"]:
        config["duplicate_window"] = wanted["duplicate_window"]
    return config


async def _ask(bus: BusConnection, call: str, body: dict[str, Any]) -> dict[str, Any]:
    try:
        reply = await bus.client.request(f"$JS.API.{call}", json.dumps(body).encode(), timeout=10)
    except (nats.errors.Error, TimeoutError, asyncio.CancelledError, OSError) as error:
        if isinstance(error, asyncio.CancelledError):
            raise
        raise BusAway("the bus did not answer") from error
    answer: dict[str, Any] = json.loads(reply.data)
    return answer
