"""Templates that can't do harm: Jinja2's sandbox, and of its language only what is sure to end soon.

Left out are assignments, macros, calls, multiplication and recursive loops, so the cost of a template is bounded
by its length times its loops, and those are counted. What a template reads it can only print, compare and filter.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

from reeve.rulelang import plain_templates
from reeve.rulelang.plain_templates import Part, Undefined, fill_in, filters_in, names_in, read_plain
from reeve.rulelang.template_limits import (
    ALLOWED_FILTERS,
    MOST_TEMPLATE_CHARACTERS,
    MOST_TEXT_CHARACTERS,
    Budget,
    Filters,
    NameUse,
    RenderingFailed,
)

if TYPE_CHECKING:
    from reeve.rulelang.jinja_templates import Jinja


class Renderer:
    """Reads templates once and renders them within limits."""

    def __init__(self, filters: Filters) -> None:
        every = ALLOWED_FILTERS.union(filters)
        simple: Filters = {**plain_templates.FILTERS, **filters}
        self.filters = tuple(sorted(every))
        """Names of the filters a template may use."""
        self._ours = filters
        self._simple = simple

        @lru_cache(maxsize=4096)
        def plain(source: str) -> tuple[Part, ...] | None:
            return read_plain(source, every) if len(source) <= MOST_TEMPLATE_CHARACTERS else None

        @lru_cache(maxsize=4096)
        def fillable(source: str) -> tuple[Part, ...] | None:
            parts = plain(source)
            return parts if parts is not None and filters_in(parts) <= simple.keys() else None

        self._plain = plain
        self._fillable = fillable

    @cached_property
    def _jinja(self) -> Jinja:
        """Loaded when a template needs it: most need none, and it takes longer than to read them all."""
        from reeve.rulelang.jinja_templates import Jinja

        return Jinja(self._ours)

    @property
    def tests(self) -> tuple[str, ...]:
        """Names of the tests (`is defined`) that a template may use."""
        return self._jinja.tests

    def check(self, source: str) -> None:
        """Raises TemplateRefused (permanent), saying what is wrong, if the template can't be used."""
        if self._plain(source) is None:
            self._jinja.check(source)

    def names(self, source: str) -> tuple[NameUse, ...]:
        """The names a template can't do without, in its order. Raises TemplateRefused.

        Left out are names with a `default` filter, and those it asks `is defined` of.
        """
        if (parts := self._plain(source)) is not None:
            return tuple(NameUse(name, line) for name, line in names_in(parts))
        return self._jinja.names(source)

    def render(self, source: str, context: Mapping[str, Any]) -> str:
        """The text. Raises TemplateRefused or RenderingFailed, both permanent for this template and data."""
        budget = Budget()
        plain = self._fillable(source)
        if plain is not None:
            pieces = fill_in(plain, context, self._simple)
        else:
            pieces = self._jinja.pieces(source, context, budget)
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
        except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
            if isinstance(error, RenderingFailed):
                raise
            raise RenderingFailed(type(error).__name__) from None
        return "".join(parts)


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
