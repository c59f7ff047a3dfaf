"""Templates that can't do harm: Jinja2's sandbox, and of its language only what is sure to end soon.

Left out are assignments, macros, calls, multiplication and recursive loops, so the cost of a template is bounded
by its length times its loops, and those are counted. What a template reads it can only print, compare and filter.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

MOST_TEMPLATE_CHARACTERS = 20_000
MOST_TEXT_CHARACTERS = 50_000
MOST_ROUNDS = 20_000
"""Loop rounds of one rendering, all loops together; a report's table has a few hundred."""
MOST_SECONDS = 0.5

_ALLOWED_NODES = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.Name,
    nodes.Const,
    nodes.Getattr,
    nodes.Getitem,
    nodes.Filter,
    nodes.Test,
    nodes.If,
    nodes.CondExpr,
    nodes.And,
    nodes.Or,
    nodes.Not,
    nodes.Compare,
    nodes.Operand,
    nodes.Concat,
    nodes.List,
    nodes.Tuple,
    nodes.For,
    nodes.Neg,
)

_ALLOWED_FILTERS = frozenset(
    {"capitalize", "count", "d", "default", "first", "float", "int", "join", "last", "length", "lower", "round"}
    | {"sort", "title", "tojson", "trim", "truncate", "unique", "upper", "urlencode"}
)

Filters = Mapping[str, Callable[..., Any]]


class TemplateRefused(ValueError):
    """A template can't be used: it does not parse, or uses more of the language than is allowed."""


class RenderingFailed(ValueError):
    """A template failed on this data: an unknown name, too long, too slow. Never quotes the data."""


class _Budget:
    """Loop rounds and time left to one rendering."""

    def __init__(self) -> None:
        self.rounds = MOST_ROUNDS
        self.until = time.monotonic() + MOST_SECONDS

    def spend(self) -> None:
        self.rounds -= 1
        if self.rounds < 0 or time.monotonic() > self.until:
            raise RenderingFailed("the template runs too long")


_BUDGET = "_budget"


def _counted(items: Iterable[Any], budget: _Budget) -> Iterator[Any]:
    for item in items:
        budget.spend()
        yield item


class _Environment(ImmutableSandboxedEnvironment):
    """Refuses at compile time what is not on the list, and counts the rounds of loops."""

    def __init__(self, filters: Filters) -> None:
        super().__init__(undefined=StrictUndefined, autoescape=False, finalize=_printed, cache_size=0)
        self.globals.clear()
        ours = {**filters, "counted_": _counted}
        self.filters = {
            **{name: function for name, function in self.filters.items() if name in _ALLOWED_FILTERS},
            **ours,
        }

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree = super()._parse(source, name, filename)
        for node in tree.find_all(nodes.Node):
            if isinstance(node, nodes.Helper | nodes.EvalContext):
                continue
            if not isinstance(node, _ALLOWED_NODES):
                raise TemplateRefused(f"line {node.lineno}: {type(node).__name__} is not allowed in a message")
            if isinstance(node, nodes.For) and node.recursive:
                raise TemplateRefused(f"line {node.lineno}: a recursive loop is not allowed in a message")
            if isinstance(node, nodes.Name) and node.name.startswith("_"):
                raise TemplateRefused(f"line {node.lineno}: names do not start with _")
        for loop in list(tree.find_all(nodes.For)):
            budget = nodes.Name(_BUDGET, "load", lineno=loop.lineno)
            loop.iter = nodes.Filter(
                loop.iter, "counted_", [budget], [], None, None, lineno=loop.lineno, environment=self
            )
        return tree

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Methods are out: printing is all a template does with a value."""
        return super().is_safe_attribute(obj, attr, value) and not callable(value)


def _printed(value: Any) -> Any:
    """An absent fact prints as nothing."""
    return "" if value is None else value


class Renderer:
    """Compiles templates once and renders them within limits."""

    def __init__(self, filters: Filters) -> None:
        environment = _Environment(filters)

        @lru_cache(maxsize=4096)
        def compiled(source: str) -> Template:
            if len(source) > MOST_TEMPLATE_CHARACTERS:
                raise TemplateRefused(f"longer than {MOST_TEMPLATE_CHARACTERS} characters")
            try:
                return environment.from_string(source)
            except TemplateError as error:
                raise TemplateRefused(str(error)) from error

        self._compiled = compiled

    def check(self, source: str) -> None:
        """Raises TemplateRefused (permanent), saying what is wrong, if the template can't be used."""
        self._compiled(source)

    def render(self, source: str, context: Mapping[str, Any]) -> str:
        """The text. Raises TemplateRefused or RenderingFailed, both permanent for this template and data."""
        template = self._compiled(source)
        parts: list[str] = []
        length = 0
        budget = _Budget()
        try:
            for part in template.generate({**context, _BUDGET: budget}):
                budget.spend()
                length += len(part)
                if length > MOST_TEXT_CHARACTERS:
                    raise RenderingFailed("the text is too long")
                parts.append(part)
        except TemplateError as error:
            raise RenderingFailed(_without_data(error)) from None
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            if isinstance(error, RenderingFailed):
                raise
            raise RenderingFailed(type(error).__name__) from None
        return "".join(parts)


def _without_data(error: TemplateError) -> str:
    """An error of Jinja2 names variables and filters, never values; its first line is enough."""
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
