"""tests/*.test.yaml: events that are posted, and what must come of them. Only read here; the core runs them.

A scenario's times without an offset are the site's local times. Every expectation must be met by a timeline
line of its own, in any order; it is met by a line that has all its keys with equal values. No line may match
one of `never`. Lists match as lists.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import Field

from reeve.domain.expressions import Position
from reeve.rulelang.known_names import ALL_EVENT_TYPES
from reeve.rulelang.problems import Choice, Problem, problem
from reeve.rulelang.reading import read_shape
from reeve.rulelang.shapes import Shape, Whole
from reeve.rulelang.yamltree import Document, Node, plain, typed
from reeve.rulelang.yamltree import Mapping as MappingNode
from reeve.rulelang.yamltree import Sequence as SequenceNode

EFFECTS = (
    "opened", "graded", "clock_started", "clock_paused", "clock_resumed", "clock_stopped", "breached", "corrected",
    "acknowledged", "notify", "escalated", "reopened", "child_opened", "suppressed", "undeliverable", "closed",
    "adopted", "scored", "delayed",
)  # fmt: skip
"""Timeline lines of contracts.md §5."""

LINE_KEYS = (
    "at", "effect", "case", "policy", "clock", "step", "child", "to", "grade", "was", "due", "run", "left", "met",
    "via", "message", "level", "outcome", "because", "late", "provisional",
    "on_change", "now", "points", "fact", "by", "minutes",
)  # fmt: skip
_LINE_KEYS = frozenset(LINE_KEYS)
_EVENT_TYPES = frozenset(ALL_EVENT_TYPES)
_NO_MOMENT = datetime(1970, 1, 1)  # noqa: DTZ001 -- local, and never used: there is an error
_MOMENT = re.compile(
    r"(\d{4}-\d{2}-\d{2})([T ](\d{1,2}):(\d{2})(:\d{2})?([.]\d+)?\s*(Z|[+-]\d{2}:\d{2})?)?", re.ASCII
)


class EventShape(Shape):
    """One event of a scenario."""

    at: str
    type: str
    subject: str
    site: str | None = None
    source: str | None = None
    id: str | None = None
    data: dict[str, Any] = Field(default={})


class ScenarioShape(Shape):
    """One item of a scenario file."""

    test: str
    site: str
    policy: str | None = None
    events: list[EventShape] = Field(default=[])
    from_: str | None = Field(default=None, alias="from")
    expect: list[dict[str, Any]] = Field(default=[])
    never: list[dict[str, Any]] = Field(default=[])
    until: str | None = None
    recipients: list[dict[str, Any]] = Field(default=[])


class ScenariosShape(Whole[list[ScenarioShape]]):
    """tests/<name>.test.yaml."""


@dataclass(frozen=True)
class ScenarioEvent:
    """An event to post. `at` without an offset is the site's local time."""

    at: datetime
    type: str
    subject: str
    data: Mapping[str, Any]
    """JSON kinds; a number with a fraction is a Decimal."""
    site: str | None
    """None: the scenario's."""
    source: str
    id: str
    pos: Position


@dataclass(frozen=True)
class Expectation:
    """Keys that a timeline line must have, with these values; `at` is a moment, local without an offset."""

    keys: Mapping[str, Any]
    pos: Position


@dataclass(frozen=True)
class Scenario:
    """One test: its events in the order written, what must happen and what must never."""

    test: str
    site: str
    policy: str | None
    """Only this policy's lines are looked at; None: all."""
    events: tuple[ScenarioEvent, ...]
    expect: tuple[Expectation, ...]
    never: tuple[Expectation, ...]
    until: datetime | None
    """The clock is run to here; None: to the last moment that is expected or posted."""
    since: datetime | None
    """`from`: duties run from here on; None: from 00:00 of the earliest day that is mentioned."""
    pos: Position


@dataclass(frozen=True)
class ScenarioFile:
    """The scenarios of one file."""

    file: str
    scenarios: tuple[Scenario, ...]


