"""Templates that can't do harm: Jinja2's sandbox, and of its language only what is sure to end soon.

Left out are assignments, macros, calls, multiplication and recursive loops, so the cost of a template is bounded
by its length times its loops, and those are counted. What a template reads it can only print, compare and filter.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from typing import Literal as OneOf

from jinja2 import StrictUndefined, Template, TemplateError, TemplateSyntaxError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from reeve.rulelang.plain_templates import Part, Undefined, fill_in, filters_in, names_in, read_plain

MOST_TEMPLATE_CHARACTERS = 20_000
MOST_TEXT_CHARACTERS = 50_000
MOST_DEPTH = 50
"""Brackets, filters and blocks within one another, all together."""
MOST_BLOCKS = 10
"""`if` and `for` within one another."""
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

_SIGNS = {
    "Add": "+",
    "Assign": "{% set %}",
    "AssignBlock": "{% set %}",
    "Block": "{% block %}",
    "Call": "(…)",
    "CallBlock": "{% call %}",
    "Dict": "{…}",
    "Div": "/",
    "Extends": "{% extends %}",
    "FilterBlock": "{% filter %}",
    "FloorDiv": "//",
    "FromImport": "{% from %}",
    "Import": "{% import %}",
    "Include": "{% include %}",
    "Macro": "{% macro %}",
    "Mod": "%",
    "Mul": "*",
    "Pow": "**",
    "Slice": "[:]",
    "Sub": "-",
    "With": "{% with %}",
}
"""How what is left out looks in a template, by its name in Jinja2's tree."""

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


@dataclass(frozen=True, slots=True)
class NameUse:
    """A name that a template takes from its context."""

    name: str
    line: int
    """Of the template, from 1."""


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
        _refuse_depth(tree, MOST_DEPTH, MOST_BLOCKS)
        every = list(tree.find_all(nodes.Node))
        for node in every:
            self._refuse(node)
        for loop in (node for node in every if isinstance(node, nodes.For)):
            budget = nodes.Name(_BUDGET, "load", lineno=loop.lineno)
            loop.iter = nodes.Filter(
                loop.iter, "counted_", [budget], [], None, None, lineno=loop.lineno, environment=self
            )
        return tree

    def _refuse(self, node: nodes.Node) -> None:
        match node:
            case nodes.Helper():
                return
            case nodes.Filter(name=name) if name not in self.filters:
                raise TemplateRefused("filter", name, node.lineno)
            case nodes.Test(name=name) if name not in self.tests:
                raise TemplateRefused("test", name, node.lineno)
            case nodes.For(recursive=True):
                raise TemplateRefused("not_allowed", "recursive", node.lineno)
            case nodes.Name(name=name) | nodes.Getattr(attr=name) if name.startswith("_"):
                raise TemplateRefused("not_allowed", name, node.lineno)
            case nodes.Getitem(arg=nodes.Const(value=str() as name)) if name.startswith("_"):
                raise TemplateRefused("not_allowed", name, node.lineno)
            case _ if not isinstance(node, _ALLOWED_NODES):
                kind = type(node).__name__
                raise TemplateRefused("not_allowed", _SIGNS.get(kind, kind), node.lineno)

    def wrap_str_format(self, value: Any) -> None:
        """`str.format` is a method like any other, so `is_safe_attribute` refuses it."""

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Methods are out: printing is all a template does with a value."""
        return super().is_safe_attribute(obj, attr, value) and not callable(value)


def _refuse_depth(node: nodes.Node, levels: int, blocks: int) -> None:
    """What Python could not compile ends here, whatever the limits of its version."""
    blocks -= isinstance(node, nodes.For | nodes.If)
    if levels < 0 or blocks < 0:
        raise TemplateRefused("too_deep", "", getattr(node, "lineno", 1))
    for child in node.iter_child_nodes():
        _refuse_depth(child, levels - 1, blocks)


def _printed(value: Any) -> Any:
    """An absent fact prints as nothing."""
    return "" if value is None else value


class Renderer:
    """Compiles templates once and renders them within limits."""

    def __init__(self, filters: Filters) -> None:
        environment = _Environment(filters)
        self.filters = tuple(sorted(set(environment.filters) - {"counted_"}))
        """Names of the filters a template may use."""
        self.tests = tuple(sorted(name for name in environment.tests if name.isidentifier()))

        @lru_cache(maxsize=1024)
        def parsed(source: str) -> nodes.Template:
            if len(source) > MOST_TEMPLATE_CHARACTERS:
                raise TemplateRefused("too_long", "")
            try:
                return environment.parse(source)
            except TemplateSyntaxError as error:
                raise TemplateRefused("syntax", str(error.message), error.lineno) from error
            except RecursionError as error:
                raise TemplateRefused("too_deep", "") from error
            except ValueError as error:  # a number of thousands of digits
                if isinstance(error, TemplateRefused):
                    raise
                raise TemplateRefused("syntax", type(error).__name__) from error

        @lru_cache(maxsize=4096)
        def compiled(source: str) -> Template:
            try:
                return environment.from_string(parsed(source))
            except TemplateError as error:
                raise TemplateRefused("syntax", str(error)) from error
            except (RecursionError, SyntaxError) as error:
                raise TemplateRefused("too_deep", "") from error

        every, ours = frozenset(self.filters), frozenset(filters)

        @lru_cache(maxsize=4096)
        def plain(source: str) -> tuple[Part, ...] | None:
            return read_plain(source, every) if len(source) <= MOST_TEMPLATE_CHARACTERS else None

        @lru_cache(maxsize=4096)
        def fillable(source: str) -> tuple[Part, ...] | None:
            parts = plain(source)
            return parts if parts is not None and filters_in(parts) <= ours else None

        self._ours = filters
        self._plain = plain
        self._fillable = fillable
        self._parsed = parsed
        self._compiled = compiled

    def check(self, source: str) -> None:
        """Raises TemplateRefused (permanent), saying what is wrong, if the template can't be used."""
        self._compiled(source)

    def names(self, source: str) -> tuple[NameUse, ...]:
        """The names a template can't do without, in its order. Raises TemplateRefused.

        Left out are names with a `default` filter, and those it asks `is defined` of.
        """
        if (parts := self._plain(source)) is not None:
            return tuple(NameUse(name, line) for name, line in names_in(parts))
        tree = self._parsed(source)
        asked: set[str] = set()
        free = tuple(_free_names(tree, frozenset({_BUDGET}), asked))
        return tuple(use for use in free if use.name not in asked)

    def render(self, source: str, context: Mapping[str, Any]) -> str:
        """The text. Raises TemplateRefused or RenderingFailed, both permanent for this template and data."""
        budget = _Budget()
        plain = self._fillable(source)
        if plain is not None:
            pieces = fill_in(plain, context, self._ours)
        else:
            pieces = self._compiled(source).generate({**context, _BUDGET: budget})
        parts: list[str] = []
        length = 0
        try:
            for part in pieces:
                budget.spend()
                length += len(part)
                if length > MOST_TEXT_CHARACTERS:
                    raise RenderingFailed("the text is too long")
                parts.append(part)
        except Undefined as missing:
            raise RenderingFailed(f"'{missing.args[0]}' is undefined") from None
        except TemplateError as error:
            raise RenderingFailed(_without_data(error)) from None
        except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
            if isinstance(error, RenderingFailed):
                raise
            raise RenderingFailed(type(error).__name__) from None
        return "".join(parts)


