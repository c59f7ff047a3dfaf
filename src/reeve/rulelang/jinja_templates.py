"""What Jinja2 reads, checks, compiles and renders for `templates`: its sandbox, and only a part of its language."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateError, TemplateSyntaxError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from reeve.rulelang.template_limits import (
    ALLOWED_FILTERS,
    MOST_BLOCKS,
    MOST_DEPTH,
    MOST_TEMPLATE_CHARACTERS,
    Budget,
    Filters,
    NameUse,
    RenderingFailed,
    TemplateRefused,
)

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

_BUDGET = "_budget"


def _counted(items: Iterable[Any], budget: Budget) -> Iterator[Any]:
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
            **{name: function for name, function in self.filters.items() if name in ALLOWED_FILTERS},
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


class Jinja:
    """Compiles templates once and renders them."""

    def __init__(self, filters: Filters) -> None:
        environment = _Environment(filters)
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

        self._parsed = parsed
        self._compiled = compiled

    def check(self, source: str) -> None:
        """Raises TemplateRefused if the template can't be used."""
        self._compiled(source)

    def names(self, source: str) -> tuple[NameUse, ...]:
        """As `Renderer.names`."""
        tree = self._parsed(source)
        asked: set[str] = set()
        free = tuple(_free_names(tree, frozenset({_BUDGET}), asked))
        return tuple(use for use in free if use.name not in asked)

    def pieces(self, source: str, context: Mapping[str, Any], budget: Budget) -> Iterator[str]:
        """The text, piece by piece; loops spend the budget. Raises TemplateRefused, and later RenderingFailed."""
        return _failing_alike(self._compiled(source).generate({**context, _BUDGET: budget}))


def _failing_alike(pieces: Iterator[str]) -> Iterator[str]:
    try:
        yield from pieces
    except TemplateError as error:
        raise RenderingFailed(_without_data(error)) from None


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


def _without_data(error: TemplateError) -> str:
    """An error of Jinja2 names variables and filters, never values; its first line is enough."""
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