def read_moment(text: str) -> datetime | None:
    """A date, or a date and time of day, with or without an offset; `24:00` is the next day's midnight."""
    match = _MOMENT.fullmatch(text.strip())
    if match is None:
        return None
    day, clock, hour, minute, second, part, offset = match.groups()
    if clock is None:
        clock, hour, minute, second, part = "", "00", "00", "", ""
    end_of_day = (hour, minute) == ("24", "00") and (second or ":00") == ":00"
    iso = f"{day}T{'00' if end_of_day else hour.zfill(2)}:{minute}{second or ':00'}{part or ''}"
    try:
        moment = datetime.fromisoformat(iso + (offset or "").replace("Z", "+00:00"))
        return moment.fromordinal(moment.toordinal() + 1).replace(tzinfo=moment.tzinfo) if end_of_day else moment
    except (ValueError, OverflowError):
        return None


def read_scenarios(doc: Document) -> tuple[ScenarioFile, list[Problem]]:
    """The scenarios of a file, and what is wrong with them."""
    data = plain(doc.root)
    if isinstance(data, dict):
        data = [data]
        doc = Document(doc.file, SequenceNode(doc.root.source, doc.root.start, [doc.root]))
    shaped = read_shape(doc, ScenariosShape, data)
    shape, doc, problems = shaped.model, shaped.doc, shaped.problems
    if shape is None:
        return ScenarioFile(doc.file, ()), problems
    reader = _Reader(doc, problems)
    scenarios = tuple(reader.scenario(index, one) for index, one in enumerate(shape.root))
    return ScenarioFile(doc.file, scenarios), problems


class _Reader:
    def __init__(self, doc: Document, problems: list[Problem]) -> None:
        self._doc = doc
        self._problems = problems

    def scenario(self, index: int, shape: ScenarioShape) -> Scenario:
        until = self._moment(shape.until, self._doc.node(index, "until")) if shape.until is not None else None
        events = zip(self._items(index, "events"), shape.events, strict=False)
        return Scenario(
            test=shape.test,
            site=shape.site,
            policy=shape.policy,
            events=tuple(self._event(node, n, one) for n, (node, one) in enumerate(events)),
            expect=tuple(map(self._expectation, self._items(index, "expect"))),
            never=tuple(map(self._expectation, self._items(index, "never"))),
            until=until,
            since=self._moment(shape.from_, self._doc.node(index, "from")) if shape.from_ is not None else None,
            pos=self._doc.at(index),
        )

    def _items(self, index: int, key: str) -> list[Node]:
        """The nodes of a list of a scenario; none where it has no such list."""
        scenario = self._doc.node(index)
        listed = scenario.values.get(key) if isinstance(scenario, MappingNode) else None
        return listed.items if isinstance(listed, SequenceNode) else []

    def _moment(self, text: str, node: Node) -> datetime:
        moment = read_moment(text)
        if moment is None:
            self._problems.append(problem(node.pos, "expected_moment", found=text[:40]))
            return _NO_MOMENT
        return moment

    def _event(self, node: Node, number: int, shape: EventShape) -> ScenarioEvent:
        values = node.values if isinstance(node, MappingNode) else {}
        if shape.type not in _EVENT_TYPES:
            choice = Choice(shape.type, ALL_EVENT_TYPES)
            self._problems.append(
                problem(values.get("type", node).pos, "unknown_event_type", found=shape.type, choice=choice)
            )
        data = values.get("data")
        return ScenarioEvent(
            at=self._moment(shape.at, values.get("at", node)),
            type=shape.type,
            subject=shape.subject,
            data=typed(data) if shape.data and isinstance(data, MappingNode) else {},
            site=shape.site,
            source=shape.source or "/test",
            id=shape.id or f"e{number + 1}",
            pos=node.pos,
        )

    def _expectation(self, node: Node) -> Expectation:
        if not isinstance(node, MappingNode):
            return Expectation({}, node.pos)
        keys: dict[str, Any] = typed(node)
        for key in [key for key in keys if key not in _LINE_KEYS]:
            at = node.keys[key].pos
            self._problems.append(problem(at, "unknown_key", key=key, choice=Choice(key, LINE_KEYS)))
        for key in ("at", "due"):
            if isinstance(keys.get(key), str):
                keys[key] = self._moment(keys[key], node.values[key])
        effect = keys.get("effect")
        if effect is not None and effect not in EFFECTS:
            choice = Choice(str(effect), EFFECTS)
            at = node.values["effect"].pos
            self._problems.append(problem(at, "unknown_effect", found=str(effect), choice=choice))
        return Expectation(keys, node.pos)
