"""What a decision looked at, as the two texts that are kept with it: `trace` and `facts`.

They go into the record and nowhere else: never onto the bus, never into a log (PRIVACY-01).

trace   {"policy": digest, "scenes": [{"at", "event", "clock", "grades", "tests": [[line, column, held, file?]],
        "notes": [[step, kind, what]]}], "considered": {"opened", "refused", "running"}}; what is empty is left out
facts   {"scenes": [facts or null, in the order of the scenes], "considered": facts, "own": {policy: facts}}
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson

from reeve.domain.trace import Considered, Note, Scene, Trace, as_seen, as_stored

_OPTIONS = orjson.OPT_PASSTHROUGH_DATETIME


def stored_trace(trace: Trace | None, considered: Considered | None = None) -> tuple[bytes, bytes]:
    """The two texts; both are empty if there is nothing to keep."""
    if trace is None and considered is None:
        return b"", b""
    kept: dict[str, Any] = {}
    facts: dict[str, Any] = {}
    if trace is not None:
        kept["policy"] = trace.policy
        kept["scenes"] = [_scene(scene, trace.file) for scene in trace.scenes]
        facts["scenes"] = [scene.scope for scene in trace.scenes]
    if considered is not None:
        kept["considered"] = {
            name: policies
            for name, policies in (
                ("opened", considered.opened),
                ("refused", considered.refused),
                ("running", considered.running),
            )
            if policies
        }
        facts["considered"] = considered.scope
        if considered.own:
            facts["own"] = considered.own
    return orjson.dumps(kept, as_stored, _OPTIONS), orjson.dumps(facts, as_stored, _OPTIONS)


def _scene(scene: Scene, file: str) -> dict[str, Any]:
    kept: dict[str, Any] = {"at": scene.at}
    if scene.event:
        kept["event"] = True
    if scene.clock is not None:
        kept["clock"] = scene.clock
    if scene.grades is not None:
        kept["grades"] = scene.grades
    if scene.tests:
        kept["tests"] = [
            (pos.line, pos.column, held) if (pos := condition.pos).file == file else (*_place(pos), held, pos.file)
            for condition, held in scene.tests
        ]
    if scene.notes:
        kept["notes"] = scene.notes
    return kept


def _place(pos: Any) -> tuple[int, int]:
    return pos.line, pos.column


@dataclass(frozen=True, slots=True)
class Test:
    """A condition that was looked at: where it stands, and whether it held."""

    line: int
    column: int
    held: bool
    file: str | None = None
    """None: the policy's own file."""


@dataclass(frozen=True, slots=True)
class SceneRead:
    """One moment of a stored decision."""

    at: datetime
    event: bool
    clock: str | None
    grades: int | None
    tests: tuple[Test, ...]
    notes: tuple[Note, ...]
    facts: Mapping[str, Any] | None
    """What conditions saw; None: none was looked at."""


@dataclass(frozen=True, slots=True)
class ConsideredRead:
    """Which policies looked at an event, as it was stored."""

    opened: tuple[str, ...]
    refused: tuple[str, ...]
    running: tuple[str, ...]
    facts: Mapping[str, Any]
    own: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def seen_by(self, policy: str) -> Mapping[str, Any]:
        """What that policy's `if` saw of the event."""
        return self.own.get(policy, self.facts)


@dataclass(frozen=True, slots=True)
class TraceRead:
    """What a stored decision looked at."""

    policy: str | None
    """Digest of the policy file; None where no case was decided on."""
    scenes: tuple[SceneRead, ...]
    considered: ConsideredRead | None


def read_trace(trace: str | bytes, facts: str | bytes) -> TraceRead | None:
    """What the two texts say; None for a decision made before they were kept."""
    if not trace:
        return None
    kept: dict[str, Any] = orjson.loads(trace)
    seen: dict[str, Any] = orjson.loads(facts or b"{}")
    scopes = seen.get("scenes", [])
    scenes = tuple(_read_scene(scene, scope) for scene, scope in zip(kept.get("scenes", []), scopes, strict=True))
    considered = kept.get("considered")
    return TraceRead(kept.get("policy"), scenes, None if considered is None else _read_considered(considered, seen))


def _read_scene(scene: Mapping[str, Any], scope: Mapping[str, Any] | None) -> SceneRead:
    return SceneRead(
        datetime.fromisoformat(scene["at"]),
        scene.get("event", False),
        scene.get("clock"),
        scene.get("grades"),
        tuple(Test(*each) for each in scene.get("tests", ())),
        tuple((name, kind, what) for name, kind, what in scene.get("notes", ())),
        None if scope is None else as_seen(scope),
    )


def _read_considered(considered: Mapping[str, Any], seen: Mapping[str, Any]) -> ConsideredRead:
    return ConsideredRead(
        tuple(considered.get("opened", ())),
        tuple(considered.get("refused", ())),
        tuple(considered.get("running", ())),
        as_seen(seen.get("considered", {})),
        {policy: as_seen(scope) for policy, scope in seen.get("own", {}).items()},
    )
