"""Runs the scenarios of a bundle through the decision core: what was expected and did not happen, and what did.

A bundle can't be activated while one of its scenarios fails (rule-language.md §1).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from reeve.contracts.events import parse_event
from reeve.contracts.problems import InvalidEvent
from reeve.contracts.timeline import timeline_line
from reeve.domain.bundle import Bundle
from reeve.domain.duties import POLICY
from reeve.domain.effects import Effect
from reeve.domain.events import Event
from reeve.domain.expressions import Position
from reeve.domain.simulate import Simulation
from reeve.rulelang.scenarios import Expectation, Scenario, ScenarioEvent, ScenarioFile

_NEAREST = 3
"""Actual lines shown beside an expectation that nothing met."""


_SAYS = {
    "missing": ("expected, but did not happen", "应当发生而没有发生"),
    "never": ("must never happen, but did", "不应发生却发生了"),
    "event": ("event", "事件"),
    "nothing": ("nothing like it happened", "没有发生类似的事"),
    "happened": ("happened", "实际发生"),
    "nearest": ("nearest", "最接近"),
}
"""In English and Chinese; the lines themselves are in the words of the scenarios, which are one for all."""


@dataclass(frozen=True, slots=True)
class Failure:
    """One thing that is not as the scenario says."""

    pos: Position
    what: str
    """`missing`: expected and did not happen; `never`: happened and must not; `event`: can't be posted."""
    expected: str
    """The expectation as one line, or what is wrong with the event."""
    actual: tuple[str, ...]
    """The lines nearest to it, best first."""

    def render(self, lang: str = "en") -> str:
        """`tests/complaint.test.yaml:7: expected …`, with the actual lines below it; `lang` is en or zh."""
        says = {name: both[lang == "zh"] for name, both in _SAYS.items()}
        first = f"{self.pos.file}:{self.pos.line}:{self.pos.column}: {says[self.what]}: {self.expected}"
        if self.what == "missing" and not self.actual:
            return f"{first}\n    {says['nothing']}"
        label = says["happened" if self.what == "never" else "nearest"]
        return "\n".join([first, *(f"    {label}: {line}" for line in self.actual)])

    def as_json(self) -> dict[str, Any]:
        """The same for `--json`."""
        return {
            "file": self.pos.file,
            "line": self.pos.line,
            "column": self.pos.column,
            "what": self.what,
            "expected": self.expected,
            "actual": list(self.actual),
        }


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one scenario."""

    file: str
    scenario: Scenario
    failures: tuple[Failure, ...]

    @property
    def passed(self) -> bool:
        return not self.failures


def run_scenarios(bundle: Bundle, files: Iterable[ScenarioFile]) -> Iterator[Outcome]:
    """Each scenario's outcome, in the order written; each starts from nothing under its own clock."""
    for file in files:
        for scenario in file.scenarios:
            yield Outcome(file.file, scenario, _run(bundle, scenario))


def _run(bundle: Bundle, scenario: Scenario) -> tuple[Failure, ...]:
    zone = ZoneInfo(bundle.site(scenario.site).zone)
    events: list[Event] = []
    failures: list[Failure] = []
    for posted in scenario.events:
        try:
            events.append(_event(posted, scenario, zone))
        except InvalidEvent as invalid:
            failures += [Failure(posted.pos, "event", str(problem), ()) for problem in invalid.problems]
    if failures:
        return tuple(failures)
    simulation = Simulation(bundle, duties=_mentions_duties(scenario, bundle))
    effects: list[Effect] = []
    if (since := _duties_since(scenario, zone)) is not None:
        effects += simulation.advance(since)
        simulation.start(scenario.site, since)
    effects += [effect for event in events for effect in simulation.feed(event)]
    effects += simulation.finish(_end(scenario, zone))
    lines = [
        _Line(effect, zone)
        for effect in effects
        if scenario.policy is None or effect.case.policy == scenario.policy
    ]
    return tuple(_judged(scenario, lines, zone))


def _end(scenario: Scenario, zone: ZoneInfo) -> datetime | None:
    if scenario.until is not None:
        return _moment(scenario.until, zone)
    moments = [_moment(event.at, zone) for event in scenario.events]
    moments += [
        _moment(each.keys["at"], zone) for each in scenario.expect if isinstance(each.keys.get("at"), datetime)
    ]
    return max(moments, default=None)


def _mentions_duties(scenario: Scenario, bundle: Bundle) -> bool:
    """Whether a scenario is about duties: only then do they come in it, so that others stay short."""
    if scenario.policy == POLICY or not scenario.events:
        return True
    cases = [event.subject for event in scenario.events]
    for expectation in (*scenario.expect, *scenario.never):
        if expectation.keys.get("policy") == POLICY or expectation.keys.get("clock") in bundle.duties:
            return True
        cases.append(str(expectation.keys.get("case", "")))
    return any(case.partition("/")[0] in bundle.duties for case in cases if "/" in case)


def _duties_since(scenario: Scenario, zone: ZoneInfo) -> datetime | None:
    """From when on the duties of the scenario's site come."""
    if scenario.since is not None:
        return _moment(scenario.since, zone)
    moments = [_moment(event.at, zone) for event in scenario.events]
    moments += [_moment(at, zone) for each in scenario.expect if isinstance(at := each.keys.get("at"), datetime)]
    if not moments:
        return None
    return min(moments).astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)