def _free_names(node: nodes.Node, bound: frozenset[str], asked: set[str]) -> Iterator[NameUse]:
    """Names the template takes from outside; those it asks `is defined` of go into `asked`."""
    match node:
        case nodes.Name(name=name):
            if name not in bound:
                yield NameUse(name, node.lineno)
        case nodes.Test(name="defined" | "undefined", node=nodes.Name(name=name)):
            asked.add(name)
        case nodes.Filter(name="default" | "d", node=nodes.Name()):
            for argument in (*node.args, *node.kwargs):
                yield from _free_names(argument, bound, asked)
        case nodes.For():
            yield from _free_names(node.iter, bound, asked)
            inside = bound | {"loop"} | {target.name for target in _targets(node.target)}
            for each in (*([node.test] if node.test is not None else []), *node.body):
                yield from _free_names(each, inside, asked)
            for each in node.else_:
                yield from _free_names(each, bound, asked)
        case _:
            for child in node.iter_child_nodes():
                yield from _free_names(child, bound, asked)


def _targets(target: nodes.Node) -> Iterator[nodes.Name]:
    return iter([target]) if isinstance(target, nodes.Name) else target.find_all(nodes.Name)


def place_of(source: str, word: str, line: int) -> int:
    """Where a word stands in a template: its first place inside `{{ }}` or `{% %}` from the start of that line on.

    The start of the line where it is nowhere.
    """
    start = sum(len(each) + 1 for each in source.split("\n")[: line - 1])
    whole = (r"(?<![\w.])", r"(?!\w)") if word.isidentifier() else ("", "")
    sought = re.compile(re.escape(word).join(whole))
    for tag in _TAG.finditer(source) if word else ():
        if tag.end() > start and (found := sought.search(source, max(tag.start(), start), tag.end())):
            return found.start()
    return min(start, len(source))


_TAG = re.compile(r"\{[{%].*?[}%]\}", re.DOTALL)


def _without_data(error: TemplateError) -> str:
    """An error of Jinja2 names variables and filters, never values; its first line is enough."""
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
