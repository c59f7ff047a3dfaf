"""Which matcher a process uses, and whether a bundle suits it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any, get_args
from typing import Literal as OneOf

from reeve.domain.bundle import Bundle, Matcher
from reeve.domain.expressions import Condition, Position
from reeve.rulelang.closures import Closures
from reeve.rulelang.fence import fence_problems
from reeve.runtime.durable_rules import DurableRules

MatcherName = OneOf["closures", "durable-rules"]
"""Values of REEVE_MATCHER."""

_CONDITIONS = get_args(Condition)


def matcher_named(name: MatcherName) -> Matcher:
    """A matcher, ready. Raises MatcherMissing (permanent) where durable-rules can't be used."""
    return DurableRules() if name == "durable-rules" else Closures()


def unsuitable(bundle: Bundle, name: MatcherName) -> list[tuple[Position, str]]:
    """Where the bundle leaves what that matcher may be given, and why; always empty for closures."""
    if name == "closures":
        return []
    return [
        (condition.pos, f"durable-rules can't be used for this condition: {problem}")
        for condition in conditions_in((bundle.policies, bundle.duties, bundle.scores))
        for problem in fence_problems(condition)
    ]


def conditions_in(thing: Any) -> Iterator[Condition]:
    """Every whole condition inside rules, whatever holds them; parts of a condition are not given again."""
    if isinstance(thing, _CONDITIONS):
        yield thing
    elif dataclasses.is_dataclass(thing):
        for field in dataclasses.fields(thing):
            yield from conditions_in(getattr(thing, field.name))
    elif isinstance(thing, Mapping):
        for item in thing.values():
            yield from conditions_in(item)
    elif isinstance(thing, tuple | list):
        for item in thing:
            yield from conditions_in(item)