def _event(posted: ScenarioEvent, scenario: Scenario, zone: ZoneInfo) -> Event:
    return parse_event(
        {
            "specversion": "1.0",
            "id": posted.id,
            "source": posted.source,
            "type": posted.type,
            "site": posted.site or scenario.site,
            "subject": posted.subject,
            "time": _moment(posted.at, zone).isoformat(),
            "data": {name: _json(value, money=name.endswith("_cny")) for name, value in posted.data.items()},
        }
    )


def _json(value: Any, *, money: bool = False) -> Any:
    """A scenario's value as a site system would post it: money with a fraction as text."""
    match value:
        case Decimal():
            return str(value) if money else float(value)
        case datetime():
            return value.isoformat()
        case dict():
            return {name: _json(item) for name, item in value.items()}
        case list() | tuple():
            return [_json(item) for item in value]
        case _:
            return value


def _moment(at: datetime, zone: ZoneInfo) -> datetime:
    return (at if at.tzinfo is not None else at.replace(tzinfo=zone)).astimezone(UTC)


class _Line:
    """A timeline line, to compare with and to show."""

    def __init__(self, effect: Effect, zone: ZoneInfo) -> None:
        because = effect.because
        self._zone = zone
        self._keys: dict[str, Any] = {
            "at": effect.at,
            "case": effect.case.subject,
            "policy": effect.case.policy,
            "effect": effect.what,
            **effect.details,
            "because": {"rule": because.rule, "event": because.event, "clock": because.clock},
        }
        self.text = _shown(timeline_line(effect, zone), zone)

    def has(self, key: str, wanted: Any) -> bool:
        """Whether the line has this key with this value; a key it lacks is null, or false."""
        found = self._keys.get(key)
        if wanted is False and found is None:
            return True
        return _equal(found, wanted, self._zone)

    def meets(self, expectation: Expectation) -> bool:
        return all(self.has(key, wanted) for key, wanted in expectation.keys.items())

    def likeness(self, expectation: Expectation) -> int:
        """How many keys agree; the effect counts twice."""
        keys = expectation.keys
        return sum(self.has(key, keys[key]) * (2 if key == "effect" else 1) for key in keys)


def _equal(found: Any, wanted: Any, zone: ZoneInfo) -> bool:
    if isinstance(wanted, datetime):
        return isinstance(found, datetime) and _moment(found, zone) == _moment(wanted, zone)
    if isinstance(wanted, Mapping):
        return isinstance(found, Mapping) and all(_equal(found.get(k), v, zone) for k, v in wanted.items())
    if isinstance(found, list | tuple):
        wanted_items = list(wanted) if isinstance(wanted, list | tuple) else [wanted]
        return list(found) == wanted_items
    if isinstance(found, bool) or isinstance(wanted, bool):
        return found is wanted
    return bool(found == wanted)


def _judged(scenario: Scenario, lines: list[_Line], zone: ZoneInfo) -> Iterator[Failure]:
    met = _assigned(scenario.expect, lines)
    for number, expectation in enumerate(scenario.expect):
        if number not in met:
            free = [line for index, line in enumerate(lines) if index not in met.values()]
            nearest = sorted(free or lines, key=lambda line: -line.likeness(expectation))
            shown = tuple(line.text for line in nearest[:_NEAREST] if line.likeness(expectation))
            yield Failure(expectation.pos, "missing", _as_text(expectation, zone), shown)
    for expectation in scenario.never:
        found = tuple(line.text for line in lines if line.meets(expectation))
        if found:
            yield Failure(expectation.pos, "never", _as_text(expectation, zone), found[:_NEAREST])


def _assigned(expectations: tuple[Expectation, ...], lines: list[_Line]) -> dict[int, int]:
    """Expectation → the line that meets it, each line once, as many expectations met as possible."""
    options = [[i for i, line in enumerate(lines) if line.meets(each)] for each in expectations]
    taken: dict[int, int] = {}

    def place(number: int, tried: set[int]) -> bool:
        for index in options[number]:
            if index not in tried:
                tried.add(index)
                if index not in taken or place(taken[index], tried):
                    taken[index] = number
                    return True
        return False

    for number in range(len(expectations)):
        place(number, set())
    return {number: index for index, number in taken.items()}


def _as_text(expectation: Expectation, zone: ZoneInfo) -> str:
    return _shown(expectation.keys, zone)


def _shown(keys: Mapping[str, Any], zone: ZoneInfo) -> str:
    """`2026-02-13 17:50 graded T-1 grade: major`: the usual keys first and bare, the rest named."""
    bare = [_text(keys[key], zone) for key in ("at", "effect", "case") if key in keys]
    named = [
        f"{key}: {_text(value, zone)}"
        for key, value in keys.items()
        if key not in ("at", "effect", "case", "because")
    ]
    because = keys.get("because")
    if isinstance(because, Mapping) and "rule" in because:
        named.append(f"({because['rule']})")
    return " ".join([" ".join(bare), *named]).strip()


def _text(value: Any, zone: ZoneInfo) -> str:
    if isinstance(value, str) and len(value) > 18 and value[10:11] == "T":
        value = datetime.fromisoformat(value)
    if isinstance(value, datetime):
        local = _moment(value, zone).astimezone(zone)
        return local.strftime("%Y-%m-%d %H:%M" + (":%S" if local.second else ""))
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_text(item, zone) for item in value) + "]"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(value)
