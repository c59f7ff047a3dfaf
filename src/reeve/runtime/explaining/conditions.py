"""Which part of a stored condition decided: its leaves looked at again over the stored facts, each by itself.

The whole must give the stored answer; where it does not (another release reads the rule otherwise), that is said
and no part is named.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from reeve.domain import expressions as x
from reeve.domain.bundle import Matcher
from reeve.domain.trace import as_stored
from reeve.rulelang.closures import Closures
from reeve.rulelang.show import spoken

Shows = Callable[[str, Any], bool]
"""Whether a fact (name, value) may be shown; else its value is written as `(hidden)` (PRIVACY-01)."""


def everything(name: str, value: Any) -> bool:
    """Every fact may be shown: somebody has asked for personal data."""
    return True


@dataclass(frozen=True, slots=True)
class Part:
    """A leaf of a condition that its answer rests on."""

    text: str
    """As a rule would have it, in the site's words."""
    held: bool
    facts: Mapping[str, Any]
    """Name → value then, for each name that the leaf reads; None: it was not known."""
    words: Mapping[str, str]
    """Name → what the site calls it, where it has a word of its own."""

    def as_json(self, shows: Shows) -> dict[str, Any]:
        """For `--json`."""
        return {
            "text": self.text,
            "held": self.held,
            "facts": {name: shown_value(name, value, shows) for name, value in self.facts.items()},
            "words": dict(self.words),
        }


@dataclass(frozen=True, slots=True)
class Weighed:
    """A condition, the answer that is on record, and what it rests on."""

    text: str
    rule: str
    """`<file>:<line>`"""
    held: bool
    agrees: bool
    """Looked at again over the stored facts, the stored condition gives the stored answer."""
    parts: tuple[Part, ...]

    def as_json(self, shows: Shows) -> dict[str, Any]:
        """For `--json`."""
        return {
            "text": self.text,
            "rule": self.rule,
            "held": self.held,
            "agrees": self.agrees,
            "parts": [part.as_json(shows) for part in self.parts],
        }


HIDDEN = "(hidden)"


def shown_value(name: str, value: Any, shows: Shows) -> Any:
    """The value for JSON; None: not known."""
    if value is None:
        return None
    if not shows(name, value):
        return HIDDEN
    return value if isinstance(value, bool | int | float | str | list | dict) else as_stored(value)


def weigh(condition: x.Condition, facts: Mapping[str, Any], held: bool, vocabulary: Mapping[str, str]) -> Weighed:
    """The parts that the stored answer rests on: of an `and` that failed the parts that failed, and so on."""
    matcher = Closures()
    agrees = matcher.holds(condition, facts) is held
    parts = tuple(_parts(condition, facts, vocabulary, matcher)) if agrees else ()
    return Weighed(spoken(condition, vocabulary), str(condition.pos), held, agrees, parts)


def _parts(
    node: x.Condition, facts: Mapping[str, Any], vocabulary: Mapping[str, str], matcher: Matcher
) -> Iterator[Part]:
    match node:
        case x.Not(item):
            yield from _parts(item, facts, vocabulary, matcher)
        case x.And(items) | x.Or(items):
            held = matcher.holds(node, facts)
            for item in items:
                # What agrees with the answer is what it rests on.
                if matcher.holds(item, facts) is held:
                    yield from _parts(item, facts, vocabulary, matcher)
        case _:
            read = sorted(x.names_read(node))
            words = {name: word for name in read if (word := spoken(name, vocabulary)) != name}
            values = {name: facts.get(name) for name in read}
            yield Part(spoken(node, vocabulary), matcher.holds(node, facts), values, words)
