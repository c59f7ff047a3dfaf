"""How much of its language a template may use and how long it may run, and what is raised where it does more."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from typing import Literal as OneOf

MOST_TEMPLATE_CHARACTERS = 20_000
MOST_TEXT_CHARACTERS = 50_000
MOST_DEPTH = 50
"""Brackets, filters and blocks within one another, all together."""
MOST_BLOCKS = 10
"""`if` and `for` within one another."""
MOST_ROUNDS = 20_000
"""Loop rounds of one rendering, all loops together; a report's table has a few hundred."""
MOST_SECONDS = 0.5

ALLOWED_FILTERS = frozenset(
    {"capitalize", "count", "d", "default", "first", "float", "int", "join", "last", "length", "lower", "round"}
    | {"sort", "title", "tojson", "trim", "truncate", "unique", "upper", "urlencode"}
)

Filters = Mapping[str, Callable[..., Any]]


class TemplateRefused(ValueError):
    """A template can't be used: it does not parse, or uses more of the language than is allowed."""

    def __init__(
        self,
        kind: OneOf["syntax", "not_allowed", "filter", "test", "too_long", "too_deep"],
        found: str,
        line: int = 1,
    ) -> None:
        sentence = {
            "syntax": found,
            "not_allowed": f"`{found}` is not allowed in a message",
            "filter": f"there is no filter `{found}`",
            "test": f"there is no test `{found}`",
            "too_deep": "nested too deeply",
            "too_long": f"longer than {MOST_TEMPLATE_CHARACTERS} characters",
        }[kind]
        super().__init__(f"line {line}: {sentence}")
        self.kind = kind
        self.found = found
        """What is refused; Jinja2's own words for what does not parse."""
        self.line = line


class RenderingFailed(ValueError):
    """A template failed on this data: an unknown name, too long, too slow. Never quotes the data."""


class Budget:
    """Loop rounds and time left to one rendering."""

    def __init__(self) -> None:
        self.rounds = MOST_ROUNDS
        self.until = time.monotonic() + MOST_SECONDS
        self._own_until = time.thread_time() + MOST_SECONDS

    def spend(self) -> None:
        self.rounds -= 1
        if self.rounds < 0 or (time.monotonic() > self.until and self._worked_too_long):
            raise RenderingFailed("the template runs too long")

    @property
    def _worked_too_long(self) -> bool:
        # A busy machine takes time that is not the template's: a message must not be lost to that.
        return time.thread_time() > self._own_until


@dataclass(frozen=True, slots=True)
class NameUse:
    """A name that a template takes from its context."""

    name: str
    line: int
    """Of the template, from 1."""
